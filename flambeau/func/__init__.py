"""`flambeau.func`: transformations of functions, as in `torch.func`.

A function that is transformed is recorded like any other code, so transformations nest: the
gradient of a mapped function, the map of a gradient, a Hessian as a Jacobian of a Jacobian.
"""

from . import composites, custom
from .modules import functional_call, stack_module_state
from .transforms import (
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    vjp,
)
from .vmapping import vmap

__all__ = [
    "composites",
    "custom",
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "stack_module_state",
    "vjp",
    "vmap",
]
