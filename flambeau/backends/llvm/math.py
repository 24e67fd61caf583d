"""The elementary functions, written as LLVM IR that loops can be vectorised over."""

from . import math_exp, math_log
from .text import Body

__all__ = ["NAMES", "definition", "symbol"]

_FUNCTIONS = {**math_exp.FUNCTIONS, **math_log.FUNCTIONS}
NAMES = frozenset(_FUNCTIONS)
_ARITY = {"atan2": 2, "fmod": 2, "pow": 2, "remainder": 2}


def arity(name):
    """How many numbers the function takes."""
    return _ARITY.get(name, 1)


def symbol(name, type):
    """What the function is called in a module: `@fb_exp_f32`."""
    return f"@fb_{name}_{'f32' if type == 'float' else 'f64'}"


def definition(name, type):
    """The function as text, to be put once into a module that calls it."""
    body = Body()
    names = ("%x", "%y")[: arity(name)]
    result = _FUNCTIONS[name](*[body.argument(type, n) for n in names])
    parameters = ", ".join(f"{type} {n}" for n in names)
    head = f"define internal {type} {symbol(name, type)}({parameters})"
    return f"{head} alwaysinline nounwind willreturn memory(none) {{\n{body.text(result)}\n}}\n"
