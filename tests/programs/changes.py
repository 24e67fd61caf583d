"""Instructions that change something: tensors in place, modes, gradients, memory seen outside."""

import numpy as np

from .instructions import DTYPES, instruction, kinks, mask, part, some, table

__all__ = ["BACKWARD", "HIDDEN", "TWO"]


def _exchange(x):
    x[0], x[-1] = x[-1].clone(), x[0].clone()


def _augment(x, y):
    x[..., ::2] += part(x[..., ::2], y)


def _untracked(lib, change, *args):
    with lib.no_grad():
        change(*args)


def _set(x, key, value):
    x[key] = value


IN_PLACE = {
    "add_number_": lambda lib, x, y, k: x.add_(k + 1),
    "mul_number_": lambda lib, x, y, k: x.mul_(k - 1),
    "half_": lambda lib, x, y, k: x.mul_(0.5),
    "add_": lambda lib, x, y, k: x.add_(part(x, y), alpha=1 + k % 2),
    "sub_": lambda lib, x, y, k: x.sub_(part(x, y)),
    "mul_": lambda lib, x, y, k: x.mul_(part(x, y)),
    "addcmul_": lambda lib, x, y, k: x.addcmul_(part(x, y), part(x, y)),
    "copy_": lambda lib, x, y, k: x.copy_(part(x, y)),
    "zero_": lambda lib, x, y, k: x.zero_(),
    "fill_": lambda lib, x, y, k: x.fill_(k),
    "sin_": lambda lib, x, y, k: x.sin_(),
    "tanh_": lambda lib, x, y, k: x.tanh_(),
    "neg_": lambda lib, x, y, k: x.neg_(),
    "set_row": lambda lib, x, y, k: _set(x, k % x.shape[0], float(k)),
    "set_slice": lambda lib, x, y, k: _set(x, slice(None, 1 + k % 2), part(x[0], y)),
    "set_column": lambda lib, x, y, k: _set(x, (..., k % x.shape[-1]), 0.5),
    "set_mask": lambda lib, x, y, k: _set(x, mask(lib, x, k), k),
    "set_rows": lambda lib, x, y, k: _set(x, [0, k % x.shape[0]], k * 2),
    "masked_fill_": lambda lib, x, y, k: x.masked_fill_(mask(lib, x, k), k),
    "index_fill_": lambda lib, x, y, k: x.index_fill_(0, some(lib, x, k) % x.shape[0], k),
    "index_add_": lambda lib, x, y, k: x.index_add_(
        0, some(lib, x, k) % x.shape[0], x.detach()[[0, 0, -1]].clone()
    ),
    "scatter_": lambda lib, x, y, k: x.scatter_(-1, (x.detach().long() * 0)[..., :1], k),
    "exchange": lambda lib, x, y, k: _exchange(x),
    "augment": lambda lib, x, y, k: _augment(x, y),
    "through_view": lambda lib, x, y, k: _returning_none(x.transpose(0, -1)[k % 2].mul_(0.5)),
    "through_flat": lambda lib, x, y, k: _returning_none(x.view(-1)[::3].add_(1)),
    "into": lambda lib, x, y, k: _returning_none(lib.mul(x, 0.5, out=x)),
    "untracked_add_": lambda lib, x, y, k: _untracked(lib, lambda: x.add_(k + 1)),
    "untracked_copy_": lambda lib, x, y, k: _untracked(lib, lambda: x.copy_(part(x, y))),
    "untracked_row_": lambda lib, x, y, k: _untracked(lib, lambda: _set(x, 0, k)),
    "data_mul_": lambda lib, x, y, k: _returning_none(x.data.mul_(k + 1)),
}


def _returning_none(x):
    return None


def _silent(short):
    return lambda lib, x, y, k: _returning_none(short(lib, x, y, k))


