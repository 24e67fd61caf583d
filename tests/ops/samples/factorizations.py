"""Samples of factorizations of matrices, and of what is solved with them."""

import warnings


def quiet(name):
    """How to call a function that PyTorch warns of: it is deprecated there."""

    def call(library, *args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return getattr(library, name)(*args, **kwargs)

    return call


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    kinds = ("complex",)
    positive = s.given([[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]])
    lower = s.given([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0], [-0.5, 0.7, 1.5]])
    pivots = s.exact([2, 3, 3], "int32")
    none, b = t(0, 3, 3), t(3, 2)
    return {
        "cholesky": s.record(
            *(positive, c(positive, True), none), call=quiet("cholesky"), kinds=kinds
        ),
        # PyTorch's derivatives by a factor have numbers in the triangle that is not read, too.
        "cholesky_inverse": s.record(
            *(lower, c(lower, True), none), kinds=kinds, grad=False, rtol=1e-4
        ),
        "cholesky_solve": s.record(
            *(c(b, lower), c(t(2, 3, 1), lower, True)), kinds=kinds, grad=False, rtol=1e-4
        ),
        "geqrf": s.record(t(4, 3), t(2, 3, 3), t(2, 4), none, kinds=kinds, grad=False, rtol=1e-4),
        "lu": s.record(positive, c(positive, get_infos=True), call=quiet("lu"), kinds=kinds),
        "lu_solve": s.record(c(b, lower, pivots), call=quiet("lu_solve"), kinds=kinds, rtol=1e-4),
        "lu_unpack": s.record(c(lower, pivots), c(lower, pivots, True, False), kinds=kinds),
        "orgqr": s.record(c(t(4, 3), t(3)), c(t(2, 3, 3), t(2, 2)), kinds=kinds, rtol=1e-4),
        "ormqr": s.record(
            *(c(t(3, 3), t(3), b), c(t(3, 2), t(2), t(2, 3), False, True)), kinds=kinds, rtol=1e-4
        ),
        "qr": s.record(positive, c(t(4, 3)), call=quiet("qr"), kinds=kinds, rtol=1e-4),
        "triangular_solve": s.record(
            *(c(b, lower, False), c(t(2, 3, 1), lower, False, True)),
            call=quiet("triangular_solve"),
            kinds=kinds,
            rtol=1e-4,
        ),
    }
