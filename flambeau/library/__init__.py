"""`flambeau.library`: operations of one's own, with names, derivatives and checks."""

from .checking import OpCheckError, opcheck
from .operations import CustomOpDef, custom_op
from .registering import Library, define, impl, register_autograd, register_fake, register_kernel
from .schema import infer_schema

__all__ = [
    "CustomOpDef",
    "Library",
    "OpCheckError",
    "custom_op",
    "define",
    "impl",
    "infer_schema",
    "opcheck",
    "register_autograd",
    "register_fake",
    "register_kernel",
]
