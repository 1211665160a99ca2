"""A whole run: plan, training, the test at the end, and the folder that keeps it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import NamedTuple

from cnnspec.data.parts import Data
from cnnspec.network.model import Network
from cnnspec.training import record, report
from cnnspec.training.between import BetweenSteps
from cnnspec.training.checkpoint import remove_checkpoints, save_checkpoint
from cnnspec.training.compiling import Compiling
from cnnspec.training.config import Extras, How
from cnnspec.training.device import working
from cnnspec.training.distributed import Team, joined
from cnnspec.training.diverging import cause
from cnnspec.training.ending import Run, Status, draw, reading_of, result_of
from cnnspec.training.error import Diverged, Lost, TrainError
from cnnspec.training.freezing import thawed
from cnnspec.training.history import best_epoch
from cnnspec.training.interrupt import deaf, interruptible
from cnnspec.training.lock import alone_in
from cnnspec.training.loop import Measured, fit, measure
from cnnspec.training.memory import enough_memory, weight_of
from cnnspec.training.plan import SAVE_EVERY, Plan, plan_run, ready
from cnnspec.training.reading import no_longer_finite
from cnnspec.training.seeing import Seeing
from cnnspec.training.start import with_start
from cnnspec.training.state import State, begin
from cnnspec.training.threads import suitable_threads
from cnnspec.training.transform import Transform, in_python, with_transform
from cnnspec.training.views import count, watched
from cnnspec.training.watch import read_looks
from cnnspec.words import counted

Say = Callable[[str], None]


def train(
    network: Network,
    *,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    device: str | None = None,
    test_every_epoch: bool = False,
    watch: bool = False,
    tensorboard: bool = False,
    compiling: Compiling = "auto",
    deterministic: bool = False,
    save_every: float = SAVE_EVERY,
    transform: Transform | None = None,
    progress: bool = False,
    say: Say = lambda line: None,
) -> Run:
    """Train a network as its recipe says (with the defaults where the spec says nothing).

    `data_dir` is where downloaded data sets live; `out` the folder of the run, new or empty (a fresh one in `runs/`
    where None); `device` a name like cuda:1 (the best there is where None). `test_every_epoch` also records the
    accuracy on the test set after every epoch, `watch` how every layer does (`layers.csv`, `layers.png`), `tensorboard`
    the curves for TensorBoard; none of them has a say in anything. `compiling` says whether steps are compiled (on a
    GPU, where that saves more time than it takes), `deterministic` takes the same bits every time for more speed on a
    GPU. `say` is given a line of text whenever
    there is news, and `progress` shows a bar. An epoch that lasts is saved every `save_every` minutes. `transform`
    changes one training sample at a time before the recipe's augmentation, and keeps its shape and type.

    Ctrl-C and a loss that is no longer finite end the run early: what was recorded is kept, and `Run.status` tells.
    `resume` goes on with one that was interrupted or killed. In a process that was started as one of several, by
    torchrun for instance, it trains together with the others, and the first of them writes and speaks.
    Raises `TrainError`, `NoDevice` or `DataError` where the run cannot start, which leaves no folder, and `TrainError`
    where a step cannot be made, which leaves one whose result says so.
    """
    started = perf_counter()
    out = Path(out) if out is not None else None
    extras, how = Extras(test_every_epoch, watch, tensorboard), How(compiling, deterministic)
    with joined() as team:
        if out and team.leads:
            record.require_free(out)
        plan = plan_run(network, device, Path(data_dir) if data_dir else None, extras, how)
        plan, weights = with_start(replace(plan, save_every=save_every))
        plan = with_transform(plan, transform)
        with suitable_threads(network, plan.portion, plan.device):
            model, data = ready(plan)
            model.load_state_dict(weights, strict=False)
            folder = team.tells(lambda: record.open_folder(out, network, plan.config, plan.device))
            with alone_in(folder, team):
                for line in report.opening(plan, folder) if team.leads else ():
                    say(line)
                return carry_out(plan, folder, data, begin(model, data, plan.recipe), progress, say, started)


class Outcome(NamedTuple):
    status: Status
    fault: str = ""
    test: Measured | None = None
    failure: TrainError | None = None
    """To be raised when all is written."""


def carry_out(plan: Plan, folder: Path, data: Data, state: State, progress: bool, say: Say, started: float) -> Run:
    """The run from where `state` is to its end, and the files that tell of it."""
    before = perf_counter() - started
    plan.team.same(state.model)
    with working(plan.device, plan.config.deterministic):
        status, fault, test, failure = _outcome(plan, folder, data, state, progress, say)
    history = tuple(state.history)
    best = best_epoch(history) if history else None
    looks = tuple(read_looks(folder, len(history))) if plan.team.leads else ()
    reading = no_longer_finite(fault) if status == "diverged" else reading_of(plan.data, history, test)
    seconds = perf_counter() - started
    run = Run(
        *(folder, plan.config, status, fault, history, best, test, reading, looks),
        preparing=before + state.preparing,
        seconds=seconds,
        views=count(plan.recipe.views),
    )
    try:
        if plan.team.leads:
            _write(run, plan, state)
    except OSError as error:
        failure = failure or unwritable(folder, error, state, plan)
    if failure:
        raise failure
    return run


def _write(run: Run, plan: Plan, state: State) -> None:
    draw(run, plan.network, state.model)
    record.write_model(run.folder / record.RESULT, result_of(run))
    if run.status == "finished":
        remove_checkpoints(run.folder)


def _outcome(plan: Plan, folder: Path, data: Data, state: State, progress: bool, say: Say) -> Outcome:
    """However it ends."""
    try:
        with explained(plan), interruptible(plan.team) as asked:
            run = record.sum_of_config(folder) if plan.team.leads else ""
            save = partial(save_checkpoint, folder, run, state, plan.team)
            stopping = BetweenSteps(state, plan.team, asked, save, plan.save_every)
            _train(plan, folder, data, state, progress, say, stopping, save)
            if stopping():
                return Outcome("interrupted", report.interrupted(state, plan.recipe))
            state.model.load_state_dict(state.best)
            how = (data, plan.objective, plan.recipe.batch, plan.config.precision, plan.team)
            test = measure(watched(state.model, plan.recipe.views, plan.objective), data.test, *how)
            return Outcome("finished", test=test)
    except KeyboardInterrupt:
        return Outcome("interrupted", report.stopped_at_once(state))
    except Diverged as diverged:
        return Outcome("diverged", diverged.message + cause(plan, folder, data, state, diverged.step))
    except Lost as lost:
        deaf()  # whoever started the processes ends those that are left
        message = f"{lost.message} {report.place(state, plan.recipe)}"
        again = how_to_resume(folder, plan.team)
        return Outcome("failed", message, failure=Lost(message, *lost.notes, report.saved(state), again))
    except TrainError as error:
        return Outcome("failed", error.message, failure=error)
    except BrokenPipeError:  # nobody reads the news any more
        raise
    except OSError as error:
        failure = unwritable(folder, error, state, plan)
        return Outcome("failed", failure.message, failure=failure)


def _train(
    plan: Plan,
    folder: Path,
    data: Data,
    state: State,
    progress: bool,
    say: Say,
    stopping: Callable[[], bool],
    save: Callable[[], None],
) -> None:
    """After an epoch its checkpoint comes first: all other files can be written again from it. How the layers did could
    not, so that is written before."""
    config, team = plan.config, plan.team
    seeing = Seeing(plan, folder, state) if team.leads else None
    for line in report.feeding(data) if not plan.own else ():
        say(line)
    epochs = fit(
        state,
        data,
        plan.recipe,
        plan.objective,
        plan.sides,
        precision=config.precision,
        test_every_epoch=config.test_every_epoch,
        compiling=config.how.compiling_steps,
        progress=progress and team.leads,
        stopping=stopping,
        say=say,
        team=team,
        own=plan.own,
    )
    if config.start and not state.checkpoints:  # to go on never takes the file that the weights came from
        save()
    for epoch in epochs:
        state.remember(epoch)
        if seeing:
            seeing.after(epoch, data, state)
        save()
        if team.leads:
            record.write_epoch(folder, config, state)
            say(report.epoch_line(epoch, plan.recipe.epochs))
            if epoch.epoch < plan.recipe.epochs and (news := thawed(plan.recipe, epoch.epoch)):
                say(news)
    if state.step:
        save()


NOT_DETERMINISTIC = " does not have a deterministic implementation"


def unwritable(folder: Path, error: OSError, state: State, plan: Plan) -> TrainError:
    fault = f"{folder} cannot be written: {error.strerror or error}"
    again = f"to go on: {in_python(folder)}" if plan.own else how_to_resume(folder, plan.team)
    return TrainError(fault, report.saved(state), again)


def how_to_resume(folder: Path, team: Team) -> str:
    resume = f"--resume {quote(str(folder))}"
    if team.size > team.local_size:
        return f"to go on: start the processes again, with {resume} in the place of the file"
    return f"to go on: cnnspec train {resume}{f' --devices {team.size}' if team.size > 1 else ''}"


@contextmanager
def explained(plan: Plan) -> Iterator[None]:
    """What PyTorch raises where a step cannot be made, in words that say what to do."""
    batch = plan.recipe.batch
    smaller = (f"smaller steps need less: --batch {batch // 2}",) if batch > 1 else ()
    what = f"steps of {counted(batch, 'sample')} through {plan.network.name}"
    try:
        with enough_memory(plan.device, what, *smaller, weight_of(plan.network)):
            yield
    except RuntimeError as error:
        if NOT_DETERMINISTIC not in str(error):
            raise
        raise TrainError(
            f"not the same every time on {plan.device}: {str(error).split(NOT_DETERMINISTIC)[0]} has no such form",
            "train it without --deterministic, or on the CPU",
        ) from None
    except ValueError as error:
        if "Expected more than 1" not in str(error):
            raise
        raise TrainError(
            "a norm layer cannot take the mean and deviation of a single value, and a step holds one per channel",
            f"the batch is {batch}: make it larger",
        ) from None
