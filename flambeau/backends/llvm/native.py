"""The native parts that are always the same: the matrix product, and what walks a program.

A program is a table of entries of 5 int64: function, args, tiles, tiles of a chunk, chunks.

Entries of one chunk run on the calling thread. Of the others, threads claim chunks by adding to a
cursor that holds (entry, chunk) in one int64, so a thread that comes late, or never, is harmless.
The shared block is 8 int64, each on a cache line of its own: generation, open, inside, cursor,
completed, and the descriptor (table, bufs, scalars, status) that a generation of it refers to.
"""

import sys

from . import jit

__all__ = ["epilogue_address", "gemm_address", "helper_address", "runner_address"]

_GIVE_WAY = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

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
  %left = sub i64 %end, %i
  %left2 = sub i64 %tiles, %tile
  %fewer = icmp slt i64 %left, %left2
  %span = select i1 %fewer, i64 %left, i64 %left2
  %want = mul i64 %span, %rows
  %less = icmp slt i64 %rest, %want
  %count = select i1 %less, i64 %rest, i64 %want
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
  call void %f(
    i32 101, i32 %ta32, i32 %tb32, i32 %count32, i32 %n32, i32 %k32, {t} 1.0,
    ptr %a, i32 %lda32, ptr %b, i32 %ldb32, {t} 0.0, ptr %c, i32 %n32)
  %i1 = add i64 %i, %span
  br label %test
done:
  ret void
}}
"""
_NAMES = ("ia", "ib", "ic", "offa", "offb", "m", "n", "k", "ta", "tb", "lda", "ldb", "sa", "sb")
_NAMES += ("ra", "rows", "fn")

_EPILOGUE = """
define void @{symbol}(i64 %begin, i64 %end, ptr %args, ptr %bufs, ptr %scalars, ptr %status) {{
entry:
{loads}
  %gemm = inttoptr i64 %fg to ptr
  %ga = inttoptr i64 %ag to ptr
  %kernel = inttoptr i64 %fk to ptr
  %ka = inttoptr i64 %ak to ptr
  br label %test
test:
  %i = phi i64 [ %begin, %entry ], [ %i1, %body ]
  %more = icmp slt i64 %i, %end
  br i1 %more, label %body, label %done
body:
  %i1 = add i64 %i, 1
  call void %gemm(i64 %i, i64 %i1, ptr %ga, ptr %bufs, ptr %scalars, ptr %status)
  %batch = sdiv i64 %i, %tiles
  %tile = srem i64 %i, %tiles
  %row = mul i64 %tile, %rows
  %rest = sub i64 %m, %row
  %less = icmp slt i64 %rest, %rows
  %count = select i1 %less, i64 %rest, i64 %rows
  %b1 = mul i64 %batch, %m
  %b2 = add i64 %b1, %row
  %first = mul i64 %b2, %each
  %span = mul i64 %count, %each
  %last = add i64 %first, %span
  call void %kernel(i64 %first, i64 %last, ptr %ka, ptr %bufs, ptr %scalars, ptr %status)
  br label %test
done:
  ret void
}}
"""

_HELPERS = """
declare i32 @{give_way}()
define internal void @pause(i64 %turn) {{
entry:
  %long = icmp sgt i64 %turn, 2000
  br i1 %long, label %yield, label %on
yield:
  %ignored = call i32 @{give_way}()
  br label %on
on:
  ret void
}}
define internal i64 @claim(ptr %shared, ptr %table, ptr %bufs, ptr %scalars, ptr %status) {{
entry:
  %cursor = getelementptr i64, ptr %shared, i64 24
  %completed = getelementptr i64, ptr %shared, i64 32
  %now = atomicrmw add ptr %cursor, i64 1 seq_cst
  %i = lshr i64 %now, 32
  %chunk = and i64 %now, 4294967295
  %at = mul i64 %i, 5
  %p = getelementptr i64, ptr %table, i64 %at
  %p4 = getelementptr i64, ptr %p, i64 4
  %chunks = load i64, ptr %p4
  %some = icmp slt i64 %chunk, %chunks
  br i1 %some, label %work, label %none
work:
  %f0 = load i64, ptr %p
  %f = inttoptr i64 %f0 to ptr
  %p1 = getelementptr i64, ptr %p, i64 1
  %a0 = load i64, ptr %p1
  %a = inttoptr i64 %a0 to ptr
  %p2 = getelementptr i64, ptr %p, i64 2
  %tiles = load i64, ptr %p2
  %p3 = getelementptr i64, ptr %p, i64 3
  %grain = load i64, ptr %p3
  %begin = mul i64 %chunk, %grain
  %end0 = add i64 %begin, %grain
  %over = icmp sgt i64 %end0, %tiles
  %end = select i1 %over, i64 %tiles, i64 %end0
  call void %f(i64 %begin, i64 %end, ptr %a, ptr %bufs, ptr %scalars, ptr %status)
  %done = atomicrmw add ptr %completed, i64 1 seq_cst
  ret i64 1
none:
  ret i64 0
}}
"""

_RUN = (
    _HELPERS
    + """
