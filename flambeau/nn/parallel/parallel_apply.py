"""Modules applied to inputs of their own."""

__all__ = ["parallel_apply"]


def parallel_apply(modules, inputs, kwargs_tup=None, devices=None):
    """[module(*input, **kwargs), ...], for an input of each module.

    They are called one after the other, as each uses all cores. Raises AssertionError for lists of
    different lengths.
    """
    kwargs_tup = [{}] * len(modules) if kwargs_tup is None else kwargs_tup
    devices = [None] * len(modules) if devices is None else devices
    for name, given in (("inputs", inputs), ("kwargs", kwargs_tup), ("devices", devices)):
        if len(given) != len(modules):
            raise AssertionError(
                f"The number of modules {len(modules)} is not equal to the number of {name} "
                f"{len(given)}"
            )
    results = []
    for module, given, kwargs in zip(modules, inputs, kwargs_tup, strict=True):
        args = given if isinstance(given, (list, tuple)) else (given,)
        results.append(module(*args, **kwargs))
    return results
