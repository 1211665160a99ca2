"""How many threads of the processor share the work of a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cnnspec.analysis.macs import total_macs
from cnnspec.network.model import Network

WORTH_SHARING = 5_000_000
"""Multiply-accumulates of a step below which a second thread gains nothing, see benchmarks/threads.py. Where other
programs keep the processor busy, threads wait for one another many times longer than such a step takes."""


def work_of_a_step(network: Network, batch: int) -> int:
    """Multiply-accumulates: the gradients of weights and of activations each take as many as the network itself."""
    return 3 * batch * total_macs(network)


def too_small_to_share(network: Network, batch: int, device: torch.device) -> bool:
    return device.type == "cpu" and work_of_a_step(network, batch) < WORTH_SHARING


@contextmanager
def suitable_threads(network: Network, batch: int, device: torch.device) -> Iterator[None]:
    """Within it PyTorch works on one thread of the processor where steps are too small for more."""
    before = torch.get_num_threads()
    if too_small_to_share(network, batch, device):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
