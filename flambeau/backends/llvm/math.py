"""The elementary functions, written as LLVM IR that loops can be vectorised over.

A definition is one basic block of plain instructions and of intrinsics that every target has for
vectors: no branch, no call, no flag that would let NaN or infinity be ignored. So a loop that calls
it becomes vector code once it is inlined, as wide as the target allows. Results are within 2 units
of the last place over the whole range, special values as in C99.
"""

from . import math_arith, math_exp, math_gamma, math_gauss, math_log, math_pow, math_trig
from .text import Body

__all__ = ["NAMES", "arity", "definition", "symbol"]

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
_OF_TWO = frozenset({"atan2", "fmod", "pow", "remainder"})


def arity(name):
    """How many numbers a function takes."""
    return 2 if name in _OF_TWO else 1


def symbol(name, type):
    """What a function of `float` or `double` is called in a module.

    >>> symbol("exp", "float")
    '@fb_exp_f32'
    """
    return f"@fb_{name}_{'f32' if type == 'float' else 'f64'}"


def definition(name, type):
    """The function as text, to be put once into a module that calls it; it needs nothing else."""
    body = Body(symbol(name, type)[1:])
    names = ("%x", "%y")[: arity(name)]
    result = _FUNCTIONS[name](*[body.argument(type, n) for n in names])
    parameters = ", ".join(f"{type} {n}" for n in names)
    head = f"define internal {type} {symbol(name, type)}({parameters})"
    code = f"{head} alwaysinline nounwind willreturn memory(none) {{\n{body.text(result)}\n}}\n"
    return "\n".join([*body.constants.values(), code])
