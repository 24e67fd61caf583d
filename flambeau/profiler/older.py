"""`profile` as older programs call it, from `flambeau.autograd.profiler`."""

from . import profiling

__all__ = ["profile"]


class profile(profiling.profile):
    """As `flambeau.profiler.profile`, for what happens in one block; `enabled` turns it off."""

    def __init__(self, enabled=True, *, record_shapes=False, with_modules=True, **options):
        super().__init__(record_shapes=record_shapes, with_modules=with_modules)
        self.enabled = enabled

    def __enter__(self):
        return super().__enter__() if self.enabled else self

    def table(self, *args, **kwargs):
        """`key_averages().table`, with the same arguments."""
        return self.key_averages().table(*args, **kwargs)

    def total_average(self):
        """All events together."""
        return self.events().total_average()

    @property
    def self_cpu_time_total(self):
        """The time of all, in microseconds."""
        return self.events().self_cpu_time_total

    def __str__(self):
        return str(self.events())
