"""A few extreme eigenvalues of symmetric matrices, by locally optimal block conjugate gradients.

A. V. Knyazev, Toward the optimal preconditioned eigensolver, SIAM J. Sci. Comput. 23 (2001).
"""

import numpy as np

from .. import dtypes
from ..errors import LinAlgError
from ..recorder.handle import intern
from . import copies
from .api import FUNCTIONS, cast_to, function
from .core import Host
from .from_data import make_tensor
from .matrices import identity_like
from .solve import solve_quietly

__all__ = ["LOBPCG", "lobpcg"]


def _norm(x):
    return float(np.linalg.norm(x))


class LOBPCG:
    """The state of the iteration, which a tracker gets at each step.

    `iparams`, `fparams`, `bparams`: what was asked for. `ivars`, `fvars`, `bvars`, `tvars`: step,
    converged_count, rerr and so on; a tracker may set bvars["force_stop"]. `A`, `B`, `iK`, and
    `E`, `X`, `S`, `R`: eigenvalues, vectors, what they were searched in, and residuals; tensors.
    """

    def __init__(self, arrays, method, parameters, tracker=None):
        self._arrays, self.method, self.tracker = arrays, method, tracker
        self.iparams, self.fparams, self.bparams = parameters
        self.ivars, self.fvars = {"istep": 0, "converged_count": 0}, {}
        self.bvars, self.tvars = {"force_stop": False}, {}

    def __getattr__(self, name):
        if name in ("A", "B", "E", "R", "S", "X", "iK"):
            array = self._arrays.get(name)
            return None if array is None else make_tensor(array)
        raise AttributeError(name)

    def run(self):
        """Iterate until `k` leading pairs have converged, `niter` is reached or it is stopped."""
        at = self._arrays
        x = at["X"]
        size = _norm(x)
        self.fvars["A_norm"] = _norm(at["A"] @ x) / size
        self.fvars["B_norm"] = _norm(self._b(x)) / size
        span, past = self._orthonormal(x), x[:, :0]
        while True:
            before = at["X"]
            self._ritz(span)
            if self._finished():
                return at["E"], at["X"]
            going = self.ivars["converged_count"]
            if self.ivars["istep"]:
                past = before - at["X"] @ (at["X"].T @ self._b(before))
            residuals = at["R"][:, going:]
            steps = residuals if at["iK"] is None else at["iK"] @ residuals
            span = self._orthonormal(at["X"], steps, past[:, going:])
            self.ivars["istep"] += 1

    def _b(self, x):
        b = self._arrays["B"]
        return x if b is None else b @ x

    def _ritz(self, span):
        """The best pairs within the span of orthonormal columns, and their residuals."""
        at, n = self._arrays, self.iparams["n"]
        values, vectors = np.linalg.eigh(span.T @ (at["A"] @ span))
        chosen = np.argsort(-values if self.bparams["largest"] else values)[:n]
        at["E"], at["S"], at["X"] = values[chosen], span, span @ vectors[:, chosen]
        at["R"] = at["A"] @ at["X"] - self._b(at["X"]) * at["E"]

    def _finished(self):
        at, limit = self._arrays, self.iparams["niter"]
        scale = self.fvars["A_norm"] + np.abs(at["E"]) * self.fvars["B_norm"]
        residuals = np.linalg.norm(at["R"], axis=0)
        error = residuals / np.maximum(np.linalg.norm(at["X"], axis=0) * scale, 1e-300)
        reached = error < self.fparams["tol"]
        count = len(reached) if reached.all() else int(np.argmin(reached))
        self.ivars["converged_count"] = count
        self.tvars["rerr"] = make_tensor(error)
        if self.tracker is not None:
            self.tracker(self)
        done = count >= self.iparams["k"] or 0 <= limit <= self.ivars["istep"]
        return done or self.bvars["force_stop"]

    def _orthonormal(self, first, *others):
        """Columns, orthonormal in the product x^T B y, that span what is given."""
        span = self._normal(first)
        for x in others:
            if self.method == "ortho":
                for _ in range(2):  # once leaves rounding errors
                    x = self._normal(x - span @ (span.T @ self._b(x)))
                span = np.concatenate([span, x], 1)
            else:
                span = np.concatenate([span, x / np.maximum(np.linalg.norm(x, axis=0), 1e-300)], 1)
        return span if self.method == "ortho" else self._whitened(span)

    def _normal(self, x):
        """Orthonormal columns of the span of x, without what is rounding error."""
        size = np.linalg.norm(x, axis=0)
        x = x[:, size > 0] / size[size > 0]
        values, vectors = np.linalg.eigh(x.T @ self._b(x))
        kept = values > values.max(initial=0) * len(values) * np.finfo(x.dtype).eps
        return (x @ vectors[:, kept]) / np.sqrt(values[kept])

    def _whitened(self, x):
        try:
            factor = np.linalg.cholesky(x.T @ self._b(x))
        except np.linalg.LinAlgError:
            raise LinAlgError(
                'lobpcg: the vectors of method "basic" have become dependent; use "ortho"'
            ) from None
        return np.linalg.solve(factor, x.T).T


