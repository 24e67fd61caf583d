"""no_grad, enable_grad, inference_mode and set_grad_enabled, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def no_grad_as_context(t):
    x = leaf(t, 1.0, 2.0)
    with t.no_grad():
        y = x * 2
        inside = t.is_grad_enabled()
    z = x * y
    z.sum().backward()
    return y, inside, t.is_grad_enabled(), x.grad


@program
def no_grad_as_decorator(t):
    x = leaf(t, 1.0, 2.0)

    @t.no_grad()
    def double(v):
        return v * 2, t.is_grad_enabled()

    @t.no_grad
    def triple(v):
        return v * 3

    return double(x), triple(x), double.__name__, t.is_grad_enabled()


@program
def enable_grad_within_no_grad(t):
    x = leaf(t, 1.0, 2.0)
    with t.no_grad():
        with t.enable_grad():
            y = x * 2
        z = x * 3
    return y, z


@program
def enable_grad_as_decorator(t):
    x = leaf(t, 1.0, 2.0)

    @t.enable_grad()
    def double(v):
        return v * 2

    with t.no_grad():
        return double(x), t.is_grad_enabled()


@program
def set_grad_enabled_as_context(t):
    x = leaf(t, 1.0, 2.0)
    out = []
    for mode in (False, True):
        with t.set_grad_enabled(mode):
            out += [x * 2, t.is_grad_enabled()]
        out.append(t.is_grad_enabled())
    return out


@program
def set_grad_enabled_as_function(t):
    x = leaf(t, 1.0, 2.0)
    t.set_grad_enabled(False)
    y = x * 2
    off = t.is_grad_enabled()
    t.set_grad_enabled(True)
    return y, off, x * 2


@program
def set_grad_enabled_as_decorator(t):
    x = leaf(t, 1.0, 2.0)

    @t.set_grad_enabled(False)
    def double(v):
        return v * 2

    return t.is_grad_enabled(), double(x), t.is_grad_enabled()


@program
def set_grad_enabled_in_between(t):
    x = leaf(t, 1.0, 2.0)
    with t.no_grad():
        t.set_grad_enabled(True)
        y = x * 2
    return y, t.is_grad_enabled()


@program
def modes_nest(t):
    seen = []
    with t.no_grad():
        seen.append(t.is_grad_enabled())
        with t.no_grad():
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
        with t.enable_grad(), t.set_grad_enabled(False):
            seen.append(t.is_grad_enabled())
    return seen, t.is_grad_enabled()


@program
def one_context_entered_twice(t):
    context = t.no_grad()
    seen = []
    with context:
        seen.append(t.is_grad_enabled())
    with context:
        seen.append(t.is_grad_enabled())
    return seen, t.is_grad_enabled()


@program
def an_exception_restores_the_mode(t):
    try:
        with t.no_grad():
            raise KeyError
    except KeyError:
        pass
    return t.is_grad_enabled()


@program
def an_exception_in_a_decorated_function_restores_the_mode(t):
    @t.no_grad()
    def fail():
        raise KeyError

    try:
        fail()
    except KeyError:
        return t.is_grad_enabled()


@program
def generators(t):
    x = leaf(t, 1.0, 2.0)

    @t.no_grad()
    def items():
        for k in range(3):
            got = yield x * k, t.is_grad_enabled()
            if got is not None:
                yield got * x

    it = items()
    seen = [next(it), t.is_grad_enabled(), it.send(t.ones(2)), t.is_grad_enabled()]
    return seen + list(it)


@program
def generators_that_are_closed_and_thrown_into(t):
    log = []

    @t.no_grad()
    def items():
        try:
            while True:
                try:
                    yield 1
                except KeyError:
                    log.append(("caught", t.is_grad_enabled()))
                    yield 2
        finally:
            log.append(("closed", t.is_grad_enabled()))

    it = items()
    log.append(next(it))
    log.append(it.throw(KeyError()))
    it.close()
    return log, t.is_grad_enabled()


@program
def decorated_class(t):
    @t.no_grad()
    class Box:
        def __init__(self, x):
            self.mode, self.twice = t.is_grad_enabled(), x * 2

    box = Box(leaf(t, 1.0))
    return box.mode, box.twice


@program
def decorated_method(t):
    class Box:
        @t.no_grad()
        def double(self, x):
            return x * 2

        @staticmethod
        @t.enable_grad()
        def triple(x):
            return x * 3

    x = leaf(t, 1.0)
    return Box().double(x), Box.triple(x)


@program
def backward_in_no_grad(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    with t.no_grad():
        y.backward()
    return x.grad


@program
def create_graph_in_no_grad(t):
    x = leaf(t, 1.0, 2.0)
    y = (x**3).sum()
    with t.no_grad():
        (g,) = t.autograd.grad(y, x, create_graph=True)
    return g.requires_grad, t.autograd.grad(g.sum(), x)


@program
def leaf_made_in_no_grad(t):
    with t.no_grad():
        x = leaf(t, 1.0, 2.0)
        y = t.ones(2).requires_grad_()
    (x * y).sum().backward()
    return x, y, x.grad, y.grad


@program
def parameter_update(t):
    w = leaf(t, 1.0, 2.0)
    for _ in range(3):
        ((w - 1) ** 2).sum().backward()
        with t.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return w


@program
def leaf_in_place_with_gradients(t):
    w = leaf(t, 1.0, 2.0)
    w -= 0.1


@program
def leaf_view_in_place_with_gradients(t):
    w = leaf(t, 1.0, 2.0)
    w[0].fill_(5.0)


@program
def result_written_in_no_grad(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    with t.no_grad():
        y.add_(100)
    (y * 3).sum().backward()
    return y, x.grad


@program
def view_made_in_no_grad_is_written_with_gradients(t):
    x = leaf(t, 1.0, 2.0)
    base = x * 2
    with t.no_grad():
        v = base[0:1]
    v.mul_(2)


@program
def view_made_in_no_grad_is_written_there(t):
    x = leaf(t, 1.0, 2.0)
    base = x * 2
    with t.no_grad():
        v = base[0:1]
        v.mul_(2)
    base.sum().backward()
    return base, x.grad


@program
def inference_mode_results(t):
    x = leaf(t, 1.0, 2.0)
    with t.inference_mode():
        y = x * 2
        modes = t.is_grad_enabled(), t.is_inference_mode_enabled()
        fresh = t.ones(2)
    return (
        y.requires_grad,
        fresh.requires_grad,
        modes,
        t.is_inference_mode_enabled(),
        x.is_inference(),
    )


@program
def inference_mode_off(t):
    x = leaf(t, 1.0, 2.0)
    with t.inference_mode(False):
        y = x * 2
        seen = t.is_inference_mode_enabled()
    return y, seen


@program
def inference_mode_with_normal_mode_within(t):
    x = leaf(t, 1.0, 2.0)
    with t.inference_mode(), t.inference_mode(False):
        y = x * 2
        seen = t.is_inference_mode_enabled(), t.is_grad_enabled()
    return y, seen


@program
def inference_mode_off_keeps_no_grad(t):
    x = leaf(t, 1.0)
    with t.no_grad(), t.inference_mode(False):
        return (x * 2).requires_grad, t.is_grad_enabled()


@program
def inference_mode_decorator(t):
    x = leaf(t, 1.0, 2.0)

    @t.inference_mode()
    def double(v):
        return v * 2, t.is_inference_mode_enabled()

    @t.inference_mode
    def triple(v):
        return (v * 3).requires_grad

    y, seen = double(x)
    return y.requires_grad, seen, triple(x), t.is_inference_mode_enabled()


@program
def enable_grad_within_inference_mode(t):
    x = leaf(t, 1.0, 2.0)
    with t.inference_mode(), t.enable_grad():
        y = x * 2
        seen = y.requires_grad, t.is_grad_enabled()
    return seen


@program
def inference_tensor_cloned(t):
    x = leaf(t, 1.0, 2.0)
    with t.inference_mode():
        c = t.ones(2) * 3
    (x * c.clone()).sum().backward()
    return x.grad


@program
def inference_tensor_in_a_sum(t):
    x = leaf(t, 1.0, 2.0)
    with t.inference_mode():
        c = t.ones(2) * 3
    (x + c).sum().backward()
    return x.grad


@program
def modes_change_within_a_trace(t):
    x = leaf(t, 1.0, 2.0)
    h = x
    for k in range(6):
        with t.set_grad_enabled(k % 2 == 0):
            h = h * x + k
    return h


@program
def modes_across_sync_points(t):
    x = leaf(t, 1.0, 2.0)
    out = []
    with t.no_grad():
        out.append((x * 2).sum().item())
        out.append((x * 3).requires_grad)
        with t.enable_grad():
            y = x * x
            out.append(y.sum().item())
            y = y * 2
        out.append(y.sum().item())
    y.sum().backward()
    return out, x.grad


@program
def mode_of_another_thread_is_its_own(t):
    import threading

    seen = []
    with t.no_grad():
        other = threading.Thread(target=lambda: seen.append(t.is_grad_enabled()))
        other.start()
        other.join()
    return seen


@program
def arguments_that_are_wrong(t):
    t.set_grad_enabled(None)
    return t.is_grad_enabled()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
