"""Where weights to start from come from: a run, a file, what torchvision publishes. Reading them executes nothing."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cnnspec.recipe import OfFile, OfRun, OfTorchvision, Origin
from cnnspec.training import record
from cnnspec.training.error import TrainError
from cnnspec.training.published import Published, by_file, by_name, fetched

PROMISE = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
"""How a name tells the beginning of the file's SHA-256, as `torch.hub` has it."""


@dataclass(frozen=True)
class Scale:
    """How the samples were scaled that weights have learned from: (x - mean) / std, one of each per channel. With
    `bytes` they were images, their bytes counted as 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    bytes: bool


@dataclass(frozen=True)
class Found:
    """Weights as they were found. `about` names them, `input` is the shape they were trained on, in words."""

    about: str
    path: Path
    sum: str
    """SHA-256 of the file."""
    tensors: dict[str, Tensor]
    scale: Scale | None = None
    input: str = ""
    prefix: str = ""
    """What the names in the file begin with, beside those of the network."""


def find(origin: Origin) -> Found:
    """Raises `TrainError` where there are none, or where they are not what they should be."""
    return FINDERS[type(origin)](origin)


def _of_run(origin: OfRun) -> Found:
    folder = Path(origin.path)
    config = record.read_config(folder)
    tensors, epoch = record.read_weights(folder, origin.which)
    path = record.weights_file(folder, origin.which)
    samples = config.samples
    scale = Scale(tuple(samples.mean), tuple(samples.std), samples.bytes)
    return Found(f"{folder}, its {origin.which} epoch ({epoch})", path, _sum(path), tensors, scale, config.input)


def _of_torchvision(origin: OfTorchvision) -> Found:
    published = by_name(origin.name)
    return _published(published, Path(origin.file) if origin.file else fetched(published))


def _of_file(origin: OfFile) -> Found:
    """One whose name is that of a file of torchvision is taken for it."""
    path = Path(origin.path)
    promised = path.suffix == ".pth" and PROMISE.search(path.name) and not origin.prefix
    known = by_file(path.name) if promised else None
    return _published(known, path) if known else _read(path, str(path), prefix=origin.prefix or "")


FINDERS: dict[type[Origin], Callable[[Any], Found]] = {
    OfRun: _of_run,
    OfFile: _of_file,
    OfTorchvision: _of_torchvision,
}


def _published(weights: Published, path: Path) -> Found:
    scale = Scale(weights.mean, weights.std, bytes=True)
    found = _read(path, f"{weights.name} of torchvision")
    return Found(found.about, path, found.sum, renamed(found.tensors), scale, f"3x{weights.size}x{weights.size}")


OLD_NAMES = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")
"""Names in the files of torchvision's DenseNets, which are older than its code."""


def renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Under the names that torchvision's networks have now."""
    return {OLD_NAMES.sub(r"\1\2", name): tensor for name, tensor in tensors.items()}


# --------------------------------------------------------------------------------------------------------- files


def _read(path: Path, about: str, prefix: str = "") -> Found:
    if path.is_dir():
        help = f'weights: run("{path}")' if (path / record.CONFIG).is_file() else "name the file itself"
        raise TrainError(f"{path} is a folder, not a file of weights", help)
    try:
        sum = _sum(path)
        _require_promise(path, sum)
        with path.open("rb") as file:
            start = file.read(2)
        return Found(about, path, sum, _pickled(path) if start in (b"PK", b"\x80\x02") else _safe(path), prefix=prefix)
    except FileNotFoundError:
        raise TrainError(f"there is no file of weights {path}") from None
    except OSError as error:
        raise TrainError(f"{path} cannot be read: {error.strerror or error}") from None


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _require_promise(path: Path, sum: str) -> None:
    promise = PROMISE.search(path.name)
    if promise and not sum.startswith(promise[1]):
        raise TrainError(
            f"{path} is not the file that its name says: its SHA-256 begins with {sum[: len(promise[1])]}, not with "
            f"{promise[1]}",
            "it is damaged or incomplete, or another file was given this name: move it away, and fetch it again",
        )


def _safe(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise TrainError(
            f"{path} is damaged, or no file of weights",
            f"as safetensors it cannot be read: {error}",
        ) from None


def _pickled(path: Path) -> dict[str, Tensor]:
    """A state_dict that torch.save wrote, by the loader that takes tensors and plain values alone."""
    damaged = f"{path} is damaged, or no file of weights"
    with path.open("rb") as file:
        if file.read(2) == b"PK" and not is_zipfile(path):
            raise TrainError(damaged, "it is cut short")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "truncated" in str(error):
            raise TrainError(damaged, "it is cut short") from None
        raise TrainError(
            f"{path} holds more than weights, and is not loaded: reading it could execute code",
            "save the weights alone, with code that you trust: torch.save(model.state_dict(), 'weights.pth')",
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError) as error:  # a damaged archive raises many things
        raise TrainError(damaged, str(error).split("\n")[0]) from None
    return _tensors(path, loaded)


def _tensors(path: Path, loaded: Any) -> dict[str, Tensor]:
    """The weights, which checkpoints keep beside other things."""
    candidates = [loaded, *loaded.values()] if isinstance(loaded, Mapping) else []
    found = [each for each in candidates if isinstance(each, Mapping) and each and all(map(_named, each.items()))]
    if len(found) != 1:
        what = f"{len(found)} collections of weights" if found else "no weights by name"
        keys = ", ".join(map(str, list(loaded)[:8])) if isinstance(loaded, Mapping) else type(loaded).__name__
        raise TrainError(
            f"{path} holds {what}",
            f"there is {keys or 'nothing'} in it",
            "save the weights alone: torch.save(model.state_dict(), 'weights.pth')",
        )
    return dict(found[0])


def _named(item: tuple[Any, Any]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Tensor)
