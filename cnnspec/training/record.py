"""What a run leaves behind: one folder of files that anyone can read, none of which can execute code."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cnnspec import __version__
from cnnspec.building.tensors import as_bytes
from cnnspec.files import write
from cnnspec.network import load, read_source
from cnnspec.network.model import Network
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.training.config import Config, Result, Weights
from cnnspec.training.device import device_name
from cnnspec.training.error import BadRun, FolderTaken, TrainError
from cnnspec.training.history import Epoch, best_epoch
from cnnspec.training.state import State, weights_of

SPEC, CONFIG, VERSIONS, RESULT = "spec.cnn", "config.json", "versions.json", "result.json"
SWEEP = "sweep.json"
"""In the folder of a sweep."""
METRICS, METRICS_CSV, CONFUSION_CSV, RESUMED = "metrics.jsonl", "metrics.csv", "confusion.csv", "resumed.jsonl"

Parsed = TypeVar("Parsed", bound=BaseModel)


def new_folder(out: Path | None, model: str) -> Path:
    """Makes the folder of a run: `out`, which must be new or empty, or the next free `runs/<model>-<number>`."""
    if out is not None:
        require_free(out)
        out.mkdir(parents=True, exist_ok=True)
        return out
    number = 1
    while True:
        folder = Path("runs") / f"{model.lower()}-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder


def require_free(out: Path) -> None:
    """Raises `FolderTaken` where something would be overwritten."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise FolderTaken(f"{out} exists already, and a run never overwrites anything", "name another folder")


def open_folder(out: Path | None, network: Network, config: Config, device: torch.device) -> Path:
    """A new folder with what is known before the first step."""
    texts = {SPEC: network.source.text} | used_files(network.source)
    folder = new_folder(out, network.name)
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write(folder / path, text)
    write(folder / VERSIONS, json.dumps(versions(device), indent=2) + "\n")
    write_model(folder / CONFIG, config)  # the last one: with it the folder is that of a run
    return folder


def used_files(source: Source) -> dict[str, str]:
    """The text of every file that a spec uses, directly or not, by its path from the folder of the spec."""
    folder = Path(source.name).parent
    texts: dict[str, str] = {}
    left = [source]
    while left:
        for path in _uses(left.pop()):
            name = os.path.relpath(path, folder)
            if name == SPEC:
                raise TrainError(f"a run keeps its spec as {SPEC}, and the spec uses another file of that name")
            if name not in texts:
                left.append(read_source(path))
                texts[name] = left[-1].text
    return texts


def _uses(source: Source) -> list[str]:
    folder = Path(source.name).parent
    items = parse(source).file.items
    return [os.path.normpath(folder / item.path.text) for item in items if isinstance(item, tree.Use)]


def sum_of_spec(source: Source) -> str:
    """SHA-256 over a spec and the files it uses."""
    texts = {SPEC: source.text} | used_files(source)
    return sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()


def write_model(path: Path, model: BaseModel) -> None:
    write(path, model.model_dump_json(indent=2) + "\n")


def versions(device: torch.device) -> dict[str, str | int | None]:
    """What the figures of a run may depend on beside its configuration."""
    return {
        "cnnspec": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        **{name: _version(name) for name in ("torchvision", "numpy", "pillow", "scikit-learn", "safetensors")},
        "cuda": torch.version.cuda,
        "platform": platform.platform(),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def write_resumption(folder: Path, state: State) -> None:
    """One more line in the list of them."""
    facts = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "epoch": state.epoch, "step": state.step}
    before = _read(folder / RESUMED).decode() if (folder / RESUMED).exists() else ""
    write(folder / RESUMED, before + json.dumps(facts | versions(state.device)) + "\n")


def resumptions(folder: Path) -> int:
    return len(_read(folder / RESUMED).splitlines()) if (folder / RESUMED).exists() else 0


