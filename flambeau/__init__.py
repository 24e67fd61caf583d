"""flambeau: PyTorch's programming model on an engine of its own."""

from . import autograd, dtypes, ops, tensor
from .autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from .dtypes import *  # noqa: F403
from .recorder.handle import Size, Tensor, device

tensor.install()
globals().update(ops.api.FUNCTIONS)
bool = dtypes.bool_
