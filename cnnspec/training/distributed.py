"""Several processes that train one network together, by torch.distributed. Each of them holds the whole data and the
whole network, and takes a share of every step.

A step means the same however many share it: the gradients of the shares, weighted by their samples, are added up to
that of the whole step. They are added after the backward pass, in one piece that is put together in the same order
every time, so that a run that is resumed gives the same bits, and layers may be frozen and thawed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from cnnspec.training.device import NoDevice, pick_device
from cnnspec.training.error import Lost
from cnnspec.training.pulse import Pulse, finish

WAIT = timedelta(minutes=30)
"""The longest that processes wait for one of them: while it downloads the data, or writes to a slow disk."""

LAUNCHED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Team:
    """The processes that train together, and which of them this one is. One alone is a team too, in which nothing is
    sent."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Which it is among those of its machine."""
    local_size: int = 1
    gradients: Any = None
    """The group in which gradients are added up, where it is not the usual one."""

    @property
    def leads(self) -> bool:
        """Whether it is the one that writes and speaks."""
        return self.rank == 0

    # --------------------------------------------------------------------------------------------------- shares

    def share(self, chosen: Tensor) -> tuple[Tensor, int]:
        """The samples of a step that this process takes, and how many of them count.

        No share is a single sample, because batchnorm cannot take the mean over one. Where there are too few for all,
        those left over compute with two samples that count for nothing."""
        if self.size == 1:
            return chosen, len(chosen)
        sharing = max(1, min(self.size, len(chosen) // 2))
        if self.rank >= sharing:
            return chosen[:2], 0
        mine = chosen.tensor_split(sharing)[self.rank]
        return mine, len(mine)

    def portion(self, batch: int) -> int:
        """How many of so many samples it takes at once."""
        return -(-batch // self.size)

    def pieces(self, samples: int, size: int) -> Iterator[slice]:
        """Of so many samples in a row those that this process measures, in pieces that hold `size` for all processes
        together."""
        end, step = samples * (self.rank + 1) // self.size, max(1, size // self.size)
        for start in range(samples * self.rank // self.size, end, step):
            yield slice(start, min(start + step, end))

    # ---------------------------------------------------------------------------------------------------- sums

    def add_gradients(self, model: nn.Module) -> None:
        """Makes of the gradients of a share, weighted as it is a part of the step, those of the whole step."""
        gradients = [each.grad for each in model.parameters() if each.grad is not None]
        if self.size == 1 or not gradients:
            return
        whole = torch.cat([gradient.reshape(-1) for gradient in gradients])
        with lost():
            if self.gradients:
                dist.all_reduce(whole, group=self.gradients)
            else:
                finish(dist.all_reduce(whole, async_op=True), _pulse)
        pieces = torch.split(whole, [gradient.numel() for gradient in gradients])
        for gradient, piece in zip(gradients, pieces, strict=True):
            gradient.copy_(piece.view(gradient.shape))

    def total(self, number: Tensor) -> Tensor:
        """The sum over all of them, the same in each."""
        if self.size == 1:
            return number
        found = number.cpu().clone()
        with lost():
            finish(dist.all_reduce(found, async_op=True), _pulse)
        return found

    def together(self, number: Tensor) -> Tensor:
        """The tensors of all of them, stacked by rank, in the memory of the host."""
        mine = number.detach().cpu()
        if self.size == 1:
            return mine[None]
        found = [torch.empty_like(mine) for _ in range(self.size)]
        with lost():
            finish(dist.all_gather(found, mine, async_op=True), _pulse)
        return torch.stack(found)

    # ------------------------------------------------------------------------------------------------- agreement

    def same(self, model: nn.Module) -> None:
        """Gives all of them the weights of the first, and what norms have measured there."""
        with lost(), torch.no_grad():
            for tensor in model.state_dict().values() if self.size > 1 else ():
                work = dist.broadcast(tensor, 0, group=self.gradients, async_op=True)
                finish(work, None if self.gradients else _pulse)

    def told(self, text: str) -> str:
        """What the first of them says."""
        if self.size == 1:
            return text
        data = torch.frombuffer(bytearray(text.encode() + b"\0"), dtype=torch.uint8)
        longest = int(self.together(torch.tensor(len(data))).max())
        found = self.together(torch.cat([data, data.new_zeros(longest - len(data))]))[0]
        return bytes(found.tolist()).rstrip(b"\0").decode()

    def tells(self, path: Callable[[], Path]) -> Path:
        """What the first of them finds out."""
        return Path(self.told(str(path()) if self.leads else ""))

    def wait(self) -> None:
        """Until all of them are here."""
        if self.size > 1:
            self.total(torch.zeros(1))

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """One of them does it before the others do, then one on each other machine: what it downloads is there then."""
        turn = 0 if self.leads else 1 if self.local_rank == 0 else 2
        for _ in range(turn):
            self.wait()
        yield
        for _ in range(2 - turn):
            self.wait()

    def speaks(self) -> bool:
        """Whether it is the first that has to tell of a fault: what ends one of them ends the others."""
        if self.size == 1:
            return True
        try:
            return bool(dist.distributed_c10d._get_default_store().add("cnnspec fault", 1) == 1)
        except RuntimeError:  # nobody can be asked any more
            return True

    # --------------------------------------------------------------------------------------------------- devices

    def device(self, name: str | None) -> torch.device:
        """Its own device. A GPU named with its number is shared by all on the machine; raises `NoDevice`."""
        if self.size == 1:
            return pick_device(name)
        place = pick_device(name) if name or torch.cuda.is_available() else torch.device("cpu")
        if place.type == "mps":
            raise NoDevice("several processes cannot share mps; cpu they can")
        if place.type != "cuda" or place.index is not None:
            return place
        if torch.cuda.device_count() < self.local_size:
            raise NoDevice(f"there are {self.local_size} processes here, and GPUs: {torch.cuda.device_count()}")
        return torch.device("cuda", self.local_rank)

    def on(self, device: torch.device) -> Team:
        """The same team, which adds up gradients as its devices do it best: by nccl where each has a GPU of its own."""
        if self.size == 1 or device.type != "cuda":
            return self
        torch.cuda.set_device(device)
        own = self.together(torch.tensor([self.local_size <= 1 or device.index == self.local_rank]))
        return replace(self, gradients=dist.new_group(backend="nccl", timeout=WAIT)) if own.all() else self


ALONE = Team()

_pulse: Pulse | None = None
"""Of the others, where this process has joined them by itself."""


class Wish:
    """What the processes want, agreed upon without waiting: the highest that one of them asked for a call ago."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.asked: tuple[Tensor, Any] | None = None

    def __call__(self, wish: int) -> int:
        if self.team.size == 1:
            return wish
        before, number = self.asked, torch.tensor([wish])
        with lost():
            self.asked = number, dist.all_reduce(number, dist.ReduceOp.MAX, async_op=True)
            if before is None:
                return 0
            finish(before[1], _pulse)
        return int(before[0])


@contextmanager
def lost() -> Iterator[None]:
    """Raises `Lost` where another process does not answer."""
    try:
        yield
    except RuntimeError as error:
        raise Lost("another of the processes that train together is lost", plain(str(error))) from None


def plain(text: str) -> str:
    """The first sentence, without the place in a source and what is guessed."""
    return re.sub(r"^\[\S+\] ", "", text.splitlines()[0]).partition(". ")[0]


def launched() -> bool:
    """Whether this process was started as one of several, by torchrun for instance."""
    return all(name in os.environ for name in LAUNCHED) and int(os.environ["WORLD_SIZE"]) > 1


def team() -> Team:
    """That of this process, which has joined the others or is alone."""
    if not dist.is_available() or not dist.is_initialized():
        return ALONE
    rank, size = dist.get_rank(), dist.get_world_size()
    local = int(os.environ.get("LOCAL_RANK", rank)), int(os.environ.get("LOCAL_WORLD_SIZE", size))
    return Team(rank, size, *local)


@contextmanager
def joined() -> Iterator[Team]:
    """The team of this process; joins the others first where it was started as one of several and has not yet."""
    if not launched() or dist.is_initialized():
        yield team()
        return
    global _pulse
    with lost():
        dist.init_process_group("gloo", timeout=WAIT)
        _pulse = Pulse(dist.get_rank(), dist.get_world_size())
    try:
        yield team()
    except BaseException:  # what is under way with one that is lost is never destroyed: that would wait for it
        _pulse.stop()
        raise
    with lost():
        team().wait()  # none leaves while the first still writes: to whoever started them it would look like a death
        _pulse.stop()
        dist.destroy_process_group()