table({}, {name: _silent(short) for name, short in IN_PLACE.items()})
table({"apart": kinks(0)}, {"relu_": _silent(lambda lib, x, y, k: x.relu_())})
# What else is changed, or read, than the tensor itself: torch computes in place, element by
# element, and differentiates with changed numbers without a word.
TWO = {"add_", "sub_", "mul_", "addcmul_", "copy_", "untracked_copy_", "set_slice", "augment"}
TWO |= {"exchange"}
HIDDEN = {"data_mul_", "change_array", "change_kept", "set_data"}
BACKWARD = {"backward", "grad_of", "second_grad"}


@instruction
def set_data(lib, m, x, y, k):
    if x.shape == y.shape and x.dtype == y.dtype:
        x.data = y.detach().clone()


@instruction
def grad_off(lib, m, x, y, k):
    lib.set_grad_enabled(False)


@instruction
def grad_on(lib, m, x, y, k):
    lib.set_grad_enabled(True)


@instruction
def require(lib, m, x, y, k):
    x.requires_grad_()


@instruction
def detach_(lib, m, x, y, k):
    x.detach_()


@instruction
def fresh_leaf(lib, m, x, y, k):
    dtype = getattr(lib, DTYPES[k % 2])
    return (lib.arange(6.0).reshape(2, 3) / 8 - 0.25 * k).to(dtype).requires_grad_()


@instruction
def backward(lib, m, x, y, k):
    if k % 2:
        x.sum().backward()
    else:
        (x * x.detach()).mean().backward(retain_graph=True)


@instruction
def grad_of(lib, m, x, y, k):
    x, y = (x, y) if x.requires_grad else (y, x)
    (g,) = lib.autograd.grad((x * x).mean(), y, allow_unused=True, retain_graph=k > 1)
    return g


@instruction
def second_grad(lib, m, x, y, k):
    x, y = (x, y) if x.requires_grad else (y, x)
    (g,) = lib.autograd.grad(x.sin().sum(), y, create_graph=True, allow_unused=True)
    if g is None or not g.requires_grad:
        return g
    (h,) = lib.autograd.grad((g * g).mean(), y, retain_graph=True, allow_unused=True)
    return g.detach() if h is None else h


@instruction
def retain_grad(lib, m, x, y, k):
    x.retain_grad()


@instruction
def hook(lib, m, x, y, k):
    if x.requires_grad and x._base is None:
        x.register_hook(lambda g: g * (0.5 + k))


@instruction
def forget_grad(lib, m, x, y, k):
    x.grad = None


@instruction
def take_grad(lib, m, x, y, k):
    return x.grad if x.is_leaf else None


@instruction
def sync(lib, m, x, y, k):
    x.tolist()


@instruction
def item(lib, m, x, y, k):
    return x + x.sum().item() * 0.25


@instruction
def branch(lib, m, x, y, k):
    return x * 0.5 if x.numel() > 3 and bool((x.detach() > 1e6).any()) else x + 1


@instruction
def change_array(lib, m, x, y, k):
    array = x.detach().numpy()
    if array.flags.writeable and 0 not in array.strides and array.dtype != bool:
        array += np.asarray(k).astype(array.dtype)


@instruction
def keep_array(lib, m, x, y, k):
    m.arrays.append(x.detach().numpy())


@instruction
def change_kept(lib, m, x, y, k):
    if m.arrays and 0 not in m.arrays[-1].strides and m.arrays[-1].dtype != bool:
        m.arrays[-1][...] += np.asarray(k).astype(m.arrays[-1].dtype)


@instruction
def from_array(lib, m, x, y, k):
    array = np.arange(12, dtype=("float32", "float64", "int64", "float32")[k % 4]).reshape(3, 4)
    array = array / 8 if array.dtype.kind == "f" else array
    m.arrays.append(array)
    return lib.from_numpy(array.T if k > 2 else array[:, 1:])


@instruction
def forget(lib, m, x, y, k):
    if len(m.pool) > 3:
        m.pool[k % len(m.pool)] = m.pool[-1]


@instruction
def replace(lib, m, x, y, k):
    return m.pool.pop(0).detach().clone() if len(m.pool) > 3 else None
