"""What is measured while a network trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """One pass over the training data. Accuracies are shares from 0 to 1.

    The training figures are taken during the pass, with augmentation and dropout at work and from weights that still
    change; the others after it. They are None where there is no validation part, and where the test set is left alone
    until the end.
    """

    epoch: int
    learning_rate: float
    """At its first step."""
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    seconds: float
    """Of the training pass alone."""


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """The epoch whose weights are kept as the best: the highest validation accuracy, among equals the lowest
    validation loss, then the earliest. Without a validation part it is the last. The test set has no say."""
    last = history[-1]
    if last.validation_accuracy is None:
        return last
    return max(history, key=lambda e: (e.validation_accuracy, -(e.validation_loss or 0.0), -e.epoch))


def tired(history: Sequence[Epoch], patience: int | None) -> bool:
    """Whether the best epoch lies `patience` epochs back."""
    return bool(patience and history) and history[-1].epoch - best_epoch(history).epoch >= (patience or 0)
