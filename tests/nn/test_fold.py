"""`flambeau.nn.fold` against torch."""


def test_unfold(twins):
    modules = twins.build("Unfold", (2, 3), padding=1, stride=2)
    twins.check_module(modules, twins.randn(2, 3, 5, 6))


def test_fold(twins):
    modules = twins.build("Fold", (4, 5), kernel_size=(2, 2), dilation=2)
    twins.check_module(modules, twins.randn(2, 12, 6))
