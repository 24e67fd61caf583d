"""`flambeau.train`: the training loop that most programs write, and a summary of a model.

It uses nothing but flambeau's public names: what it does not offer is easily written instead.
"""

from .fitting import evaluate, fit
from .history import History
from .metrics import accuracy, mean_absolute_error, top_k_accuracy
from .summarizing import Summary, summary

__all__ = [
    "History",
    "Summary",
    "accuracy",
    "evaluate",
    "fit",
    "mean_absolute_error",
    "summary",
    "top_k_accuracy",
]
