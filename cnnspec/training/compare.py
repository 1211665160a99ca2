"""Runs side by side: what came of each, in what they differ, and which are one with another seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from os import PathLike
from os.path import commonprefix
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from cnnspec.files import write
from cnnspec.training.compared import ComparedRun, read_run
from cnnspec.training.config import Config
from cnnspec.training.differences import SEED, changes, differing, facts_of, layers_of
from cnnspec.training.error import BadRun, TrainError
from cnnspec.words import together

MOST_NAMES = 5


@dataclass(frozen=True)
class Figure:
    """A measurement of one run, or the mean of several with their standard deviation; only finite numbers count."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return fmean(self.values)

    @property
    def spread(self) -> float | None:
        return stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Row:
    """One run, or several that differ only in the seed."""

    runs: tuple[ComparedRun, ...]

    @property
    def name(self) -> str:
        return _joint_name([run.name for run in self.runs])

    @property
    def facts(self) -> dict[str, str]:
        """Of all its runs, where these differ (in the seed, say) with commas between."""
        return {
            name: ", ".join(dict.fromkeys(run.facts.get(name, "-") for run in self.runs)) for name in self.runs[0].facts
        }

    def figure(self, of: Callable[[ComparedRun], float | None]) -> Figure | None:
        values = tuple(value for run in self.runs if (value := of(run)) is not None and isfinite(value))
        return Figure(values) if values else None

    @property
    def figures(self) -> dict[str, Figure | None]:
        """By the names they have in JSON."""
        return {name: self.figure(of) for name, of in FIGURES.items()}


def _joint_name(names: Sequence[str]) -> str:
    """`digits-1,2,3` for digits-1, digits-2 and digits-3."""
    if len(names) == 1:
        return names[0]
    start = commonprefix(names).rstrip("0123456789")  # noqa: RUF071  (names are cut between characters)
    ends = [name.removeprefix(start) for name in names]
    return start + ",".join(ends if len(ends) <= MOST_NAMES else [*ends[:2], "...", ends[-1]])


FIGURES: dict[str, Callable[[ComparedRun], float | None]] = {
    "epochs": lambda run: len(run.history),
    "best_epoch": lambda run: run.best.epoch if run.best else None,
    "validation_accuracy": lambda run: run.best.validation_accuracy if run.best else None,
    "validation_loss": lambda run: run.best.validation_loss if run.best else None,
    "test_accuracy": lambda run: run.result.test.accuracy if run.result and run.result.test else None,
    "test_loss": lambda run: run.result.test.loss if run.result and run.result.test else None,
    "training_seconds": lambda run: sum(epoch.seconds for epoch in run.history),
}


@dataclass(frozen=True)
class LayerChange:
    """What the networks of some rows have that another has not, in words."""

    rows: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side. `left_out` says which could not be compared and why."""

    rows: tuple[Row, ...]
    left_out: tuple[str, ...]

    @cached_property
    def runs(self) -> tuple[ComparedRun, ...]:
        return tuple(run for row in self.rows for run in row.runs)

    @cached_property
    def differences(self) -> dict[str, dict[str, list[str]]]:
        """By fact and value: the names of the rows that have it."""
        found = differing([row.facts for row in self.rows])
        return {name: self._by_value(values) for name, values in found.items()}

    def _by_value(self, values: Sequence[str]) -> dict[str, list[str]]:
        return {
            value: [row.name for row, its in zip(self.rows, values, strict=True) if its == value]
            for value in dict.fromkeys(values)
        }

    @cached_property
    def equal(self) -> dict[str, str]:
        """What is the same in all rows."""
        first = self.rows[0].facts
        return {name: value for name, value in first.items() if all(row.facts.get(name) == value for row in self.rows)}

    @cached_property
    def layers(self) -> tuple[LayerChange, ...]:
        """How the networks differ from that of the first row."""
        first = self.rows[0].runs[0]
        found: dict[tuple[str, ...], list[str]] = {}
        for row in self.rows[1:]:
            words = _layer_words(first, row.runs[0])
            if words:
                found.setdefault(words, []).append(row.name)
        return tuple(LayerChange(tuple(rows), words) for words, rows in found.items())

    @cached_property
    def different_data(self) -> str:
        """Said where test samples are not the same everywhere."""
        data: dict[str, list[str]] = {}
        for row in self.rows:
            data.setdefault(row.runs[0].data, []).append(row.name)
        if len(data) == 1:
            return ""
        apart = "; ".join(f"{together(names)} on {self._config(names[0]).data_name}" for names in data.values())
        return f"the runs were not measured on the same test samples: {apart}"

    def _config(self, name: str) -> Config:
        return next(row.runs[0].config for row in self.rows if row.name == name)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What should be known of single runs."""
        return (*self._ended, *(run.note for run in self.runs if run.note), *self._changed_data)

    @property
    def _ended(self) -> Iterator[str]:
        """Runs that diverged or failed in the same way are told of together."""
        alike: dict[str, list[str]] = {}
        for run in self.runs:
            if run.result and run.result.status in ("diverged", "failed"):
                alike.setdefault(f"{run.ended}{_fault(run)}", []).append(run.name)
            elif run.ended:
                yield f"{run.name} {run.ended}{_fault(run)}"
        for words, names in alike.items():
            yield f"{together(names)} {words}"

    @property
    def _changed_data(self) -> Iterator[str]:
        first: dict[object, ComparedRun] = {}
        for run in self.runs:
            train, sums = run.config.train, run.config.samples.sums
            other = first.setdefault((train["data"], train["validation"], run.seed, run.config.input), run)
            if sums and other.config.samples.sums.get("training", "") not in ("", sums["training"]):
                yield f"the training samples of {run.name} are not those of {other.name}: the data has changed between"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "rows": [_row_as_dict(row) for row in self.rows],
            "differences": self.differences,
            "layers": [{"rows": list(change.rows), "changes": list(change.words)} for change in self.layers],
            "equal": self.equal,
            "different_data": self.different_data,
            "notes": list(self.notes),
            "left_out": list(self.left_out),
        }

    def draw(self, path: str | PathLike[str]) -> None:
        """The curves over one another, as PNG. Raises `TrainError` where no run has finished an epoch."""
        from cnnspec.training.compare_curves import picture

        if not any(run.history for run in self.runs):
            raise TrainError("there is nothing to draw: none of these runs has finished an epoch")
        write(Path(path), picture(self.rows))