define void @{symbol}(ptr %table, i64 %count, ptr %bufs, ptr %scalars, ptr %status, ptr %shared) {{
entry:
  %cursor = getelementptr i64, ptr %shared, i64 24
  %completed = getelementptr i64, ptr %shared, i64 32
  %alone = icmp eq ptr %shared, null
  br label %test
test:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %done
body:
  %at = mul i64 %i, 5
  %p0 = getelementptr i64, ptr %table, i64 %at
  %p4 = getelementptr i64, ptr %p0, i64 4
  %chunks = load i64, ptr %p4
  %single = icmp slt i64 %chunks, 2
  %mine = or i1 %single, %alone
  br i1 %mine, label %whole, label %parted
whole:
  %f0 = load i64, ptr %p0
  %f = inttoptr i64 %f0 to ptr
  %p1 = getelementptr i64, ptr %p0, i64 1
  %a0 = load i64, ptr %p1
  %a = inttoptr i64 %a0 to ptr
  %p2 = getelementptr i64, ptr %p0, i64 2
  %tiles = load i64, ptr %p2
  call void %f(i64 0, i64 %tiles, ptr %a, ptr %bufs, ptr %scalars, ptr %status)
  br label %checked
parted:
  store atomic i64 0, ptr %completed seq_cst, align 8
  %first = shl i64 %i, 32
  store atomic i64 %first, ptr %cursor seq_cst, align 8
  br label %again
again:
  %got = call i64 @claim(ptr %shared, ptr %table, ptr %bufs, ptr %scalars, ptr %status)
  %some = icmp ne i64 %got, 0
  br i1 %some, label %again, label %wait
wait:
  %turn = phi i64 [ 0, %again ], [ %turn1, %rest ]
  %turn1 = add i64 %turn, 1
  %finished = load atomic i64, ptr %completed seq_cst, align 8
  %all = icmp eq i64 %finished, %chunks
  br i1 %all, label %checked, label %rest
rest:
  call void @pause(i64 %turn)
  br label %wait
checked:
  %bad = load i64, ptr %status
  %wrong = icmp ne i64 %bad, 0
  br i1 %wrong, label %fail, label %next
next:
  %i1 = add i64 %i, 1
  br label %test
fail:
  %step = getelementptr i64, ptr %status, i64 3
  store i64 %i, ptr %step
  br label %done
done:
  br i1 %alone, label %leave, label %close
close:
  %open = getelementptr i64, ptr %shared, i64 8
  %inside = getelementptr i64, ptr %shared, i64 16
  store atomic i64 0, ptr %open seq_cst, align 8
  br label %drain
drain:
  %turn2 = phi i64 [ 0, %close ], [ %turn3, %drowse ]
  %turn3 = add i64 %turn2, 1
  %still = load atomic i64, ptr %inside seq_cst, align 8
  %empty = icmp eq i64 %still, 0
  br i1 %empty, label %leave, label %drowse
drowse:
  call void @pause(i64 %turn2)
  br label %drain
leave:
  ret void
}}
"""
)

_HELP = (
    _HELPERS
    + """
