"""The base class of distributions."""

import warnings

from ..autograd.modes import no_grad
from ..recorder.handle import Size, Tensor
from ..recorder.trace import local
from . import constraints
from .utils import lazy_property

__all__ = ["Distribution"]


class Distribution:
    """Distributions of events of `event_shape`, a batch of `batch_shape` of them.

    A subclass says in `arg_constraints` what its parameters, which are attributes, must satisfy,
    and in `support` where its samples lie. `expand` is derived from that; distributions that it
    is written with are named in `_parts`.

    Args: validate_args: whether parameters and values are checked; left out, whether the default
        says so (`set_default_validate_args`), which is no under `python -O`. Nothing is checked
        while `vmap` records, where no value is known.
    Raises: ValueError for a parameter that does not satisfy its constraint.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__
    _parts = ()

    @staticmethod
    def set_default_validate_args(value):
        """Whether distributions made from now on check their arguments unless told otherwise."""
        if value not in [True, False]:
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape=(), event_shape=(), validate_args=None):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()
        super().__init__()  # for distributions that are modules too

    def _constraints(self):
        """{parameter: constraint}, {} with a warning for a class that declares none."""
        try:
            return self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `arg_constraints`. "
                "Please set `arg_constraints = {}` or initialize the distribution "
                "with `validate_args=False` to turn off validation.",
                stacklevel=4,
            )
            return {}

    def _validate_parameters(self):
        if local.trace.sampling:
            return
        checked = []
        for name, constraint in self._constraints().items():
            given = name in self.__dict__
            if constraints.is_dependent(constraint) or (
                not given and isinstance(getattr(type(self), name), lazy_property)
            ):
                continue
            value = getattr(self, name)
            checked.append((name, constraint, value, constraint.check(value).all()))
        # All checks are recorded before the first is looked at: they are computed together.
        for name, constraint, value, valid in checked:
            if not valid:
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}, but found invalid values:\n{value}"
                )

    def _validate_sample(self, value):
        """Raise ValueError unless `value` is a tensor of fitting shape within the support."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        start = len(value.shape) - len(self._event_shape)
        if value.shape[max(start, 0) :] != self._event_shape:
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{value.shape} vs {self._event_shape}."
            )
        expected = self._batch_shape + self._event_shape
        for i, j in zip(reversed(value.shape), reversed(expected), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{value.shape} vs {expected}."
                )
        if local.trace.sampling:
            return
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. "
                "Please initialize the distribution with `validate_args=False` to turn off "
                "validation.",
                stacklevel=3,
            )
            return
        if not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"to be within the support ({support!r}) of the distribution {self!r}, but found "
                f"invalid values:\n{value}"
            )

    def expand(self, batch_shape, _instance=None):
        """The same distribution with its parameters expanded to a larger batch shape.

        Args: _instance: what a subclass that overrides this made; its parameters are set.
        Raises: NotImplementedError for a subclass with an `__init__` of its own but no `expand`.
        """
        new = self._checked_instance(_instance)
        batch_shape = Size(batch_shape)
        own = self.__dict__
        for name, constraint in self._constraints().items():
            if name in own:
                event = _event_shape(own[name], constraint)
                new.__dict__[name] = own[name].expand(batch_shape + event)
        for name in self._parts:
            setattr(new, name, own[name].expand(self._part_shape(name, batch_shape)))
        self._copy_to(new)
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _part_shape(self, name, batch_shape):
        """The batch shape of a part where that of the whole is `batch_shape`."""
        return batch_shape

    def _copy_to(self, new):
        """Give an expanded distribution what is neither a parameter nor a part."""

    def _checked_instance(self, instance):
        if instance is not None:
            return instance
        cls = type(self)
        maker = next(c for c in cls.__mro__ if "__init__" in vars(c))
        if not maker.__module__.startswith(__package__):
            known = next(c for c in cls.__mro__ if c.__module__.startswith(__package__))
            raise NotImplementedError(
                f"Subclass {cls.__name__} of {known.__name__} that defines a custom __init__ "
                "method must also define a custom .expand() method."
            )
        return cls.__new__(cls)

    def _get_checked_instance(self, cls, _instance=None):
        """What `expand` of a class `cls` of the user's fills, as PyTorch has it."""
        if _instance is not None:
            return _instance
        if type(self).__init__ is not cls.__init__:
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ "
                "method must also define a custom .expand() method."
            )
        return type(self).__new__(type(self))

    def _extended_shape(self, sample_shape=()):
        """The shape of a sample of `sample_shape`."""
        return Size(sample_shape) + self._batch_shape + self._event_shape

    @property
    def batch_shape(self):
        """The shape over which parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of one event, without batch dims."""
        return self._event_shape

    @property
    def arg_constraints(self):
        """{name of a parameter: the constraint that it must satisfy}."""
        raise NotImplementedError

    @property
    def support(self):
        """The constraint that samples satisfy."""
        raise NotImplementedError

    @property
    def mean(self):
        """The expected value."""
        raise NotImplementedError

    @property
    def mode(self):
        """The most likely value."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self):
        """The expected square of the distance from the mean."""
        raise NotImplementedError

    @property
    def stddev(self):
        """The standard deviation: the root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape=()):
        """Random numbers of shape `sample_shape + batch_shape + event_shape`, without gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=()):
        """Random numbers through which gradients flow to the parameters."""
        raise NotImplementedError

    def sample_n(self, n):
        """`n` samples; `sample((n,))` is the newer name."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.",
            FutureWarning,
            stacklevel=2,
        )
        return self.sample((n,))

    def log_prob(self, value):
        """The logarithm of the density, or of the probability, at `value`."""
        raise NotImplementedError

    def cdf(self, value):
        """The probability of what is at most `value`."""
        raise NotImplementedError

    def icdf(self, value):
        """The inverse of `cdf`."""
        raise NotImplementedError

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution along a new first dim.

        Args: expand: whether to repeat them over the batch; else batch dims have size 1.
        """
        raise NotImplementedError

    def entropy(self):
        """The entropy in nats, of the batch shape."""
        raise NotImplementedError

    def perplexity(self):
        """exp of the entropy."""
        return self.entropy().exp()

    def __repr__(self):
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.shape}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _event_shape(value, constraint):
    """The shape of what a parameter has for one distribution of the batch."""
    count = 0 if constraints.is_dependent(constraint) else constraint.event_dim
    return value.shape[value.dim() - count :]
