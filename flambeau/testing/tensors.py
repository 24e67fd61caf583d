"""The comparison of two tensors, of any layout."""

import flambeau

from .messages import Mismatch, scalars_differ, small_floats_differ, tensors_differ

__all__ = ["compare_tensors"]

# For each compressed layout: its name, and the methods for its indices.
COMPRESSED = {
    flambeau.sparse_csr: ("CSR", "crow_indices", "col_indices"),
    flambeau.sparse_csc: ("CSC", "ccol_indices", "row_indices"),
}
UNSIGNED = (flambeau.uint16, flambeau.uint32, flambeau.uint64)


def compare_tensors(actual, expected, rtol, atol, options):
    """Raise Mismatch unless two tensors are close, and alike in what the options name."""
    _compare_attributes(actual, expected, options)
    if actual.dtype != expected.dtype:
        # The wide unsigned dtypes promote with no other.
        dtypes = [flambeau.int64 if x.dtype in UNSIGNED else x.dtype for x in (actual, expected)]
        dtype = flambeau.promote_types(*dtypes)
        actual, expected = actual.to(dtype), expected.to(dtype)
    if actual.layout != expected.layout:
        actual, expected = _dense(actual), _dense(expected)
    limits = (rtol, atol, options.equal_nan)
    if actual.layout is flambeau.sparse_coo:
        _compare_coo(actual, expected, limits)
    elif actual.layout in COMPRESSED:
        _compare_compressed(actual, expected, limits)
    elif actual.dtype.is_floating_point and actual.dtype.itemsize == 1:
        _compare_small_floats(actual, expected, limits)
    else:
        _compare_values(actual, expected, limits)


def _compare_attributes(actual, expected, options):
    strided = actual.layout is expected.layout is flambeau.strided
    for name, wanted in (
        ("shape", True),
        ("layout", options.check_layout),
        ("stride()", options.check_stride and strided),
        ("device", options.check_device),
        ("dtype", options.check_dtype),
    ):
        if not wanted:
            continue
        values = [
            x.stride() if name == "stride()" else getattr(x, name) for x in (actual, expected)
        ]
        if values[0] != values[1]:
            raise Mismatch(
                AssertionError,
                f"The values for attribute '{name}' do not match: {values[0]} != {values[1]}.",
            )


def _dense(x):
    return x if x.layout is flambeau.strided else x.to_dense()


def _compare_values(actual, expected, limits, what=None):
    rtol, atol, equal_nan = limits
    matches = flambeau.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if matches.all():
        return
    if actual.dim():
        text = tensors_differ(actual.detach(), expected.detach(), matches, rtol, atol, what)
    else:
        text = scalars_differ(actual.item(), expected.item(), rtol, atol, what)
    raise Mismatch(AssertionError, text)


def _compare_small_floats(actual, expected, limits):
    """As `_compare_values`, for numbers of 8 bits, which are compared exactly."""
    rtol, atol, equal_nan = limits
    if rtol != 0 or atol != 0:
        raise Mismatch(
            AssertionError,
            f"Rtol={rtol} and atol={atol} are not supported for bitwise comparison of low "
            "dimensional floats. Please use rtol=0.0 and atol=0.0.",
        )
    actual, expected = actual.float(), expected.float()
    matches = flambeau.isclose(actual, expected, rtol=0, atol=0, equal_nan=equal_nan)
    if matches.all():
        return
    if actual.dim():
        text = small_floats_differ(matches)
    else:
        text = scalars_differ(actual.item(), expected.item(), rtol, atol)
    raise Mismatch(AssertionError, text)


def _compare_numbers_of(what, actual, expected):
    if actual != expected:
        raise Mismatch(
            AssertionError, f"The number of {what} does not match: {actual} != {expected}"
        )


def _compare_coo(actual, expected, limits):
    _compare_numbers_of(
        "sparse dimensions in sparse COO tensors", actual.sparse_dim(), expected.sparse_dim()
    )
    _compare_numbers_of("specified values in sparse COO tensors", actual._nnz(), expected._nnz())
    exact = (0, 0, False)
    _compare_values(actual._indices(), expected._indices(), exact, "Sparse COO indices")
    _compare_values(actual._values(), expected._values(), limits, "Sparse COO values")


def _compare_compressed(actual, expected, limits):
    name, *indices = COMPRESSED[actual.layout]
    _compare_numbers_of(
        f"specified values in sparse {name} tensors", actual._nnz(), expected._nnz()
    )
    for method in indices:
        pair = [getattr(x, method)().to(flambeau.int64) for x in (actual, expected)]
        _compare_values(*pair, (0, 0, False), f"Sparse {name} {method}")
    _compare_values(actual.values(), expected.values(), limits, f"Sparse {name} values")
