"""Where a step takes its samples from: the memory of the device, where all of them lie, or one block after another, or
those of one step, which a transform of the user's own has changed.

In any case a step picks them there by their places, so it knows no difference, and computes the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from cnnspec.data.parts import Data, Part
from cnnspec.training.transform import Own, changed

BLOCK = 64 << 20
"""Bytes of a block: many steps long, and copied in about a thousandth of a second."""

ONE_MORE = 2
"""The last step of an epoch may take one sample more, with its partner."""


class Samples(Protocol):
    """The samples within reach of a step, on the device: images or numbers, classes, random numbers for augmentation.

    The three tensors stay the same throughout a run, whatever they hold."""

    x: Tensor
    y: Tensor
    draws: Tensor

    def batches(self, pieces: Sequence[Tensor], draws: Tensor, epoch: int) -> Iterator[Tensor]:
        """For each piece (numbers of samples) its places in `x`, `y` and `draws`, while they are there.

        `draws` are the random numbers of the epoch, for all samples there are."""


def within_reach(data: Data, columns: int, batch: int, own: Own | None = None) -> Samples:
    """Of the training part: all of it where it lies on the device, else blocks."""
    device = data.mean.device
    if own:
        return OneByOne(data.train, columns, batch, device, own)
    if data.train.x.device == device:
        return Resident(data.train, columns)
    return Streamed(data.train, columns, batch, device)


class Resident:
    """All samples, at their own numbers."""

    def __init__(self, part: Part, columns: int) -> None:
        self.x, self.y = part.x, part.y
        self.draws = torch.zeros(len(part), columns, device=self.x.device)

    def batches(self, pieces: Sequence[Tensor], draws: Tensor, epoch: int) -> Iterator[Tensor]:
        self.draws.copy_(draws)
        together = joined(pieces).to(self.x.device)
        return iter(torch.split(together, [len(piece) for piece in pieces]))


class Block(NamedTuple):
    """Room for a block of samples."""

    x: Tensor
    y: Tensor
    draws: Tensor

    @staticmethod
    def empty(room: int, part: Part, columns: int, device: torch.device, pinned: bool = False) -> Block:
        kinds = ((part.x.shape[1:], part.x.dtype), ((), part.y.dtype), ((columns,), torch.float32))
        return Block(
            *(torch.zeros(room, *shape, dtype=dtype, device=device, pin_memory=pinned) for shape, dtype in kinds)
        )


class Streamed:
    """A block of samples at a time, in the order in which the steps take them.

    While the device works on one, a thread gathers the next in memory that the device reads by itself."""

    def __init__(self, part: Part, columns: int, batch: int, device: torch.device, block: int = BLOCK) -> None:
        self.part, self.device = part, device
        self.steps = max(1, block // (batch * part.x[0].nbytes))
        room = self.steps * batch + ONE_MORE
        self.x, self.y, self.draws = Block.empty(room, part, columns, device)
        self.places = torch.arange(room, device=device)
        pinned = device.type == "cuda"
        self.gathered = [Block.empty(room, part, columns, torch.device("cpu"), pinned) for _ in range(2)]
        self.sent: list[torch.cuda.Event | None] = [None, None]

    def batches(self, pieces: Sequence[Tensor], draws: Tensor, epoch: int) -> Iterator[Tensor]:
        blocks = [pieces[start : start + self.steps] for start in range(0, len(pieces), self.steps)] or [[]]
        with ThreadPoolExecutor(1, "gathering") as thread:
            gathering = thread.submit(self._gather, 0, blocks[0], draws)
            for number, block in enumerate(blocks):
                gathering.result()
                if number + 1 < len(blocks):
                    gathering = thread.submit(self._gather, (number + 1) % 2, blocks[number + 1], draws)
                sizes = [len(piece) for piece in block]
                self._send(number % 2, sum(sizes))
                yield from torch.split(self.places[: sum(sizes)], sizes)

    def _gather(self, slot: int, block: Sequence[Tensor], draws: Tensor) -> None:
        sent = self.sent[slot]
        if sent:
            sent.synchronize()
        numbers = joined(block)
        for whole, room in zip((self.part.x, self.part.y, draws), self.gathered[slot], strict=True):
            torch.index_select(whole, 0, numbers, out=room[: len(numbers)])

    def _send(self, slot: int, count: int) -> None:
        """In the device's own order: after the steps on the block before, ahead of those on this one."""
        for there, here in zip((self.x, self.y, self.draws), self.gathered[slot], strict=True):
            there[:count].copy_(here[:count], non_blocking=True)
        if self.device.type == "cuda":
            event = self.sent[slot] = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record(torch.cuda.current_stream(self.device))


class OneByOne:
    """The samples of a step at a time, changed one by one in processes beside this one, which work ahead."""

    def __init__(self, part: Part, columns: int, batch: int, device: torch.device, own: Own) -> None:
        self.part, self.own, self.device = part, own, device
        room = batch + ONE_MORE
        self.x, self.y, self.draws = Block.empty(room, part, columns, device)
        self.places = torch.arange(room, device=device)

    def batches(self, pieces: Sequence[Tensor], draws: Tensor, epoch: int) -> Iterator[Tensor]:
        arriving = changed(self.part, self.own, epoch, pieces, pinned=self.device.type == "cuda")
        for piece, x in zip(pieces, arriving, strict=True):
            here = (x, self.part.y[piece], draws[piece])
            for there, some in zip((self.x, self.y, self.draws), here, strict=True):
                there[: len(piece)].copy_(some, non_blocking=True)
            yield self.places[: len(piece)]


def joined(pieces: Sequence[Tensor]) -> Tensor:
    return torch.cat([torch.empty(0, dtype=torch.int64), *pieces])


def on_the_device(part: Part, pieces: Iterable[slice], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Pieces of a part, one after another."""
    for piece in pieces:
        yield part.x[piece].to(device, non_blocking=True), part.y[piece].to(device, non_blocking=True)
