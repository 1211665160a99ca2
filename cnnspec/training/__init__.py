"""Training: the loop, the record of a run, and what can be done with a finished one."""

from __future__ import annotations

from cnnspec.training.ending import Run
from cnnspec.training.error import BadRun, Diverged, FolderTaken, TrainError
from cnnspec.training.finished import Evaluation, Prediction, evaluate, predict
from cnnspec.training.history import Epoch
from cnnspec.training.resume import resume
from cnnspec.training.run import train

__all__ = [
    "BadRun",
    "Diverged",
    "Epoch",
    "Evaluation",
    "FolderTaken",
    "Prediction",
    "Run",
    "TrainError",
    "evaluate",
    "predict",
    "resume",
    "train",
]
