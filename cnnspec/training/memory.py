"""Memory that is too small, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cnnspec.network.model import Network
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


def weight_of(network: Network) -> str:
    """What a network takes whatever the batch, in a sentence."""
    weights = size(4 * network.parameters)
    return f"its {network.parameters:,} parameters take {weights}, and training takes two to four times that"
