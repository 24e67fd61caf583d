"""`flambeau.nn.attention` against torch."""

import pytest

import flambeau
from flambeau.nn.attention import SDPBackend, sdpa_kernel


def enabled(t):
    """Which ways are permitted."""
    names = ("flash", "math", "mem_efficient", "cudnn")
    return [getattr(t.backends.cuda, f"{name}_sdp_enabled")() for name in names]


def test_permissions(torch):
    found = []
    for t in (flambeau, torch):
        attention = __import__(f"{t.__name__}.nn.attention", fromlist=["sdpa_kernel"])
        kinds = attention.SDPBackend
        seen = [enabled(t)]
        for given in (kinds.MATH, [kinds.FLASH_ATTENTION, kinds.CUDNN_ATTENTION], []):
            with attention.sdpa_kernel(given, set_priority=True):
                seen.append(enabled(t))
            seen.append(enabled(t))
        shown = [(name, str(kind)) for name, kind in kinds.__members__.items()]
        found.append((seen, shown))
    assert found[0] == found[1]


def test_restored_after_an_error():
    with pytest.raises(KeyError), sdpa_kernel(SDPBackend.MATH):
        raise KeyError
    assert enabled(flambeau) == [True] * 4


def test_computes_the_same():
    x = flambeau.randn(2, 3, 4)
    attend = flambeau.nn.functional.scaled_dot_product_attention
    for kind in (SDPBackend.MATH, SDPBackend.EFFICIENT_ATTENTION):
        with sdpa_kernel([kind]):
            assert flambeau.equal(attend(x, x, x), attend(x, x, x))


@pytest.mark.parametrize("wrong", ["math", None, 0])
def test_what_it_refuses(wrong):
    with pytest.raises(AssertionError, match="Backend must be an instance of SDPBackend"):
        sdpa_kernel(wrong).__enter__()
