"""`flambeau.nn.pixels` against torch."""


def test_pixels(twins):
    twins.check_module(twins.build("PixelShuffle", 2), twins.randn(1, 8, 3, 2))
    twins.check_module(twins.build("PixelUnshuffle", 3), twins.randn(1, 2, 6, 3))
    twins.check_module(twins.build("ChannelShuffle", 3), twins.randn(2, 6, 4, 3))
