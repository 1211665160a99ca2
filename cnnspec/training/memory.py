"""Memory that is too small, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cnnspec.analysis.training import training_memory
from cnnspec.data.parts import Data, Part
from cnnspec.network.model import Network
from cnnspec.recipe import Recipe
from cnnspec.report.summary_text import size
from cnnspec.training.error import TrainError

SIGNS = ("can't allocate memory", "not enough memory", "out of memory", "size calculation overflowed")
"""What PyTorch says of it where it has no exception of its own."""


@contextmanager
def enough_memory(device: torch.device, what: str, *notes: str) -> Iterator[None]:
    """Raises `TrainError` with these notes where the memory of the device is too small for what is done inside."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, RuntimeError) and not _is_about_memory(error):
            raise
        raise TrainError(f"the memory of {device} is too small for {what}", *notes) from None


def _is_about_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in SIGNS)


PARTS = ("test", "validation", "train")


def too_much_for(device: torch.device, data: Data, training: int) -> frozenset[str]:
    """The parts of the data that a GPU has no room for beside so many bytes for training."""
    if device.type != "cuda":
        return frozenset()
    left, kept = int(USABLE * torch.cuda.mem_get_info(device)[0]) - training, set()
    for name in PARTS:
        part: Part | None = getattr(data, name)
        if part and part.x.nbytes > left:
            kept.add(name)
        elif part:
            left -= part.x.nbytes
    return frozenset(kept)


USABLE = 0.9
"""Of the free memory: the rest goes into gaps between what is allocated."""


def still_to_come(network: Network, recipe: Recipe) -> int:
    """The bytes that training takes on a GPU at its peak, beside the weights, which are there."""
    found = training_memory(network, recipe)
    return found.peak - found.parameters - found.buffers


def weight_of(network: Network) -> str:
    """What a network takes whatever the batch, in a sentence."""
    weights = size(4 * network.parameters)
    return f"its {network.parameters:,} parameters take {weights}, and training takes two to four times that"
