"""Samples of padding, sampling by grids, pixels and channels, and segments."""


def numbered(name):
    """A call of `NAME` whose first grid places are inside and the others outside."""

    def call(library, x, grid, *modes):
        return getattr(library, name)(x, grid * 0.6, *modes)

    return call


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    x, m = t(2, 3, 4), t(3, 4)
    image, grid = t(2, 3, 4, 5), t(2, 3, 2, 2)
    volume, places = t(2, 2, 3, 2, 4), t(2, 2, 3, 2, 3)
    once = {"kinds": (), "second": False, "methods": False}
    lengths = s.exact([2, 0, 1])
    modes = [(0, 0, True), (0, 1, False), (0, 2, False), (1, 0, False), (2, 2, True)]
    table = {
        "constant_pad_nd": s.record(
            c(x, (1, 2)),
            c(x, (0, 1, 2, 0), 3),
            c(m, (-1, 2, 1, -1)),
            c(x, ()),
            c(t(0, 2), (1, 1)),
            methods=False,
        ),
        "pixel_shuffle": s.record(c(t(2, 8, 3, 2), 2), c(t(9, 1, 2), 3), methods=False),
        "pixel_unshuffle": s.record(c(t(2, 1, 4, 6), 2), c(t(1, 3, 3), 3), methods=False),
        "channel_shuffle": s.record(c(t(2, 6, 3), 3), c(t(1, 4, 2, 2), 2), methods=False),
        "affine_grid_generator": s.record(
            c(t(2, 2, 3), (2, 1, 3, 4), True), c(t(1, 3, 4), (1, 1, 2, 3, 2), False), **once
        ),
        "grid_sampler": s.record(
            c(image, grid, 0, 0, False),
            c(volume, places, 0, 1, True),
            call=numbered("grid_sampler"),
            rtol=1e-4,
            **once,
        ),
        "grid_sampler_2d": s.record(
            *(c(image, grid, *mode) for mode in modes),
            call=numbered("grid_sampler_2d"),
            rtol=1e-4,
            **once,
        ),
        "grid_sampler_3d": s.record(
            *(c(volume, places, *mode) for mode in modes[:4]),
            call=numbered("grid_sampler_3d"),
            rtol=1e-4,
            **once,
        ),
        "segment_reduce": s.record(
            *(
                c(t(3, 2), reduce, lengths=lengths, initial=start)
                for reduce, start in (("sum", None), ("max", 0), ("min", None), ("prod", 2.0))
            ),
            c(t(3, 2), "mean", lengths=s.exact([1, 2])),
            c(t(2, 3), "sum", lengths=s.exact([[1, 2], [3, 0]]), axis=1),
            c(t(3, 2), "sum", offsets=s.exact([0, 2, 3])),
            **once,
        ),
        "nonzero_static": s.record(
            c(s.given([[0.0, 1.0], [2.0, 0.0]]), size=3),
            c(m, size=2, fill_value=7),
            c(t(), size=2),
            c(t(0), size=0),
            grad=False,
            methods=False,
        ),
        "histogramdd": s.record(
            c(t(5, 2), 3),
            c(t(2, 3, 2), [2, 3], weight=s.exact([[1.0, 2, 3], [0, 1, 2]], "float32")),
            c(t(4, 1), [4], range=(-1.0, 1.0), density=True),
            grad=False,
            kinds=(),
            methods=False,
        ),
    }
    return table | copies(s)


def copies(s):
    """{name: record} of the operations that copy what a view shows."""
    c, t = s.call, s.t
    x, m, v = t(2, 3, 4), t(3, 4), t(5)
    complex_pairs = {"kinds": (), "methods": False}
    table = {
        "alias_copy": [m, t()],
        "as_strided_copy": [c(m, (2, 2), (1, 2)), c(v, (2,), (2,), 1)],
        "detach_copy": [m],
        "diagonal_copy": [m, c(x, 1, 0, 2)],
        "expand_copy": [c(t(3, 1), (2, 3, 4)), c(t(), (2,))],
        "narrow_copy": [c(x, 1, 1, 2)],
        "permute_copy": [c(x, (2, 0, 1))],
        "select_copy": [c(x, 1, 2)],
        "slice_copy": [c(x, 1, 0, 2), c(v, 0, 1, None, 2), v],
        "split_copy": [c(v, 2), c(x, 2, 1)],
        "split_with_sizes_copy": [c(v, (2, 3)), c(x, (1, 2), 1)],
        "squeeze_copy": [t(1, 3, 1), c(t(1, 3, 1), 0)],
        "t_copy": [m, v],
        "transpose_copy": [c(x, 0, 2)],
        "unbind_copy": [m, c(x, 1)],
        "unfold_copy": [c(v, 0, 2, 1)],
        "unsqueeze_copy": [c(m, 0), c(m, -1)],
        "view_copy": [c(m, (2, 6)), c(t(), (1, 1))],
    }
    plain = {"methods": False, "strided": False}
    table = {name: s.record(*calls, **plain) for name, calls in table.items()}
    table["detach_copy"].grad = False
    table["view_as_real_copy"] = s.record(
        c(s.exact([[1 + 2j, 3 - 1j]], "complex64")), grad=False, **complex_pairs
    )
    table["view_as_complex_copy"] = s.record(t(3, 2), grad=False, **complex_pairs)
    return table
