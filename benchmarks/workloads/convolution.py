"""Networks of convolutions, and a convolution by itself."""

from .kernels import backward_of, normal
from .registry import workload
from .training import classify


@workload("conv2d", ratio=1.1)
def conv2d(torch, batch=32):
    """A 3 x 3 convolution of 32 x 64 x 32 x 32 to 64 channels, forward and backward."""
    x = normal(torch, batch, 64, 32, 32, grad=True)
    gradient = normal(torch, batch, 64, 32, 32)
    conv = torch.nn.Conv2d(64, 64, 3, padding=1)
    return backward_of(torch, lambda: (conv(x) * gradient).sum(), x, conv.weight, conv.bias)


@workload("lenet", ratio=1.5)
def lenet(torch):
    """A step of LeNet on 64 x 1 x 28 x 28, Adam."""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    step = classify(torch, model, torch.optim.Adam(model.parameters(), lr=1e-3))
    x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    return lambda: step(x, y)


def residual_block(torch, inputs, outputs, stride):
    """Two 3 x 3 convolutions with batch norm, added to what comes in."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
                nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
            )
            self.shortcut = nn.Identity()
            if stride != 1 or inputs != outputs:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            return torch.relu(self.body(x) + self.shortcut(x))

    return Block()


def resnet18(torch, width=64):
    """ResNet-18 of 10 classes with the stem for small images: one 3 x 3 convolution."""
    nn = torch.nn
    layers = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    inputs = width
    for factor, stride in ((1, 1), (2, 2), (4, 2), (8, 2)):
        outputs = factor * width
        layers.append(residual_block(torch, inputs, outputs, stride))
        layers.append(residual_block(torch, outputs, outputs, 1))
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


@workload("resnet18", ratio=1.15)
def resnet18_step(torch, batch=16, width=64):
    """A step of ResNet-18 on 16 x 3 x 32 x 32, SGD."""
    torch.manual_seed(0)
    model = resnet18(torch, width)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    step = classify(torch, model, optimizer)
    x, y = torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,))
    return lambda: step(x, y)


@workload("resnet18_infer", ratio=1.3)
def resnet18_inference(torch, size=64):
    """What ResNet-18 says of one image, 1 x 3 x 64 x 64."""
    torch.manual_seed(0)
    model = resnet18(torch).eval()
    x = torch.randn(1, 3, size, size)

    def call():
        with torch.no_grad():
            return model(x)

    return call
