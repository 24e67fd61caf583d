"""What distributions given by `probs` or by `logits` have in common."""

from ..recorder.handle import Tensor
from .utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits

__all__ = ["BinaryChances", "Chances", "given_one"]


def given_one(probs, logits):
    """Raise ValueError unless exactly one of `probs` and `logits` is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class Chances:
    """A mixin: `probs` and `logits`, of which one is given and the other computed when needed."""

    _binary = False

    @lazy_property
    def logits(self):
        """Log odds, or the logarithms of probabilities along the last dim."""
        return probs_to_logits(self.probs, is_binary=self._binary)

    @lazy_property
    def probs(self):
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=self._binary)

    @property
    def _param(self):
        """The parameter that is there."""
        own = self.__dict__
        return own["probs"] if "probs" in own else own["logits"]

    @property
    def param_shape(self):
        """The shape of `probs` and `logits`."""
        return self._param.shape


class BinaryChances(Chances):
    """The same for probabilities of success, which are independent numbers."""

    _binary = True

    def _set_chances(self, probs, logits):
        """Keep what is given as a tensor; the shape of the batch."""
        given_one(probs, logits)
        name, value = ("probs", probs) if logits is None else ("logits", logits)
        (self.__dict__[name],) = broadcast_all(value)
        return self._param.shape

    def _set_with(self, other, probs, logits):
        """The same, broadcast with another parameter; (that parameter, the shape of the batch)."""
        given_one(probs, logits)
        name, value = ("probs", probs) if logits is None else ("logits", logits)
        if isinstance(value, Tensor) and isinstance(other, Tensor):
            other = other.to(value.dtype)
        other, self.__dict__[name] = broadcast_all(other, value)
        return other, other.shape
