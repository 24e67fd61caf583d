"""Samples of functions that read and write at indices, and of comparisons of whole tensors."""


def set_item(library, x, index, value):
    """A copy of x with x[index] = value."""
    copy = x.clone()
    copy[index] = value
    return copy


def get_item(library, x, index):
    """x[index]."""
    return x[index]


def sum_item(library, x, index, dim):
    """The sum over a dim of x[index]."""
    return x[index].sum(dim)


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    m, x, v = t(3, 4), t(2, 3, 4), t(5)
    index = s.ints(2, 3, high=3)
    table = {
        "gather": s.record(
            c(m, 0, s.ints(2, 4)), c(m, 1, s.ints(3, 6, high=4)), c(t(), 0, s.ints())
        ),
        "index_select": s.record(
            c(m, 0, s.ints(5)), c(x, 2, s.ints(3, high=4)), c(t(), 0, s.ints(1, high=1))
        ),
        "take": s.record(c(m, index), c(v, s.ints(3))),
        "take_along_dim": s.record(c(m, s.ints(3, 2), 1), c(m, index), c(m, s.ints(1, 4), 0)),
        "scatter": s.record(
            c(m, 0, s.exact([[0, 1, 2, 0]]), t(1, 4)),
            c(m, 1, s.exact([[1, 0]]), 2.5),
            kinds=("int",),
        ),
        "scatter_add": s.record(c(m, 0, s.ints(2, 4), t(2, 4)), c(m, 1, s.ints(3, 5), t(3, 5))),
        "index_add": s.record(
            c(m, 0, s.ints(4), t(4, 4)),
            c(m, 1, s.ints(2), t(3, 2), alpha=2),
            kinds=("int", "complex"),
        ),
        "index_copy": s.record(c(m, 0, s.exact([2, 0]), t(2, 4)), c(m, 1, s.exact([3]), t(3, 1))),
        "index_fill": s.record(c(m, 0, s.exact([2, 0]), 1.5), c(m, 1, s.exact([3]), t())),
        "index_put": s.record(
            *(c(m, (s.ints(5), s.ints(5)), t(5), True), c(m, (s.exact([0, 2]),), t(2, 4))),
        ),
        "masked_fill": s.record(
            c(m, s.bools(3, 4), 1.5), c(m, s.bools(4), t()), kinds=("complex",)
        ),
        "masked_select": s.record(c(m, s.bools(3, 4)), c(m, s.bools(4))),
        "masked_scatter": s.record(
            *(c(m, s.bools(3, 4), t(12)), c(m, s.bools(4), t(12))),
            c(t(2), s.exact([False, False], "bool"), t(0)),
        ),
        "nonzero": s.record(m, s.given([0.0, 1.0, 0.0]), c(m, as_tuple=True), t(), grad=False),
        "argwhere": s.record(m, s.given([0.0, 1.0, 0.0]), t(), grad=False),
        "tril_indices": s.record(c(3, 4), c(3, 3, -1), grad=False, kinds=()),
        "triu_indices": s.record(c(3, 4), c(3, 3, 1), grad=False, kinds=()),
        "isclose": s.record(c(m, m), c(v, t(5), 0.5, 0.3), c(m, t(4), equal_nan=True), grad=False),
        "allclose": s.record(c(m, m), c(v, v, 10.0, 10.0), grad=False),
        "equal": s.record(c(m, m), c(m, v), grad=False, kinds=()),
        "isin": s.record(
            c(s.ints(3, 4, high=9), s.ints(5, high=9)),
            c(s.ints(4), 2, invert=True),
            grad=False,
            kinds=(),
        ),
    }
    places = s.exact([[0, 1, 2, 0], [0, 0, 1, 2]])
    zeros = s.given([[0.0, 2.0, 0.0, 3.0], [0.0, 1.0, 2.0, 3.0]])
    table["scatter_reduce"] = s.record(
        *(c(m, 0, places, t(2, 4), how) for how in ("sum", "prod", "mean", "amax", "amin")),
        *(c(m, 0, places, t(2, 4), how, include_self=False) for how in ("prod", "mean", "amax")),
        *(c(m, 0, places, zeros, "prod"), c(t(), 0, s.ints(1, high=1), t(1), "sum")),
        kinds=("int",),
        second=False,
    )
    table["index_reduce"] = s.record(
        *(c(m, 0, s.exact([0, 2, 0]), t(3, 4), how) for how in ("prod", "mean", "amax", "amin")),
        c(m, 1, s.exact([0, 2]), t(3, 2), "mean", include_self=False),
        kinds=("int",),
        second=False,
    )
    table["put"] = s.record(
        c(m, s.exact([0, 5, 11]), t(3)), c(m, s.exact([[0, 5], [5, 0]]), t(4), True)
    )
    table["unravel_index"] = s.record(c(s.ints(5, high=24), (2, 3, 4)), grad=False, kinds=())
    table["Tensor.__getitem__"] = s.record(
        *(c(x, i) for i in (0, -1, slice(1, None), (0, 1), (Ellipsis, 2), None, [0, 1, 1])),
        *(
            c(x, (slice(None), [0, 2], slice(0, 4, 2))),
            c(x, s.bools(2)),
            c(x, (s.ints(3, high=2), 1)),
        ),
        call=get_item,
        methods=False,
    )
    table["Tensor.__getitem__ summed"] = s.record(
        *(c(m, s.ints(0), 0), c(m, s.ints(0), 1), c(m, s.ints(5), 0), c(m, s.exact([[]]), (0, 1))),
        call=sum_item,
        name="Tensor.__getitem__",
        methods=False,
        kinds=(),
    )
    table["Tensor.__setitem__"] = s.record(
        *(c(x, i, 2.5) for i in (0, slice(1, None), (0, 1), (Ellipsis, 2), [0, 1])),
        *(
            c(x, (slice(None), 1), t(2, 4)),
            c(m, s.bools(3, 4), 0.0),
            c(m, 1, t(4)),
            c(m, (1, 2), t()),
        ),
        call=set_item,
        methods=False,
    )
    return table
