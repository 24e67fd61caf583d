"""A version that compares with text and with tuples of numbers."""

import operator
import re

__all__ = ["TorchVersion"]


class TorchVersion(str):
    """The text of a version, ordered by its numbers.

    >>> TorchVersion("2.13.0") > "2.9", TorchVersion("2.13.0") >= (2, 13)
    (True, True)
    """

    __slots__ = ()

    def _numbers(self):
        release = re.match(r"\d+(\.\d+)*", self)
        return _trimmed(map(int, release.group().split("."))) if release else ()

    def __eq__(self, other):
        return str.__eq__(self, other) is True or self._compare(other, operator.eq)

    def __ne__(self, other):
        return not self == other

    def __lt__(self, other):
        return self._compare(other, operator.lt)

    def __le__(self, other):
        return self._compare(other, operator.le)

    def __gt__(self, other):
        return self._compare(other, operator.gt)

    def __ge__(self, other):
        return self._compare(other, operator.ge)

    def _compare(self, other, test):
        if not isinstance(other, str | tuple | list):
            return NotImplemented
        return test(self._numbers(), _numbers_of(other))

    __hash__ = str.__hash__


def _numbers_of(other):
    return TorchVersion(other)._numbers() if isinstance(other, str) else _trimmed(other)


def _trimmed(numbers):
    """Without zeros at the end, so that 2.0 is 2."""
    numbers = tuple(int(n) for n in numbers)
    while numbers and not numbers[-1]:
        numbers = numbers[:-1]
    return numbers
