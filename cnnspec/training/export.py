"""A network, or that of a run, as files for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from cnnspec import __version__
from cnnspec.building import build_module
from cnnspec.building.onnx_file import Check, NotExported, export_onnx
from cnnspec.building.tensors import as_bytes
from cnnspec.files import write
from cnnspec.network.model import Network
from cnnspec.training.config import Weights
from cnnspec.training.error import TrainError
from cnnspec.training.finished import open_run
from cnnspec.training.memory import enough_memory


@dataclass(frozen=True)
class Subject:
    """What is exported. `about` goes into the files; `origin` says in words where the weights are from."""

    network: Network
    model: nn.Module
    about: Mapping[str, str]
    origin: str


@dataclass(frozen=True)
class Exported:
    """A file that was written. `check` is None where there was nothing to check it with."""

    path: Path
    bytes: int
    check: Check | None = None


def of_run(folder: Path, weights: Weights) -> Subject:
    """Raises as `open_run` does."""
    run = open_run(folder, weights=weights, device="cpu")
    samples = run.config.samples
    about = _about(run.network) | {
        "classes": json.dumps(run.config.classes),
        "mean": json.dumps(samples.mean),
        "std": json.dumps(samples.std),
        "epoch": str(run.epoch),
    }
    return Subject(run.network, run.model, about, f"the {weights} weights of {folder}, of epoch {run.epoch}")


def fresh(network: Network, seed: int) -> Subject:
    """With weights drawn as PyTorch draws them after this seed."""
    torch.manual_seed(seed)
    with enough_memory(torch.device("cpu"), network.name):
        model = build_module(network)
    return Subject(network, model, _about(network) | {"seed": str(seed)}, f"fresh weights, drawn with seed {seed}")


def _about(network: Network) -> dict[str, str]:
    return {"model": network.name, "input": str(network.input), "cnnspec": __version__}


def to_onnx(subject: Subject, path: Path, *, batch: int | None = None, opset: int | None = None) -> Exported:
    """Raises `TrainError` where that does not work out, `MissingPackage` and OSError."""
    shape, about = subject.network.input, subject.about
    try:
        check = export_onnx(subject.model, shape, path, batch=batch, opset=opset, about=about)
    except NotExported as fault:
        raise TrainError(str(fault)) from fault
    return Exported(path, path.stat().st_size, check)


def to_safetensors(subject: Subject, path: Path) -> Exported:
    data = as_bytes(subject.model.state_dict(), subject.about)
    write(path, data)
    return Exported(path, len(data))
