"""Runs random programs: PyTorch leads and says how each step ends, flambeau follows.

A step is (instruction, a, b, k): tensors are named by their place in a pool. The step
("fork", shared, steps of a thread, steps meanwhile) runs two lists of steps at once.
"""

import threading

import numpy as np

from . import changes
from .instructions import DTYPES, INSTRUCTIONS

__all__ = ["Different", "Follower", "Leader", "Stop", "facts"]

LIMIT = 10  # tensors in the pool
LARGE = 64  # the greatest magnitude of a value
MOST = 2048  # elements of a tensor
TOLERANCE = {"float64": 1e-6, "float32": 1e-4, "float16": 2e-2, "bfloat16": 8e-2}
ERRORS = (ArithmeticError, AttributeError, IndexError, RuntimeError, TypeError, ValueError)
# What is not compared. torch refuses a backward pass through values that were changed in place;
# a view whose base is gone counts as no view here; an operand that is partly the target is no
# problem where values never change; and what torch has not, flambeau may have.
INCOMPARABLE = (
    *("modified by an inplace operation", "detached in-place", "Can't detach views"),
    *("a leaf Variable that requires grad is being used", "moved into the graph interior"),
    *("refer to a single", "more than one element of the written-to", "not implemented for"),
    *("a view of a leaf Variable", "is a view and is being modified", "can not be changed"),
    *("NYI", "not supported for", "was created in no_grad mode", "no grad mode"),
    *("view size is not compatible", "returns multiple views"),
)
# `autograd.grad` frees all that its outputs depend on, not only the way to its inputs.
REFUSED = ("backward through the graph a second time", "more than one element of the written-to")
# Copies of the elements of odd views may have another layout.
REFUSED += ("view size is not compatible", "Can't detach views")


class Stop(Exception):
    """The program can not be compared from here on."""


class Different(AssertionError):
    """flambeau does not do what PyTorch does."""


def _memory(t):
    return t.untyped_storage().data_ptr()


def _array(t):
    t = t.detach()
    return np.array((t.float() if str(t.dtype).endswith("bfloat16") else t).numpy())


class _Machine:
    """A pool of tensors of one library, and the arrays that share their memory."""

    def __init__(self, lib, pool=None):
        self.lib, self.pool, self.arrays = lib, pool, []

    def enter(self, specs):
        """Make the first tensors: (dtype, shape, layout, requires a gradient, seed) of each."""
        self.pool = [_made(self, *spec) for spec in specs]

    def operands(self, step):
        """The two tensors of a step."""
        return self.pool[step[1] % len(self.pool)], self.pool[step[2] % len(self.pool)]

    def do(self, step):
        """What a step makes."""
        x, y = self.operands(step)
        return INSTRUCTIONS[step[0]].f(self.lib, self, x, y, step[3])

    def keep(self, made):
        """Put a tensor into the pool."""
        self.pool = [*self.pool, made][-LIMIT:]

    def child(self, shared):
        """The machine of a thread: with tensors of this one, or with copies of its own."""
        pool = self.pool[-4:]
        if not shared:
            pool = [x.detach().clone().requires_grad_(x.requires_grad) for x in pool]
        return type(self)(self.lib, pool)


def _made(m, dtype, shape, layout, tracked, seed):
    lib = m.lib
    random = np.random.RandomState(seed)
    wide = {"strided": [2 * n for n in shape], "swapped": shape[::-1]}.get(layout, shape)
    wide = [n + 1 for n in wide] if layout == "offset" else wide
    values = random.randint(-16, 17, tuple(wide))
    if dtype == "bool":
        values = values > 0
    elif dtype.startswith("int"):
        values = values // 4
    elif dtype == "uint8":
        values = abs(values)
    else:
        values = values / 8
    if layout == "array" and dtype != "bfloat16":
        values = values.astype(dtype)
        m.arrays.append(values)
        return lib.from_numpy(values)
    x = lib.tensor(values.tolist(), dtype=getattr(lib, dtype)).reshape(tuple(wide))
    if layout == "strided":
        x = x[tuple(slice(d % 2, None, 2) for d in range(x.dim()))]
    elif layout == "swapped":
        x = x.permute(*reversed(range(x.dim())))
    elif layout == "offset":
        x = x[tuple(slice(1, None) for _ in range(x.dim()))]
    elif layout == "expanded":
        x = x[:1].expand_as(x)
    if tracked and dtype in DTYPES[:4]:
        x = x.clone().requires_grad_()
    return x


