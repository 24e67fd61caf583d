"""LLVM IR as text."""

import math

import pytest

from flambeau.backends.llvm.text import Body, Table, bits, fma, literal, poly, real, select


@pytest.mark.parametrize(
    ("number", "type", "text"),
    [
        (1, "float", "0x3FF0000000000000"),
        (0.1, "float", "0x3FB99999A0000000"),
        (0.1, "double", "0x3FB999999999999A"),
        (-0.0, "double", "0x8000000000000000"),
        (-math.inf, "float", "0xFFF0000000000000"),
        (-7, "i32", "-7"),
    ],
)
def test_numbers_become_literals_of_the_type(number, type, text):
    assert literal(number, type) == text


def test_operators_append_lines_and_equal_lines_are_written_once():
    body = Body()
    x = body.argument("float", "%x")
    result = select(x < 0.0, real(bits(x) ^ 1), fma(x, x, x * x) + x * x)
    text = body.text(result)
    assert text.count("fmul float %x, %x") == 1
    assert "fcmp olt float %x, 0x0000000000000000" in text
    assert text.endswith(f"ret float {result.name}")


def test_a_polynomial_is_nested_multiply_adds():
    body = Body()
    poly(body.argument("double", "%x"), (1.0, 2.0, 3.0))
    assert [line.count("@llvm.fma.f64") for line in body.lines] == [1, 1]


def test_values_of_different_types_do_not_meet():
    body = Body()
    with pytest.raises(TypeError, match="float %x meets double %y"):
        body.argument("float", "%x") + body.argument("double", "%y")


def test_a_table_is_a_constant_of_the_function():
    body = Body("f")
    value = Table(body, "t", [1.0, 2.0])[body.argument("i64", "%i")]
    assert value.type == "double"
    assert body.constants["t"].startswith("@f.t = internal constant [2 x double] [double 0x3FF")
