"""The shares of processes are PyTorch's."""

import pytest


@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("size", [1, 5, 8, 9])
def test_shares(same, size, shuffle, drop_last):
    def draw(lib):
        shares = []
        for rank in range(4):
            sampler = lib.utils.data.DistributedSampler(
                range(size), 4, rank, shuffle=shuffle, seed=5, drop_last=drop_last
            )
            for epoch in range(2):
                sampler.set_epoch(epoch)
                shares.append((len(sampler), list(sampler)))
        return shares

    same(draw)


def test_rank_outside(same):
    assert same(lambda lib: lib.utils.data.DistributedSampler(range(4), 2, 2)) is not None