def _infer_pairs(operands, attrs):
    return tuple(intern(m.shape, m.dtype) for m in operands[2:])


# What was found, E and X, as functions of A and B.
pairs_op = Host("lobpcg", _infer_pairs, lambda a, b, e, x: (e, x), multi=True)


@pairs_op.vjp
def _(gs, outs, a, b, *found):
    # dx solves (A - e B) dx + B x m = ..., x^T B dx = ...: a system that is not singular if the
    # eigenvalue is simple. Its solution y for the cotangent of x gives those of A and B.
    (g_e, g_x), (e, x) = gs, outs
    k = x._meta.shape[-1]
    rows, g_rows = x.transpose(-2, -1), g_x.transpose(-2, -1)
    weight = identity_like(a) if b is None else b
    shifted = a.unsqueeze(-3) - e.unsqueeze(-1).unsqueeze(-1) * weight.unsqueeze(-3)
    border = (x if b is None else b @ x).transpose(-2, -1).unsqueeze(-1)
    corner = border[..., :1, :] * 0
    left = copies.cat([shifted, border.transpose(-2, -1)], -2)
    system = copies.cat([left, copies.cat([border, corner], -2)], -1)
    target = copies.cat([g_rows, g_rows[..., :1] * 0], -1).unsqueeze(-1)
    y = solve_quietly(system, target)[..., :-1, 0].reshape(*rows.shape[:-2], k, -1)
    push = g_e.unsqueeze(-1) * rows - y
    g_a = push.transpose(-2, -1) @ rows
    if b is None:
        return g_a, None, None, None
    size = (rows * g_rows).sum(-1, keepdim=True)
    pull = -e.unsqueeze(-1) * push - 0.5 * size * rows
    return g_a, pull.transpose(-2, -1) @ rows, None, None


def _array(x, kind):
    return None if x is None else cast_to(x.detach(), kind).clone().numpy()


def _parameters(sizes, tol, largest, method, extra):
    integers = {**sizes, "ortho_i_max": 3, "ortho_j_max": 3}
    floats = {"tol": tol, "ortho_tol": tol, "ortho_tol_drop": tol, "ortho_tol_replace": tol}
    bools = {"largest": largest, "ortho_use_drop": False}
    tables = (integers, floats, bools)
    if method == "ortho":
        for table, more in zip(tables, extra, strict=True):
            table.update(more or {})
    return tables


def _symmetric(x):
    return x if x is None or not x.requires_grad else (x + x.transpose(-2, -1)) / 2


