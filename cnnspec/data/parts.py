"""Data in memory, as tensors: the parts of a data set, how they are split and what is measured on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cnnspec.data.error import DataError
from cnnspec.data.room import room
from cnnspec.layers.base import Shape


@dataclass(frozen=True)
class Part:
    """Samples and their classes. `x` is uint8 [N, C, H, W] for images, float32 [N, *shape] otherwise; `y` is int64
    [N]."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def pick(self, indices: Tensor) -> Part:
        """Copies of these samples; in a file where there is no memory for them."""
        return Part(_picked(self.x, indices), self.y[indices])


def _picked(x: Tensor, indices: Tensor) -> Tensor:
    sizes, dtype = (len(indices), *x.shape[1:]), x[:0].numpy().dtype
    found = torch.from_numpy(room(sizes, dtype, f"{len(indices):,} samples"))
    return torch.index_select(x, 0, indices, out=found)


@dataclass(frozen=True)
class Data:
    """A data set, ready for training. `mean` and `std` are those of the training part, one per channel (per feature
    for vectors), with bytes counted as 0 to 1. `messages` say what was done to the samples on the way."""

    train: Part
    validation: Part | None
    test: Part
    classes: tuple[str, ...]
    mean: Tensor
    std: Tensor
    messages: tuple[str, ...] = ()


SPEC_FOLDER = "the folder of the spec"


@dataclass(frozen=True)
class Request:
    """What a reader needs to know: the shape of the input, the folder relative paths start at (and what it is, in
    words), and the folder where downloaded data sets live."""

    shape: Shape
    root: Path
    data_dir: Path
    start: str = SPEC_FOLDER

    def file(self, path: str) -> Path:
        """The whole path of a file; raises `DataError` where there is none."""
        whole = self.root / path
        if whole.is_dir():
            raise DataError(f"{whole} is a folder, not a file")
        if not whole.is_file():
            raise DataError(f"there is no file {whole}", self.where(path))
        return whole

    def where(self, path: str) -> tuple[str, ...]:
        """Where a path was looked for that is not a whole one."""
        if path.startswith("~"):
            return ("~ stands for no folder here: write the whole path",)
        return () if Path(path).is_absolute() else (f"a relative path starts at {self.start}",)


@dataclass(frozen=True)
class Raw:
    """What a reader returns. Without `test`, a part of `train` is kept for it; `mean` and `std` are measured where
    they are not given."""

    train: Part
    test: Part | None
    classes: tuple[str, ...]
    validation: Part | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    messages: tuple[str, ...] = ()


def split(part: Part, share: float, seed: int) -> tuple[Part, Part]:
    """`part` without a `share` of it, and that share: at random, but of every class alike (to within one sample).

    No class is held back whole: a class of one sample stays in what remains. The same seed gives the same split on
    every platform. Both keep the order of the samples.
    """
    total = len(part)
    count = round(total * share)
    too_few = DataError(f"{total:,} samples are too few to hold back {100 * share:g}% of them")
    if not 0 < count < total:
        raise too_few
    shuffled = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    by_class = shuffled[part.y[shuffled].argsort(stable=True)]
    place = torch.arange(total)
    held = torch.zeros(total, dtype=torch.bool)
    held[by_class] = (place + 1) * count // total > place * count // total
    for label in part.y.bincount().nonzero():
        of_class = by_class[part.y[by_class] == label]
        if held[of_class].all():
            held[of_class[0]] = False
    if not held.any():
        raise too_few
    return part.pick((~held).nonzero().flatten()), part.pick(held.nonzero().flatten())


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel (axis 1), bytes counted as 0 to 1. A channel that never varies has
    a deviation of 1, so that dividing by it is harmless."""
    mean, std = _of_bytes(x) if x.dtype == torch.uint8 else _of_floats(x)
    return mean.float(), torch.where(std > 1e-8, std, 1.0).float()


def _of_bytes(x: Tensor) -> tuple[Tensor, Tensor]:
    pieces = torch.split(x, max(1, PIECE // x[0].numel()))
    counts = torch.stack([_levels(piece) for piece in pieces]).sum(0).double()
    values = torch.arange(256, dtype=torch.float64) / 255
    weights = counts / counts.sum(1, keepdim=True)
    mean = weights @ values
    return mean, (weights @ values.square() - mean.square()).clamp_min(0).sqrt()


PIECE = 1 << 22
"""How many bytes are counted at once: to be counted each is made eight."""


def _levels(x: Tensor) -> Tensor:
    """How often each byte occurs, [channels, 256]."""
    return torch.stack([x[:, channel].flatten().bincount(minlength=256) for channel in range(x.shape[1])])


def _of_floats(x: Tensor) -> tuple[Tensor, Tensor]:
    axes = [axis for axis in range(x.dim()) if axis != 1]
    std, mean = torch.std_mean(x.double(), axes, correction=0)
    return mean, std
