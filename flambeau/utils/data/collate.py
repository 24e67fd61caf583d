"""How a list of samples becomes a batch."""

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

import numpy as np

import flambeau

from ...dtypes import FROM_NUMPY
from . import rows

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

NOT_NUMBERS = "SUO"  # NumPy's kinds of bytes, text and objects.


def default_convert(data):
    """Make tensors of the NumPy arrays and numbers in nested lists, tuples and mappings.

    What else there is stays; a tuple becomes a list, a named tuple stays one. It is the
    `collate_fn` of a `DataLoader` that does not make batches.

    >>> import numpy as np
    >>> from flambeau.utils.data import default_convert
    >>> default_convert({"x": np.array([1, 2]), "name": "a"})
    {'x': tensor([1, 2]), 'name': 'a'}
    """
    if isinstance(data, flambeau.Tensor):
        return data
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in NOT_NUMBERS else flambeau.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _like_sequence(data, [default_convert(item) for item in data])
    return data


def default_collate(batch):
    """Stack the samples of a list along a new first dimension.

    Tensors, NumPy arrays and numbers become one tensor (Python floats one of float64); strings and
    bytes stay as they are; mappings, tuples and lists are collated item by item, where tuples
    become lists. Raises TypeError for anything else, RuntimeError for different lengths.

    >>> from flambeau.utils.data import default_collate
    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    >>> default_collate([{"x": 1}, {"x": 2}])
    {'x': tensor([1, 2])}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch, *, collate_fn_map=None):
    """Like `default_collate`, with a function for each type of sample.

    `collate_fn_map` is a dict from a type, or a tuple of types, to a function that is called as
    `function(batch, collate_fn_map=collate_fn_map)` if the first sample is an instance; an entry
    for its very type goes first.
    """
    first = batch[0]
    rules = collate_fn_map or {}
    rule = rules.get(type(first))
    if rule is None:
        rule = next((rules[kind] for kind in rules if isinstance(first, kind)), None)
    if rule is not None:
        return rule(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {key: [sample[key] for sample in batch] for key in first}
        items = {
            key: collate(column, collate_fn_map=collate_fn_map) for key, column in columns.items()
        }
        return _like_mapping(first, items)
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError(
                "each element in list of batch should be of equal size, but lengths are "
                f"{sorted({len(sample) for sample in batch})}"
            )
        columns = zip(*batch, strict=True)
        items = [collate(column, collate_fn_map=collate_fn_map) for column in columns]
        return _like_sequence(first, items)
    raise _not_collated(type(first))


def _not_collated(what):
    return TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {what}"
    )


def _like_mapping(model, items):
    """`items` in a mapping of the type of `model`, a dict where that can not be made."""
    try:
        if isinstance(model, MutableMapping):
            # A copy keeps what the type holds beside its items, such as a default factory.
            result = copy.copy(model)
            result.update(items)
            return result
        return type(model)(items)
    except TypeError:
        return items


def _like_sequence(model, items):
    """`items` in a sequence of the type of `model`, a list where that can not be made."""
    if isinstance(model, tuple):
        return type(model)(*items) if hasattr(model, "_fields") else items
    try:
        if isinstance(model, MutableSequence):
            result = copy.copy(model)
            for i, item in enumerate(items):
                result[i] = item
            return result
        return type(model)(items)
    except TypeError:
        return items


def _collate_tensors(batch, *, collate_fn_map=None):
    stacked = rows.stack(batch)
    return flambeau.stack(batch, 0) if stacked is None else stacked


def _collate_arrays(batch, *, collate_fn_map=None):
    if batch[0].dtype.kind in NOT_NUMBERS:
        raise _not_collated(batch[0].dtype)
    kind = FROM_NUMPY.get(batch[0].dtype)
    if (collate_fn_map or {}).get(flambeau.Tensor) is _collate_tensors and kind and _alike(batch):
        stacked, elements = rows.new((len(batch), *batch[0].shape), kind)
        np.stack(batch, out=elements)
        return stacked
    tensors = [flambeau.as_tensor(array) for array in batch]
    return collate(tensors, collate_fn_map=collate_fn_map)


def _alike(arrays):
    first = arrays[0]
    return all(a.shape == first.shape and a.dtype == first.dtype for a in arrays)


def _collate_scalars(batch, *, collate_fn_map=None):
    return flambeau.as_tensor(batch)


def _collate_floats(batch, *, collate_fn_map=None):
    return flambeau.tensor(batch, dtype=flambeau.float64)


def _collate_ints(batch, *, collate_fn_map=None):
    return flambeau.tensor(batch)


def _collate_text(batch, *, collate_fn_map=None):
    return batch


# May be extended in place, which changes `default_collate` everywhere.
default_collate_fn_map = {
    flambeau.Tensor: _collate_tensors,
    np.ndarray: _collate_arrays,
    (np.bool_, np.number, np.object_): _collate_scalars,
    float: _collate_floats,
    int: _collate_ints,
    str: _collate_text,
    bytes: _collate_text,
}
