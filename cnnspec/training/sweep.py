"""Many runs of one spec: a run for each combination of some values and for each seed, each in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import product
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from os import PathLike
from pathlib import Path
from re import sub
from typing import Literal, NamedTuple

import torch
from pydantic import Field

from cnnspec.data.error import DataError
from cnnspec.data.loaders import read_once
from cnnspec.network import UsageFault, load, read_source
from cnnspec.network.model import Network
from cnnspec.network.settings import alternatives, written
from cnnspec.recipe import Recipe
from cnnspec.training import record
from cnnspec.training.compare import Comparison, compare
from cnnspec.training.config import AS_EVER, NO_EXTRAS, Extras, How, Result, Strict, spelled, with_whole_paths
from cnnspec.training.error import BadRun, FolderTaken, TrainError
from cnnspec.training.interrupt import interruptible, unheard
from cnnspec.training.lock import alone_in
from cnnspec.training.reading import percent
from cnnspec.training.resume import resume
from cnnspec.training.run import Say, train
from cnnspec.words import counted

SEED, DATA, WEIGHTS, VALIDATION = "train.seed", "train.data", "train.weights", "train.validation"
LONGEST = 40
LOOK_EVERY = 0.5
"""Seconds, for Ctrl-C."""


class Sweep(Strict):
    """All that it takes to go on with it: what every run has in common, and in what they differ."""

    format: Literal[1] = 1
    spec: str
    """The file, by its whole path, or a name of the zoo."""
    sum: str
    """SHA-256 over the spec and the files it uses."""
    model: str | None = None
    input: str | None = None
    set: dict[str, str]
    over: dict[str, list[str]]
    """The values, as text of the language, of what is varied."""
    seeds: list[int] = Field(min_length=1)
    data_dir: str | None = None
    device: str | None = None
    extras: Extras = NO_EXTRAS
    how: How = AS_EVER

    @property
    def points(self) -> list[Point]:
        """Every run of it: the seeds of one combination stand together."""
        combinations = product(*([(name, value) for value in values] for name, values in self.over.items()))
        return [self._point(dict(values), seed) for values in combinations for seed in self.seeds]

    def _point(self, values: dict[str, str], seed: int) -> Point:
        parts = [_slug(value if value[0].isalpha() else f"{_short(name)}-{value}") for name, value in values.items()]
        if len(self.seeds) > 1 or not parts:
            parts.append(f"seed-{seed}")
        return Point("_".join(parts), {**self.set, **values, SEED: str(seed)})

    @property
    def varies_data(self) -> bool:
        """Whether a fault of the data may be that of one run: parameters of the model may set its input."""
        return any(name in (DATA, VALIDATION) or not name.startswith("train.") for name in self.over)

    def network(self, point: Point) -> Network:
        """Raises `SpecError` and `UsageFault` where a value does not suit the spec."""
        return load(read_source(self.spec), model=self.model, set=point.set, input=self.input, train=True)


class Point(NamedTuple):
    """One run of a sweep."""

    name: str
    """Of its folder."""
    set: dict[str, str]


def _short(name: str) -> str:
    return name.removeprefix("train.")


def _slug(value: str) -> str:
    """A value as a name of a folder may hold it: `sgd(lr=0.1)` as `sgd-lr-0.1`."""
    return sub(r"[^A-Za-z0-9.+-]+", "-", value).strip("-")[:LONGEST]


class Ended(NamedTuple):
    """How a run of a sweep ended."""

    point: Point
    words: str
    interrupted: bool = False
    failed: bool = False


# ---------------------------------------------------------------------------------------------------- beginning


def plan_sweep(
    spec: str,
    over: Mapping[str, Sequence[str]],
    seeds: int = 1,
    model: str | None = None,
    set: Mapping[str, str] | None = None,
    input: str | None = None,
    *,
    data_dir: str | PathLike[str] | None = None,
    device: str | None = None,
    extras: Extras = NO_EXTRAS,
    how: How = AS_EVER,
) -> Sweep:
    """A sweep of which every combination was checked. `over` and `set` hold texts of the language; seeds count up from
    that of the spec, where `over` does not name them. Raises `SpecError` and `UsageFault` for values that do not suit
    the spec, and `TrainError` where a value is given twice."""
    source = read_source(spec)
    given, varied = dict(set or {}), dict(over)
    named = varied.pop(SEED, ())
    if named and seeds > 1:
        raise UsageFault(f"{SEED} names the seeds already: leave out the number of them, or {SEED}")
    start = given | {name: values[0] for name, values in varied.items()}

    def begun(more: dict[str, str]) -> tuple[Network, Recipe]:
        network = load(source, model=model, set=start | more, input=input, train=True)
        return network, network.recipe or Recipe()

    first, recipe = begun({})
    if DATA in given:  # a relative path counts from the working directory, and the next one may be another
        given[DATA] = spelled(with_whole_paths(recipe.data, Path(first.folder)))
    if WEIGHTS in given and recipe.weights:
        given[WEIGHTS] = spelled(recipe.weights.at(Path.cwd().as_posix()))
    sweep = Sweep(
        spec=spec if spec.startswith("zoo:") else str(Path(spec).absolute()),
        sum=record.sum_of_spec(source),
        model=model,
        input=input,
        set=given,
        over={name: list(values) for name, values in varied.items()},
        seeds=[begun({SEED: text})[1].seed for text in named] or [recipe.seed + number for number in range(seeds)],
        data_dir=None if data_dir is None else str(Path(data_dir).absolute()),
        device=device,
        extras=extras,
        how=how,
    )
    names = [point.name for point in sweep.points]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise TrainError(f"two runs of the sweep would be called {twice}", "each value needs to be given once")
    for point in sweep.points:
        sweep.network(point)
    return sweep


def open_sweep(sweep: Sweep, out: Path | None) -> Path:
    """A folder with nothing but the plan: `out`, or the next free one of `runs`. Raises `FolderTaken`."""
    folder = record.new_folder(out, f"{sweep.network(sweep.points[0]).name}-sweep")
    record.write_model(folder / record.SWEEP, sweep)
    return folder


def read_sweep(folder: Path) -> Sweep:
    """Raises `BadRun` where there is none, where it is damaged, and where its spec has changed since it began."""
    if not (folder / record.SWEEP).is_file():
        raise BadRun(f"{folder} is not the folder of a sweep: it holds no {record.SWEEP}")
    sweep = record.parsed(folder / record.SWEEP, Sweep)
    if record.sum_of_spec(read_source(sweep.spec)) != sweep.sum:
        raise BadRun(
            f"{sweep.spec} has changed since the sweep began: its runs would no longer differ in what is varied alone",
            "bring it back as it was, or begin a new sweep",
        )
    return sweep


# ------------------------------------------------------------------------------------------------------ going on


def run_sweep(folder: Path, *, jobs: int = 1, progress: bool = False, say: Say = lambda line: None) -> list[Ended]:
    """Every run of a sweep that is not finished yet, `jobs` at a time; what was interrupted goes on where it was.

    A run that fails or diverges does not keep the others from running. After Ctrl-C none is begun any more. Raises
    `BadRun` where another process is at it, and what `read_sweep` raises."""
    sweep = read_sweep(folder)
    points = sweep.points
    with alone_in(folder):
        ended: list[Ended] = []
        for one in _side_by_side(folder, points, jobs) if jobs > 1 else _in_turn(folder, sweep, points, progress):
            ended.append(one)
            say(f"{len(ended):>{len(str(len(points)))}}/{len(points)}  {one.point.name}: {one.words}")
        return ended


def _in_turn(folder: Path, sweep: Sweep, points: Sequence[Point], progress: bool) -> Iterator[Ended]:
    with read_once():
        for point in points:
            yield (ended := carry_out(folder, sweep, point, progress))
            if ended.interrupted:
                return


def _side_by_side(folder: Path, points: Sequence[Point], jobs: int) -> Iterator[Ended]:
    """In processes that hear Ctrl-C as well: each saves its run, and no other is begun."""
    context = get_context("spawn")
    stop = context.Event()
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with interruptible() as stopping, ProcessPoolExecutor(jobs, context, _begin_process, (threads, stop)) as pool:
        with unheard():
            running = {pool.submit(_in_process, folder, point) for point in points}
        try:
            while running:
                done, running = wait(running, LOOK_EVERY, FIRST_COMPLETED)
                for one in done:
                    yield one.result()
                if stopping():
                    stop.set()
        except BrokenProcessPool:
            raise TrainError("a process of the sweep was killed", "if memory was short, use fewer --jobs") from None


_stop: Event | None = None


def _begin_process(threads: int, stop: Event) -> None:
    global _stop
    _stop = stop
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _in_process(folder: Path, point: Point) -> Ended:
    try:
        if not (_stop and _stop.is_set()):
            return carry_out(folder, read_sweep(folder), point, progress=False, say=_heard_late)
    except KeyboardInterrupt:
        pass
    return stopped(folder, point)


def _heard_late(line: str) -> None:
    """Ctrl-C came while this process could not hear it yet."""
    if _stop and _stop.is_set():
        signal.raise_signal(signal.SIGINT)


def stopped(folder: Path, point: Point) -> Ended:
    """By Ctrl-C where a run makes no steps: while it is prepared, or its pictures are drawn."""
    begun = (folder / point.name / record.CONFIG).is_file()
    return Ended(point, "interrupted" if begun else "not begun", interrupted=True)


def carry_out(folder: Path, sweep: Sweep, point: Point, progress: bool, say: Say = lambda line: None) -> Ended:
    """One run from wherever it is to its end, and how it ended in words."""
    out = folder / point.name
    try:
        result = record.read_result(out) if (out / record.CONFIG).is_file() else None
        if result and result.status in ("finished", "diverged"):
            return Ended(point, f"{in_words(result)}, already", failed=result.status != "finished")
        if (out / record.CONFIG).is_file():
            run = resume(out, progress=progress, say=say)
        else:
            shutil.rmtree(out, ignore_errors=True)  # killed before it had begun: nothing is lost
            network = sweep.network(point)
            how = sweep.extras._asdict() | sweep.how._asdict()
            run = train(
                network, data_dir=sweep.data_dir, out=out, device=sweep.device, progress=progress, say=say, **how
            )
    except KeyboardInterrupt:
        return stopped(folder, point)
    except (BadRun, DataError, FolderTaken, TrainError) as fault:
        if isinstance(fault, DataError) and not sweep.varies_data:  # it is the same for all of them
            raise
        return Ended(point, "failed: " + ": ".join((fault.message, *fault.notes)), failed=True)
    result = record.read_result(out)
    words = in_words(result) if result else run.status
    return Ended(point, words, run.status == "interrupted", run.status in ("diverged", "failed"))


def compared(folder: Path, ended: Sequence[Ended]) -> Comparison:
    """Of all runs that have begun, also of those that diverged. Raises `TrainError` where there is none."""
    begun = [each for one in ended if ((each := folder / one.point.name) / record.CONFIG).is_file()]
    if not begun:
        raise TrainError("no run of the sweep has begun", *dict.fromkeys(one.words for one in ended))
    return compare(begun)


def in_words(result: Result) -> str:
    if result.status != "finished" or not result.test:
        return f"{result.status}: {result.fault}"
    reading = "" if result.reading.verdict == "too short" else f", {result.reading.verdict}"
    return f"test accuracy {percent(result.test.accuracy)} after {counted(result.epochs, 'epoch')}{reading}"


# ----------------------------------------------------------------------------------------------------- in Python


def _texts(name: str, values: Sequence[object] | str) -> list[str]:
    """Values as texts of the language. Raises `UsageFault` for what is no list of them."""
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        return alternatives(name, written(values))
    return [written(value) for value in values]


def sweep(
    spec: str | PathLike[str],
    over: Mapping[str, Sequence[object] | str],
    *,
    seeds: int,
    model: str | None,
    set: Mapping[str, object] | None,
    input: object | None,
    data_dir: str | PathLike[str] | None,
    device: str | None,
    out: str | PathLike[str] | None,
    jobs: int,
) -> Comparison:
    """From the plan to the comparison of its runs. Where `out` holds the same sweep, it goes on with it; raises
    `FolderTaken` where it holds another."""
    planned = plan_sweep(
        os.fspath(spec),
        {name: _texts(name, values) for name, values in over.items()},
        seeds,
        model,
        {name: written(value) for name, value in (set or {}).items()},
        None if input is None else written(input),
        data_dir=data_dir,
        device=device,
    )
    folder = None if out is None else Path(out)
    if folder is None or not (folder / record.SWEEP).is_file():
        folder = open_sweep(planned, folder)
    elif read_sweep(folder) != planned:
        raise FolderTaken(f"{folder} holds another sweep", "name another folder")
    return compared(folder, run_sweep(folder, jobs=jobs))
