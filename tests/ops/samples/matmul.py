"""Samples of products of matrices and vectors."""


def add_batches(library, x, *batches, **factors):
    """A copy of x, grown if need be, with the products of batches added."""
    copy = x.clone()
    copy.addbmm_(*batches, **factors)
    return copy


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    kinds = ("int", "complex")
    a, b, v, w = t(3, 4), t(4, 2), t(4), t(3)
    p, q = t(2, 3, 4), t(2, 4, 5)
    table = {
        "mm": s.record(
            *(c(a, b), c(t(0, 4), b), c(t(5, 1), t(1, 70)), c(t(5, 3), t(3, 70))), kinds=kinds
        ),
        "bmm": s.record(
            c(p, q), c(t(2, 3, 4), t(2, 4, 64)), c(t(2, 9, 2), t(2, 2, 65)), kinds=kinds
        ),
        "mv": s.record(c(a, v), kinds=kinds),
        "dot": s.record(c(v, v), kinds=kinds),
        "vdot": s.record(c(v, v), kinds=kinds),
        "outer": s.record(c(v, w), kinds=kinds),
        "ger": s.record(c(v, w), kinds=kinds),
        "inner": s.record(c(a, v), c(a, a), c(t(), v), kinds=kinds),
        "matmul": s.record(
            *(c(a, b), c(v, v), c(a, v), c(w, a), c(p, q), c(p, b), c(a, q), c(p, v), c(w, p)),
            c(t(2, 1, 3, 4), t(5, 4, 2)),
            kinds=kinds,
        ),
        "addmm": s.record(
            *(c(t(3, 2), a, b), c(t(2), a, b, beta=0.5, alpha=2.0), c(t(), a, b, beta=0)),
            kinds=("complex",),
        ),
        "baddbmm": s.record(c(t(2, 3, 5), p, q), c(t(5), p, q, beta=2.0, alpha=0.5), kinds=()),
        "addbmm": s.record(c(t(3, 5), p, q), c(t(5), p, q, beta=2.0, alpha=0.5), kinds=()),
        "Tensor.addbmm_": s.record(
            *(c(t(3, 5), p, q), c(t(), p, q), c(t(1), p, q, beta=0.5)),
            call=add_batches,
            kinds=(),
            grad=False,
        ),
        "addmv": s.record(c(w, a, v), c(t(), a, v, beta=2.0, alpha=0.5), kinds=()),
        "addr": s.record(c(t(3, 4), w, v), c(t(4), w, v, beta=2.0, alpha=0.5), kinds=()),
        "tensordot": s.record(c(p, q, ([2], [1])), c(a, b, 1), c(p, p, 3), c(a, v, 0), kinds=kinds),
        "einsum": s.record(
            *(c("ij,jk->ik", a, b), c("ij", a), c("ij->", a), c("ji", a), c("bij,bjk->bik", p, q)),
            *(c("i,j->ij", v, w), c("...ij,...jk->...ik", p, q), c("ii->i", t(3, 3))),
            *(c("ii", t(3, 3)), c("ij,j,i->", a, v, w), c("bi,bj->b", a, t(3, 2))),
            *(c("i...,i...->...", p, p), c("abc,abd->dc", p, t(2, 3, 2)), c("ab,cb->ac", a, a)),
            c(a, [0, 1], b, [1, 2], [0, 2]),
            kinds=kinds,
        ),
        "chain_matmul": s.record(c(a, b, t(2, 3)), c(a), kinds=()),
        "vander": s.record(v, c(v, 3), c(v, 2, True), c(v, 0), kinds=kinds, grad=False),
        "linalg.multi_dot": s.record(c([a, b, t(2, 5)]), c([v, t(4, 3), w]), kinds=kinds),
        "linalg.vecdot": s.record(c(a, a), c(p, t(4), dim=-1), kinds=kinds),
        "linalg.cross": s.record(c(t(2, 3), t(2, 3)), c(t(3, 4), t(3, 1), dim=0), kinds=kinds),
        "linalg.vander": s.record(v, c(t(2, 3), N=4), kinds=kinds, grad=False),
        "linalg.diagonal": s.record(a, c(p, offset=1)),
        "cross": s.record(c(t(3, 4), t(3, 4), 0), c(t(1, 3), t(5, 3), -1)),
    }
    return table
