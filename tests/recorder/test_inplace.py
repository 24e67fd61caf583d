"""In-place changes, views and memory shared with the outside, as in torch."""

import numpy as np
import pytest

from .cases import Cases, both, same_each_time

CASES = Cases()
case = CASES.add


# Views see writes, and write themselves


@case
def slice_writes_to_base(t):
    x = t.zeros(3, 4)
    x[1] = 1.0
    x[:, 2] += 5
    x[0, 0] = 7
    x[1:, ::2].mul_(10)
    return x


@case
def base_writes_are_seen_by_views(t):
    x = t.arange(6.0)
    row, grid = x[2:4], x.view(2, 3)
    x.add_(1)
    grid[0] *= 2
    return x, row, grid


@case
def transposed_view(t):
    x = t.arange(6.0).reshape(2, 3)
    y = x.t()
    y[2] = t.tensor([10.0, 20.0])
    y.add_(1)
    return x, y, y.is_contiguous(), y.stride()


@case
def view_of_view_of_view(t):
    x = t.arange(24.0).reshape(2, 3, 4)
    y = x[1].t()[1:, :2]
    y.zero_()
    return x, y, y.storage_offset(), y.stride()


@case
def expanded_cannot_be_written(t):
    return t.zeros(3, 1).expand(3, 4).add_(1)


@case
def expanded_can_be_filled(t):
    x = t.zeros(3, 1)
    x.expand(3, 4).fill_(2)
    return x


@case
def diagonal_view(t):
    x = t.zeros(3, 3)
    x.diagonal().fill_(1)
    x.diagonal(1).add_(2)
    return x


@case
def as_strided_view(t):
    x = t.arange(10.0)
    y = x.as_strided((3, 2), (3, 1), 1)
    y += 100
    z = x[2:].as_strided((2,), (1,), 0)
    return x, y, z


@case
def copy_broadcasts_and_casts(t):
    x = t.zeros(2, 3)
    x.copy_(t.tensor([1, 2, 3]))
    y = t.zeros(3, dtype=t.int32).copy_(t.tensor([1.9, -1.9, 2.0]))
    return x, y


@case
def in_place_keeps_dtype(t):
    x = t.ones(3, dtype=t.int64)
    x += 2
    y = t.ones(3, dtype=t.float16)
    y.mul_(t.tensor(2.0, dtype=t.float64))
    return x, y


@case
def in_place_refuses_to_narrow(t):
    x = t.ones(3, dtype=t.int64)
    x += 0.5
    return x


@case
def in_place_refuses_to_grow(t):
    return t.ones(3).add_(t.ones(2, 3))


@case
def unbind_and_split_share(t):
    x = t.zeros(4, 2)
    for k, row in enumerate(x.unbind()):
        row.fill_(k)
    x.split(2)[1].add_(10)
    return x


@case
def index_put(t):
    x = t.zeros(4, 3)
    x[[0, 2]] = 1.0
    x[x > 0] = 5.0
    x[t.tensor([1, 1]), t.tensor([0, 2])] = t.tensor([8.0, 9.0])
    x[..., None][3] = 4.0
    return x


@case
def slices_with_none_and_ellipsis(t):
    x = t.zeros(2, 3, 4)
    x[..., 0] = 1
    x[:, None, 1, 1:3] = 2
    return x


@case
def swap_rows(t):
    x = t.arange(6.0).reshape(3, 2)
    x[0], x[1] = x[1].clone(), x[0].clone()
    x[[0, 2]] = x[[2, 0]]
    return x


@case
def write_from_itself(t):
    x = t.arange(5.0)
    x[1:] = x[:-1].clone()
    x += x
    return x


@case
def storage_is_shared(t):
    x = t.zeros(2, 3)
    same = [x.view(6), x[1:], x.t(), x.detach(), x.data]
    other = [x.clone(), x + 0, x[[0]], x.contiguous().clone()]
    pointer = x.untyped_storage().data_ptr()
    return [y.untyped_storage().data_ptr() == pointer for y in same + other], [
        y.data_ptr() - x.data_ptr() for y in same
    ]


