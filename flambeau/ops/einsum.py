"""Sums of products named by the letters of their dims."""

import math
import string

from ..recorder.handle import Tensor
from . import movement as mv
from . import view_ops
from .api import function
from .core import composite
from .matmul import bmm_op
from .reduce import sum_op

__all__ = ["einsum"]

LETTERS = string.ascii_uppercase + string.ascii_lowercase
DOTS = "..."


@function(methods=False, out=False)
def einsum(equation, *operands):
    """The sum over products of elements that an equation such as "ij,jk->ik" says.

    Each operand has a letter per dim; a letter that the result lacks is summed over. Without "->"
    the result has the letters that occur once, in order. "..." stands for any dims, which
    broadcast. Also einsum(operand, [0, 1], operand, [1, 2], [0, 2]), with numbers for letters.

    Raises: RuntimeError for an equation that does not fit the operands.

    >>> import flambeau as torch
    >>> torch.einsum("ij,j->i", torch.ones(2, 3), torch.arange(3.0))
    tensor([3., 3.])
    """
    if isinstance(equation, Tensor):
        return einsum(*_from_lists((equation, *operands)))
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    inputs, output = _parse(equation, [x.ndim for x in operands])
    return _einsum(*operands, inputs=inputs, output=output)


def _from_lists(arguments):
    """The equation, and the operands, of the form that alternates tensors and lists of numbers."""
    count = len(arguments) // 2
    operands, terms = arguments[0 : 2 * count : 2], arguments[1 : 2 * count : 2]
    equation = ",".join(map(_term, terms))
    if len(arguments) % 2:
        equation += "->" + _term(arguments[-1])
    return (equation, *operands)


def _term(numbers):
    letters = []
    for n in numbers:
        if n is not Ellipsis and not 0 <= n < len(LETTERS):
            raise RuntimeError(
                f"einsum(): expected subscripts to be within the range [0, 52), but got {n}"
            )
        letters.append(DOTS if n is Ellipsis else LETTERS[n])
    return "".join(letters)


def _parse(equation, ndims):
    """The labels of the dims of each operand and of the result.

    A label is a letter, or a number that counts a dim of "..." from the last one.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) < len(ndims):
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    if len(terms) > len(ndims):
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    inputs = [_labels(t, n, k) for k, (t, n) in enumerate(zip(terms, ndims, strict=True))]
    dots = max((x for labels in inputs for x in labels if isinstance(x, int)), default=-1) + 1
    everything = [x for labels in inputs for x in labels]
    around = tuple(range(dots - 1, -1, -1))
    if not arrow:
        once = sorted(x for x in set(everything) if isinstance(x, str) and everything.count(x) == 1)
        return tuple(inputs), (*around, *once)
    before, dotted, after = _check(right, "the output").partition(DOTS)
    output = (*before, *(around if dotted else ()), *after)
    for x in output:
        if isinstance(x, str) and output.count(x) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {x} appears more than once in the output"
            )
        if x not in everything:
            raise RuntimeError(
                f"einsum(): output subscript {x} does not appear in the equation for any input "
                "operand"
            )
    return tuple(inputs), output


def _check(term, where):
    rest = term.replace(DOTS, "", 1)
    for letter in rest:
        if letter == ".":
            raise RuntimeError(
                f"einsum(): found '.' for {where} that is not part of any ellipsis, or an ellipsis "
                "that was already found"
            )
        if letter not in LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given for {where}, subscripts must be in [a-zA-Z], "
                f"but got {letter!r}"
            )
    return term


def _labels(term, ndim, number):
    before, dotted, after = _check(term, f"operand {number}").partition(DOTS)
    rest = ndim - len(before) - len(after)
    if rest < 0 or (rest and not dotted):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(before) + len(after)}) does "
            f"not match the number of dimensions ({ndim}) for operand {number}"
            + ("" if dotted else " and no ellipsis was given")
        )
    return (*before, *range(rest - 1, -1, -1), *after) if dotted else tuple(before)


@composite(name="einsum", autocast="lower")
def _einsum(*operands, inputs, output):
    pairs = zip(operands, inputs, strict=True)
    terms = [_diagonals(x, labels, k) for k, (x, labels) in enumerate(pairs)]
    sizes = _sizes(terms)
    x, labels = terms[0]
    for k, (y, more) in enumerate(terms[1:], 1):
        later = {*output, *(label for _, rest in terms[k + 1 :] for label in rest)}
        x, labels = _contract(x, labels, y, more, later, sizes)
    gone = tuple(d for d, label in enumerate(labels) if label not in output)
    if gone:
        x = sum_op(x, dims=gone, keepdim=False, dtype=x._meta.dtype)
        labels = [label for label in labels if label in output]
    order = tuple(labels.index(label) for label in output)
    return view_ops.permute_op(x, dims=order) if order != tuple(range(len(order))) else x * 1


def _diagonals(x, labels, number):
    """The operand with the diagonals of repeated labels, and its labels, each once."""
    labels = list(labels)
    for label in sorted(set(labels), key=labels.index):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            n, m = x.shape[first], x.shape[second]
            if n != m:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {number} but the sizes "
                    f"don't match, {m} != {n}"
                )
            x = mv.diagonal(x, 0, first, second)
            del labels[second], labels[first]
            labels.append(label)
    return x, labels


def _sizes(terms):
    """The size of each label; a dim of size 1 broadcasts."""
    sizes = {}
    for k, (x, labels) in enumerate(terms):
        for label, n in zip(labels, x.shape, strict=True):
            seen = sizes.get(label, 1)
            if 1 not in (n, seen) and n != seen:
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {k} which does not "
                    f"broadcast with previously seen size {seen}"
                )
            sizes[label] = n if seen == 1 else seen
    return sizes


def _contract(x, left, y, right, later, sizes):
    """The product of two operands, summed over the labels that nothing later has."""
    x, left = _sum_alone(x, left, {*right, *later})
    y, right = _sum_alone(y, right, {*left, *later})
    summed = [label for label in left if label in right and label not in later]
    shared = [label for label in left if label in right and label in later]
    rows = [label for label in left if label not in right]
    columns = [label for label in right if label not in left]
    result = shared + rows + columns
    if not summed:
        return _spread(x, left, result) * _spread(y, right, result), result
    x = _grouped(x, left, shared, rows, summed, sizes)
    y = _grouped(y, right, shared, summed, columns, sizes)
    return bmm_op(x, y).reshape([sizes[label] for label in result]), result


def _sum_alone(x, labels, elsewhere):
    gone = tuple(d for d, label in enumerate(labels) if label not in elsewhere)
    if not gone:
        return x, labels
    x = sum_op(x, dims=gone, keepdim=False, dtype=x._meta.dtype)
    return x, [label for label in labels if label in elsewhere]


def _spread(x, labels, result):
    """The operand with its dims in the order of `result`, and size 1 for labels it lacks."""
    order = sorted(range(len(labels)), key=lambda d: result.index(labels[d]))
    shape = [x.shape[labels.index(label)] if label in labels else 1 for label in result]
    return mv.permute(x, order).reshape(shape)


def _grouped(x, labels, *groups):
    """The operand as [group, group, group], each the product of the dims with those labels."""
    *groups, sizes = groups
    order = [label for group in groups for label in group]
    x = mv.permute(x, [labels.index(label) for label in order])
    full = [sizes[label] for label in order]
    if list(x.shape) != full:
        x = x.expand(full)
    return x.reshape([math.prod(sizes[label] for label in group) for group in groups])
