"""What the tests of files share."""

import io
import pickle
import zipfile

import pytest

from flambeau.serialization import archive

ERRORS = (RuntimeError, pickle.UnpicklingError)


@pytest.fixture
def saved(torch):
    """Saves an object with PyTorch: `saved(obj, **options)` is the file, at its start."""

    def save(obj, **options):
        file = io.BytesIO()
        torch.save(obj, file, **options)
        file.seek(0)
        return file

    return save


@pytest.fixture
def repacked():
    """Writes an archive from records: `repacked({"data.pkl": b"..."})` is the file."""

    def pack(records, root="archive"):
        file = io.BytesIO()
        writer = archive.Writer(file, root)
        for name, data in records.items():
            if name != ".data/serialization_id":  # which the writer adds
                writer.add(name, data)
        writer.close()
        file.seek(0)
        return file

    return pack


@pytest.fixture
def records():
    """The records of an archive, by name without the root folder."""

    def read(file):
        with zipfile.ZipFile(file) as container:
            assert container.testzip() is None
            return {
                info.filename.partition("/")[2]: container.read(info)
                for info in container.infolist()
            }

    return read
