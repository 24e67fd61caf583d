"""`flambeau.utils.tensorboard`: writes what TensorBoard shows. Needs the extra `tensorboard`."""

from .writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