def write_epoch(folder: Path, config: Config, state: State) -> None:
    """What an epoch adds: its metrics, and its weights as the last ones, as the best ones too where they are."""
    epoch, best = state.history[-1].epoch, best_epoch(state.history).epoch
    write_history(folder, state.history)
    write_weights(folder, "last", weights_of(state.kept), config, epoch)
    if best == epoch:
        write_weights(folder, "best", state.best, config, epoch)


def write_history(folder: Path, history: Sequence[Epoch]) -> None:
    """The metrics so far, as JSON lines and as CSV."""
    write(folder / METRICS, "".join(json.dumps(asdict(epoch)) + "\n" for epoch in history))
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in history)
    write(folder / METRICS_CSV, table.getvalue())


def write_confusion(folder: Path, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
    """A row per true class, a column per class it was taken for."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["true class", *classes])
    writer.writerows([name, *row] for name, row in zip(classes, counts, strict=True))
    write(folder / CONFUSION_CSV, table.getvalue())


def write_weights(folder: Path, weights: Weights, tensors: dict[str, Tensor], config: Config, epoch: int) -> None:
    about = {
        "model": config.model,
        "input": config.input,
        "classes": json.dumps(config.classes),
        "epoch": str(epoch),
        "cnnspec": __version__,
    }
    write(weights_file(folder, weights), as_bytes(tensors, about))


def weights_file(folder: Path, weights: Weights) -> Path:
    return folder / f"{weights}.safetensors"


# ------------------------------------------------------------------------------------------------------- reading


def read_config(folder: Path) -> Config:
    """Raises `BadRun` where there is none, or none that can be used."""
    if not folder.is_dir():
        raise BadRun(f"there is no folder {folder}")
    if not (folder / CONFIG).is_file():
        many = (folder / SWEEP).is_file()
        notes = (f"it is a sweep, whose runs are the folders in it: cnnspec sweep --resume {folder} goes on with it",)
        raise BadRun(f"{folder} is not the folder of a run: it holds no {CONFIG}", *(notes if many else ()))
    return parsed(folder / CONFIG, Config)


def read_versions(folder: Path) -> dict[str, Any]:
    """What `versions` said when the run began; raises `BadRun` where the file is damaged."""
    try:
        return TypeAdapter(dict[str, Any]).validate_json(_read(folder / VERSIONS))
    except ValidationError as error:
        raise BadRun(f"{folder / VERSIONS} is damaged", error.errors()[0]["msg"]) from None


def read_result(folder: Path) -> Result | None:
    """None where the run did not get as far as that."""
    return parsed(folder / RESULT, Result) if (folder / RESULT).is_file() else None


def read_spec(folder: Path) -> Source:
    return Source(str(folder / SPEC), _read(folder / SPEC).decode(errors="replace"))


def read_network(folder: Path, config: Config, data: str | None = None) -> Network:
    """The network of a run; `data`, in the language, replaces the data set it was trained on."""
    settings = {f"train.{name}": value for name, value in config.train.items()} | ({"train.data": data} if data else {})
    set = {**config.arguments, **settings}
    return load(read_spec(folder), model=config.model, set=set, input=config.input, train=True)


def sum_of_config(folder: Path) -> str:
    """By which checkpoints know their run."""
    return sha256(_read(folder / CONFIG)).hexdigest()


def read_weights(folder: Path, weights: Weights) -> tuple[dict[str, Tensor], int]:
    """The tensors, and the epoch they come from; raises `BadRun` where they are missing or damaged."""
    path = weights_file(folder, weights)
    if not path.is_file():
        raise BadRun(f"{path} is missing", "a run that ended within its first epoch has no weights")
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, int(file.metadata()["epoch"])  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise BadRun(f"{path} is damaged, or no file of weights that cnnspec wrote", str(error)) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadRun(f"{path} is missing") from None
    except OSError as error:
        raise BadRun(f"{path} cannot be read: {error.strerror}") from None


def parsed(path: Path, kind: type[Parsed]) -> Parsed:
    """A file of JSON as `kind`; raises `BadRun` where it is missing or damaged."""
    try:
        return kind.model_validate_json(_read(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadRun(f"{path} is damaged", f"{where}: {first['msg']}" if where else first["msg"]) from None
