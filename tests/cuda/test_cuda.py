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


def test_tensor_types():
    """No tensor is one of a device, and none can be made."""
    cuda = flambeau.cuda
    assert not isinstance(flambeau.ones(2), cuda.FloatTensor)
    assert repr(cuda.LongTensor) == "<class 'torch.cuda.LongTensor'>"
    with pytest.raises(TypeError, match=r"torch.cuda.FloatTensor not available"):
        cuda.FloatTensor([1.0])


def test_more_refusals():
    """Graphs, marks for NVIDIA's profiler and sensors need a device."""
    cuda = flambeau.cuda
    for f in (cuda.temperature, cuda.power_draw, cuda.utilization, cuda.get_sync_debug_mode):
        with pytest.raises(AssertionError, match="no CUDA device"):
            f()
    for f in (cuda.graph, cuda.graph_pool_handle, cuda.make_graphed_callables):
        with pytest.raises(RuntimeError, match="no CUDA device"):
            f(None, ())
    with pytest.raises(RuntimeError, match="record_function"):
        cuda.nvtx.range_push("step")
    with pytest.raises(RuntimeError, match="record_function"), cuda.nvtx.range("step {}", 1):
        pass
    assert cuda.memory_snapshot() == []
    with cuda.StreamContext(None), flambeau.accelerator.device_index(None):
        pass
    with pytest.raises(RuntimeError, match="no accelerator"), flambeau.accelerator.device_index(0):
        pass
    for f in (flambeau.mps.Event, flambeau.mps.compile_shader, flambeau.mps.profiler.start):
        with pytest.raises(RuntimeError, match="not available"):
            f()
    assert flambeau.backends.quantized.supported_engines == ["none"]


def test_old_mixed_precision():
    """The old names warn that they are old, and that there is no device."""
    amp = flambeau.cuda.amp
    with pytest.warns(FutureWarning, match="deprecated"), pytest.warns(UserWarning, match="CUDA"):
        context = amp.autocast()
    with context:
        assert (flambeau.ones(2, 2) @ flambeau.ones(2, 2)).dtype is flambeau.float32
    with pytest.warns(FutureWarning), pytest.warns(UserWarning, match="CUDA"):
        scaler = amp.GradScaler()
    assert not scaler.is_enabled()
    with pytest.warns(FutureWarning):
        forward = amp.custom_fwd(lambda ctx, x: x + 1)
    with pytest.warns(FutureWarning):
        backward = amp.custom_bwd(lambda ctx, g: g * 2)

    class Shift(flambeau.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return forward(ctx, x)

        @staticmethod
        def backward(ctx, g):
            return backward(ctx, g)

    x = flambeau.ones(2, requires_grad=True)
    Shift.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]
