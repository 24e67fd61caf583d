"""The elementary functions, written as LLVM IR that loops can be vectorised over."""

from . import math_arith, math_exp, math_gamma, math_gauss, math_log, math_pow, math_trig
from .text import Body

__all__ = ["NAMES", "definition", "symbol"]

_FUNCTIONS = {
    **math_arith.FUNCTIONS,
    **math_exp.FUNCTIONS,
    **math_gamma.FUNCTIONS,
    **math_gauss.FUNCTIONS,
    **math_log.FUNCTIONS,
    **math_pow.FUNCTIONS,
    **math_trig.FUNCTIONS,
}
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
    name_in_module = symbol(name, type)
    body = Body(name_in_module[1:])
    names = ("%x", "%y")[: arity(name)]
    result = _FUNCTIONS[name](*[body.argument(type, n) for n in names])
    parameters = ", ".join(f"{type} {n}" for n in names)
    head = f"define internal {type} {name_in_module}({parameters})"
    code = f"{head} alwaysinline nounwind willreturn memory(none) {{\n{body.text(result)}\n}}\n"
    return "\n".join([*body.constants.values(), code])
