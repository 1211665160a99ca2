"""What is left to chance in an epoch: the order of the samples, and the random numbers of their augmentation.

Both follow from the seed and the number of the epoch alone, and the random numbers of a sample from its place in the
data. So nothing of it need be saved, and it is the same on every device, with every size of step, and however many
processes share the samples.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import torch
from torch import Tensor


class Chance(NamedTuple):
    seed: int
    samples: int
    columns: int
    """How many random numbers a sample takes in an epoch."""

    def order(self, epoch: int) -> Tensor:
        """The numbers of the samples as they come in an epoch, [samples]."""
        return torch.randperm(self.samples, generator=self._generator("order", epoch))

    def draws(self, epoch: int) -> Tensor:
        """Random numbers from 0 to 1, [samples, columns]."""
        return torch.rand(self.samples, self.columns, generator=self._generator("draws", epoch))

    def _generator(self, what: str, epoch: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed_of(f"{what} {self.seed} {epoch}"))


def seed_of(text: str) -> int:
    """Neighbouring seeds give unrelated streams only once they are hashed."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "little", signed=True)