@case
def memory_stays_in_place(t):
    x = t.zeros(1000)
    before = x.data_ptr()
    for _ in range(3):
        x += 1
        x.mul_(2)
    return x.data_ptr() == before, x[:2]


@case
def set_data(t):
    x = t.zeros(3, requires_grad=True)
    y = t.arange(3.0)
    x.data = y
    y += 1
    x.data.mul_(2)
    return x, y, x.data_ptr() == y.data_ptr()


@case
def tied_parameters(t):
    a, b = t.nn.Linear(2, 2), t.nn.Linear(2, 2)
    a.weight = b.weight
    with t.no_grad():
        b.weight.fill_(3)
    return a.weight is b.weight, a.weight.data_ptr() == b.weight.data_ptr(), a.weight


@case
def resize(t):
    x = t.arange(6.0)
    x.resize_(2, 2)
    return x


# Versions


@case
def versions(t):
    x = t.zeros(4)
    seen = [x._version]
    x.add_(1)
    seen.append(x._version)
    x[0] = 2
    seen += [x._version, x.view(2, 2)._version, x.detach()._version]
    x.data.add_(1)
    seen += [x._version, x.clone()._version]
    x.detach().mul_(2)
    return [*seen, x._version]


# Memory shared with NumPy


@case
def from_numpy_both_ways(t):
    array = np.zeros(4, np.float32)
    x = t.from_numpy(array)
    array[0] = 1
    x[1] = 2
    x += 1
    return array, x


@case
def memory_of_another_tensor(t):
    x = t.arange(4.0)
    y = t.from_numpy(x.numpy())
    y[1] = 5
    first = x.clone()
    x.add_(1)
    second = y.clone()
    z = t.from_numpy(x.numpy()[1:])
    z.mul_(2)
    return first, second, x, y, z


@case
def memory_of_another_tensor_through_dlpack(t):
    x = t.arange(4.0)
    y = t.from_dlpack(x)
    y.mul_(5)
    first = x.clone()
    x.add_(1)
    return first, y


@case
def array_changes_after_an_op_was_recorded(t):
    array = np.ones(4, np.float32)
    x = t.from_numpy(array)
    y = x * 2
    array[:] = 100
    return y, x


@case
def numpy_shares(t):
    x = t.arange(4.0)
    array = x.numpy()
    x.mul_(2)
    first = array.copy()
    array += 1
    y = x + 0
    array[:] = 0
    return first, y, x


@case
def numpy_of_a_view(t):
    x = t.zeros(3, 4)
    column = x[:, 1].numpy()
    column[:] = 5
    x[0] += 1
    return x, column, column.strides


@case
def row_is_read_before_the_array_changes(t):
    x = t.arange(6.0).reshape(2, 3)
    x.tolist()
    row = x[1] * 1
    whole = x.sum()
    x.numpy()[:] = 0
    return row, whole, x


@case
def strided_array(t):
    array = np.arange(12, dtype=np.float64).reshape(3, 4)[:, ::2]
    x = t.from_numpy(array)
    x[1] = -1
    array[2] = 7
    return x, array, x.stride()


@case
def array_of_a_tensor_that_died(t):
    x = t.arange(4.0)
    array = (x * 2).numpy()
    del x
    others = [t.zeros(4) + k for k in range(20)]
    return array, others[3]


@case
def numpy_needs_detach(t):
    return t.ones(2, requires_grad=True).numpy()


@case
def as_tensor_shares_and_tensor_copies(t):
    array = np.zeros(3)
    shared, copied = t.as_tensor(array), t.tensor(array)
    array += 1
    return shared, copied


@case
def parameter_shares_with_its_data(t):
    data = t.zeros(3)
    p = t.nn.Parameter(data)
    data += 1
    with t.no_grad():
        p.mul_(5)
    return data, p


@pytest.mark.parametrize("name", CASES)
def test_as_in_torch(torch, name):
    both(torch, CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_the_second_time(name):
    same_each_time(CASES[name])
