"""Linear equations, determinants and functions of matrices."""


def records(s):
    """The table of samples."""
    t, c = s.t, s.call
    kinds = ("complex",)
    square, batch, none, empty = t(3, 3), t(2, 3, 3), t(0, 3, 3), t(0, 0)
    squares = (square, batch, none, t(1, 1))
    table = {
        "linalg.inv": s.record(*squares, empty, kinds=kinds, rtol=1e-4),
        "linalg.inv_ex": s.record(*squares, c(square, check_errors=True), kinds=kinds, rtol=1e-4),
        "inverse": s.record(*squares, kinds=kinds, rtol=1e-4),
        "linalg.det": s.record(*squares, kinds=kinds, rtol=1e-4),
        "det": s.record(*squares, empty, kinds=kinds, rtol=1e-4),
        "linalg.slogdet": s.record(*squares, kinds=kinds, rtol=1e-4),
        "slogdet": s.record(*squares, empty, kinds=kinds, rtol=1e-4),
        "logdet": s.record(*squares, kinds=kinds, rtol=1e-4),
        "linalg.matrix_exp": s.record(*squares, kinds=kinds, rtol=1e-4),
        "matrix_exp": s.record(*squares, empty, kinds=kinds, rtol=1e-4),
        "linalg.tensorinv": s.record(
            c(t(2, 3, 6), ind=2), c(t(4, 2, 2), ind=1), kinds=kinds, rtol=1e-3
        ),
        "linalg.tensorsolve": s.record(
            c(t(2, 3, 6), t(2, 3)), c(t(2, 6, 3), t(2, 3), dims=(1,)), kinds=kinds, rtol=1e-3
        ),
    }
    powers = [c(square, n) for n in (0, 1, 2, 5, -1, -3)] + [c(batch, 3), c(none, 2)]
    table["matrix_power"] = s.record(*powers, kinds=("complex", "int"), rtol=1e-3)
    table["linalg.matrix_power"] = s.copy(table["matrix_power"])
    systems = [
        *(c(square, t(3)), c(square, t(3, 2)), c(batch, t(3, 1)), c(square, t(2, 3, 2))),
        *(c(batch, t(2, 3)), c(none, t(0, 3, 2)), c(square, t(2, 3), left=False)),
        *(c(batch, t(2, 4, 3), left=False), c(t(2, 1, 3, 3), t(4, 3, 2))),
    ]
    table["linalg.solve"] = s.record(*systems, kinds=kinds, rtol=1e-3)
    table["linalg.solve_ex"] = s.copy(table["linalg.solve"])
    table.update(_pseudo_inverses(s))
    table.update(_low_rank(s))
    return table


def _pseudo_inverses(s):
    t, c = s.t, s.call
    flat = s.given([[1.0, 0.2, 0.0], [0.2, 0.05, 0.0], [0.0, 0.0, 2.0]])
    tolerances = [
        *(c(flat, atol=0.1), c(flat, rtol=0.5), c(flat, atol=0.1, rtol=0.6)),
        *(c(flat, hermitian=True), c(flat, atol=s.exact([0.1, 3.0], "float32"))),
        *(c(t(2, 3, 4), rtol=s.exact([0.1, 0.9], "float32")),),
    ]
    plain = [t(3, 3), t(2, 3, 4), t(4, 2), t(0, 3), t(2, 3, 0)]
    norms = [c(t(3, 3), p) for p in ("fro", "nuc", float("inf"), -float("inf"), 1, -1, 2, -2)]
    both = ("complex",)
    return {
        "linalg.pinv": s.record(*plain, *tolerances, c(flat, 0.3), kinds=both, rtol=1e-3),
        "pinverse": s.record(*plain, c(flat, 0.3), kinds=both, rtol=1e-3),
        "linalg.matrix_rank": s.record(*plain, *tolerances, c(flat, 0.3), kinds=both, grad=False),
        "linalg.cond": s.record(t(2, 3, 4), *norms[-2:], t(0, 0), kinds=both, rtol=1e-3),
        "linalg.cond by inverse": s.record(  # whose gradient PyTorch fails to compute
            *(*norms[:-2], c(t(2, 3, 3), 1)), kinds=both, rtol=1e-3, grad=False, name="linalg.cond"
        ),
    }


def _low_rank(s):
    t, c = s.t, s.call

    def made(name):
        def call(library, *args, **kwargs):
            library.manual_seed(7)
            u, values, v = getattr(library, name)(*args, **kwargs)
            return values, u @ (values.unsqueeze(-1) * v.mH)

        return call

    def pairs(library, *args, **kwargs):
        library.manual_seed(7)
        values, vectors = library.lobpcg(*args, **kwargs)
        return values, vectors.abs()

    values = [[float(i == j) * (i + 1) + 0.1 * (i + j == 5) for i in range(9)] for j in range(9)]
    a = s.given(values)
    facts = {"kinds": (), "methods": False, "rtol": 1e-3, "strided": False}
    svd = [c(t(5, 4), q=3), c(t(2, 3, 5), q=2, niter=1), c(t(4, 3), q=2, M=t(1, 3))]
    return {
        "svd_lowrank": s.record(*svd, call=made("svd_lowrank"), **facts),
        "pca_lowrank": s.record(
            *(c(t(5, 4), q=3), c(t(6, 3)), c(t(2, 5, 4), center=False)),
            call=made("pca_lowrank"),
            **facts,
        ),
        "lobpcg": s.record(
            *(c(a, k=2, tol=1e-6), c(a, largest=False, tol=1e-6)),
            *(c(a, k=1, n=3, tol=1e-6), c(a, X=t(9, 2), tol=1e-6)),
            call=pairs,
            grad=False,
            **facts,
        ),
    }
