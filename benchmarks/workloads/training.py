"""Steps of training, and what comes before the first one."""

from itertools import count

from .registry import workload


def step_of(optimizer, loss):
    """A step on a batch: `loss(*batch)`, its backward pass, the update; returns the loss."""

    def step(*batch):
        optimizer.zero_grad()
        value = loss(*batch)
        value.backward()
        optimizer.step()
        return value.item()

    return step


def classify(torch, model, optimizer):
    """A step of a classifier on (inputs, classes)."""
    criterion = torch.nn.CrossEntropyLoss()
    return step_of(optimizer, lambda x, y: criterion(model(x), y))


def network(torch):
    """(a step on a batch, flowers, species) of the iris exercise."""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(4, 1024), nn.ReLU(), nn.Linear(1024, 3))
    step = classify(torch, model, torch.optim.Adam(model.parameters(), lr=1e-4))
    return step, torch.randn(4096, 4), torch.randint(0, 3, (4096,))


@workload("iris_step", ratio=4.0)
def iris_step(torch):
    """A step of the iris network: 112 x 4, 1024 hidden, Adam, loss.item()."""
    step, x, y = network(torch)
    x, y = x[:112].clone(), y[:112].clone()
    return lambda: step(x, y)


@workload("new_batch", seconds=5e-3, calls=1, per=2)
def new_batch(torch):
    """A step of the iris network on a new batch size: the first (interpreted) and the second."""
    step, x, y = network(torch)
    for _ in range(5):  # other sizes are new, the program is not
        for size in (112, 100):
            step(x[:size], y[:size])
    sizes = count(113)

    def call():
        size = next(sizes)
        step(x[:size], y[:size])
        return step(x[:size], y[:size])

    return call


def adam(torch, **options):
    """Adam's update of 100 parameters of 10,000 numbers, with gradients at hand."""
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(10_000)) for _ in range(100)]
    for p in parameters:
        p.grad = torch.randn(10_000)
    optimizer = torch.optim.Adam(parameters, lr=1e-3, **options)
    return optimizer.step


@workload("adam", ratio=4.0)
def adam_default(torch):
    """Adam on 100 parameters of 10,000 numbers."""
    return adam(torch)


@workload("adam_fused", ratio=1.0)
def adam_fused(torch):
    """The same with `fused=True`."""
    return adam(torch, fused=True)


@workload("import", fresh="import", seconds=0.25)
def importing(torch):
    """`import` in a new process."""


@workload("start_cold", fresh="cold", seconds=1.0)
def start_cold(torch):
    """A new process up to the end of its first iris step, with no kernels on disk."""
    return iris_step(torch)


@workload("start_warm", fresh="warm", seconds=0.3)
def start_warm(torch):
    """The same with the kernels of an earlier process on disk."""
    return iris_step(torch)