@function(methods=False, out=False)
def lobpcg(
    A,
    k=None,
    B=None,
    X=None,
    n=None,
    iK=None,
    niter=None,
    tol=None,
    largest=None,
    method=None,
    tracker=None,
    ortho_iparams=None,
    ortho_fparams=None,
    ortho_bparams=None,
):
    """The k largest (or smallest) e, and x, with A x = e B x, for symmetric A and positive B.

    Args:
        A, B: [..., m, m]; B is the identity by default.
        k, n: how many pairs are asked for, and how many are iterated, at least k: the columns of X
            by default, or 1.
        X: [..., m, n], where to start; normal random numbers by default.
        iK: [..., m, m], a preconditioner, nearly the inverse of A.
        niter, tol: at most so many steps, 1000 by default and -1 for no limit; or until the
            residuals are so small, sqrt(eps) by default.
        largest: the largest ones or, with False, the smallest.
        method: "ortho", or "basic", which is quicker and less robust.
        tracker: called with the `LOBPCG` at each step.
        ortho_iparams, ortho_fparams, ortho_bparams: entries for its `iparams` and so on.
    Returns: E [..., k] and X [..., m, k]. The derivative needs simple eigenvalues.
    Raises: ValueError if m < 3 n; AssertionError for shapes that do not fit.

    >>> import flambeau as torch
    >>> values, _ = torch.lobpcg(torch.diag(torch.arange(1.0, 10.0)), k=2)
    >>> torch.allclose(values, torch.tensor([9.0, 8.0]), atol=1e-3)
    True
    """
    *lead, rows, m = A.shape
    if rows != m or (B is not None and B.shape != A.shape):
        raise AssertionError(f"lobpcg: A and B must be square and alike, got {list(A.shape)}")
    method = "ortho" if method is None else method
    if method not in ("basic", "ortho"):
        raise ValueError(f'lobpcg: method must be "basic" or "ortho", got {method!r}')
    kind = A._meta.dtype if A._meta.dtype.category >= dtypes.FLOAT else dtypes.float32
    n = (1 if k is None else k) if n is None else n
    n = n if X is None else X.shape[-1]
    k = (1 if X is None else n) if k is None else k
    if m < 3 * n:
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than "
            f"3 x the number of requested eigenpairs (={n})"
        )
    A, B = _symmetric(A), _symmetric(B)
    if X is None:
        count = int(np.prod(lead))
        starts = [FUNCTIONS["randn"](m, n, dtype=kind) for _ in range(count)]
        X = FUNCTIONS["stack"](starts).reshape(*lead, m, n) if count else A.new_zeros(*lead, m, n)
    if tuple(X.shape) != (*lead, m, n):
        raise AssertionError(f"lobpcg: X must be {[*lead, m, n]}, got {list(X.shape)}")
    tol = dtypes.finfo(kind).eps ** 0.5 if tol is None else tol
    sizes = {"m": m, "n": n, "k": k, "niter": 1000 if niter is None else niter}
    largest = True if largest is None else largest
    extra = (ortho_iparams, ortho_fparams, ortho_bparams)
    inputs = {name: _array(x, kind) for name, x in (("A", A), ("B", B), ("X", X), ("iK", iK))}
    values, vectors = np.zeros((*lead, k), kind.numpy), np.zeros((*lead, m, k), kind.numpy)
    for index, place in enumerate(np.ndindex(*lead)):
        parameters = _parameters(sizes, tol, largest, method, extra)
        if lead:
            parameters[0]["batch_index"] = index
        arrays = {c: _member(x, place, len(lead)) for c, x in inputs.items()}
        e, x = LOBPCG(arrays, method, parameters, tracker).run()
        values[place], vectors[place] = e[:k], x[:, :k]
    E, X = make_tensor(values), make_tensor(vectors)
    if A.requires_grad or (B is not None and B.requires_grad):
        return pairs_op(cast_to(A, kind), B, E, X)
    return E, X


def _member(x, place, dims):
    """The matrix of a batch, or the one that is for all."""
    return x if x is None or x.ndim < dims + 2 else x[place]
