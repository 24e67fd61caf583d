"""Samples of functions that move elements, repeat them, or see them differently."""


def on_a_copy(name):
    """A call of an in-place method of twice its operand."""

    def call(library, x, *args):
        return getattr(x * 2, name)(*args)

    return call


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    x, m, v = t(2, 3, 4), t(3, 4), t(5)
    table = {
        "reshape": s.record(
            c(x, (6, 4)), c(x, (-1,)), c(m, (2, -1)), c(t(), (1, 1)), c(t(0), (0, 3))
        ),
        "ravel": s.record(x, t(), t(0, 2)),
        "flatten": s.record(x, c(x, 1), c(x, 0, 1), t()),
        "unflatten": s.record(c(t(6, 2), 0, (2, 3)), c(t(6), 0, (3, -1))),
        "squeeze": s.record(t(1, 3, 1), c(t(1, 3, 1), 0), c(t(1, 3, 1), (0, 2)), t()),
        "unsqueeze": s.record(c(m, 0), c(m, -1), c(t(), 0)),
        "transpose": s.record(c(x, 0, 2), c(x, -1, 1), c(t(), 0, 0)),
        "t": s.record(m, v, t()),
        "permute": s.record(c(x, (2, 0, 1)), c(x, (-1, 0, 1))),
        "movedim": s.record(c(x, 0, 2), c(x, (0, 1), (1, 2))),
        "broadcast_to": s.record(c(t(3, 1), (2, 3, 4)), c(t(), (2,))),
        "narrow": s.record(c(x, 1, 1, 2), c(v, 0, -3, 2)),
        "select": s.record(c(x, 1, 2), c(x, -1, -1)),
        "diagonal": s.record(m, c(x, 1, 0, 2), c(m, -1), c(m, 9)),
        "unbind": s.record(m, c(x, 1)),
        "split": s.record(c(v, 2), c(x, [1, 2], 1), c(t(0), 3)),
        "chunk": s.record(c(v, 2), c(x, 3, -1), c(v, 9)),
        "tensor_split": s.record(c(v, 3), c(x, (1, 2), 1), c(v, (2,)), c(v, 9), c(v, (-2, 7))),
        "hsplit": s.record(c(t(4, 6), 3), c(t(6), (2, 5))),
        "vsplit": s.record(c(t(4, 6), 2), c(t(4, 6), (1,))),
        "dsplit": s.record(c(t(2, 2, 4), 2), c(t(2, 2, 4), (1, 3))),
        "as_strided": s.record(c(t(12), (2, 3), (3, 1)), c(t(12), (2, 2), (1, 2), 3), kinds=()),
        "clone": s.record(x, t(), t(0, 2)),
        "is_inference": s.record(x, grad=False, kinds=()),
        "flip": s.record(c(x, (0, 2)), c(v, [0]), c(x, (-1,))),
        "fliplr": s.record(m),
        "flipud": s.record(m, v),
        "roll": s.record(c(v, 2), c(x, (1, -1), (0, 2)), c(m, 3), c(m, 1, 0)),
        "rot90": s.record(m, c(m, 2), c(m, 3, (1, 0)), c(x, -1, (0, 2)), c(m, 4)),
        "tile": s.record(c(m, (2,)), c(v, (2, 2)), c(x, (1, 2, 1))),
        "trace": s.record(m, t(3, 3), second=False),
        "kron": s.record(c(m, t(2, 2)), c(v, t(2, 2)), c(t(), m)),
        "diag": s.record(v, c(v, 1), m, c(m, -1)),
        "diag_embed": s.record(v, c(m, 1), c(m, -1, 0, 2)),
        "diagflat": s.record(m, c(v, 1)),
        "diagonal_scatter": s.record(c(m, t(3)), c(m, t(2), -1)),
        "select_scatter": s.record(c(x, t(2, 4), 1, 0), c(x, t(2, 3), -1, -1)),
        "slice_scatter": s.record(c(m, t(3, 2), 1, 0, 4, 2), c(m, t(1, 4), 0, 2)),
        "as_strided_scatter": s.record(
            c(t(3, 4), t(2, 2), (2, 2), (4, 1)), grad=False, kinds=(), strided=False
        ),
        "meshgrid": s.record(
            *(c(v, t(3), indexing="ij"), c(v, t(3), t(2), indexing="xy"), c(t(), v, indexing="ij")),
        ),
        "cartesian_prod": s.record(c(v, t(3)), c(v)),
        "combinations": s.record(v, c(v, 3), c(v, 2, True), c(v, 0), c(t(1), 2), methods=False),
        "block_diag": s.record(c(m, v, t()), c(t(2, 2))),
        "broadcast_tensors": s.record(c(t(3, 1), t(1, 4), t())),
        "broadcast_shapes": s.record(c((3, 1), (1, 4), (4,)), c(2, (1, 2)), grad=False, kinds=()),
        "triu": s.record(m, c(m, 1), c(x, -1)),
        "tril": s.record(m, c(m, 1), c(x, -1)),
        "unsafe_chunk": s.record(c(v, 2)),
        "unsafe_split": s.record(c(v, 2)),
        "unsafe_split_with_sizes": s.record(c(v, [2, 3])),
        "split_with_sizes": s.record(c(v, [2, 3]), c(x, [1, 3], 2)),
        "repeat_interleave": s.record(
            *(c(v, 2), c(x, 2, 1), c(t(3), s.exact([0, 2, 1])), c(m, s.exact([1, 0, 2, 1]), 1)),
            s.exact([2, 0, 1]),
            methods=False,
        ),
    }
    for name, model in (
        ("moveaxis", "movedim"),
        ("swapaxes", "transpose"),
        ("swapdims", "transpose"),
    ):
        table[name] = s.copy(table[model])
    for name in ("cat", "concat", "concatenate"):
        table[name] = s.record(
            *(c([m, m]), c([m, t(3, 2)], 1), c([m, t(0)], 0), c((t(2), t(3)), -1), c([x])),
        )
    table["stack"] = s.record(c([m, m]), c([m, m], 1), c([t(), t()], -1))
    for name in ("hstack", "vstack", "row_stack", "dstack", "column_stack"):
        table[name] = s.record(c([v, v]), c([m, m]), c([x, x]), c([t(), t()]))
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        table[name] = s.record(t(), v, m, x, c([t(), v]))

    table["as_strided_"] = s.record(c(t(12), (2, 3), (3, 1)), kinds=(), grad=False)
    for name, calls in (
        ("t_", (m, v)),
        ("squeeze_", (t(1, 3, 1), c(t(1, 3), 0))),
        ("unsqueeze_", (c(m, 1), c(t(), 0))),
        ("transpose_", (c(x, 0, 2),)),
        ("swapaxes_", (c(x, 0, -1),)),
        ("swapdims_", (c(x, 0, -1),)),
    ):
        table["Tensor." + name] = s.record(*calls, call=on_a_copy(name), methods=False)
    table["Tensor.expand"] = s.record(c(t(3, 1), 2, 3, 4), c(t(3, 1), -1, 4), c(t(), 2))
    table["Tensor.repeat"] = s.record(c(m, 2, 1), c(v, 2, 2), c(t(), 3), c(m, (1, 1, 2)))
    table["Tensor.view"] = s.record(c(t(24), 2, 3, 4), c(t(6), -1, 2), kinds=())
    table["Tensor.unfold"] = s.record(c(v, 0, 2, 1), c(x, 2, 3, 1), c(x, 1, 2, 2), kinds=())
    return table
