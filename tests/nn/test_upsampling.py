"""`flambeau.nn.upsampling` against torch."""


def test_upsample(twins):
    image = (2, 3, 4, 5)
    twins.check_module(twins.build("Upsample", scale_factor=2), twins.randn(*image))
    twins.check_module(twins.build("Upsample", size=(7, 3)), twins.randn(*image))
    modules = twins.build("Upsample", scale_factor=(1.5, 2), mode="bilinear", align_corners=True)
    twins.check_module(modules, twins.randn(*image))
    modules = twins.build("Upsample", scale_factor=1.7, mode="bicubic", recompute_scale_factor=True)
    twins.check_module(modules, twins.randn(*image))


def test_images(twins):
    twins.check_module(twins.build("UpsamplingNearest2d", scale_factor=3), twins.randn(1, 2, 3, 3))
    twins.check_module(twins.build("UpsamplingBilinear2d", size=(5, 4)), twins.randn(1, 2, 3, 3))
