"""What an event file holds, as TensorBoard itself reads it."""

import pytest

pytest.importorskip("tensorboard", reason="tensorboard is not installed")


@pytest.fixture
def read():
    """A function of a folder: the events of its one event file."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    event = pytest.importorskip("tensorboard.compat.proto.event_pb2").Event

    def read_events(folder):
        (path,) = folder.glob("events.out.tfevents.*")
        return [event.FromString(raw) for raw in loader.RawEventFileLoader(str(path)).Load()]

    return read_events


@pytest.fixture
def accumulated():
    """A function of a folder: TensorBoard's EventAccumulator, which has read it."""
    module = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

    def accumulate(folder):
        found = module.EventAccumulator(str(folder), size_guidance=dict.fromkeys(KINDS, 0))
        return found.Reload()

    return accumulate


KINDS = ("scalars", "images", "audio", "histograms", "compressedHistograms", "tensors")
