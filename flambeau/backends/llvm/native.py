"""The native parts that are always the same: the matrix product, and what walks a program.

A program is a table of entries of 5 int64: function, args, tiles, threads?, number of the step.
"""

from . import jit

__all__ = ["gemm_address", "runner_address"]

_GEMM = """
define void @{symbol}(i64 %begin, i64 %end, ptr %args, ptr %bufs, ptr %scalars, ptr %status) {{
entry:
{loads}
  %am = sub i64 %m, 1
  %bm = add i64 %am, %rows
  %tiles = sdiv i64 %bm, %rows
  %pa0 = getelementptr ptr, ptr %bufs, i64 %ia
  %pa1 = load ptr, ptr %pa0
  %pa = getelementptr {t}, ptr %pa1, i64 %offa
  %pb0 = getelementptr ptr, ptr %bufs, i64 %ib
  %pb1 = load ptr, ptr %pb0
  %pb = getelementptr {t}, ptr %pb1, i64 %offb
  %pc0 = getelementptr ptr, ptr %bufs, i64 %ic
  %pc = load ptr, ptr %pc0
  %f = inttoptr i64 %fn to ptr
  %ta32 = trunc i64 %ta to i32
  %tb32 = trunc i64 %tb to i32
  %n32 = trunc i64 %n to i32
  %k32 = trunc i64 %k to i32
  %lda32 = trunc i64 %lda to i32
  %ldb32 = trunc i64 %ldb to i32
  br label %test
test:
  %i = phi i64 [ %begin, %entry ], [ %i1, %body ]
  %more = icmp slt i64 %i, %end
  br i1 %more, label %body, label %done
body:
  %batch = sdiv i64 %i, %tiles
  %tile = srem i64 %i, %tiles
  %row = mul i64 %tile, %rows
  %rest = sub i64 %m, %row
  %less = icmp slt i64 %rest, %rows
  %count = select i1 %less, i64 %rest, i64 %rows
  %count32 = trunc i64 %count to i32
  %a1 = mul i64 %batch, %sa
  %a2 = mul i64 %row, %ra
  %a3 = add i64 %a1, %a2
  %a = getelementptr {t}, ptr %pa, i64 %a3
  %b1 = mul i64 %batch, %sb
  %b = getelementptr {t}, ptr %pb, i64 %b1
  %c1 = mul i64 %batch, %m
  %c2 = add i64 %c1, %row
  %c3 = mul i64 %c2, %n
  %c = getelementptr {t}, ptr %pc, i64 %c3
  call void %f(i32 101, i32 %ta32, i32 %tb32, i32 %count32, i32 %n32, i32 %k32, {t} 1.0, ptr %a, i32 %lda32, ptr %b, i32 %ldb32, {t} 0.0, ptr %c, i32 %n32)
  %i1 = add i64 %i, 1
  br label %test
done:
  ret void
}}
"""
_NAMES = ("ia", "ib", "ic", "offa", "offb", "m", "n", "k", "ta", "tb", "lda", "ldb", "sa", "sb")
_NAMES += ("ra", "rows", "fn")

_RUN = """
define void @{symbol}(ptr %table, i64 %count, ptr %bufs, ptr %scalars, ptr %status) {{
entry:
  br label %test
test:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %done
body:
  %at = mul i64 %i, 5
  %p0 = getelementptr i64, ptr %table, i64 %at
  %f0 = load i64, ptr %p0
  %f = inttoptr i64 %f0 to ptr
  %p1 = getelementptr i64, ptr %p0, i64 1
  %a0 = load i64, ptr %p1
  %a = inttoptr i64 %a0 to ptr
  %p2 = getelementptr i64, ptr %p0, i64 2
  %tiles = load i64, ptr %p2
  call void %f(i64 0, i64 %tiles, ptr %a, ptr %bufs, ptr %scalars, ptr %status)
  %bad = load i64, ptr %status
  %wrong = icmp ne i64 %bad, 0
  br i1 %wrong, label %fail, label %next
next:
  %i1 = add i64 %i, 1
  br label %test
fail:
  %step = getelementptr i64, ptr %status, i64 3
  store i64 %i, ptr %step
  ret void
done:
  ret void
}}
"""


def gemm_address(kind):
    """The address of the product of batches, as tiles of rows; kind is "float" or "double"."""

    def text(symbol):
        loads = []
        for k, name in enumerate(_NAMES):
            loads.append(f"  %{name}.p = getelementptr i64, ptr %args, i64 {k}")
            loads.append(f"  %{name} = load i64, ptr %{name}.p")
        return _GEMM.format(symbol=symbol, t=kind, loads="\n".join(loads))

    return jit.compiled(("gemm", kind), text)


def runner_address():
    """The address of the function that walks a program's table."""
    return jit.compiled(("runner", 1), lambda symbol: _RUN.format(symbol=symbol))
