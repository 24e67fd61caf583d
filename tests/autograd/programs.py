"""What the programs of these tests are made of."""

__all__ = ["Programs", "exponential", "leaf", "square"]


class Programs(list):
    """The programs of a file."""

    def add(self, f):
        """A decorator that puts a program into the list."""
        self.append(f)
        return f


def leaf(t, *values, dtype="float32"):
    """A leaf vector that requires a gradient."""
    return t.tensor(list(values), dtype=getattr(t, dtype), requires_grad=True)


def square(t):
    """x^2, which saves its argument."""

    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    return Square


def exponential(t):
    """exp(x), which saves its result."""

    class Exp(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return y * g

    return Exp