class Leader(_Machine):
    """Runs steps with PyTorch and decides about each: its `verdicts` are what others follow.

    A verdict is "skip", "do" (and drop what it makes), "keep", the name of an error, or the
    verdicts of the two branches of a fork.
    """

    def __init__(self, lib, pool=None):
        super().__init__(lib, pool)
        self.verdicts, self.hidden, self.tolerance = [], False, 1e-6

    def run(self, steps):
        """Do all steps. Raises Stop at one after which nothing can be compared."""
        for step in steps:
            self.verdicts.append(self._fork(step) if step[0] == "fork" else self._step(step))

    def _step(self, step):
        name, (x, y) = step[0], self.operands(step)
        if self._is_out(name, x, y, step[3]):
            return "skip"
        self.hidden = self.hidden or name in changes.HIDDEN
        try:
            made = self.do(step)
        except ERRORS as error:
            if any(text in str(error) for text in INCOMPARABLE):
                raise Stop(str(error)) from None
            if name in changes.BACKWARD:
                raise Stop("how far a backward pass came is not comparable") from None
            return type(error).__name__
        try:
            fine = all(self._is_fine(t) for t in self.pool) and self._fine_gradients()
        except RuntimeError as error:  # it refuses to look at one of several views
            raise Stop(str(error)) from None
        if not fine:
            raise Stop("values grow")
        if made is None or made.numel() > MOST or not self._is_fine(made):
            return "do"
        self.keep(made)
        return "keep"

    def _fine_gradients(self):
        return all(t.grad is None or self._is_fine(t.grad) for t in self.pool if t.is_leaf)

    def _is_fine(self, t):
        self.tolerance = max(self.tolerance, TOLERANCE.get(str(t.dtype)[6:], 0))
        if t.is_complex():
            return False
        if not t.is_floating_point() or not t.numel():
            return True
        return bool((t.detach().abs() < LARGE).all())

    def _is_out(self, name, x, y, k):
        """Whether what torch does with a step depends on more than what it says."""
        lib = self.lib
        if INSTRUCTIONS[name].view and not lib.is_grad_enabled():
            return True
        if name in ("set_row", "set_slice", "set_column", "through_view", "through_flat"):
            if not lib.is_grad_enabled():
                return True
        if name in ("require", "detach_", "set_data"):
            return any(x is t._base or t is x._base for t in self.pool) or x._base is not None
        if name in changes.TWO and x.numel() and _memory(x) == _memory(y) and x is not y:
            return True
        if name in changes.TWO and x is y and name not in ("add_", "mul_", "sub_"):
            return True
        if name in changes.TWO and y.requires_grad and not x.is_floating_point():
            return True  # whole numbers would require gradients
        if name in changes.BACKWARD:
            return self.hidden
        if name == "to_int" and k % 3 == 2 and x.is_floating_point():
            return bool((x.detach().abs() > 100).any())
        apart = INSTRUCTIONS[name].apart
        try:
            gap = None if apart is None else apart(x, y, k)
            return gap is not None and bool((gap.abs() < 2 * self.tolerance * LARGE / 8).any())
        except ERRORS:
            return False

    def _fork(self, step):
        _, shared, aside, meanwhile = step
        child = self.child(shared)
        child.tolerance, child.hidden = self.tolerance, self.hidden
        failed = []

        def work():
            try:
                child.run(aside)
            except Stop as stop:
                failed.append(stop)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        mine, self.verdicts = self.verdicts, []
        try:
            self.run(meanwhile)
        finally:
            mine, self.verdicts = self.verdicts, mine
        self.tolerance = max(self.tolerance, child.tolerance)
        for t in child.pool[-2:]:
            self.keep(t)
        return child.verdicts, mine


class Follower(_Machine):
    """Runs steps with flambeau as the verdicts say."""

    def run(self, steps, verdicts):
        """Do the steps for which there are verdicts. Raises Different, Stop."""
        for step, verdict in zip(steps, verdicts, strict=False):
            if step[0] == "fork":
                self._fork(step, verdict)
            elif verdict != "skip":
                self._step(step, verdict)

    def _step(self, step, verdict):
        try:
            made = self.do(step)
        except ERRORS as error:
            if any(text in str(error) for text in REFUSED):
                raise Stop(str(error)) from None
            names = {base.__name__ for base in type(error).__mro__}
            if verdict not in names:
                raise Different(
                    f"{step}: {verdict}, but {type(error).__name__}: {error}"
                ) from error
            return
        if verdict not in ("do", "keep"):
            raise Different(f"{step}: {verdict} in torch, but no error")
        if verdict == "keep":
            self.keep(made)

    def _fork(self, step, verdict):
        _, shared, aside, meanwhile = step
        child = self.child(shared)
        failed = []

        def work():
            try:
                child.run(aside, verdict[0])
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            self.run(meanwhile, verdict[1])
        finally:
            thread.join()
        if failed:
            raise failed[0]
        for t in child.pool[-2:]:
            self.keep(t)


def facts(m):
    """All that can be seen of a machine: a list of dicts, one for each tensor of the pool."""
    pointers = [_memory(t) if t.numel() else -1 for t in m.pool]
    found = []
    for t in m.pool:
        grad = t.grad if t.is_leaf or t.retains_grad else None
        found.append(
            {
                "dtype": str(t.dtype),
                "shape": tuple(t.shape),
                "requires_grad": t.requires_grad,
                "is_leaf": t.is_leaf,
                "memory": pointers.index(_memory(t)) if t.numel() else -1,
                "value": _array(t),
                "grad": None if grad is None else _array(grad),
            }
        )
    for array in m.arrays:
        found.append({"value": np.array(array)})
    return found
