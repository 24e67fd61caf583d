"""Handwritten digits: images [N, 1, 8, 8] flattened to [N, 64], batch normalisation, dropout."""

import argparse

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import flambeau as torch
from flambeau import nn
from flambeau.utils.data import DataLoader, TensorDataset


def load():
    """Images with values from 0 to 1 and their digits: a training and a validation set."""
    digits = load_digits()
    images = digits.images[:, None] / 16.0
    parts = train_test_split(images, digits.target, random_state=0, stratify=digits.target)
    x_train, x_valid = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
    y_train, y_valid = (torch.tensor(part) for part in parts[2:])
    return TensorDataset(x_train, y_train), TensorDataset(x_valid, y_valid)


def build(dropout):
    """The network. `nn.Flatten` makes [N, 64] of [N, 1, 8, 8]."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 128),
        nn.BatchNorm1d(128),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(128, 64),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(64, 10),
    )


def evaluate(model, loader, criterion):
    """The mean loss and the accuracy, with batch statistics and dropout switched off."""
    model.eval()
    total, right = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            total += criterion(logits, y).item() * len(y)
            right += (logits.argmax(dim=1) == y).sum().item()
    model.train()
    return total / len(loader.dataset), right / len(loader.dataset)


def main(argv=None):
    """Train; the losses of the batches."""
    parser = argparse.ArgumentParser(description="Train a network on scikit-learn's digits.")
    parser.add_argument("--epochs", type=int, default=30, help="default: 30")
    parser.add_argument("--dropout", type=float, default=0.2, help="default: 0.2")
    parser.add_argument("--plot", metavar="FILE", help="write the loss curve to this file")
    args = parser.parse_args(argv)

    torch.manual_seed(0)
    train_set, valid_set = load()
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True, drop_last=True)
    valid_loader = DataLoader(valid_set, batch_size=256)
    model = build(args.dropout)
    print(model)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)

    losses = []
    progress = tqdm(range(args.epochs), unit="epoch")
    for _ in progress:
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        valid_loss, accuracy = evaluate(model, valid_loader, criterion)
        progress.set_postfix(loss=losses[-1], validation=valid_loss, accuracy=accuracy)

    loss, accuracy = evaluate(model, valid_loader, criterion)
    print(f"validation loss {loss:.4f}, {100 * accuracy:.1f} % right")
    if args.plot:
        figure, axes = plt.subplots()
        axes.plot(losses)
        axes.set(xlabel="batch", ylabel="cross entropy", yscale="log")
        figure.savefig(args.plot)
        plt.close(figure)
        print("loss curve:", args.plot)
    return losses


if __name__ == "__main__":
    main()
