"""The elementary functions: their errors, their special values, and that loops over them become vector code."""

import ctypes
import itertools
import math
import re

import llvmlite.binding as llvm
import numpy as np
import pytest

from flambeau.backends.llvm.math import NAMES, arity, definition, symbol

TYPES = {"float": np.float32, "double": np.float64}
ULPS = 2.0
inf, nan = math.inf, math.nan

_LOOP = """
define void @loop({parameters}, ptr noalias %to, i64 %n) "prefer-vector-width"="512" {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
{loads}
  %result = call {type} {symbol}({operands})
  %place = getelementptr {type}, ptr %to, i64 %i
  store {type} %result, ptr %place
  %next = add nuw nsw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %body, label %done
done:
  ret void
}}
"""


def module_text(name, type):
    """A module with the function and a loop that maps it over arrays."""
    count = range(arity(name))
    loads = "\n".join(
        f"  %p{k} = getelementptr {type}, ptr %from{k}, i64 %i\n  %x{k} = load {type}, ptr %p{k}"
        for k in count
    )
    return definition(name, type) + _LOOP.format(
        parameters=", ".join(f"ptr noalias %from{k}" for k in count),
        loads=loads,
        operands=", ".join(f"{type} %x{k}" for k in count),
        type=type,
        symbol=symbol(name, type),
    )


def optimised(text, machine):
    """The module of a text, as the vectoriser leaves it."""
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    llvm.create_pass_builder(machine, options).getModulePassManager().run(module, machine_passes(machine))
    return module


def machine_passes(machine):
    """The pass builder that the new pass manager wants next to the module."""
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    return llvm.create_pass_builder(machine, options)


@pytest.fixture(scope="module")
def mapped():
    """mapped(name, type) is a function of arrays, compiled for this machine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    engines = {}

    def compile(name, type):
        if (name, type) not in engines:
            machine = llvm.Target.from_default_triple().create_target_machine(
                cpu=llvm.get_host_cpu_name(),
                features=llvm.get_host_cpu_features().flatten(),
                opt=3,
                jit=True,
            )
            engine = llvm.create_mcjit_compiler(optimised(module_text(name, type), machine), machine)
            engine.finalize_object()
            engines[name, type] = engine
        address = engines[name, type].get_function_address("loop")
        pointers = [ctypes.c_void_p] * (arity(name) + 1)
        call = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(address)

        def run(*arrays):
            arrays = [np.ascontiguousarray(a, TYPES[type]) for a in arrays]
            result = np.empty_like(arrays[0])
            call(*[a.ctypes.data for a in arrays], result.ctypes.data, result.size)
            return result

        return run

    return compile
