"""Where the numbers are kept and worked on."""

from __future__ import annotations

import torch
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


def suit(optimizer: Optimizer, device: torch.device) -> None:
    """On a GPU an optimizer updates all weights at once, keeps its counters there and reads its rates there."""
    if device.type != "cuda":
        return
    for group in optimizer.param_groups:
        group.update({name: value for name, value in ON_CUDA.items() if name in group})


ON_CUDA = {"fused": True, "foreach": False, "capturable": True}
