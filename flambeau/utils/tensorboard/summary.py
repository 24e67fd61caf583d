"""The messages that event files are made of, as TensorBoard's plugins expect them."""

import io
import json
import wave

import numpy as np

from ...extras import optional
from . import arrays

__all__ = [
    "audio",
    "custom_scalars",
    "histogram",
    "histogram_raw",
    "hparams",
    "image",
    "mesh",
    "pr_curve",
    "scalar",
    "tensor",
    "text",
    "video",
]

CUSTOM_SCALARS = "custom_scalars__config__"
DISCRETE = "a hyperparameter must be a number, a bool, a string or a tensor of one number, not"


def proto(name):
    """A module of TensorBoard's messages."""
    return optional(f"tensorboard.compat.proto.{name}", "tensorboard")


def _summary(tag, plugin=None, content=b"", **value):
    """A summary of one value; `plugin` is the name of what shows it."""
    Summary = proto("summary_pb2").Summary
    if plugin is not None:
        data = proto("summary_pb2").SummaryMetadata.PluginData(plugin_name=plugin, content=content)
        value["metadata"] = proto("summary_pb2").SummaryMetadata(plugin_data=data)
    return Summary(value=[Summary.Value(tag=tag, **value)])


def _tensor(array):
    make = optional("tensorboard.util.tensor_util", "tensorboard").make_tensor_proto
    return make(array)


def scalar(tag, value, new_style=False, double_precision=False):
    """A number."""
    value = arrays.number(value)
    if new_style:
        kind = np.float64 if double_precision else np.float32
        return _summary(tag, "scalars", tensor=_tensor(kind(value)))
    return _summary(tag, simple_value=value)


def tensor(tag, value):
    """A tensor."""
    value = arrays.to_array(value)
    return _summary(tag, "tensor", tensor=_tensor(value))


def histogram(tag, values, bins="tensorflow", max_bins=None):
    """How often values of which size occur."""
    limits, counts = arrays.histogram(values, bins, max_bins)
    values = arrays.to_array(values).astype(np.float64).reshape(-1)
    facts = values.min(), values.max(), values.size, values.sum(), values.dot(values)
    return histogram_raw(tag, *facts, limits, counts)


def histogram_raw(tag, low, high, count, total, squares, limits, counts):
    """A histogram that is there already."""
    made = proto("summary_pb2").HistogramProto(
        min=low,
        max=high,
        num=count,
        sum=total,
        sum_squares=squares,
        bucket_limit=arrays.to_array(limits).tolist(),
        bucket=arrays.to_array(counts).tolist(),
    )
    return _summary(tag, histo=made)


def image(tag, pixels):
    """An image: bytes [H, W, 3 or 4]."""
    picture = optional("PIL.Image", "tensorboard").fromarray(pixels)
    with io.BytesIO() as file:
        picture.save(file, "PNG")
        return _encoded(tag, file.getvalue(), pixels.shape)


def _encoded(tag, encoded, shape):
    height, width, channels = shape
    made = proto("summary_pb2").Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=encoded
    )
    return _summary(tag, image=made)


def video(tag, frames, fps):
    """Moving pictures: a GIF of [N, T, C, H, W], the N side by side."""
    frames = arrays.to_array(frames)
    pictures = [arrays.pixels(frames[:, t], "NCHW") for t in range(frames.shape[1])]
    first, *rest = map(optional("PIL.Image", "tensorboard").fromarray, pictures)
    with io.BytesIO() as file:
        first.save(file, "GIF", save_all=True, append_images=rest, duration=1000 / fps, loop=0)
        return _encoded(tag, file.getvalue(), pictures[0].shape)


def audio(tag, sound, sample_rate):
    """A sound, as a WAV file."""
    samples = arrays.sound(sound)
    with io.BytesIO() as file:
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(sample_rate)
            out.writeframes(samples.tobytes())
        made = proto("summary_pb2").Summary.Audio(
            sample_rate=sample_rate,
            num_channels=1,
            length_frames=len(samples),
            encoded_audio_string=file.getvalue(),
            content_type="audio/wav",
        )
    return _summary(tag, audio=made)


def text(tag, string):
    """A text, in Markdown."""
    return _summary(f"{tag}/text_summary", "text", tensor=_tensor(np.array([string.encode()])))


