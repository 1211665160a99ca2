"""The end of a run: what came of it, and the files that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from cnnspec.data.parts import Data
from cnnspec.files import write
from cnnspec.network.model import Network
from cnnspec.training import record, report
from cnnspec.training.config import Config, ReadingResult, Result, TestResult
from cnnspec.training.history import Epoch
from cnnspec.training.loop import Measured
from cnnspec.training.reading import Reading, read_curves
from cnnspec.training.watch import Look, in_words

Status = Literal["finished", "interrupted", "diverged", "failed"]


@dataclass(frozen=True)
class Run:
    """A run that has ended, its files in `folder`.

    `test` is the one measurement on the test set, with the weights of the best epoch; it is None where the run did not
    get that far, and `fault` then says why. `best` is None where no epoch was finished.
    """

    folder: Path
    config: Config
    status: Status
    fault: str
    history: tuple[Epoch, ...]
    best: Epoch | None
    test: Measured | None
    reading: Reading
    looks: tuple[Look, ...]
    """How every layer did after every epoch, where that was asked for."""
    preparing: float
    """Seconds of `seconds` before the first step, and those that went into making steps fast."""
    seconds: float
    views: int = 1
    """Over how many views of each sample outputs are averaged where the network is measured."""

    @property
    def late_test_accuracy(self) -> float | None:
        """Mean test accuracy of the last three epochs, where it was recorded in every epoch."""
        late = [epoch.test_accuracy for epoch in self.history[-3:] if epoch.test_accuracy is not None]
        return sum(late) / len(late) if late else None


def reading_of(data: Data, history: Sequence[Epoch], test: Measured | None) -> Reading:
    guessing = max(data.train.y.bincount().tolist()) / len(data.train)
    return read_curves(history, guessing=guessing, test_accuracy=test.accuracy if test else None)


def result_of(run: Run) -> Result:
    best, test, reading = run.best, run.test, run.reading
    return Result(
        status=run.status,
        fault=run.fault,
        epochs=len(run.history),
        best_epoch=best.epoch if best else None,
        best_epoch_chosen_by=report.chosen_by(run.history),
        test=TestResult(weights="best", epoch=best.epoch, loss=test.loss, accuracy=test.accuracy, views=run.views)
        if best and test
        else None,
        test_accuracy_mean_of_last_three_epochs=run.late_test_accuracy,
        reading=ReadingResult(verdict=reading.verdict, because=list(reading.because), advice=list(reading.advice)),
        layers=[(lead + text).strip() for lead, text in in_words(run.looks)],
        resumed=record.resumptions(run.folder),
        preparing_seconds=run.preparing,
        training_seconds=sum(epoch.seconds for epoch in run.history),
        seconds=run.seconds,
    )


def draw(run: Run, network: Network, model: nn.Module) -> None:
    """The pictures of a run; `model` has the weights of the best epoch where the run finished."""
    from cnnspec.training import plots  # matplotlib takes a while to import, and is not needed to train

    title = f"{network.name} on {run.config.data_name}"
    if run.history:
        star = run.test.accuracy if run.test else None
        write(run.folder / "curves.png", plots.curves(run.history, title, star))
    if run.looks:
        write(run.folder / "layers.png", plots.layers(run.looks, title))
    if run.best and run.test:
        which = f"{title}, test set, weights of epoch {run.best.epoch}: {run.test.accuracy:.1%}"
        record.write_confusion(run.folder, run.config.classes, run.test.confusion)
        write(run.folder / "confusion.png", plots.confusion(run.test.confusion, run.config.classes, which))
        picture = plots.filters(network, model)
        if picture:
            write(run.folder / "filters.png", picture)
