"""Where the numbers are kept and worked on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.utils.deterministic
from torch.optim import Optimizer

ORDER = ("cuda", "mps", "cpu")


class NoDevice(ValueError):
    """A device that does not exist, or not here."""


def available() -> tuple[str, ...]:
    """The kinds of device of this machine, in the order they are preferred."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(kind for kind in ORDER if present[kind])


def pick_device(name: str | None = None) -> torch.device:
    """The device of that name (`cuda:1`, `cpu`), or the best there is; raises `NoDevice`."""
    here = available()
    if name is None:
        return torch.device(here[0])
    try:
        device = torch.device(name)
    except RuntimeError:
        raise NoDevice(f"{name!r} is not a device; here there is {' and '.join(here)}") from None
    if device.type not in here:
        raise NoDevice(f"there is no {device.type} here, only {' and '.join(here)}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise NoDevice(f"there is no {name} here; the last is cuda:{torch.cuda.device_count() - 1}")
    return device


def device_name(device: torch.device) -> str:
    """With the model of the GPU where there is one."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


@contextmanager
def working(device: torch.device, deterministic: bool) -> Iterator[None]:
    """PyTorch's settings while a run works on a device; `deterministic` is what `--deterministic` asks for.

    A GPU adds some sums up in the order in which threads happen to end, and takes the algorithm for a convolution that
    was fastest when it tried them: both may differ from run to run. The processor does neither."""
    if device.type != "cuda":
        yield
        return
    cudnn: Any = torch.backends.cudnn
    fill: Any = torch.utils.deterministic
    before = (cudnn.benchmark, torch.are_deterministic_algorithms_enabled(), fill.fill_uninitialized_memory)
    cudnn.benchmark = not deterministic
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when a process first multiplies matrices
        torch.use_deterministic_algorithms(True)
        fill.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[1])
        cudnn.benchmark, fill.fill_uninitialized_memory = before[0], before[2]


def suit(optimizer: Optimizer, device: torch.device) -> None:
    """On a GPU an optimizer updates all weights at once, keeps its counters there and reads its rates there."""
    if device.type != "cuda":
        return
    for group in optimizer.param_groups:
        group.update({name: value for name, value in ON_CUDA.items() if name in group})


ON_CUDA = {"fused": True, "foreach": False, "capturable": True}
