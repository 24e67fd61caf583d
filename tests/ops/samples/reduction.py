"""Samples of functions that fold dims away, of norms and of scans."""


def rebuilt(library, a):
    """The singular values of a matrix, and the matrix made of its factors again."""
    u, values, v = library.svd(a)
    return values, u @ library.diag_embed(values) @ v.transpose(-2, -1)


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    table = {}
    x = t(2, 3, 4)
    whole = (x, t(), t(1))
    some = (c(x, 1), c(x, -1, True), c(x, (0, 2)), c(x, dim=(1,), keepdim=True))
    table["sum"] = s.record(*whole, *some, t(0, 3), c(t(0, 3), 0), c(t(3), dtype="dtype:float64"))
    table["nansum"] = s.record(*whole, *some, s.given([1.0, float("nan"), 2.0]), kinds=())
    table["mean"] = s.record(*whole, *some, c(t(3), dtype="dtype:float64"), kinds=("complex",))
    table["nanmean"] = s.record(x, c(x, 1), s.given([1.0, float("nan"), 2.0]), kinds=())
    table["prod"] = s.record(
        *whole, c(x, 1), c(x, -1, True), s.given([0.0, 2.0, 3.0]), kinds=("int", "complex")
    )
    for name in ("amax", "amin"):
        table[name] = s.record(*whole, *some, s.given([[1.0, 1.0], [0.0, 1.0]]), second=False)
    for name in ("any", "all"):
        table[name] = s.record(*whole, *some, t(0), c(x, ()), c(x, dim=[]), grad=False)
    for name in ("argmax", "argmin"):
        table[name] = s.record(
            *(*whole, c(x, 1), c(x, -1, True), c(x, keepdim=True), c(t(4, 0, 5), 2)), grad=False
        )
    for name in ("max", "min"):
        table[name] = s.record(
            *(*whole, c(x, 1), c(x, -1, True), c(x, t(4)), c(t(4, 0, 5), 2)),
            second=False,
            kinds=("int",),
        )
    table["aminmax"] = s.record(c(x, dim=1), c(x), c(x, dim=0, keepdim=True), second=False)
    table["count_nonzero"] = s.record(x, c(x, 1), c(x, (0, 2)), grad=False)
    table["logsumexp"] = s.record(
        *(c(x, 1), c(x, (0, 2), True), c(t(), 0), c(t(4, 0, 5), 1), c(t(0), 0, True)),
        kinds=("int",),
    )
    table["sum axis"] = s.record(c(x, axis=1), c(x, axis=(0, 2), keepdims=True), name="sum")
    table["amax axis"] = s.record(c(x, axis=1, keepdims=True), name="amax", second=False)
    spread = (x, c(x, 1), c(x, (0, 2), keepdim=True), c(x, 1, correction=0), c(x, unbiased=False))
    for name in ("var", "std", "var_mean", "std_mean"):
        table[name] = s.record(*spread, kinds=("complex",) if name.startswith("var") else ())

    norms = [c(x, p) for p in (0, 1, 2, 3, 1.5, -1, float("inf"), float("-inf"))]
    table["norm"] = s.record(*norms, x, c(x, 2, 1), c(x, 3, (0, 2), True), kinds=(), rtol=2e-5)
    table["frobenius_norm"] = s.record(c(x, 1), c(x, (1, 2), True), kinds=("complex",))
    table["dist"] = s.record(c(t(3, 4), t(4)), c(t(3), t(3), 1), c(t(3), t(3), 3.0), kinds=())
    table["norm nuc"] = s.record(c(t(3, 4), "nuc"), c(x, "nuc", (0, 2)), kinds=(), name="norm")
    table["nuclear_norm"] = s.record(t(3, 4), c(x, (1, 2), True), kinds=("complex",))
    table["linalg.qr"] = s.record(
        *(t(3, 3), t(2, 4, 3), t(2, 3, 5), c(t(3, 5), "complete"), t(0, 3), t(2, 2, 0)),
        kinds=("complex",),
        rtol=1e-4,
    )
    table["svd"] = s.record(c(t(3, 4)), c(t(2, 4, 3)), kinds=(), call=rebuilt, methods=False)
    table["linalg.svdvals"] = s.record(t(3, 4), t(2, 4, 3), kinds=("complex",))
    orders = ("fro", "nuc", 1, -1, 2, -2, float("inf"), float("-inf"))
    table["linalg.matrix_norm"] = s.record(
        *(c(t(3, 4), order) for order in orders), c(x, dim=(0, 2), keepdim=True), kinds=()
    )
    table["linalg.norm"] = s.record(
        *(c(x), c(t(5), 3), c(t(3, 4), 2), c(x, 1, 1), c(x, 2, (0, 1))), kinds=()
    )
    table["linalg.vector_norm"] = s.record(*norms, c(x, 2, (0, 1)), kinds=(), rtol=2e-5)
    table["renorm"] = s.record(c(x, 2, 0, 0.5), c(x, 1, 1, 1.0), c(x, 3, -1, 2.0), kinds=())
    table["cdist"] = s.record(
        *(c(t(3, 4), t(2, 4)), c(t(2, 3, 4), t(1, 5, 4), 1.0), c(t(3, 4), t(2, 4), 3.0)),
        kinds=(),
        second=False,
    )
    table["cosine_similarity"] = s.record(
        c(t(3, 4), t(3, 4)), c(t(2, 3, 4), t(3, 1), dim=-1), kinds=()
    )

    freq, weight = s.exact([1, 2, 1, 3]), s.exact([0.1, 0.5, 0.2, 0.7], "float64")
    table["cov"] = s.record(
        *(t(3, 4), c(t(5), correction=0), c(t(2, 4), fweights=freq)),
        kinds=("complex",),
    )
    table["cov aweights"] = s.record(
        c(t(2, 4), fweights=freq, aweights=weight), kinds=(), name="cov", strided=False
    )
    table["corrcoef"] = s.record(t(3, 4), kinds=(), rtol=1e-4)
    table["gradient"] = s.record(
        *(t(5), c(t(4, 5), dim=1), c(t(4, 5), spacing=0.5, edge_order=2)),
        c(t(4, 3), spacing=[0.5, 2.0], dim=(0, 1)),
        c(t(4), spacing=[s.exact([0.0, 1.0, 1.5, 3.0], "float32")], edge_order=2),
        kinds=("int",),
    )

    for name in ("cumsum", "logcumsumexp", "cumprod"):
        table[name] = s.record(c(x, 1), c(x, -1), c(t(), 0), c(t(0), 0), kinds=("int",))
    table["logcumsumexp complex"] = s.record(
        *(c(x, 1), c(t(3, 5, low=-9, high=9), 1), c(s.given([1e4, 0.0, 1e4]), 0)),
        kinds=("complex",),
        name="logcumsumexp",
        second=False,
    )
    for name in ("cummax", "cummin"):
        table[name] = s.record(c(x, 1), c(t(5), 0), kinds=("int",), second=False)
    table["diff"] = s.record(
        *(t(5), c(x, 2), c(x, dim=1), c(t(3, 4), 1, 0, t(1, 4), t(2, 4)), c(t(2), 5)),
    )
    for name in ("trapz", "trapezoid", "cumulative_trapezoid"):
        table[name] = s.record(
            t(3, 4), c(t(3, 4), dx=0.5), c(t(3, 4), t(4)), c(t(3, 4), dim=0), kinds=("int",)
        )
    return table
