"""A line search for the strong Wolfe conditions."""

from math import copysign, inf, nan

__all__ = ["strong_wolfe"]

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
TOLERANCE_CHANGE = 1e-9


class _Point:
    """A step length with the loss, the gradient and the slope along the direction there."""

    __slots__ = ("gradient", "length", "loss", "slope")

    def __init__(self, length, loss, gradient, slope):
        self.length, self.loss, self.gradient, self.slope = length, loss, gradient, slope


def strong_wolfe(at, length, direction, loss, gradient, slope, most):
    r"""Find a step length that decreases the loss enough and flattens the slope enough.

    .. math::
        f(t) \le f(0) + 10^{-4} t f'(0), \quad |f'(t)| \le 0.9 |f'(0)|

    Args:
        at: a function from a length to (loss, gradient) there.
        length: the length to try first.
        direction: the direction of the search.
        loss, gradient, slope: what holds at length 0.
        most: how many lengths may be tried after the first.

    Returns (loss, gradient, length, number of evaluations) of the best length found.

    From Nocedal and Wright, "Numerical Optimization", algorithms 3.5 and 3.6.
    """
    search = _Search(at, direction, _Point(0.0, loss, gradient, slope), most)
    bracket = search.bracket(length)
    if len(bracket) == 2:
        best = search.zoom(bracket, float(direction.abs().max()))
    else:
        (best,) = bracket
    return best.loss, best.gradient, best.length, search.evaluations


class _Search:
    """The two phases of the search: bracket a good length, then zoom in on it."""

    def __init__(self, at, direction, start, most):
        self.at, self.direction, self.start = at, direction, start
        self.most, self.evaluations = most, 0

    def evaluate(self, length):
        """The point at a length; counted."""
        self.evaluations += 1
        loss, gradient = self.at(length)
        return _Point(length, loss, gradient, float(gradient.dot(self.direction)))

    def is_exhausted(self):
        """Whether the search has tried as many lengths as it may."""
        return self.evaluations > self.most

    def is_too_high(self, point):
        """Whether the loss at a point is above the line of sufficient decrease."""
        start = self.start
        return point.loss > start.loss + SUFFICIENT_DECREASE * point.length * start.slope

    def is_flat(self, point):
        """Whether the slope at a point is flat enough."""
        return abs(point.slope) <= -CURVATURE * self.start.slope

    def bracket(self, length):
        """A good point alone, or two points with a good one between."""
        previous, point = self.start, self.evaluate(length)
        while not self.is_exhausted():
            if self.is_too_high(point) or (self.evaluations > 2 and point.loss >= previous.loss):
                return [previous, point]
            if self.is_flat(point):
                return [point]
            if point.slope >= 0:
                return [previous, point]
            least = point.length + 0.01 * (point.length - previous.length)
            length = _cubic_minimum(previous, point, least, point.length * 10)
            previous, point = point, self.evaluate(length)
        return [self.start, point]

    def zoom(self, bracket, reach):
        """The better end of a bracket, once it is good or can not be narrowed further."""
        low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        was_slow = False
        while not self.is_exhausted():
            near, far = sorted(point.length for point in bracket)
            if (far - near) * reach < TOLERANCE_CHANGE:
                break
            length = _cubic_minimum(*bracket, near, far)
            length, was_slow = _keep_off_ends(length, near, far, was_slow)
            point = self.evaluate(length)
            if self.is_too_high(point) or point.loss >= bracket[low].loss:
                bracket[high] = point
                low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
                continue
            if self.is_flat(point):
                return point
            if point.slope * (bracket[high].length - bracket[low].length) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = point
        return bracket[low]


def _cubic_minimum(a, b, least, most):
    """Where the cubic through two points with their slopes is least, within bounds."""
    if a.length > b.length:
        a, b = b, a
    mean = a.slope + b.slope - 3 * _quotient(a.loss - b.loss, a.length - b.length)
    square = mean * mean - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2
    root = square**0.5
    share = _quotient(b.slope + root - mean, b.slope - a.slope + 2 * root)
    return min(max(b.length - (b.length - a.length) * share, least), most)


def _quotient(x, y):
    """x / y, also where y is zero, as tensors have it."""
    if y:
        return x / y
    return copysign(inf, x) if x else nan


def _keep_off_ends(length, near, far, was_slow):
    """(the length to try, whether it makes little progress): twice near an end is too much."""
    margin = 0.1 * (far - near)
    if min(far - length, length - near) >= margin:
        return length, False
    if not was_slow and near < length < far:
        return length, True
    return (far - margin if abs(length - far) < abs(length - near) else near + margin), False
