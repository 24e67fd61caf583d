"""Names that PyTorch keeps to itself and that libraries use all the same."""

import numpy as np
import pytest

import flambeau

D = flambeau.distributions


def test_helpers(torch):
    def run(t):
        utils, normal = t.distributions.utils, t.distributions.multivariate_normal
        t.manual_seed(0)
        factor = t.tensor([[2.0, 0.0], [1.0, 3.0]])
        return [
            utils._standard_normal((2, 3), t.float64, "cpu").numpy(),
            utils._sum_rightmost(t.ones(2, 3, 4), 2).numpy(),
            normal._batch_mv(factor, t.ones(2)).numpy(),
            normal._batch_mahalanobis(factor, t.ones(2)).numpy(),
            normal._precision_to_scale_tril(t.eye(2)).numpy(),
        ]

    for ours, theirs in zip(run(flambeau), run(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_expand_of_a_class_of_the_user():
    class Shifted(D.Normal):
        def __init__(self, loc, shift):
            self.shift = flambeau.tensor(shift)
            super().__init__(loc, 1.0)

        def expand(self, batch_shape, _instance=None):
            new = self._get_checked_instance(Shifted, _instance)
            new.shift = self.shift.expand(batch_shape)
            return super().expand(batch_shape, _instance=new)

    class Further(Shifted):
        def __init__(self):
            super().__init__(0.0, 1.0)

    wide = Shifted(0.0, 2.0).expand((3,))
    assert type(wide) is Shifted
    assert wide.shift.shape == wide.sample().shape == (3,)
    with pytest.raises(NotImplementedError, match="Subclass Further of Shifted"):
        Further().expand((3,))


def test_initializers_are_cooperative():
    class Transform(D.Transform, flambeau.nn.Module):
        __hash__ = flambeau.nn.Module.__hash__

        def __init__(self):
            super().__init__()
            self.scale = flambeau.nn.Parameter(flambeau.ones(()))

    class Flow(D.Distribution, flambeau.nn.Module):
        arg_constraints = {}

        def __init__(self):
            super().__init__()
            self.loc = flambeau.nn.Parameter(flambeau.zeros(()))

    assert len(list(Transform().parameters())) == len(list(Flow().parameters())) == 1


def test_a_number_of_successes():
    assert D.Binomial(5, flambeau.tensor(0.3)).sample().shape == ()
