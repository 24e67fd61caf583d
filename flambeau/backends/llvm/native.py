"""The native parts that are always the same: what walks a program, alone or with helpers.

A program is a table of entries of 5 int64: function, args, tiles, tiles of a chunk, chunks.

Entries of one chunk run on the calling thread. Of the others, threads claim chunks by adding to a
cursor that holds (entry, chunk) in one int64, so a thread that comes late, or never, is harmless.
The shared block is 8 int64, each on a cache line of its own: generation, open, inside, cursor,
completed, and the descriptor (table, bufs, scalars, status) that a generation of it refers to.
"""

import sys

from . import jit

__all__ = ["helper_address", "runner_address"]

_GIVE_WAY = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

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


def runner_address():
    """The address of the function that walks a program's table."""
    return jit.compiled(("runner",), lambda symbol: _RUN.format(symbol=symbol, give_way=_GIVE_WAY))


def helper_address():
    """The address of the function in which another thread waits for programs and helps."""
    return jit.compiled(("helper",), lambda symbol: _HELP.format(symbol=symbol, give_way=_GIVE_WAY))
