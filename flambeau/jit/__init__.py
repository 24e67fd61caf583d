"""`flambeau.jit`: scripts that compile their models with TorchScript run as they are.

flambeau compiles what a program does as it does it, so there is nothing to compile before. What
`script` and `trace` return behaves as what they were given, in Python.
"""

from typing import Final

from .checking import isinstance
from .files import load, save
from .marks import (
    Attribute,
    annotate,
    export,
    ignore,
    interface,
    script_if_tracing,
    script_method,
    unused,
)
from .modules import (
    ScriptModule,
    TracerWarning,
    freeze,
    is_scripting,
    is_tracing,
    optimize_for_inference,
    script,
    trace,
    trace_module,
)
from .settings import (
    enable_onednn_fusion,
    fuser,
    onednn_fusion_enabled,
    optimized_execution,
    set_fusion_strategy,
    strict_fusion,
)
from .tasks import fork, wait

__all__ = [
    "Attribute",
    "Final",
    "ScriptModule",
    "TracerWarning",
    "annotate",
    "enable_onednn_fusion",
    "export",
    "fork",
    "freeze",
    "fuser",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "load",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
    "wait",
]
