"""Schemas from annotations, and from texts."""

import typing
from collections.abc import Sequence

import pytest

import flambeau
from flambeau.library import infer_schema
from flambeau.library.schema import parse


def functions(lib):
    """Functions of a library's types."""
    tensor = lib.Tensor

    def plain(x: tensor, y: tensor | None, n: int, f: float = 1.0, b: bool = False) -> tensor: ...

    def lists(
        x: list[tensor], n: Sequence[int], o: int | None = None, d: lib.dtype = lib.float32
    ) -> tuple[tensor, tensor]: ...

    def nothing(x: tensor, *, s: str = "a") -> None: ...

    def numbers(x: tensor, q: typing.Union[int, float, bool], d: lib.device) -> list[tensor]: ...  # noqa: UP007

    return plain, lists, nothing, numbers


def test_as_pytorch(torch):
    """The texts are PyTorch's."""
    for ours, theirs in zip(functions(flambeau), functions(torch), strict=True):
        expected = torch.library.infer_schema(theirs, mutates_args=())
        assert infer_schema(ours, mutates_args=()) == expected
        expected = torch.library.infer_schema(theirs, mutates_args={"x"})
        assert infer_schema(ours, mutates_args={"x"}) == expected
        expected = torch.library.infer_schema(theirs, mutates_args="unknown")
        assert infer_schema(ours, mutates_args="unknown") == expected


def test_what_can_not_be_said():
    """Functions without a schema."""
    tensor = flambeau.Tensor

    def unknown(x: dict) -> tensor: ...
    def bare(x) -> tensor: ...
    def open_end(x: tensor): ...
    def many(*x: tensor) -> tensor: ...
    def odd(x: tensor) -> dict: ...

    for f, text in (
        (unknown, "unsupported type"),
        (bare, "must have a type annotation"),
        (open_end, "No return type"),
        (many, "varargs"),
        (odd, "Return has unsupported type"),
    ):
        with pytest.raises(ValueError, match=text):
            infer_schema(f, mutates_args=())
    with pytest.raises(ValueError, match="were not found"):
        infer_schema(functions(flambeau)[0], mutates_args={"z"})


@pytest.mark.parametrize(
    "text",
    [
        "(Tensor x, int n=3) -> Tensor",
        "(Tensor(a0!) x, *, float? f=None, int[] k=[1, 2]) -> (Tensor, Tensor)",
        "() -> ()",
        "(Tensor[] xs, bool b=True, ScalarType d=float32) -> Tensor[]",
    ],
)
def test_parse(text):
    """A text that is read says the same again."""
    name, schema = parse("f" + text)
    assert name == "f"
    assert str(schema) == text


def test_wrong_texts():
    """What is no schema."""
    for text in ("f(Tensor x", "f(Tensor) -> Tensor", "f(Tensor x -> Tensor"):
        with pytest.raises(RuntimeError, match="expected a"):
            parse(text)
