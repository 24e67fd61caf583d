"""Parametrizations: normalised by length, by the largest singular value, or orthogonal."""

from enum import Enum, auto

import flambeau

from ...tensor import Tensor
from ..functional import normalize
from ..module import Module
from .parametrize import register_parametrization
from .spectral_norm import default_dim
from .weight_norm import norm_except_dim, scaled

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _OrthMaps(Enum):
    matrix_exp = auto()
    cayley = auto()
    householder = auto()


def _is_orthogonal(q):
    """Whether the columns are orthonormal, but for rounding."""
    rows, columns = q.shape[-2:]
    eye = flambeau.eye(columns, dtype=q.dtype, device=q.device)
    return flambeau.allclose(q.mH @ q, eye, atol=10.0 * rows * flambeau.finfo(q.dtype).eps)


def _make_orthogonal(matrix):
    """The Q of a tall matrix A = QR for which the diagonal of R is not negative."""
    reflectors, tau = flambeau.geqrf(matrix)
    q = flambeau.linalg.householder_product(reflectors, tau)
    return q * reflectors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows, if it is wide) from any matrix of its shape.

    With `use_trivialization`, a fixed orthogonal matrix `base` is multiplied in, so that what is
    trained starts at the identity.
    """

    def __init__(self, weight, orthogonal_map, *, use_trivialization=True):
        super().__init__()
        # The reflectors have too few real parameters for all unitary matrices.
        if weight.is_complex() and orthogonal_map is _OrthMaps.householder:
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x):
        """The orthogonal matrix of `x`, which has at least as many rows as columns."""
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        if self.orthogonal_map is _OrthMaps.householder:
            q = _reflected(x)
        else:
            q = _rotated(x, self.orthogonal_map)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    @flambeau.no_grad()
    def right_inverse(self, q):
        """What `forward` makes `q` of, or the orthogonal matrix close to it."""
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {q.shape}."
            )
        wide = q.shape[-2] < q.shape[-1]
        tall = q.mT if wide else q
        if hasattr(self, "base"):
            self.base = _completed(tall)
            # The diagonal is -1, as that of the reflectors whose product is the identity.
            start = flambeau.zeros_like(q)
            start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
            return start
        if self.orthogonal_map is not _OrthMaps.householder:
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley "
                "parametrizations when use_trivialization=False."
            )
        reflectors, tau = flambeau.geqrf(tall)
        # The diagonal is free to hold the signs; LAPACK's tau is 0 where it does not reflect.
        diagonal = reflectors.diagonal(dim1=-2, dim2=-1)
        diagonal.copy_(diagonal.sign() * flambeau.where(tau == 0.0, -1.0, 1.0).to(tau.dtype))
        return reflectors.mT if wide else reflectors


def _rotated(x, orthogonal_map):
    """The first columns of the rotation that a skew-Hermitian matrix generates."""
    rows, columns = x.shape[-2:]
    x = x.tril()
    if rows != columns:
        filling = x.new_zeros(*x.shape[:-1], rows - columns)
        x = flambeau.cat([x, filling], -1)
    skew = x - x.mH
    if orthogonal_map is _OrthMaps.matrix_exp:
        q = flambeau.matrix_exp(skew)
    else:
        eye = flambeau.eye(rows, dtype=x.dtype, device=x.device)
        q = flambeau.linalg.solve(eye - skew * 0.5, eye + skew * 0.5)
    return q[..., :columns]


def _reflected(x):
    """The product of the reflections at the columns below the diagonal, which holds signs."""
    below = x.tril(-1)
    tau = 2.0 / (1.0 + (below * below).sum(-2))
    q = flambeau.linalg.householder_product(below, tau)
    return q * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)


def _completed(q):
    """A square orthogonal matrix whose first columns are those of `q`, made orthonormal."""
    *batch, rows, columns = q.shape
    if rows == columns:
        return q.clone() if _is_orthogonal(q) else _make_orthogonal(q)
    others = flambeau.randn(*batch, rows, rows - columns, dtype=q.dtype, device=q.device)
    return _make_orthogonal(flambeau.cat([q, others], -1))


def orthogonal(module, name="weight", orthogonal_map=None, *, use_trivialization=True):
    r"""Make a matrix of a module orthogonal, or unitary if it is complex; returns the module.

    :math:`Q^H Q = I` if it has at least as many rows as columns, otherwise :math:`Q Q^H = I`. A
    tensor of more dims is a batch of matrices.

    Args:
        orthogonal_map: how it is made from a matrix A: "matrix_exp", the exponential of a
            skew-symmetric matrix; "cayley", :math:`(I + A/2)(I - A/2)^{-1}`; "householder", a
            product of reflections. By default the first for square and complex matrices, and the
            last for others.
        use_trivialization: keep the first orthogonal matrix as a buffer `base`, and train what it
            is multiplied by.

    It starts as what it was if that is orthogonal, otherwise as the Q of its QR decomposition.

    Raises ValueError for a name that is not there, tensors of fewer than two dims, an unknown map,
    and reflections of complex matrices.

    >>> import flambeau as torch
    >>> layer = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(20, 40))
    >>> torch.allclose(layer.weight.T @ layer.weight, torch.eye(20), atol=1e-5)
    True
    """
    weight = _tensor_of(module, name)
    if weight.dim() < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _OrthMaps.__members__:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, _OrthMaps[orthogonal_map], use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


def _tensor_of(module, name):
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor


class _WeightNorm(Module):
    """A tensor as lengths times directions."""

    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        """The tensor."""
        return scaled(weight_v, weight_g, self.dim)

    def right_inverse(self, weight):
        """(lengths, directions)."""
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module, name="weight", dim=0):
    r"""Make a tensor of a module a length times a direction; returns the module.

    .. math:: w = g \frac{v}{\lVert v \rVert}

    :math:`g` is `module.parametrizations.weight.original0`, :math:`v` is `original1`. Checkpoints
    of `flambeau.nn.utils.weight_norm` can be loaded.

    Args: dim: the dim along which each slice has a length of its own; None for one length of all.

    See Salimans and Kingma, Weight Normalization (2016).

    >>> import flambeau as torch
    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([40, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict, prefix, *_):
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """A matrix divided by its largest singular value; a vector divided by its length."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        dims = weight.dim()
        if not -dims <= dim < dims:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{dims}, {dims - 1}] but got "
                f"{dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim % dims, eps
        if dims > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._as_matrix(weight)
            for vector, size in zip(("_u", "_v"), matrix.shape, strict=True):
                start = matrix.new_empty(size).normal_(0, 1)
                self.register_buffer(vector, normalize(start, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _as_matrix(self, weight):
        """The weight with a row for each output."""
        return weight.movedim(self.dim, 0).flatten(1)

    @flambeau.no_grad()
    def _iterate(self, matrix, times):
        """Improve the estimates of the singular vectors, in place."""
        for _ in range(times):
            normalize(matrix.mv(self._v), dim=0, eps=self.eps, out=self._u)
            normalize(matrix.mH.mv(self._u), dim=0, eps=self.eps, out=self._v)

    def forward(self, weight):
        """The weight over its norm; in training mode, with better singular vectors."""
        if weight.dim() == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # The next call changes them in place; the graph of this one must not see that.
        u, v = self._u.clone(), self._v.clone()
        return weight / flambeau.vdot(u, matrix.mv(v))

    def right_inverse(self, value):
        """The value itself, which is taken to be normalised."""
        return value


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    r"""Divide a tensor of a module by its largest singular value; returns the module.

    .. math:: W_{SN} = W / \sigma(W), \quad
        \sigma(W) = \max_{h \ne 0} \lVert W h \rVert_2 / \lVert h \rVert_2

    Reading the tensor in training mode improves the estimate of the singular vectors by power
    iterations. A vector is divided by its length.

    Args:
        n_power_iterations: how many for each time it is read.
        eps: the least norm of a vector when it is normalised.
        dim: the dim that counts outputs, by default 1 for transposed convolutions, otherwise 0.

    Raises ValueError for a name that is not there or a number of iterations that is not positive,
    IndexError for a dim that is not there.

    See Miyato et al., Spectral Normalization for Generative Adversarial Networks (2018).

    >>> import flambeau as torch
    >>> layer = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(20, 40))
    >>> 0.7 < torch.linalg.matrix_norm(layer.weight, 2).item() < 1.3
    True
    """
    weight = _tensor_of(module, name)
    dim = default_dim(module) if dim is None else dim
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)
