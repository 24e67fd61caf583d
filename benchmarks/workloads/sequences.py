"""Embeddings, and networks that are recurrent."""

import random

from .kernels import backward_of, normal
from .registry import workload
from .training import step_of


@workload("embedding", ratio=1.3)
def embedding(torch):
    """An embedding of 64 x 50 indices in a table of 10000 x 128, forward and backward."""
    weight = normal(torch, 64, 50, 128)
    table = torch.nn.Embedding(10_000, 128)
    indices = torch.randint(0, 10_000, (64, 50))
    return backward_of(torch, lambda: (table(indices) * weight).sum(), table.weight)


@workload("lstm", ratio=1.15)
def lstm(torch, length=64):
    """A step of a 2-layer LSTM, hidden 128, on 32 sequences of 64, gradients clipped, Adam."""
    torch.manual_seed(0)
    nn = torch.nn
    recurrent = nn.LSTM(64, 128, num_layers=2, batch_first=True)
    head = nn.Linear(128, 10)
    parameters = [*recurrent.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    x, y = torch.randn(32, length, 64), torch.randint(0, 10, (32,))

    def call():
        optimizer.zero_grad()
        outputs, _ = recurrent(x)
        loss = nn.functional.cross_entropy(head(outputs[:, -1]), y)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss.item()

    return call


def recurrent_classifier(torch):
    """An embedding of 1000 words, an LSTM, and a linear layer on its last state."""
    nn = torch.nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(1000, 64)
            self.lstm = nn.LSTM(64, 64, batch_first=True)
            self.linear = nn.Linear(64, 2)

        def forward(self, words):
            _, (hidden, _) = self.lstm(self.embedding(words))
            return self.linear(hidden[-1])

    return Classifier()


@workload("new_lengths", ratio=1.2)
def new_lengths(torch, lengths=40):
    """An epoch of a recurrent classifier: 40 batches of 16, each of another length, 5 to 44."""
    torch.manual_seed(0)
    model = recurrent_classifier(torch)
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    step = step_of(optimizer, lambda words, y: criterion(model(words), y))
    batches = [
        (torch.randint(0, 1000, (16, 5 + i)), torch.randint(0, 2, (16,))) for i in range(lengths)
    ]
    order = random.Random(0)

    def call():
        order.shuffle(batches)
        return sum(step(*batch) for batch in batches) / len(batches)

    return call
