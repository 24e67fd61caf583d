"""Programs: equal nodes are one, movements compose, kernels are cut where they should be."""

import pytest

from flambeau import dtypes
from flambeau.backends.llvm.emit import can_emit
from flambeau.compiler.fuse import Group, partition
from flambeau.compiler.plan import plan
from flambeau.compiler.program import Builder, Program
from flambeau.compiler.verify import InvalidProgram, verify_plan, verify_program
from flambeau.ops.core import OPS


@pytest.fixture
def build():
    return Builder()


def leaf(build, *shape, index=0):
    size = 1
    for n in shape:
        size *= n
    return build.reshape(build.leaf(index, (size,), dtypes.float32), shape)


def binary(build, name, a, b):
    shape = tuple(max(m, n) for m, n in zip(a.shape, b.shape, strict=True))
    return build.map(OPS[name], (a, b), shape, dtypes.float32)


def finish(build, outputs, leaves=1, aliases=None):
    flat = [build.reshape(x, (x.numel,)) for x in outputs]
    return Program(build.nodes, flat, aliases or [None] * len(flat), leaves, 0)


def test_equal_nodes_are_one(build):
    x = leaf(build, 3, 4)
    assert binary(build, "add", x, x) is binary(build, "add", x, x)
    assert build.cast(x, dtypes.float32) is x


def test_movements_compose(build):
    x = leaf(build, 2, 3, 4)
    there = build.permute(x, [2, 0, 1])
    assert there.shape == (4, 2, 3)
    assert build.permute(there, [1, 2, 0]) is x
    part = build.move(x, [(0, 0, 1), (1, 1, 1), (2, 3, -1)], (2, 2, 4))
    part = build.move(part, [(0, 0, 1), (1, 0, 1), (2, 0, 2)], (2, 2, 2))
    assert part.kind == "move"
    assert part.inputs[0] is x
    assert part.attrs[2] == (2, 3, -2)


def test_reshape_by_ones_is_a_movement(build):
    x = leaf(build, 3, 4)
    assert build.reshape(x, (3, 1, 4)).kind == "move"
    assert build.reshape(build.reshape(x, (3, 1, 4)), (3, 4)) is x
    assert build.reshape(x, (12,)).kind == "leaf"


def test_what_nobody_needs_is_not_there(build):
    x = leaf(build, 3, 4)
    binary(build, "mul", x, x)
    program = finish(build, [binary(build, "add", x, x)])
    assert not any(n.kind == "map" and n.op.name == "mul" for n in program.nodes)


def softmax(build, x):
    top = build.reduce("max", x, (1,))
    e = build.map(OPS["exp"], [binary(build, "sub", x, top)], x.shape, dtypes.float32)
    return binary(build, "div", e, build.reduce("sum", e, (1,)))


def test_softmax_is_one_kernel(build):
    program = finish(build, [softmax(build, leaf(build, 30, 40))])
    verify_program(program)
    found = partition(program, can_emit)
    assert len(found.steps) == 1
    (group,) = found.steps
    assert isinstance(group, Group)
    assert group.folded == {1}


def test_a_reduction_over_the_whole_does_not_join_its_users(build):
    x = leaf(build, 30, 40)
    total = build.reduce("sum", x, (0, 1))
    program = finish(build, [binary(build, "mul", x, total)])
    found = partition(program, can_emit)
    verify_plan(program, plan(program, found))


def test_kernels_of_two_sizes_have_one_structure():
    keys = set()
    for rows in (30, 47):
        build = Builder()
        program = finish(build, [softmax(build, leaf(build, rows, 40 + rows))])
        calls = plan(program, partition(program, can_emit)).calls
        keys.add(tuple(c.kernel.key for c in calls))
    assert len(keys) == 1


def test_temporaries_share_memory(build):
    x = build.reshape(leaf(build, 64, 64), (1, 64, 64))
    y = x
    for _ in range(6):
        y = build.matmul(y, x)
    program = finish(build, [y])
    result = plan(program, partition(program, can_emit))
    verify_plan(program, result)
    assert result.arena == 2 * 64 * 64 * 4


def test_the_verifier_sees_a_bad_movement(build):
    x = leaf(build, 3, 4)
    bad = build.make("move", None, (x,), ((0, 0, 1), (1, 2, 1)), (3, 4), dtypes.float32)
    with pytest.raises(InvalidProgram, match="outside"):
        verify_program(finish(build, [bad]))


def test_the_verifier_sees_memory_used_twice(build):
    x = build.reshape(leaf(build, 16, 16), (1, 16, 16))
    y = build.matmul(x, x)
    z = build.matmul(x, y)
    program = finish(build, [binary(build, "add", build.matmul(y, z), y)])
    result = plan(program, partition(program, can_emit))
    assert len(result.offsets) > 1
    result.offsets = dict.fromkeys(result.offsets, 0)
    with pytest.raises(InvalidProgram, match="share"):
        verify_plan(program, result)


@pytest.mark.parametrize(
    ("axes", "shape", "kept"),
    [
        (((0, 0, 1), (None, 0, 1), (1, 0, 1)), (3, 4), True),  # squeeze
        (((1, 0, 1), (None, 0, 1), (3, 0, 1)), (1, 3, 1, 4), True),  # unsqueeze
        (((1, 0, 1), (None, 0, 1), (0, 0, 1)), (4, 3), False),  # transpose
        (((0, 0, 1), (None, 0, 1), (1, 0, 1)), (2, 4), False),  # slice
        (((0, 0, 1), (None, 0, 1), (1, 3, -1)), (3, 4), False),  # flip
        (((0, 0, 1), (1, 0, 1), (2, 0, 1)), (3, 5, 4), False),  # expand
        (((None, 2, 1), (0, 0, 1), (1, 0, 1)), (1, 4), False),  # select
    ],
)
def test_what_keeps_the_order(build, axes, shape, kept):
    """A result that only differs in dims of size 1 is made where it stays."""
    x = leaf(build, 3, 1, 4)
    y = build.map(OPS["exp"], (x,), x.shape, dtypes.float32)
    z = build.move(y, axes, shape)
    assert z.keeps_order is kept
    result = build.reshape(z, (z.numel,))
    program = Program(build.nodes, [result], [None], 1, 0)
    part = partition(program, can_emit)
    assert part.is_stored(y) is kept
    assert len(plan(program, part).calls) == 1
