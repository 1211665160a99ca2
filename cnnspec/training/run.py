"""A whole run: plan, training, the test at the end, and the folder that keeps it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

from torch import nn

from cnnspec.data.parts import Data
from cnnspec.files import write
from cnnspec.network.model import Network
from cnnspec.training import plots, record, report
from cnnspec.training.config import Config, ReadingResult, Result, TestResult
from cnnspec.training.device import device_name
from cnnspec.training.error import Diverged, TrainError
from cnnspec.training.history import Epoch, best_epoch
from cnnspec.training.loop import Measured, fit, measure
from cnnspec.training.memory import enough_memory, weight_of
from cnnspec.training.plan import Plan, plan_run, ready
from cnnspec.training.reading import Reading, no_longer_finite, read_curves
from cnnspec.words import counted

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
    seconds: float

    @property
    def late_test_accuracy(self) -> float | None:
        """Mean test accuracy of the last three epochs, where it was recorded in every epoch."""
        late = [epoch.test_accuracy for epoch in self.history[-3:] if epoch.test_accuracy is not None]
        return sum(late) / len(late) if late else None


def train(
    network: Network,
    *,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    device: str | None = None,
    test_every_epoch: bool = False,
    progress: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Train a network as its recipe says (with the defaults where the spec says nothing).

    `data_dir` is where downloaded data sets live; `out` the folder of the run, new or empty (a fresh one in `runs/`
    where None); `device` a name like cuda:1 (the best there is where None). `test_every_epoch` also records the
    accuracy on the test set after every epoch, which has no say in anything. `say` is given a line of text whenever
    there is news, and `progress` shows a bar.

    Ctrl-C and a loss that is no longer finite end the run early: what was recorded is kept, and `Run.status` tells.
    Raises `TrainError`, `NoDevice` or `DataError` where the run cannot start, which leaves no folder, and `TrainError`
    where a step cannot be made, which leaves one whose result says so.
    """
    started = perf_counter()
    out = Path(out) if out is not None else None
    if out:
        record.require_free(out)
    plan = plan_run(network, device, Path(data_dir) if data_dir else None)
    model, data = ready(plan)
    folder = record.open_folder(out, network, plan.config, plan.device)
    for line in report.opening(plan.config, plan.data.messages, device_name(plan.device), folder):
        say(line)

    status: Status = "finished"
    fault = ""
    history: list[Epoch] = []
    test = None
    failure: TrainError | None = None
    try:
        with explained(plan):
            for epoch in fit(model, data, plan.recipe, plan.objective, plan.sides, test_every_epoch, progress):
                history.append(epoch)
                record.write_epoch(folder, plan.config, model, history)
                say(report.epoch_line(epoch, plan.recipe.epochs))
            model.load_state_dict(record.read_weights(folder, "best")[0])
            test = measure(model, data.test, data, plan.objective, plan.recipe.batch)
    except KeyboardInterrupt:
        status, fault = "interrupted", f"interrupted after {counted(len(history), 'epoch')}"
    except Diverged as diverged:
        status, fault = "diverged", diverged.message
    except TrainError as failed:
        status, fault, failure = "failed", failed.message, failed

    best = best_epoch(history) if history else None
    reading = no_longer_finite(fault) if status == "diverged" else reading_of(plan.data, history, test)
    seconds = perf_counter() - started
    run = Run(folder, plan.config, status, fault, tuple(history), best, test, reading, seconds)
    record.write_model(folder / record.RESULT, result_of(run))
    draw(run, network, model)
    if failure:
        raise failure
    return run


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
        test=TestResult(weights="best", epoch=best.epoch, loss=test.loss, accuracy=test.accuracy)
        if best and test
        else None,
        test_accuracy_mean_of_last_three_epochs=run.late_test_accuracy,
        reading=ReadingResult(verdict=reading.verdict, because=list(reading.because), advice=list(reading.advice)),
        training_seconds=sum(epoch.seconds for epoch in run.history),
        seconds=run.seconds,
    )


def draw(run: Run, network: Network, model: nn.Module) -> None:
    """The pictures of a run; `model` has the weights of the best epoch where the run finished."""
    title = f"{network.name} on {run.config.data_name}"
    if run.history:
        star = run.test.accuracy if run.test else None
        write(run.folder / "curves.png", plots.curves(run.history, title, star))
    if run.best and run.test:
        which = f"{title}, test set, weights of epoch {run.best.epoch}: {run.test.accuracy:.1%}"
        record.write_confusion(run.folder, run.config.classes, run.test.confusion)
        write(run.folder / "confusion.png", plots.confusion(run.test.confusion, run.config.classes, which))
        picture = plots.filters(network, model)
        if picture:
            write(run.folder / "filters.png", picture)


@contextmanager
def explained(plan: Plan) -> Iterator[None]:
    """What PyTorch raises where a step cannot be made, in words that say what to do."""
    batch = plan.recipe.batch
    smaller = (f"smaller steps need less: --batch {batch // 2}",) if batch > 1 else ()
    what = f"steps of {counted(batch, 'sample')} through {plan.network.name}"
    try:
        with enough_memory(plan.device, what, *smaller, weight_of(plan.network)):
            yield
    except ValueError as error:
        if "Expected more than 1" not in str(error):
            raise
        raise TrainError(
            "a norm layer cannot take the mean and deviation of a single value, and a step holds one per channel",
            f"the batch is {batch}: make it larger",
        ) from None
