"""Batches from a data set."""

from .registry import workload

ROWS = 100_000


@workload("loader", ratio=3.0, per=ROWS)
def loader(torch):
    """A row of a `TensorDataset` of 100,000, shuffled, in batches of 64, with no workers."""
    torch.manual_seed(0)
    data = torch.utils.data
    dataset = data.TensorDataset(torch.randn(ROWS, 16), torch.randint(0, 10, (ROWS,)))
    batches = data.DataLoader(dataset, batch_size=64, shuffle=True)
    return lambda: list(batches)  # kept, so that every batch is computed