def _fault(run: ComparedRun) -> str:
    return f": {run.result.fault}" if run.result and run.result.fault else ""


def _row_as_dict(row: Row) -> dict[str, Any]:
    first = row.runs[0]
    return {
        "name": row.name,
        "runs": [
            {"name": run.name, "folder": str(run.folder), "seed": run.seed, "status": _status(run)} for run in row.runs
        ],
        "model": first.config.model,
        "parameters": first.config.parameters,
        "n": len(row.runs),
        **{
            name: {"mean": figure.mean, "spread": figure.spread, "values": list(figure.values)} if figure else None
            for name, figure in row.figures.items()
        },
        "readings": [run.result.reading.verdict if run.result else None for run in row.runs],
    }


def _status(run: ComparedRun) -> str:
    return run.result.status if run.result else "not ended"


def _layer_words(first: ComparedRun, other: ComparedRun) -> tuple[str, ...]:
    if not first.network or not other.network or first.wiring == other.wiring:
        return ()
    words = changes(layers_of(first.network), layers_of(other.network))
    return tuple(words) or ("the same layers, with other branches",)


# ------------------------------------------------------------------------------------------------------- reading


def compare(folders: Iterable[str | PathLike[str]] | str | PathLike[str]) -> Comparison:
    """Raises `BadRun` where none of the folders is that of a run; those that are not are left out."""
    folders = [folders] if isinstance(folders, str | PathLike) else folders
    paths = list(dict.fromkeys(Path(folder) for folder in folders))
    runs: list[ComparedRun] = []
    faults: list[BadRun] = []
    for path, name in zip(paths, _names(paths), strict=True):
        try:
            runs.append(read_run(path, name))
        except BadRun as fault:
            faults.append(fault)
    if not runs:
        raise faults[0] if faults else BadRun("there is no run to compare")
    return Comparison(tuple(_rows(runs)), tuple(_in_one_line(fault) for fault in faults))


def _in_one_line(fault: TrainError) -> str:
    return ": ".join((fault.message, *fault.notes))


def _names(paths: Sequence[Path]) -> list[str]:
    """The names of the folders where these are enough to tell them apart."""
    last = Counter(path.resolve().name for path in paths)
    return [path.resolve().name if last[path.resolve().name] == 1 else str(path) for path in paths]


# ------------------------------------------------------------------------------------------------------ grouping


def _rows(runs: Sequence[ComparedRun]) -> Iterator[Row]:
    """Finished runs that differ only in the seed are one row. A seed counts once: a second run with it says nothing of
    what seeds do."""
    gathered: dict[object, list[ComparedRun]] = {}
    seen: Counter[object] = Counter()
    for run in runs:
        kind = _kind(run)
        again = (kind, run.seed)
        gathered.setdefault((kind, seen[again]), []).append(run)
        seen[again] += 1
    return (Row(tuple(group)) for group in gathered.values())


def _kind(run: ComparedRun) -> object:
    """Equal for runs that differ only in the seed, and perhaps in versions."""
    if not run.finished:
        return run.folder
    facts = facts_of(run.config, {})
    return (tuple((name, value) for name, value in facts.items() if name != SEED), run.wiring, run.data)
