"""Where PyTorch keeps the parts of its loader: `utils.data._utils.collate` and others."""

from ....lazy import also_known_as
from .. import collate, fetch, worker

also_known_as(__name__, collate=collate, fetch=fetch, worker=worker)