def pr_curve(tag, rows, thresholds):
    """Precision against recall: the rows that `arrays.precision_recall` gives."""
    metadata = optional("tensorboard.plugins.pr_curve.plugin_data_pb2", "tensorboard")
    content = metadata.PrCurvePluginData(version=0, num_thresholds=thresholds)
    rows = np.asarray(rows, np.float32)
    return _summary(tag, "pr_curves", content.SerializeToString(), tensor=_tensor(rows))


def mesh(tag, vertices, colors, faces, config):
    """Points and triangles in space."""
    plugin = optional("tensorboard.plugins.mesh.metadata", "tensorboard")
    kinds = optional("tensorboard.plugins.mesh.plugin_data_pb2", "tensorboard").MeshPluginData
    parts = [
        (vertices, kinds.VERTEX, np.float32),
        (faces, kinds.FACE, np.int32),
        (colors, kinds.COLOR, np.uint8),
    ]
    parts = [(arrays.to_array(x), kind, as_) for x, kind, as_ in parts if x is not None]
    present = plugin.get_components_bitmask([kind for _, kind, _ in parts])
    summary = proto("summary_pb2").Summary()
    for x, kind, as_ in parts:
        name = plugin.get_instance_name(tag, kind)
        metadata = plugin.create_summary_metadata(
            tag, None, kind, present, x.shape, json_config=json.dumps(config or {})
        )
        summary.value.add(tag=name, tensor=_tensor(x.astype(as_)), metadata=metadata)
    return summary


def custom_scalars(layout):
    """Which scalars stand in one chart: {category: {title: [kind, tags]}}."""
    messages = optional("tensorboard.plugins.custom_scalar.layout_pb2", "tensorboard")
    made = messages.Layout()
    for category, charts in layout.items():
        group = made.category.add(title=category)
        for title, (kind, tags) in charts.items():
            chart = group.chart.add(title=title)
            if kind == "Margin":
                if len(tags) != 3:
                    raise ValueError(f"a margin has 3 tags: value, lower, upper; got {tags}")
                value, lower, upper = tags
                chart.margin.series.add(value=value, lower=lower, upper=upper)
            else:
                chart.multiline.tag.extend(tags)
    data = _tensor(np.array(made.SerializeToString(), object))
    return _summary(CUSTOM_SCALARS, "custom_scalars", tensor=data)


def _hparam_value(value):
    """(field of a Value, what it holds, name of its type) of a hyperparameter."""
    if isinstance(value, (bool, np.bool_)):
        return "bool_value", bool(value), "DATA_TYPE_BOOL"
    if isinstance(value, str):
        return "string_value", value, "DATA_TYPE_STRING"
    if isinstance(value, (int, float, np.number)) or hasattr(value, "item"):
        return "number_value", arrays.number(value), "DATA_TYPE_FLOAT64"
    raise ValueError(f"{DISCRETE} {type(value).__name__}")


def hparams(values, metrics, domains=None):
    """(experiment, session start, session end): hyperparameters, and the metrics they lead to."""
    api = optional("tensorboard.plugins.hparams.api_pb2", "tensorboard")
    messages = optional("tensorboard.plugins.hparams.plugin_data_pb2", "tensorboard")
    experiment, start = api.Experiment(), messages.SessionStartInfo()
    for name, value in values.items():
        if value is None:
            continue
        field, held, kind = _hparam_value(value)
        setattr(start.hparams[name], field, held)
        info = experiment.hparam_infos.add(name=name, type=getattr(api, kind))
        for choice in (domains or {}).get(name, ()):
            field, held, _ = _hparam_value(choice)
            setattr(info.domain_discrete.values.add(), field, held)
    for name in metrics:
        experiment.metric_infos.add(name=api.MetricName(tag=name))
    end = messages.SessionEndInfo(status=api.STATUS_SUCCESS)
    parts = {"experiment": experiment, "session_start_info": start, "session_end_info": end}
    made = []
    for name, message in parts.items():
        data = messages.HParamsPluginData(version=0, **{name: message})
        made.append(_summary(f"_hparams_/{name}", "hparams", data.SerializeToString()))
    return made
