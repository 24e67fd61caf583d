"""`SummaryWriter`: notes numbers, pictures, texts and more of a run, for TensorBoard to show."""

import os
import socket
import time
from datetime import datetime

import numpy as np

from ...extras import optional
from . import arrays, summary
from .graph import model_graph
from .projector import write_embedding

__all__ = ["FileWriter", "SummaryWriter"]


class FileWriter:
    """Writes an event file in a folder.

    Args: log_dir: the folder; max_queue: the events that wait to be written, at most; flush_secs:
        the seconds they wait, at most; filename_suffix: the end of the file's name.
    """

    def __init__(self, log_dir, max_queue=10, flush_secs=120, filename_suffix=""):
        module = optional("tensorboard.summary.writer.event_file_writer", "tensorboard")
        self._writer = module.EventFileWriter(
            os.fspath(log_dir), max_queue, flush_secs, filename_suffix
        )

    def get_logdir(self):
        """The folder."""
        return self._writer.get_logdir()

    def add_event(self, event, step=None, walltime=None):
        """Write an event of some step and time, by default now."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self._writer.add_event(event)

    def add_summary(self, summary_, global_step=None, walltime=None):
        """Write a summary."""
        self.add_event(summary.proto("event_pb2").Event(summary=summary_), global_step, walltime)

    def add_graph(self, graph, walltime=None):
        """Write a graph, a GraphDef."""
        data = graph.SerializeToString()
        self.add_event(summary.proto("event_pb2").Event(graph_def=data), None, walltime)

    def flush(self):
        """Write what waits."""
        self._writer.flush()

    def close(self):
        """Write what waits and close the file."""
        self._writer.close()


class SummaryWriter:
    """Writes what happens in a run into a folder, of which `tensorboard --logdir` shows all runs.

    Args:
        log_dir: the folder; by default runs/ and the time, the machine and `comment`.
        purge_step: where a run goes on after a crash: what was noted from this step on is hidden.
        max_queue, flush_secs, filename_suffix: see `FileWriter`.

    Methods take a `tag`, by whose parts between slashes TensorBoard sorts; the step, `global_step`;
    and a time, `walltime`, which is now by default. Tensors, arrays and lists may all be given.
    Raises: ModuleNotFoundError without the extra `tensorboard`.

        from flambeau.utils.tensorboard import SummaryWriter

        with SummaryWriter("runs/first") as writer:
            for epoch in range(3):
                writer.add_scalar("loss/train", 1 / (epoch + 1), epoch)
    """

    def __init__(
        self,
        log_dir=None,
        comment="",
        purge_step=None,
        max_queue=10,
        flush_secs=120,
        filename_suffix="",
    ):
        if not log_dir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir, self.purge_step = os.fspath(log_dir), purge_step
        self.max_queue, self.flush_secs = max_queue, flush_secs
        self.filename_suffix = filename_suffix
        self.file_writer, self.all_writers = None, {}
        self._open()

    def _open(self):
        """The writer of the folder itself; after `close` another one."""
        if self.file_writer is None:
            self.file_writer = self._writer(self.log_dir)
            if self.purge_step is not None:
                events = summary.proto("event_pb2")
                self.file_writer.add_event(
                    events.Event(file_version="brain.Event:2"), self.purge_step
                )
                start = events.SessionLog(status=events.SessionLog.START)
                self.file_writer.add_event(events.Event(session_log=start), self.purge_step)
                self.purge_step = None
        return self.file_writer

    _get_file_writer = _open

    def _writer(self, folder):
        if folder not in self.all_writers:
            self.all_writers[folder] = FileWriter(
                folder, self.max_queue, self.flush_secs, self.filename_suffix
            )
        return self.all_writers[folder]

    def _add(self, made, step, walltime):
        self._open().add_summary(made, None if step is None else int(step), walltime)

    def get_logdir(self):
        """The folder."""
        return self.log_dir

    # Numbers

    def add_scalar(
        self,
        tag,
        scalar_value,
        global_step=None,
        walltime=None,
        new_style=False,
        double_precision=False,
    ):
        """A number, as a point of a curve.

        Args: new_style: write it as a tensor; double_precision: of float64 then.
        Raises: ValueError for several numbers.
        """
        made = summary.scalar(tag, scalar_value, new_style, double_precision)
        self._add(made, global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Several numbers, {name: number}, as points of curves in one chart: a run for each."""
        walltime = time.time() if walltime is None else walltime
        base = self._open().get_logdir()
        for name, value in tag_scalar_dict.items():
            folder = os.path.join(base, f"{main_tag.replace('/', '_')}_{name}")
            made = summary.scalar(main_tag, value)
            self._writer(folder).add_summary(made, global_step, walltime)

    def add_tensor(self, tag, tensor, global_step=None, walltime=None):
        """A tensor."""
        self._add(summary.tensor(tag, tensor), global_step, walltime)

    def add_histogram(
        self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None
    ):
        """How values are distributed.

        Args: bins: edges of buckets, or another `bins` of `numpy.histogram`; "tensorflow" for
            edges that suit any values; max_bins: the most buckets.
        """
        self._add(summary.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(
        self,
        tag,
        min,
        max,
        num,
        sum,
        sum_squares,
        bucket_limits,
        bucket_counts,
        global_step=None,
        walltime=None,
    ):
        """A histogram that was made before: how many values are at most each limit.

        Raises: ValueError unless there are as many limits as counts.
        """
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        made = summary.histogram_raw(
            tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts
        )
        self._add(made, global_step, walltime)

    def add_pr_curve(
        self,
        tag,
        labels,
        predictions,
        global_step=None,
        num_thresholds=127,
        weights=None,
        walltime=None,
    ):
        """The precision and recall of a classifier, over all thresholds.

        Args: labels: 0 or 1 each; predictions: between 0 and 1; num_thresholds: how many points;
            weights: of each.
        """
        rows = arrays.precision_recall(labels, predictions, min(num_thresholds, 127), weights)
        self._add(summary.pr_curve(tag, rows, rows.shape[1]), global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag,
        true_positive_counts,
        false_positive_counts,
        true_negative_counts,
        false_negative_counts,
        precision,
        recall,
        global_step=None,
        num_thresholds=127,
        weights=None,
        walltime=None,
    ):
        """The precision and recall of a classifier, counted before."""
        rows = [true_positive_counts, false_positive_counts, true_negative_counts]
        rows += [false_negative_counts, precision, recall]
        made = summary.pr_curve(tag, np.stack(list(map(arrays.to_array, rows))), num_thresholds)
        self._add(made, global_step, walltime)

    def add_custom_scalars(self, layout):
        """Which curves stand in one chart: {category: {title: ["Multiline" or "Margin", tags]}}."""
        self._add(summary.custom_scalars(layout), None, None)

    def add_custom_scalars_multilinechart(self, tags, category="default", title="untitled"):
        """A chart of several curves."""
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(self, tags, category="default", title="untitled"):
        """A chart of a curve between two others. Raises ValueError unless there are 3 tags."""
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    def add_hparams(
        self,
        hparam_dict,
        metric_dict,
        hparam_domain_discrete=None,
        run_name=None,
        global_step=None,
    ):
        """The hyperparameters of a run and the metrics they have led to, as a run of its own.

        Args: hparam_domain_discrete: {name: choices}; run_name: the folder in this one, by default
            the time. Raises: TypeError for what are no dicts, ValueError for a hyperparameter that
            is no number, bool or string.
        """
        if not isinstance(hparam_dict, dict) or not isinstance(metric_dict, dict):
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        folder = os.path.join(self._open().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(folder) as writer:
            for made in summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete):
                writer.file_writer.add_summary(made, global_step)
            for name, value in metric_dict.items():
                writer.add_scalar(name, value, global_step)

    # Pictures, sounds, texts

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """An image: bytes, or floats from 0 to 1.

        Args: dataformats: what the dims are: C (1, 3 or 4 channels), H, W; also N images, which
            are put side by side. Raises: ValueError if that does not fit.
        """
        pixels = arrays.pixels(img_tensor, dataformats)
        self._add(summary.image(tag, pixels), global_step, walltime)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """Several images side by side: see `add_image`."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_image_with_boxes(
        self,
        tag,
        img_tensor,
        box_tensor,
        global_step=None,
        walltime=None,
        rescale=1,
        dataformats="CHW",
        labels=None,
    ):
        """An image with boxes [N, 4] of (left, top, right, bottom), and a label for each."""
        pixels = arrays.with_boxes(arrays.pixels(img_tensor, dataformats), box_tensor, labels)
        if rescale != 1:
            picture = optional("PIL.Image", "tensorboard").fromarray(pixels)
            size = [round(n * rescale) for n in picture.size]
            pixels = np.asarray(picture.resize(size))
        self._add(summary.image(tag, pixels), global_step, walltime)

    def add_figure(self, tag, figure, global_step=None, close=True, walltime=None):
        """A figure of matplotlib, or a list of them, as images; `close` closes them."""
        figures = figure if isinstance(figure, list) else [figure]
        drawn = []
        for item in figures:
            canvas = optional("matplotlib.backends.backend_agg", "plot").FigureCanvasAgg(item)
            canvas.draw()
            drawn.append(np.asarray(canvas.buffer_rgba()))
            if close:
                optional("matplotlib.pyplot", "plot").close(item)
        pixels = drawn[0] if len(drawn) == 1 else arrays.pixels(np.stack(drawn), "NHWC")
        self._add(summary.image(tag, pixels), global_step, walltime)

    def add_video(self, tag, vid_tensor, global_step=None, fps=4, walltime=None):
        """Moving pictures [N, T, C, H, W]: bytes, or floats from 0 to 1."""
        self._add(summary.video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(self, tag, snd_tensor, global_step=None, sample_rate=44100, walltime=None):
        """A sound [frames] or [1, frames], between -1 and 1. Raises ValueError for more dims."""
        self._add(summary.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """A text, in Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    # Models and data

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True):
        """The operations that `model(*input_to_model)` records, in boxes of its modules.

        Args: input_to_model: a tensor, or a tuple of arguments; verbose: print the nodes;
            use_strict_trace: accepted as in PyTorch. Raises: ValueError without input.
        """
        if input_to_model is None:
            raise ValueError("add_graph: input_to_model is needed, to call the model with")
        self._open().add_graph(model_graph(model, input_to_model, verbose))

    def add_mesh(
        self,
        tag,
        vertices,
        colors=None,
        faces=None,
        config_dict=None,
        global_step=None,
        walltime=None,
    ):
        """Points in space [N, points, 3], with colors (bytes) and triangles between them."""
        made = summary.mesh(tag, vertices, colors, faces, config_dict)
        self._add(made, global_step, walltime)

    def add_embedding(
        self,
        mat,
        metadata=None,
        label_img=None,
        global_step=None,
        tag="default",
        metadata_header=None,
    ):
        """Points [N, D] for the projector, with labels, or rows of labels, and images [N, C, H, W].

        Raises: ValueError if there are not as many of these as points.
        """
        step = 0 if global_step is None else int(global_step)
        folder = self._open().get_logdir()
        write_embedding(folder, mat, metadata, label_img, step, tag, metadata_header)

    def flush(self):
        """Write what waits to the files."""
        for writer in self.all_writers.values():
            writer.flush()

    def close(self):
        """Write what waits and close the files; a later `add_` opens new ones."""
        for writer in self.all_writers.values():
            writer.flush()
            writer.close()
        self.file_writer, self.all_writers = None, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
