"""A run as it is compared: read back from its folder, without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cnnspec.data.facts import DATASETS, SquareImages
from cnnspec.diagnostics import SpecError
from cnnspec.network import UsageFault
from cnnspec.network.model import Network
from cnnspec.training import record
from cnnspec.training.config import Config, Result
from cnnspec.training.differences import SEED, facts_of, wiring_of
from cnnspec.training.error import BadRun, TrainError
from cnnspec.training.history import Epoch, best_epoch

NEEDED = ("data", "epochs", "validation", SEED)

ENDED = {"interrupted": "was interrupted", "diverged": "diverged", "failed": "failed"}


@dataclass(frozen=True)
class ComparedRun:
    """A run read back from its folder. `result` is None where it did not end; `network` where its spec cannot be read
    any more, and `note` then says why."""

    name: str
    folder: Path
    config: Config
    facts: dict[str, str]
    history: tuple[Epoch, ...]
    result: Result | None
    network: Network | None
    note: str

    @property
    def seed(self) -> str:
        return self.config.train[SEED]

    @property
    def finished(self) -> bool:
        return self.result is not None and self.result.status == "finished"

    @property
    def best(self) -> Epoch | None:
        return best_epoch(self.history) if self.history else None

    @property
    def ended(self) -> str:
        """How, where it is not finished."""
        if self.finished:
            return ""
        return ENDED[self.result.status] if self.result else "has not ended: it is still running, or was killed"

    @cached_property
    def wiring(self) -> tuple[str, ...]:
        """What tells its network from others."""
        return wiring_of(self.network) if self.network else (self.config.spec,)

    @cached_property
    def data(self) -> str:
        """By which test samples are known to be the same: the images of a named data set, however wide their border."""
        name = self.config.data_name
        if issubclass(DATASETS.get(name, object), SquareImages):
            return name
        return self.config.samples.sums.get("test", self.config.train["data"])


def read_run(folder: Path, name: str) -> ComparedRun:
    """Raises `BadRun` where it is none, or damaged."""
    config = record.read_config(folder)
    unknown = [name for name in NEEDED if name not in config.train]
    if unknown:
        raise BadRun(f"{folder / record.CONFIG} is damaged", f"train holds no {unknown[0]}")
    history, result = _history(folder), record.read_result(folder)
    if result and result.epochs > len(history):
        raise BadRun(f"{folder / record.METRICS} is damaged", f"it holds {len(history)} of {result.epochs} epochs")
    network, note = _network(folder, config, name)
    return ComparedRun(name, folder, config, facts_of(config, _versions(folder)), history, result, network, note)


def _versions(folder: Path) -> Mapping[str, Any]:
    """None where they are damaged: what is told of them is worth less than the comparison."""
    try:
        return record.read_versions(folder)
    except (BadRun, ValidationError):
        return {}


def _history(folder: Path) -> tuple[Epoch, ...]:
    path = folder / record.METRICS
    if not path.exists():
        return ()
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadRun(f"{path} cannot be read: {error.strerror}") from None
    try:
        return tuple(map(TypeAdapter(Epoch).validate_json, lines))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRun(f"{path} is damaged", ".".join(map(str, (*first["loc"], first["msg"])))) from None


def _network(folder: Path, config: Config, name: str) -> tuple[Network | None, str]:
    """None, and the reason, where it is no longer the one that was trained."""
    try:
        source = record.read_spec(folder)
        if config.spec and config.spec != record.sum_of_spec(source):
            return None, f"{source.name} has changed since {name} was trained; its layers are not compared"
        return record.read_network(folder, config), ""
    except (SpecError, UsageFault, TrainError):
        return None, f"the spec of {name} cannot be read any more; its layers are not compared"
