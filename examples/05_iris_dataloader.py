"""The same in batches: a Dataset, DataLoaders, early stopping, and the best weights saved."""

import argparse

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from tqdm import tqdm

import flambeau as torch
from flambeau import nn
from flambeau.utils.data import DataLoader, Dataset, random_split


class Iris(Dataset):
    """The flowers: standardised measures and species."""

    def __init__(self):
        flowers = load_iris()
        x = torch.tensor(flowers.data, dtype=torch.float32)
        self.x = (x - x.mean(dim=0)) / x.std(dim=0)
        self.y = torch.tensor(flowers.target)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


class EarlyStopping:
    """Keeps the weights of the best epoch in a file, and says when to stop."""

    def __init__(self, file, patience):
        self.file, self.patience = file, patience
        self.best, self.epochs_since = float("inf"), 0

    def should_stop(self, model, loss):
        """Whether the loss has not improved for `patience` epochs."""
        self.epochs_since += 1
        if loss < self.best:
            self.best, self.epochs_since = loss, 0
            torch.save(model.state_dict(), self.file)
        return self.epochs_since >= self.patience


def train_epoch(model, loader, criterion, optimizer):
    """One walk through the training set; the mean loss of its samples."""
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)


def evaluate(model, loader, criterion):
    """The mean loss and the accuracy."""
    model.eval()
    total, right = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            total += criterion(logits, y).item() * len(y)
            right += (logits.argmax(dim=1) == y).sum().item()
    return total / len(loader.dataset), right / len(loader.dataset)


def plot(losses, valid_losses, file):
    """Both curves on one graph."""
    figure, axes = plt.subplots()
    axes.plot(losses, label="training")
    axes.plot(valid_losses, label="validation")
    axes.set(xlabel="epoch", ylabel="cross entropy")
    axes.legend()
    figure.savefig(file)
    plt.close(figure)
    print("loss curves:", file)


def main(argv=None):
    """Train until it does not get better; the two lists of losses."""
    parser = argparse.ArgumentParser(description="Train on the iris data in batches.")
    parser.add_argument("--epochs", type=int, default=200, help="at most, default: 200")
    parser.add_argument("--patience", type=int, default=15, help="default: 15 epochs")
    parser.add_argument("--workers", type=int, default=0, help="processes that read the data")
    parser.add_argument("--weights", metavar="FILE", default="iris.pt", help="default: iris.pt")
    parser.add_argument("--plot", metavar="FILE", help="write the loss curves to this file")
    args = parser.parse_args(argv)

    torch.manual_seed(0)
    train_set, valid_set = random_split(Iris(), [0.75, 0.25])
    train_loader = DataLoader(train_set, batch_size=16, shuffle=True, num_workers=args.workers)
    valid_loader = DataLoader(valid_set, batch_size=64, num_workers=args.workers)
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    stopping = EarlyStopping(args.weights, args.patience)

    losses, valid_losses = [], []
    progress = tqdm(range(args.epochs), unit="epoch")
    for epoch in progress:
        losses.append(train_epoch(model, train_loader, criterion, optimizer))
        valid_loss, _ = evaluate(model, valid_loader, criterion)
        valid_losses.append(valid_loss)
        progress.set_postfix(training=losses[-1], validation=valid_loss)
        if stopping.should_stop(model, valid_loss):
            progress.close()
            print(f"stopped after epoch {epoch + 1}: no better for {args.patience} epochs")
            break

    model.load_state_dict(torch.load(args.weights))
    loss, accuracy = evaluate(model, valid_loader, criterion)
    print(
        f"best weights ({args.weights}): validation loss {loss:.4f}, {100 * accuracy:.1f} % right"
    )
    if args.plot:
        plot(losses, valid_losses, args.plot)
    return losses, valid_losses


if __name__ == "__main__":
    main()
