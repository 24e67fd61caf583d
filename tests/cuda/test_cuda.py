"""Devices that are not there: honest answers, and errors that say so."""

import pytest

import flambeau


def test_answers():
    """Questions are answered, cleaning up and seeding are accepted."""
    cuda = flambeau.cuda
    assert cuda.is_available() is False
    assert cuda.device_count() == 0
    assert cuda.memory_allocated() == 0
    assert cuda.get_arch_list() == []
    assert cuda.manual_seed_all(3) is None
    assert cuda.empty_cache() is None
    assert not flambeau.mps.is_available()
    assert not flambeau.backends.mps.is_available()
    assert not flambeau.backends.cudnn.is_available()
    assert not flambeau.backends.cuda.is_built()
    assert flambeau.accelerator.current_accelerator() is None
    assert flambeau.version.cuda is None


def test_refusals():
    """What needs a device raises."""
    cuda = flambeau.cuda
    for f in (cuda.current_device, cuda.get_device_name, cuda.synchronize, cuda.current_stream):
        with pytest.raises(AssertionError, match="no CUDA device"):
            f()
    for make in (cuda.Stream, cuda.Event, cuda.CUDAGraph):
        with pytest.raises(RuntimeError, match="no CUDA device"):
            make()
    with pytest.raises(RuntimeError, match="not available"):
        flambeau.mps.synchronize()
    with pytest.raises(RuntimeError, match="no accelerator"):
        flambeau.accelerator.synchronize()


def test_contexts():
    """The device and the stream of nothing change nothing."""
    with flambeau.cuda.device(None), flambeau.cuda.device(-1), flambeau.cuda.stream(None):
        x = flambeau.ones(2)
    with flambeau.cuda.device_of(x):
        assert (x + 1).sum().item() == 4
    with pytest.raises(AssertionError), flambeau.cuda.device(0):
        pass


def test_cudnn_flags():
    """Flags can be set, and are as before after the block."""
    cudnn = flambeau.backends.cudnn
    with cudnn.flags(enabled=False, benchmark=True):
        assert cudnn.benchmark
        assert not cudnn.enabled
    assert not cudnn.benchmark
    assert cudnn.enabled


def test_attention_kernels():
    """Which ways of attention are permitted."""
    settings = flambeau.backends.cuda
    with settings.sdp_kernel(enable_flash=False):
        assert not settings.flash_sdp_enabled()
        assert settings.math_sdp_enabled()
    assert settings.flash_sdp_enabled()
    settings.enable_mem_efficient_sdp(False)
    assert not settings.mem_efficient_sdp_enabled()
    settings.enable_mem_efficient_sdp(True)
