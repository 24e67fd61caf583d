"""The public names of `flambeau` itself: dtypes, formats, settings, questions, legacy types."""

import subprocess
import sys

import numpy as np
import pytest

import flambeau


def test_all_is_there():
    """Every name of __all__ is an attribute, and the explicit ones are sorted."""
    assert len(set(flambeau.__all__)) == len(flambeau.__all__)
    for name in flambeau.__all__:
        getattr(flambeau, name)


def test_names_from_submodules():
    """Names and submodules that are imported when they are asked for."""
    assert flambeau.nn.functional.layer_norm is not None
    assert flambeau.layer_norm(flambeau.ones(2, 3), (3,)).shape == (2, 3)
    assert flambeau.backends.cudnn.benchmark is False
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        flambeau.nothing  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        flambeau.backends.nothing  # noqa: B018


def test_import_is_lean():
    """Importing flambeau imports no large library besides NumPy, and not what is seldom used."""
    program = (
        "import sys, flambeau; "
        "print([m for m in ('torch', 'scipy', 'llvmlite', 'multiprocessing', 'zipfile', "
        "'numpy.random', 'flambeau.nn', 'flambeau.optim') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stdout + run.stderr


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        *(("float", "float32"), ("double", "float64"), ("half", "float16"), ("long", "int64")),
        *(("int", "int32"), ("short", "int16"), ("char", "int8"), ("byte", "uint8")),
        *(("cfloat", "complex64"), ("cdouble", "complex128"), ("bool", "bool_")),
    ],
)
def test_dtype_aliases(alias, name):
    """Short names mean the same dtype."""
    assert getattr(flambeau, alias) is getattr(flambeau.dtypes, name)


def test_formats(torch):
    """Layouts and memory formats print as PyTorch's."""
    for name in ("strided", "sparse_coo", "contiguous_format", "channels_last", "preserve_format"):
        assert repr(getattr(flambeau, name)) == repr(getattr(torch, name))
    assert flambeau.zeros(2).layout is flambeau.strided
    assert isinstance(flambeau.strided, flambeau.layout)
    assert isinstance(flambeau.channels_last, flambeau.memory_format)


def test_promotion(torch):
    """can_cast and result_type for pairs of dtypes and numbers."""
    names = ("bool", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64")
    for a in names:
        for b in names:
            cast = [lib.can_cast(getattr(lib, a), getattr(lib, b)) for lib in (flambeau, torch)]
            assert cast[0] == cast[1], (a, b)
            if {a, b} == {"float16", "complex64"}:
                continue  # there is no complex32
            for shapes in ((2, 2), (2, ()), ((), 2)):
                kinds = [
                    lib.result_type(
                        lib.zeros(shapes[0], dtype=getattr(lib, a)),
                        lib.zeros(shapes[1], dtype=getattr(lib, b)),
                    )
                    for lib in (flambeau, torch)
                ]
                assert str(kinds[0]) == str(kinds[1]), (a, b, shapes)
        for number in (True, 1, 1.5, 1j):
            if (a, number) == ("float16", 1j):
                continue
            kinds = [
                lib.result_type(lib.zeros(2, dtype=getattr(lib, a)), number)
                for lib in (flambeau, torch)
            ]
            assert str(kinds[0]) == str(kinds[1]), (a, number)


def test_questions():
    """What is known of a tensor."""
    x = flambeau.zeros(2, 3)
    assert flambeau.is_tensor(x)
    assert not flambeau.is_tensor(1)
    assert flambeau.numel(x) == 6
    assert flambeau.is_floating_point(x)
    assert not flambeau.is_complex(x)
    assert flambeau.is_signed(x)
    assert flambeau.typename(x) == "torch.FloatTensor"
    assert flambeau.is_nonzero(flambeau.tensor(3))
    with pytest.raises(RuntimeError, match="more than one value"):
        flambeau.is_nonzero(x)
    with pytest.raises(TypeError, match="expected a Tensor or a number"):
        flambeau.result_type(x, "a")


def test_legacy_types():
    """FloatTensor and the others make tensors, and tell them apart."""
    assert flambeau.LongTensor([1, 2]).dtype is flambeau.int64
    assert flambeau.FloatTensor(2, 3).shape == (2, 3)
    assert flambeau.DoubleTensor(np.ones(2)).dtype is flambeau.float64
    assert flambeau.ByteTensor().shape == (0,)
    assert isinstance(flambeau.zeros(2), flambeau.FloatTensor)
    assert not isinstance(flambeau.zeros(2), flambeau.IntTensor)
    assert repr(flambeau.HalfTensor) == "<class 'torch.HalfTensor'>"


def test_settings():
    """Settings can be read back, and wrong ones are refused."""
    before = flambeau.get_num_threads()
    assert before >= 1
    flambeau.set_num_threads(2)
    assert flambeau.get_num_threads() == 2
    flambeau.set_num_threads(before)
    with pytest.raises(RuntimeError):
        flambeau.set_num_threads(0)
    flambeau.use_deterministic_algorithms(True, warn_only=True)
    assert flambeau.are_deterministic_algorithms_enabled()
    assert flambeau.is_deterministic_algorithms_warn_only_enabled()
    flambeau.set_deterministic_debug_mode("default")
    assert not flambeau.are_deterministic_algorithms_enabled()
    flambeau.set_float32_matmul_precision("high")
    assert flambeau.get_float32_matmul_precision() == "high"
    flambeau.set_float32_matmul_precision("highest")
    with pytest.raises(RuntimeError):
        flambeau.set_float32_matmul_precision("low")
    flambeau.set_default_device("cpu")
    assert flambeau.get_default_device() == flambeau.device("cpu")
    with pytest.raises(RuntimeError, match="not available"):
        flambeau.set_default_device("cuda")
    flambeau.set_default_tensor_type("torch.DoubleTensor")
    assert flambeau.get_default_dtype() is flambeau.float64
    flambeau.set_default_tensor_type(flambeau.FloatTensor)
    assert flambeau.get_default_dtype() is flambeau.float32


def test_checks():
    """_assert and _check raise what PyTorch's do."""
    flambeau._assert(flambeau.tensor(True), "fine")
    with pytest.raises(AssertionError, match="wrong"):
        flambeau._assert(False, "wrong")
    flambeau._check(True)
    with pytest.raises(RuntimeError, match="lost"):
        flambeau._check(False, lambda: "lost")
    with pytest.raises(TypeError):
        flambeau._check(1)
