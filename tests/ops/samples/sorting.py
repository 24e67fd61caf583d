"""Samples of functions that sort, search and count."""


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    x, v = t(3, 5), t(7)
    near = s.given([3.0, 1.0, 2.0, 1.0, 3.0])
    once = {"second": False, "kinds": ("int",)}
    table = {
        "sort": s.record(x, c(x, 0), c(x, 1, True), c(near, stable=True), t(), **once),
        "argsort": s.record(
            c(x, 0), c(x, 1, True), c(near, stable=True), grad=False, kinds=("int",)
        ),
        "msort": s.record(x, v, **once),
        "topk": s.record(c(x, 2), c(x, 2, 0, False), c(v, 7), second=False, kinds=()),
        "kthvalue": s.record(c(x, 2), c(x, 1, 0, True), second=False, kinds=()),
        "median": s.record(x, v, c(x, 1), c(x, 0, True), second=False, kinds=()),
        "nanmedian": s.record(
            v, c(x, 1), s.given([1.0, float("nan"), 3.0]), second=False, kinds=()
        ),
        "mode": s.record(near, c(s.given([[1.0, 1.0], [2.0, 3.0]]), 1), second=False, kinds=()),
        "quantile": s.record(
            c(v, 0.3),
            c(x, 0.5, 1),
            c(x, s.exact([0.2, 0.9], "float32"), 0),
            second=False,
            kinds=(),
            grad=False,
        ),
        "nanquantile": s.record(c(v, 0.3), c(x, 0.5, 1), second=False, kinds=()),
        "hash_tensor": s.record(
            x, c(x, 1), c(x, (0, 1), keepdim=True), s.ints(6), grad=False, kinds=()
        ),
        "unique": s.record(
            near, c(near, return_inverse=True, return_counts=True), grad=False, kinds=("int",)
        ),
        "unique_consecutive": s.record(
            near, s.given([1.0, 1.0, 2.0, 2.0, 1.0]), grad=False, kinds=("int",)
        ),
        "bincount": s.record(
            s.ints(6, high=4), c(s.ints(6, high=4), minlength=9), grad=False, kinds=()
        ),
        "histc": s.record(c(v, 4), c(v, 5, -1, 1), grad=False, kinds=()),
        "histogram": s.record(c(v, 4), c(v, 5, range=(-1.0, 1.0)), grad=False, kinds=()),
        "searchsorted": s.record(
            c(s.exact([1.0, 2.0, 4.0], "float32"), s.exact([0.0, 2.0, 3.0, 9.0], "float32")),
            c(s.exact([1.0, 2.0, 4.0], "float32"), 2.0, right=True),
            grad=False,
            kinds=(),
        ),
        "bucketize": s.record(
            c(s.exact([0.0, 2.0, 3.0], "float32"), s.exact([1.0, 2.0, 4.0], "float32")),
            c(s.exact([0.0, 2.0], "float32"), s.exact([1.0, 2.0], "float32"), right=True),
            grad=False,
            kinds=(),
        ),
    }
    return table
