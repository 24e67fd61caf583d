"""A first network: two layers learn the species of irises; its loss is plotted and timed."""

import argparse
import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

import flambeau as torch
from flambeau import nn


class Net(nn.Module):
    """4 measures, 1024 hidden units, 3 species. It gives logits: the loss has the softmax."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 1024)
        self.out = nn.Linear(1024, 3)

    def forward(self, x):
        """The logits of a batch of flowers."""
        return self.out(torch.relu(self.hidden(x)))


def train(model, x, y, epochs, lr):
    """The training loop; its losses."""
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for epoch in range(1, epochs + 1):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if epoch % 500 == 0:
            print(f"epoch {epoch}, loss {losses[-1]:.4f}")
    return losses


def main(argv=None):
    """Train, time, plot; the losses."""
    parser = argparse.ArgumentParser(description="Train a 2-layer network on the iris data.")
    parser.add_argument("--epochs", type=int, default=3000, help="default: 3000")
    parser.add_argument("--lr", type=float, default=1e-4, help="learning rate, default: 1e-4")
    parser.add_argument("--plot", metavar="FILE", help="write the loss curve to this file")
    args = parser.parse_args(argv)

    torch.manual_seed(0)
    flowers = load_iris()
    x = torch.tensor(flowers.data, dtype=torch.float32)
    y = torch.tensor(flowers.target)
    model = Net()
    print(model)
    print(f"{sum(p.numel() for p in model.parameters())} parameters")

    start = time.perf_counter()
    losses = train(model, x, y, args.epochs, args.lr)
    seconds = time.perf_counter() - start
    print(f"{seconds:.2f} s, {1e3 * seconds / args.epochs:.3f} ms per epoch")
    with torch.no_grad():
        accuracy = (model(x).argmax(dim=1) == y).float().mean().item()
    print(f"loss {losses[-1]:.4f}, accuracy on what it has learned {100 * accuracy:.1f} %")
    if args.plot:
        figure, axes = plt.subplots()
        axes.plot(losses)
        axes.set(xlabel="epoch", ylabel="cross entropy", yscale="log")
        figure.savefig(args.plot)
        plt.close(figure)
        print("loss curve:", args.plot)
    return losses


if __name__ == "__main__":
    main()
