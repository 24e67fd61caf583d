"""The files that TensorBoard's projector reads: points, their labels and their images."""

import math
import os

import numpy as np

from ...extras import optional
from . import arrays

__all__ = ["write_embedding"]

CONFIG = "projector_config.pbtxt"


def write_embedding(folder, mat, metadata, label_img, step, tag, header):
    """Write the points [N, D] of a step and note them in the folder's configuration.

    Raises: ValueError for other than 2 dims, or if there are not as many labels or images.
    """
    points = arrays.to_array(mat)
    if points.ndim != 2:
        raise ValueError("mat should be 2D, where mat.size(0) is the number of data points")
    messages = optional("tensorboard.plugins.projector.projector_config_pb2", "tensorboard")
    text_format = optional("google.protobuf.text_format", "tensorboard")
    place = f"{step:05d}/{_as_folder(tag)}"
    os.makedirs(os.path.join(folder, place), exist_ok=True)
    info = messages.EmbeddingInfo(
        tensor_name=f"{tag}:{step:05d}", tensor_path=f"{place}/tensors.tsv"
    )
    if metadata is not None:
        _require_count("labels", metadata, points)
        info.metadata_path = f"{place}/metadata.tsv"
        rows = [header, *metadata] if header else metadata
        _write_rows(os.path.join(folder, info.metadata_path), rows)
    if label_img is not None:
        _require_count("images", label_img, points)
        info.sprite.image_path = f"{place}/sprite.png"
        info.sprite.single_image_dim.extend([label_img.shape[3], label_img.shape[2]])
        _write_sprite(os.path.join(folder, info.sprite.image_path), arrays.to_array(label_img))
    _write_rows(os.path.join(folder, info.tensor_path), points.tolist())
    config, path = messages.ProjectorConfig(), os.path.join(folder, CONFIG)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            text_format.Parse(f.read(), config)
    config.embeddings.append(info)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text_format.MessageToString(config))


def _as_folder(tag):
    """A tag as the name of a folder."""
    return "".join(c if c.isalnum() or c in "-_.~" else f"%{ord(c):02x}" for c in tag)


def _require_count(what, items, points):
    if len(items) != len(points):
        raise ValueError(f"#{what} should equal with #data points: {len(items)}, {len(points)}")


def _write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        for row in rows:
            items = row if isinstance(row, (list, tuple)) else [row]
            f.write("\t".join(str(x).replace("\n", " ") for x in items) + "\n")


def _write_sprite(path, images):
    """The images as one square picture, as the projector cuts them out."""
    across = math.ceil(math.sqrt(len(images)))
    empty = np.zeros((across * across - len(images), *images.shape[1:]), images.dtype)
    sheet = arrays.tiled(np.concatenate([images, empty]), across)
    picture = arrays.pixels(sheet, "CHW")
    optional("PIL.Image", "tensorboard").fromarray(picture).save(path)
