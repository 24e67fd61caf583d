"""The runtime: threads, the cache of kernels, errors that the data shows, memory."""

import os

import numpy as np
import pytest

import flambeau
from flambeau import config
from flambeau.backends import memory
from flambeau.backends.llvm import jit


@pytest.fixture
def native(monkeypatch):
    """Compile at once."""
    monkeypatch.setattr(config, "backend", "llvm")


@pytest.fixture
def thread_count():
    """Restores the number of threads."""
    before = flambeau.get_num_threads()
    yield
    flambeau.set_num_threads(before)


def work(x, w):
    """Products, reductions along rows and columns, elementwise."""
    y = (x @ w).tanh()
    return [y.sum(0).tolist(), y.sum(1).tolist(), (y - y.amax(1, keepdim=True)).exp().sum().item()]


def test_results_do_not_depend_on_threads(native, thread_count):
    rng = np.random.RandomState(0)
    x = flambeau.tensor(rng.randn(700, 300).astype(np.float32))
    w = flambeau.tensor(rng.randn(300, 600).astype(np.float32))
    found = []
    for count in (1, 2, 5, 1):
        flambeau.set_num_threads(count)
        found.append(work(x, w))
    assert found[0] == found[1] == found[2] == found[3]


def test_thread_count_is_checked():
    with pytest.raises(RuntimeError):
        flambeau.set_num_threads(0)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    "shape",
    [(1, 5, 900), (3, 700, 20_000), (8, 600, 20_000), (40_000, 6, 5), (9000, 800, 3)],
    ids=str,
)
def test_products_with_few_rows_or_columns(native, thread_count, shape, transposed):
    m, k, n = shape
    rng = np.random.RandomState(2)
    a, b = rng.randn(m, k).astype(np.float32), rng.randn(k, n).astype(np.float32)
    bias = rng.randn(n).astype(np.float32)
    x, c = flambeau.tensor(a), flambeau.tensor(bias)
    w = flambeau.tensor(b.T.copy()).t() if transposed else flambeau.tensor(b)
    plain, followed = a.astype(np.float64) @ b, np.maximum(a.astype(np.float64) @ b + bias, 0)
    for count in (1, 2):
        flambeau.set_num_threads(count)
        np.testing.assert_allclose((x @ w).numpy(), plain, rtol=1e-4, atol=2e-4)
        found = (x @ w + c).clamp(min=0.0).numpy()
        np.testing.assert_allclose(found, followed, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("length", [16, 511, 512, 513, 2049])
def test_sums_of_long_rows(native, length):
    values = np.random.RandomState(3).rand(7, length).astype(np.float32)
    exact = values.astype(np.float64)
    x = flambeau.tensor(values)
    np.testing.assert_allclose(x.sum(1).numpy(), exact.sum(1), rtol=3e-7)
    np.testing.assert_allclose(x.exp().mean(1).numpy(), np.exp(exact).mean(1), rtol=5e-7)
    weights = np.exp(exact - exact.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    np.testing.assert_allclose(x.softmax(1).numpy(), weights, rtol=1e-6)


def test_product_with_an_epilogue(native):
    rng = np.random.RandomState(1)
    a, b = rng.randn(600, 40).astype(np.float32), rng.randn(40, 300).astype(np.float32)
    bias = rng.randn(300).astype(np.float32)
    x, w, c = flambeau.tensor(a), flambeau.tensor(b), flambeau.tensor(bias)
    found = (x @ w + c).clamp(min=0.0).tolist()
    np.testing.assert_allclose(found, np.maximum(a @ b + bias, 0), rtol=1e-4, atol=1e-4)
    z = x @ w + c
    e = (z - z.amax(1, keepdim=True)).exp()
    found = (e / e.sum(1, keepdim=True)).tolist()
    e = np.exp(a @ b + bias - (a @ b + bias).max(1, keepdims=True))
    np.testing.assert_allclose(found, e / e.sum(1, keepdims=True), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", ["llvm", "numpy"])
def test_index_out_of_range_names_the_line(monkeypatch, backend):
    monkeypatch.setattr(config, "backend", backend)
    x = flambeau.zeros(5, 2)
    picked = x[flambeau.tensor([0, 7])] + 1  # the line that is named
    with pytest.raises(IndexError, match=r"index 7 .* size 5 .*test_runtime.py:\d+"):
        picked.tolist()
    assert (x + 1).tolist() == [[1.0, 1.0]] * 5


def test_torn_cache_file_is_compiled_again(native, monkeypatch, tmp_path):
    monkeypatch.setattr(config, "cache", str(tmp_path))
    monkeypatch.setattr(jit, "_addresses", dict.fromkeys(()))
    x = flambeau.tensor([1.0, 2.0, 3.0])
    assert ((x * 3 - 1).exp() + x).sum().item() > 0
    files = [os.path.join(d, f) for d, _, names in os.walk(tmp_path) for f in names]
    assert files
    for path in files:
        with open(path, "r+b") as f:
            f.truncate(os.path.getsize(path) // 2)
    before = jit.compiled_count
    key, name = ("torn",), "fb_torn"
    text = f"define i64 @{{}}() {{{{ ret i64 7 }}}}  ; {name}"
    jit.compiled(key, text.format)
    assert jit.compiled_count == before + 1
    assert jit._read(files[0]) is None


def test_blocks_come_back_to_the_pool():
    memory.release_pool()
    block = memory.Buffer.allocate(1 << 20)
    address = block.ptr
    assert memory.pool_bytes() == 0
    del block
    assert memory.pool_bytes() >= 1 << 20
    assert memory.Buffer.allocate(1 << 20).ptr == address


def test_exported_memory_is_not_reused():
    x = flambeau.zeros(1000)
    array = x.numpy()
    del x
    y = flambeau.ones(1000) * 1
    assert y.sum().item() == 1000
    assert not array.any()


@pytest.mark.parametrize("wrong", [5, 4095, 4096, 9999])
@pytest.mark.parametrize("index", [1000, -1001])
def test_scatters_stop_at_an_index_out_of_range(native, wrong, index):
    places = flambeau.arange(10_000) % 1000
    places[wrong] = index
    before = flambeau.zeros(1000)
    with pytest.raises(IndexError, match=f"index {index} is out of bounds"):
        flambeau.zeros(1000).index_add(0, places, flambeau.ones(10_000)).tolist()
    assert before.index_add(0, places.clamp(0, 999), flambeau.ones(10_000)).sum() == 10_000


@pytest.mark.parametrize("shape", [(0, 5, 40), (40, 5, 0), (4, 0, 5), (0, 40, 0)], ids=str)
def test_products_of_nothing(native, shape):
    m, k, n = shape
    a, b = flambeau.ones(m, k), flambeau.ones(k, n)
    for x, y in ((a, b), (a, flambeau.ones(n, k).t()), (flambeau.ones(k, m).t(), b)):
        assert (x @ y).tolist() == [[0.0] * n] * m
        assert (x @ y + 1).sum() == m * n
