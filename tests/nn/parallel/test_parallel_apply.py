"""`flambeau.nn.parallel.parallel_apply`."""

import pytest

import flambeau
from flambeau import nn
from flambeau.nn.parallel import parallel_apply


def test_inputs_and_keywords():
    class Add(nn.Module):
        def forward(self, x, y=1, z=0):
            return x + y + z

    x = flambeau.zeros(1)
    made = parallel_apply([Add(), Add()], [x, (x, 5)], [{"z": 1}, {"z": 2}], ["cpu", "cpu"])
    assert [m.item() for m in made] == [2.0, 7.0]


@pytest.mark.parametrize("given", [([1], None), ([1, 2], [{}]), ([1, 2], None, ["cpu"])])
def test_lengths(given):
    with pytest.raises(AssertionError, match="The number of modules 2 is not equal"):
        parallel_apply([nn.Identity(), nn.Identity()], *given)
