"""Training and validation: the iris network, watched on flowers that it does not learn from.

A split keeps a quarter of the flowers apart; after every epoch `evaluate` tells how the network
does on them. Both losses go on one graph: where the upper one turns, overfitting begins.
"""

import argparse
import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import flambeau as torch
from flambeau import nn


def load():
    """The four measures of each flower, standardised, and its species: training, validation."""
    flowers = load_iris()
    parts = train_test_split(flowers.data, flowers.target, random_state=0, stratify=flowers.target)
    x_train, x_valid = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
    y_train, y_valid = (torch.tensor(part) for part in parts[2:])
    mean, std = x_train.mean(dim=0), x_train.std(dim=0)
    return (x_train - mean) / std, y_train, (x_valid - mean) / std, y_valid


def evaluate(model, criterion, x, y):
    """The loss and the accuracy on data that is not learned from."""
    model.eval()
    with torch.no_grad():
        logits = model(x)
        loss = criterion(logits, y).item()
        accuracy = (logits.argmax(dim=1) == y).float().mean().item()
    model.train()
    return loss, accuracy


def train(model, data, epochs, lr):
    """Train on the whole training set at once; the losses of both sets, epoch by epoch."""
    x_train, y_train, x_valid, y_valid = data
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses, valid_losses = [], []
    start = time.perf_counter()
    progress = tqdm(range(1, epochs + 1), unit="epoch", mininterval=0.5)
    for epoch in progress:
        optimizer.zero_grad()
        loss = criterion(model(x_train), y_train)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        valid_loss, _ = evaluate(model, criterion, x_valid, y_valid)
        valid_losses.append(valid_loss)
        if epoch % 100 == 0:
            per_epoch = 1e3 * (time.perf_counter() - start) / epoch
            progress.set_postfix_str(
                f"{per_epoch:.3f} ms per epoch, training {losses[-1]:.4f}, validation "
                f"{valid_loss:.4f}",
                refresh=False,
            )
    return losses, valid_losses


def plot(losses, valid_losses, file):
    """Both curves on one graph."""
    figure, axes = plt.subplots()
    axes.plot(losses, label="training")
    axes.plot(valid_losses, label="validation")
    axes.set(xlabel="epoch", ylabel="cross entropy", title="Iris, 4-1024-3", yscale="log")
    axes.legend()
    figure.savefig(file)
    plt.close(figure)
    print(f"loss curves: {file}")


def main(argv=None):
    """Train, tell the figures, plot; the two lists of losses."""
    parser = argparse.ArgumentParser(description="Train a 2-layer network on the iris data.")
    parser.add_argument("--epochs", type=int, default=3000, help="default: 3000")
    parser.add_argument("--lr", type=float, default=1e-4, help="learning rate, default: 1e-4")
    parser.add_argument("--plot", metavar="FILE", help="write the loss curves to this file")
    args = parser.parse_args(argv)

    torch.manual_seed(0)
    data = load()
    model = nn.Sequential(nn.Linear(4, 1024), nn.ReLU(), nn.Linear(1024, 3))
    print(model)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(data[0])} flowers")

    start = time.perf_counter()
    losses, valid_losses = train(model, data, args.epochs, args.lr)
    seconds = time.perf_counter() - start
    _, accuracy = evaluate(model, nn.CrossEntropyLoss(), *data[2:])
    print(f"{seconds:.2f} s, {1e3 * seconds / args.epochs:.3f} ms per epoch")
    print(f"training loss {losses[-1]:.4f}, validation loss {valid_losses[-1]:.4f}")
    print(f"validation accuracy {100 * accuracy:.1f} %")
    if args.plot:
        plot(losses, valid_losses, args.plot)
    return losses, valid_losses


if __name__ == "__main__":
    main()