define i64 @{symbol}(ptr %shared, i64 %seen, i64 %patience) {{
entry:
  %open = getelementptr i64, ptr %shared, i64 8
  %inside = getelementptr i64, ptr %shared, i64 16
  %cursor = getelementptr i64, ptr %shared, i64 24
  br label %idle
idle:
  %last = phi i64 [ %seen, %entry ], [ %last, %spin ], [ %generation, %out ]
  %turn = phi i64 [ 0, %entry ], [ %turn1, %spin ], [ 0, %out ]
  %generation = load atomic i64, ptr %shared seq_cst, align 8
  %new = icmp ne i64 %generation, %last
  br i1 %new, label %enter, label %spin
spin:
  %turn1 = add i64 %turn, 1
  %tired = icmp sgt i64 %turn1, %patience
  br i1 %tired, label %leave, label %idle
leave:
  ret i64 %last
enter:
  %before = atomicrmw add ptr %inside, i64 1 seq_cst
  %is = load atomic i64, ptr %open seq_cst, align 8
  %works = icmp eq i64 %is, %generation
  br i1 %works, label %load, label %out
load:
  %d0 = getelementptr i64, ptr %shared, i64 40
  %table0 = load i64, ptr %d0
  %table = inttoptr i64 %table0 to ptr
  %d1 = getelementptr i64, ptr %shared, i64 41
  %bufs0 = load i64, ptr %d1
  %bufs = inttoptr i64 %bufs0 to ptr
  %d2 = getelementptr i64, ptr %shared, i64 42
  %scalars0 = load i64, ptr %d2
  %scalars = inttoptr i64 %scalars0 to ptr
  %d3 = getelementptr i64, ptr %shared, i64 43
  %status0 = load i64, ptr %d3
  %status = inttoptr i64 %status0 to ptr
  br label %look
look:
  %is2 = load atomic i64, ptr %open seq_cst, align 8
  %on = icmp eq i64 %is2, %generation
  br i1 %on, label %peek, label %out
peek:
  %now = load atomic i64, ptr %cursor seq_cst, align 8
  %i = lshr i64 %now, 32
  %chunk = and i64 %now, 4294967295
  %at = mul i64 %i, 5
  %p = getelementptr i64, ptr %table, i64 %at
  %p4 = getelementptr i64, ptr %p, i64 4
  %chunks = load i64, ptr %p4
  %some = icmp slt i64 %chunk, %chunks
  br i1 %some, label %try, label %look
try:
  %got = call i64 @claim(ptr %shared, ptr %table, ptr %bufs, ptr %scalars, ptr %status)
  br label %look
out:
  %after = atomicrmw sub ptr %inside, i64 1 seq_cst
  br label %idle
}}
"""
)


def gemm_address(kind):
    """The address of the product of batches, as tiles of rows; kind is "float" or "double"."""

    def text(symbol):
        return _GEMM.format(symbol=symbol, t=kind, loads=_load(_NAMES))

    return jit.compiled(("gemm", kind), text)


def _load(names):
    """Code that names the int64s in `args`."""
    lines = []
    for k, name in enumerate(names):
        lines.append(f"  %{name}.p = getelementptr i64, ptr %args, i64 {k}")
        lines.append(f"  %{name} = load i64, ptr %{name}.p")
    return "\n".join(lines)


def epilogue_address():
    """The address of what follows each tile of a product with a kernel on the same rows.

    Its args: the product's function and args, the kernel's, tiles of a batch, rows of a batch,
    rows of a tile, tiles of the kernel for a row.
    """
    names = ("fg", "ag", "fk", "ak", "tiles", "m", "rows", "each")
    return jit.compiled(
        ("epilogue",), lambda symbol: _EPILOGUE.format(symbol=symbol, loads=_load(names))
    )


def runner_address():
    """The address of the function that walks a program's table."""
    return jit.compiled(("runner",), lambda symbol: _RUN.format(symbol=symbol, give_way=_GIVE_WAY))


def helper_address():
    """The address of the function in which another thread waits for programs and helps."""
    return jit.compiled(("helper",), lambda symbol: _HELP.format(symbol=symbol, give_way=_GIVE_WAY))
