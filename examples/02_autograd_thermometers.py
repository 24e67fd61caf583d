"""A thermometer of unknown scale: gradients by autograd, then a line fitted with them.

`t_c` are temperatures in Celsius and `t_u` what the thermometer shows; looked for are `w` and `b`
such that `w * t_u + b` is near to `t_c`.
"""

import argparse

import matplotlib.pyplot as plt

import flambeau as torch

T_C = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
T_U = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4])


def predict(t_u, w, b):
    """The line."""
    return w * t_u + b


def loss_fn(t_p, t_c):
    """The mean squared error."""
    return ((t_p - t_c) ** 2).mean()


def accumulate():
    """The gradient at w = 1, b = 0, and what a second backward without zeroing does."""
    params = torch.tensor([1.0, 0.0], requires_grad=True)
    loss_fn(predict(T_U, *params), T_C).backward()
    print("gradient:", params.grad)
    loss_fn(predict(T_U, *params), T_C).backward()
    print("twice:   ", params.grad)
    params.grad.zero_()
    print("zeroed:  ", params.grad)


def one_step(t_un):
    """A step of an optimizer from torch.optim, on inputs scaled by 0.1."""
    params = torch.tensor([1.0, 0.0], requires_grad=True)
    optimizer = torch.optim.SGD([params], lr=1e-2)
    loss = loss_fn(predict(t_un, *params), T_C)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("one step of SGD:", params)


def fit(t_un, epochs, lr=1e-2):
    """Gradient descent by hand: the parameters and the losses."""
    params = torch.tensor([1.0, 0.0], requires_grad=True)
    losses = []
    for epoch in range(1, epochs + 1):
        if params.grad is not None:
            params.grad.zero_()
        loss = loss_fn(predict(t_un, *params), T_C)
        loss.backward()
        with torch.no_grad():
            params -= lr * params.grad
        losses.append(loss.item())
        if epoch % 500 == 0:
            print(f"epoch {epoch}, loss {losses[-1]:.4f}")
    return params, losses


def plot(params, t_un, file):
    """The measurements and the line."""
    figure, axes = plt.subplots()
    axes.plot(T_U.numpy(), T_C.numpy(), "o", label="measured")
    axes.plot(T_U.numpy(), predict(t_un, *params).detach().numpy(), label="fitted")
    axes.set(xlabel="thermometer", ylabel="Celsius")
    axes.legend()
    figure.savefig(file)
    plt.close(figure)
    print("plot:", file)


def main(argv=None):
    """Show gradients, fit the line; the losses."""
    parser = argparse.ArgumentParser(description="Fit the scale of a thermometer.")
    parser.add_argument("--epochs", type=int, default=5000, help="default: 5000")
    parser.add_argument("--plot", metavar="FILE", help="write the fitted line to this file")
    args = parser.parse_args(argv)

    t_un = 0.1 * T_U
    accumulate()
    one_step(t_un)
    params, losses = fit(t_un, args.epochs)
    w, b = params.tolist()
    print(f"Celsius = {0.1 * w:.4f} * shown + {b:.4f}")
    if args.plot:
        plot(params, t_un, args.plot)
    return losses


if __name__ == "__main__":
    main()
