"""Small networks of linear layers."""

from .registry import workload
from .training import classify, step_of


@workload("mlp", ratio=1.35)
def mlp(torch):
    """A step of 784-256-128-10 with dropout on 64 images, SGD with momentum."""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 10),
    )
    step = classify(torch, model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9))
    x, y = torch.randn(64, 784), torch.randint(0, 10, (64,))
    return lambda: step(x, y)


def autoencoder(torch):
    """A variational autoencoder of images of 784 numbers between 0 and 1."""
    nn = torch.nn

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(784, 400)
            self.mean = nn.Linear(400, 20)
            self.log_variance = nn.Linear(400, 20)
            self.decoder = nn.Sequential(
                nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid()
            )

        def forward(self, x):
            hidden = torch.relu(self.hidden(x))
            mean, log_variance = self.mean(hidden), self.log_variance(hidden)
            deviation = torch.exp(0.5 * log_variance)
            z = mean + deviation * torch.randn_like(deviation)
            return self.decoder(z), mean, log_variance

    return VAE()


@workload("vae", ratio=1.5)
def vae(torch):
    """A step of a variational autoencoder 784-400-20 on 128 images, Adam."""
    torch.manual_seed(0)
    model = autoencoder(torch)

    def loss(x):
        image, mean, log_variance = model(x)
        likelihood = torch.nn.functional.binary_cross_entropy(image, x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        return likelihood + divergence

    step = step_of(torch.optim.Adam(model.parameters(), lr=1e-3), loss)
    x = torch.rand(128, 784)
    return lambda: step(x)
