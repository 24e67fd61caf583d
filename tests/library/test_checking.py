"""`opcheck` finds what is not as it is said to be."""

import pytest

import flambeau
from flambeau import Tensor, library


def made(fake, gradient=lambda ctx, g: g, body=lambda x: x * 2):
    @library.custom_op("test::op", mutates_args=())
    def op(x: Tensor) -> Tensor:
        return body(x)

    if fake is not None:
        op.register_fake(fake)
    op.register_autograd(gradient)
    return op


def test_right():
    """All is as it is said."""
    x = flambeau.ones(2, 3, requires_grad=True)
    found = library.opcheck(made(flambeau.empty_like), (x,))
    assert list(found.values()) == ["SUCCESS"] * 4
    assert library.opcheck("test::op", (x,), test_utils="test_schema") == {"test_schema": "SUCCESS"}


def change(x):
    x.add_(1)
    return x * 2


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fake": None}, "no fake impl"),
        ({"fake": lambda x: flambeau.empty(3)}, "has shape"),
        ({"fake": lambda x: flambeau.empty(2, 3, dtype=flambeau.int64)}, "has dtype"),
        ({"fake": lambda x: None}, "1 tensors are computed"),
        ({"fake": flambeau.empty_like, "body": change}, "is changed"),
        (
            {"fake": flambeau.empty_like, "gradient": lambda ctx, g: flambeau.ones(7)},
            "invalid gradient",
        ),
    ],
)
def test_wrong(options, text):
    """What is wrong is named; or noted, if asked."""
    x = flambeau.ones(2, 3, requires_grad=True)
    op = made(**options)
    with pytest.raises(library.OpCheckError, match=text):
        library.opcheck(op, (x,))
    noted = library.opcheck(op, (x,), raise_exception=False)
    assert any(isinstance(v, Exception) for v in noted.values())
    with pytest.raises(ValueError, match="subset"):
        library.opcheck(op, (x,), test_utils="beauty")
