"""flambeau: PyTorch's programming model on an engine of its own.

`import flambeau as torch` runs a PyTorch script. The operations are published by `flambeau.ops`;
submodules such as `flambeau.nn` are imported when they are first asked for.
"""

import math
import sys

from . import autograd, dtypes, ops, tensor
from .autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from .autograd.anomaly_mode import (
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_anomaly_enabled,
)
from .autograd.modes import is_grad_enabled, is_inference_mode_enabled
from .dtypes import (
    bfloat16,
    complex32,
    complex64,
    complex128,
    dtype,
    finfo,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    float16,
    float32,
    float64,
    get_default_dtype,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .errors import AcceleratorError, OutOfMemoryError
from .formats import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    jagged,
    layout,
    memory_format,
    preserve_format,
    sparse_coo,
    sparse_csc,
    sparse_csr,
    strided,
)
from .generator import default_generator
from .lazy import also_known_as, submodules
from .legacy import (
    BFloat16Tensor,
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
)
from .queries import (
    can_cast,
    detach,
    is_complex,
    is_floating_point,
    is_nonzero,
    is_signed,
    is_storage,
    is_tensor,
    numel,
    result_type,
    typename,
)
from .recorder.handle import Size, Tensor, device
from .recorder.trace import flush as synchronize
from .settings import (
    are_deterministic_algorithms_enabled,
    get_default_device,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    get_num_interop_threads,
    get_num_threads,
    is_deterministic_algorithms_warn_only_enabled,
    set_default_device,
    set_default_tensor_type,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    set_flush_denormal,
    set_num_interop_threads,
    set_num_threads,
    set_strict,
    set_warn_always,
    use_deterministic_algorithms,
)
from .version import __version__

bool = dtypes.bool_
byte = uint8
cdouble = complex128
cfloat = complex64
chalf = complex32
char = int8
double = float64
float = float32
half = float16
int = int32
long = int64
short = int16

e = math.e
inf = math.inf
nan = math.nan
newaxis = None
pi = math.pi

tensor.install()
globals().update(ops.api.FUNCTIONS)
for _public in ops.api.FUNCTIONS.values():
    _public.__module__ = __name__  # so that it can be pickled by name
detach_, fill_, resize_as_, zero_ = (
    ops.api.METHODS[name] for name in ("detach_", "fill_", "resize_as_", "zero_")
)

# Names that are defined in a submodule which is not imported before they are needed.
_LATER = {
    "Future": "futures",
    "load": "serialization",
    "save": "serialization",
    "set_printoptions": "printing",
    "debug_nans": "nans",
    "compile": "compiler",
    "vmap": "func",
    **dict.fromkeys(
        (
            *("GradScaler", "autocast", "clear_autocast_cache", "get_autocast_dtype"),
            *("is_autocast_available", "is_autocast_enabled", "set_autocast_dtype"),
            "set_autocast_enabled",
        ),
        "amp",
    ),
    "why": "explain",
    **dict.fromkeys(("hspmm", "smm"), "sparse.products"),
    **dict.fromkeys(
        (
            *("sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor"),
            "sparse_csr_tensor",
        ),
        "sparse.creation",
    ),
    **dict.fromkeys(("SymBool", "SymFloat", "SymInt", "_assert", "_assert_async"), "queries"),
    **dict.fromkeys(("_check", "get_device_module", "sym_int"), "queries"),
    **dict.fromkeys(("TypedStorage", "UntypedStorage"), "storage"),
    **dict.fromkeys(("Event", "Stream"), "cuda"),
    **dict.fromkeys(("cond", "while_loop"), "control"),
    **dict.fromkeys(
        (
            *("adaptive_avg_pool1d", "avg_pool1d", "bilinear", "conv1d"),
            *("conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
            *(
                "max_pool1d",
                "max_pool1d_with_indices",
                "adaptive_max_pool1d",
                "max_pool2d",
                "max_pool3d",
                "pairwise_distance",
                "pdist",
            ),
            *("rms_norm", "rrelu", "rrelu_"),
        ),
        "nn.functional",
    ),
    **dict.fromkeys(
        (
            *("alpha_dropout", "alpha_dropout_", "batch_norm", "ctc_loss", "dropout_", "embedding"),
            *("feature_alpha_dropout", "feature_alpha_dropout_", "group_norm", "kl_div"),
            "layer_norm",
        ),
        "nn.toplevel",
    ),
    **dict.fromkeys(
        (
            *("conv_tbc", "convolution", "native_batch_norm", "native_group_norm"),
            "native_layer_norm",
        ),
        "nn.native",
    ),
    **dict.fromkeys(
        (
            *("gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh"),
            "rnn_tanh_cell",
        ),
        "nn.functional.recurrent",
    ),
}

_submodule = submodules(__name__, _LATER)


def __getattr__(name):
    if name.endswith("_") and name in ops.api.METHODS and name[:-1] in ops.api.FUNCTIONS:
        return ops.api.METHODS[name]  # in place, as a function of the tensor
    return _submodule(name)


also_known_as(__name__, functional=sys.modules[__name__])

__all__ = [
    "AcceleratorError",
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "OutOfMemoryError",
    "ShortTensor",
    "Size",
    "Tensor",
    "__version__",
    "are_deterministic_algorithms_enabled",
    "autograd",
    "bfloat16",
    "bool",
    "byte",
    "can_cast",
    "cdouble",
    "cfloat",
    "chalf",
    "channels_last",
    "channels_last_3d",
    "char",
    "complex32",
    "complex64",
    "complex128",
    "contiguous_format",
    "default_generator",
    "detach",
    "detach_",
    "device",
    "double",
    "dtype",
    "e",
    "enable_grad",
    "fill_",
    "finfo",
    "float",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float16",
    "float32",
    "float64",
    "get_default_device",
    "get_default_dtype",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "half",
    "iinfo",
    "inf",
    "inference_mode",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_complex",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_floating_point",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_nonzero",
    "is_signed",
    "is_storage",
    "is_tensor",
    "jagged",
    "layout",
    "long",
    "memory_format",
    "nan",
    "newaxis",
    "no_grad",
    "numel",
    "pi",
    "preserve_format",
    "promote_types",
    "resize_as_",
    "result_type",
    "set_anomaly_enabled",
    "set_default_device",
    "set_default_dtype",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_grad_enabled",
    "set_num_interop_threads",
    "set_num_threads",
    "set_strict",
    "set_warn_always",
    "short",
    "sparse_coo",
    "sparse_csc",
    "sparse_csr",
    "strided",
    "synchronize",
    "typename",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "use_deterministic_algorithms",
    "zero_",
]
__all__ += sorted(ops.api.FUNCTIONS)
