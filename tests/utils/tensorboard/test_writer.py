"""What `SummaryWriter` writes is what TensorBoard reads, and what PyTorch's writes."""

import io

import numpy as np
import pytest

import flambeau
from flambeau.utils.tensorboard import FileWriter, SummaryWriter


@pytest.fixture
def writer(tmp_path):
    """A writer in a new folder."""
    with SummaryWriter(tmp_path / "run") as made:
        yield made


def test_scalars(writer, tmp_path, accumulated):
    """Curves: of numbers, tensors and arrays; several in one chart are runs of their own."""
    for step in range(5):
        writer.add_scalar("loss/train", 1 / (step + 1), step, walltime=100 + step)
        writer.add_scalar("lr", flambeau.tensor(0.5), step)
        writer.add_scalars("both/x", {"a": step, "b": np.float32(-step)}, step)
    writer.flush()
    run = tmp_path / "run"
    found = accumulated(run)
    assert [(e.step, e.wall_time) for e in found.Scalars("loss/train")] == [
        (k, 100 + k) for k in range(5)
    ]
    assert [e.value for e in found.Scalars("loss/train")] == pytest.approx(
        [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    )
    assert {e.value for e in found.Scalars("lr")} == {0.5}
    assert [e.value for e in accumulated(run / "both_x_b").Scalars("both/x")] == [0, -1, -2, -3, -4]
    with pytest.raises(ValueError, match="one number"):
        writer.add_scalar("lr", flambeau.ones(2))


def test_histogram(writer, tmp_path, accumulated):
    """The counts are those of the values."""
    values = flambeau.tensor([-3.0, 0.0, 0.5, 0.5, 100.0])
    writer.add_histogram("h", values, 2)
    writer.add_histogram("few", values, 2, max_bins=4)
    writer.add_histogram_raw("raw", 0, 2, 3, 4, 6, [1, 2], [1, 2], 5)
    with pytest.raises(ValueError, match="no element"):
        writer.add_histogram("h", flambeau.zeros(0))
    with pytest.raises(ValueError, match="bucket_limits"):
        writer.add_histogram_raw("raw", 0, 2, 3, 4, 6, [1], [1, 2])
    writer.flush()
    found = accumulated(tmp_path / "run")
    (event,) = found.Histograms("h")
    h = event.histogram_value
    assert (event.step, h.min, h.max, h.num, h.sum) == (2, -3, 100, 5, 98)
    filled = {limit: n for limit, n in zip(h.bucket_limit, h.bucket, strict=True) if n}
    assert list(filled.values()) == [1, 1, 2, 1]
    for limit, value in zip(filled, (-3, 0, 0.5, 100), strict=True):
        assert value <= limit <= value + abs(value) / 10 + 1e-11
    (few,) = found.Histograms("few")
    assert sum(few.histogram_value.bucket) == 5
    assert list(found.Histograms("raw")[0].histogram_value.bucket) == [1, 2]


def decoded(event):
    picture = pytest.importorskip("PIL.Image").open(io.BytesIO(event.encoded_image_string))
    return picture, np.asarray(picture)


def test_images(writer, tmp_path, accumulated):
    """Bytes, floats, other orders of dims, grids, boxes, figures and moving pictures."""
    image = (np.arange(60) % 7 * 30).astype(np.uint8).reshape(3, 4, 5)
    writer.add_image("bytes", flambeau.from_numpy(image.copy()))
    writer.add_image("floats", image.transpose(1, 2, 0) / 255.0, dataformats="HWC")
    writer.add_image("gray", flambeau.ones(4, 5), dataformats="HW")
    writer.add_images("grid", np.stack([image] * 9))
    writer.add_image_with_boxes("boxes", image, flambeau.tensor([[0, 0, 2, 2]]), rescale=2)
    writer.add_video("video", np.stack([image, 255 - image])[None])
    writer.flush()
    found = accumulated(tmp_path / "run")
    for tag in ("bytes", "floats"):
        (event,) = found.Images(tag)
        assert (event.height, event.width) == (4, 5)
        assert np.array_equal(decoded(event)[1], image.transpose(1, 2, 0))
    assert (decoded(found.Images("gray")[0])[1] == 255).all()
    assert (found.Images("grid")[0].height, found.Images("grid")[0].width) == (8, 40)
    assert found.Images("boxes")[0].width == 10
    video, _ = decoded(found.Images("video")[0])
    assert (video.format, video.n_frames) == ("GIF", 2)
    with pytest.raises(ValueError, match="input format"):
        writer.add_image("wrong", flambeau.ones(4, 5))
    with pytest.raises(ValueError, match="channels"):
        writer.add_image("wrong", flambeau.ones(2, 4, 5))
    with pytest.raises(ValueError, match="expected each of H and W"):
        writer.add_image("wrong", flambeau.ones(2, 4, 5), dataformats="CCH")


def test_figure(writer, tmp_path, accumulated):
    """A figure becomes an image of its size; several become a grid."""
    figure = pytest.importorskip("matplotlib.figure")
    made = [figure.Figure(figsize=(2, 1), dpi=50) for _ in range(2)]
    writer.add_figure("one", made[0], 1)
    writer.add_figure("two", made, 1)
    writer.flush()
    found = accumulated(tmp_path / "run")
    assert (found.Images("one")[0].height, found.Images("one")[0].width) == (50, 100)
    assert found.Images("two")[0].width == 200


def test_audio(writer, tmp_path, accumulated):
    """A sound is a WAV file."""
    writer.add_audio("tone", flambeau.linspace(-1, 1, 100).view(1, -1), sample_rate=8000)
    writer.flush()
    (event,) = accumulated(tmp_path / "run").Audio("tone")
    assert (event.sample_rate, event.length_frames) == (8000, 100)
    assert event.encoded_audio_string[:4] == b"RIFF"
    with pytest.raises(ValueError, match="1 dimensional"):
        writer.add_audio("tone", flambeau.zeros(2, 3))


def test_plugins(writer, tmp_path, accumulated):
    """Texts, curves of precision, points in space and charts go to their plugins."""
    writer.add_text("note", "**hello**", 3)
    writer.add_pr_curve("pr", flambeau.tensor([0, 1, 1, 0]), [0.1, 0.8, 0.4, 0.6], 1)
    counts = [[1, 2]] * 6
    writer.add_pr_curve_raw("raw", *counts, num_thresholds=2)
    writer.add_mesh("mesh", flambeau.rand(1, 4, 3), faces=flambeau.tensor([[[0, 1, 2]]]))
    writer.add_tensor("tensor", flambeau.ones(2))
    writer.add_custom_scalars_multilinechart(["a", "b"])
    writer.add_custom_scalars_marginchart(["a", "b", "c"])
    with pytest.raises(ValueError, match="3 tags"):
        writer.add_custom_scalars_marginchart(["a", "b"])
    writer.flush()
    found = accumulated(tmp_path / "run")
    (text,) = found.Tensors("note/text_summary")
    assert text.tensor_proto.string_val == [b"**hello**"]
    assert found.PluginTagToContent("text").keys() == {"note/text_summary"}
    assert found.PluginTagToContent("pr_curves").keys() == {"pr", "raw"}
    assert found.PluginTagToContent("mesh").keys() == {"mesh_VERTEX", "mesh_FACE"}
    assert "custom_scalars__config__" in found.PluginTagToContent("custom_scalars")


def test_hparams(writer, tmp_path, read):
    """A run of its own, with its hyperparameters and metrics."""
    values = {"lr": 0.1, "layers": 3, "relu": True, "name": "x", "left": None}
    writer.add_hparams(values, {"accuracy": 0.5}, {"name": ["x", "y"]}, run_name="first")
    tags = [v.tag for e in read(tmp_path / "run" / "first") for v in e.summary.value]
    assert tags == [
        "_hparams_/experiment",
        "_hparams_/session_start_info",
        "_hparams_/session_end_info",
        "accuracy",
    ]
    with pytest.raises(ValueError, match="hyperparameter"):
        writer.add_hparams({"a": [1]}, {})
    with pytest.raises(TypeError, match="should be dictionary"):
        writer.add_hparams([], {})


def test_embedding(writer, tmp_path):
    """Points, labels and images are files, which the configuration names."""
    points = flambeau.arange(6.0).view(3, 2)
    images = flambeau.rand(3, 3, 4, 5)
    writer.add_embedding(points, ["a", "b", "c"], images, 2, "space")
    writer.add_embedding(points, [[1, "x"], [2, "y"], [3, "z"]], metadata_header=["n", "s"])
    run = tmp_path / "run"
    config = (run / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "00002/space/tensors.tsv"' in config
    assert "single_image_dim: 5" in config
    assert config.count("embeddings {") == 2
    assert (run / "00002/space/tensors.tsv").read_text() == "0.0\t1.0\n2.0\t3.0\n4.0\t5.0\n"
    assert (run / "00002/space/metadata.tsv").read_text() == "a\nb\nc\n"
    assert (run / "00000/default/metadata.tsv").read_text().startswith("n\ts\n1\tx\n")
    assert (run / "00002/space/sprite.png").stat().st_size
    with pytest.raises(ValueError, match="#labels"):
        writer.add_embedding(points, ["a"])
    with pytest.raises(ValueError, match="2D"):
        writer.add_embedding(flambeau.ones(3))


def test_graph(writer, tmp_path, accumulated):
    """Operations stand in the boxes of their modules, and know where their operands come from."""
    nn = flambeau.nn
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    writer.add_graph(model, flambeau.ones(2, 4))
    writer.flush()
    graph = accumulated(tmp_path / "run").Graph()
    nodes = {node.name: node for node in graph.node}
    assert list(nodes["Sequential/0/linear"].input) == [
        "input/input",
        "Sequential/0/weight",
        "Sequential/0/bias",
    ]
    assert list(nodes["Sequential/1/relu"].input) == ["Sequential/0/linear"]
    assert list(nodes["output/output"].input) == ["Sequential/2/linear"]
    shape = nodes["Sequential/2/linear"].attr["_output_shapes"].list.shape[0]
    assert [d.size for d in shape.dim] == [2, 3]
    with pytest.raises(ValueError, match="input_to_model"):
        writer.add_graph(model)


def test_folders(tmp_path, monkeypatch, read):
    """The default folder; what goes on after closing; what is hidden after a crash."""
    monkeypatch.chdir(tmp_path)
    writer = SummaryWriter(comment="-lr")
    assert writer.get_logdir().startswith("runs")
    assert writer.get_logdir().endswith("-lr")
    writer.close()
    writer.add_scalar("again", 1)
    writer.close()
    assert len(list((tmp_path / writer.get_logdir()).iterdir())) == 2
    with SummaryWriter(tmp_path / "b", purge_step=7, filename_suffix=".end") as later:
        later.add_scalar("x", 1, 7)
    events = read(tmp_path / "b")
    assert [(e.step, e.session_log.status) for e in events if e.HasField("session_log")] == [(7, 1)]
    file = FileWriter(tmp_path / "c")
    assert file.get_logdir() == str(tmp_path / "c")
    file.close()


def written(lib, folder):
    """What both libraries are asked to write."""
    x = lib.arange(12.0).view(3, 2, 2) / 12
    with lib.utils.tensorboard.SummaryWriter(str(folder)) as w:
        w.add_scalar("a", 1.5, 3, walltime=1)
        w.add_scalar("new", lib.tensor(2.0), 3, walltime=1, new_style=True)
        w.add_histogram("bins", np.arange(10.0), 1, bins=4, walltime=1)
        w.add_image("image", x, 1, walltime=1)
        w.add_text("text", "hello", 1, walltime=1)
        labels, predictions = lib.tensor([0, 1, 1, 0]), lib.tensor([0.1, 0.8, 0.4, 0.6])
        w.add_pr_curve("pr", labels, predictions, 1, num_thresholds=5, walltime=1)
        w.add_mesh("mesh", x.view(1, 4, 3), walltime=1)
        w.add_custom_scalars({"T": {"l": ["Multiline", ["a", "b"]], "m": ["Margin", list("xyz")]}})


@pytest.mark.filterwarnings("ignore")
def test_as_pytorch(torch, tmp_path, read):
    """The messages are PyTorch's."""
    pytest.importorskip("torch.utils.tensorboard")
    for lib in (torch, flambeau):
        written(lib, tmp_path / lib.__name__)
    make_ndarray = pytest.importorskip("tensorboard.util.tensor_util").make_ndarray
    both = [read(tmp_path / lib.__name__)[1:] for lib in (torch, flambeau)]
    assert len(both[0]) == len(both[1])
    for theirs, ours in zip(*both, strict=True):
        assert theirs.step == ours.step
        for a, b in zip(theirs.summary.value, ours.summary.value, strict=True):
            assert (a.tag, a.simple_value) == (b.tag, b.simple_value)
            assert a.metadata.plugin_data.plugin_name == b.metadata.plugin_data.plugin_name
            assert a.histo == b.histo
            if a.HasField("image"):
                assert np.array_equal(decoded(a.image)[1], decoded(b.image)[1])
            if a.HasField("tensor"):
                one, other = make_ndarray(a.tensor), make_ndarray(b.tensor)
                assert one.shape == other.shape
                if one.dtype == object:
                    assert one.tolist() == other.tolist()
                else:
                    np.testing.assert_allclose(one, other, rtol=1e-6)
