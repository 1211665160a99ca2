"""A user's own transform of training samples, which takes one at a time.

Nothing of it can be batched: it is called sample by sample, in processes beside the one that trains. What it draws from
the generators of Python, NumPy and PyTorch follows from the seed, the epoch and the sample alone.
"""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cnnspec.data.parts import Part
from cnnspec.data.pictures import reason
from cnnspec.layers.base import Shape
from cnnspec.training.chance import seed_of
from cnnspec.training.error import BadRun, TrainError
from cnnspec.words import counted

if TYPE_CHECKING:
    from cnnspec.training.config import Config
    from cnnspec.training.plan import Plan

Transform = Callable[[Tensor], Tensor]
"""Of a sample as it is stored: uint8 [C, H, W] for images, float32 [*shape] otherwise; it keeps type and shape."""

MOST_PROCESSES = 8
TRIED, TRYING = 32, 1.0
"""On how many samples it is timed, and for how many seconds at most."""


@dataclass(frozen=True)
class Own:
    """A transform in a run. `pace` is the seconds it takes for a sample, as measured on the first ones."""

    transform: Transform
    seed: int
    pace: float = 0.0

    @property
    def name(self) -> str:
        return name_of(self.transform)

    def changed(self, part: Part, number: int, epoch: int) -> Tensor:
        """A sample as it is in an epoch, the same whenever it is asked for; leaves the generators seeded anew.

        Raises `TrainError` where the transform fails, or returns anything but a tensor of that shape and type."""
        given = part.x[number]
        seed_generators(seed_of(f"transform {self.seed} {epoch} {number}"))
        try:
            with torch.no_grad():
                found = self.transform(given.clone())
        except Exception as error:
            message = f"the transform fails at training sample {number}: {type(error).__name__}: {reason(error)}"
            raise TrainError(message, f"it is {self.name}") from error
        require_alike(found, given, number, self.name)
        return found


def name_of(transform: object) -> str:
    """What Python prints of it, in one line and without places in memory."""
    text = " ".join(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(transform)).split())
    return text.replace("( ", "(").replace(" )", ")")


def seed_generators(seed: int) -> None:
    """Those of the processor, which draw for whoever brings none of its own."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)


@contextmanager
def chance_kept() -> Iterator[None]:
    """Afterwards the generators are where they were."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


def require_alike(found: object, given: Tensor, number: int, name: str) -> None:
    at, it = f"for training sample {number}", f"it is {name}"
    if not isinstance(found, Tensor):
        raise TrainError(f"the transform returns no tensor {at} but {type(found).__name__}", it)
    if found.shape != given.shape:
        shapes = [str(Shape(tuple(tensor.shape))) if tensor.dim() else "one number" for tensor in (found, given)]
        raise TrainError(f"the transform returns {shapes[0]} {at}, and was given {shapes[1]}", it)
    if found.dtype != given.dtype:
        types = [str(tensor.dtype).removeprefix("torch.") for tensor in (found, given)]
        scaled = "samples are scaled behind it: leave out what makes other numbers of them (ToDtype, Normalize)"
        raise TrainError(f"the transform returns {types[0]} {at}, and was given {types[1]}", it, scaled)


# ------------------------------------------------------------------------------------------------------ in a run


def with_transform(plan: Plan, transform: Transform | None) -> Plan:
    """A plan with a transform, which was tried; raises `TrainError` where it cannot be used."""
    if transform is None:
        return plan
    if not callable(transform):
        raise TrainError(f"a transform is called with a sample, and {name_of(transform)} cannot be called")
    if plan.team.size > 1:
        raise TrainError(f"{plan.team.size} processes train together, and a transform of your own takes one alone")
    own = Own(transform, plan.recipe.seed)
    own = replace(own, pace=measured(own, plan.data.train))
    return replace(plan, own=own, config=plan.config.model_copy(update={"transform": own.name}))


def measured(own: Own, part: Part) -> float:
    """Seconds for a sample, without the first, at which much may be made ready."""
    with chance_kept():
        own.changed(part, 0, 1)
        started, done = perf_counter(), 0
        while done < min(TRIED, len(part)) and perf_counter() - started < TRYING:
            own.changed(part, done, 1)
            done += 1
    return (perf_counter() - started) / done


def require_same_transform(folder: object, config: Config, transform: Transform | None) -> None:
    """To go on takes what the run began with."""
    name = "" if transform is None else name_of(transform)
    if name == config.transform:
        return
    if not config.transform:
        raise BadRun(f"{folder} began without a transform, and would go on with {name}", "go on without it")
    message = f"{folder} began with a transform, which no folder keeps: {config.transform}"
    if name:
        raise BadRun(f"{folder} began with another transform than {name}", f"it was {config.transform}")
    raise BadRun(message, f"go on in Python: {in_python(folder)}")


def in_python(folder: object) -> str:
    return f'cnnspec.resume("{folder}", transform=...)'


def about_own(plan: Plan) -> Iterator[str]:
    if plan.own is None:
        return
    beside, samples = processes(), len(plan.data.train)
    seconds = plan.own.pace * samples / max(1, beside)
    where = f"in {counted(beside, 'process')} beside training" if beside else "between the steps"
    yield f"transform {plan.own.name}"
    yield (
        f"          slower than augment, which takes a batch at once: {plan.own.pace * 1e3:.2g} ms for a sample, "
        f"{seconds:.1f} s for the {samples:,} of an epoch {where}"
    )


# ------------------------------------------------------------------------------------------------------ processes


class Changed(Dataset[Tensor]):
    """The samples of an epoch."""

    def __init__(self, part: Part, own: Own, epoch: int) -> None:
        self.part, self.own, self.epoch = part, own, epoch

    def __getitems__(self, numbers: Sequence[int]) -> Tensor | tuple[str, ...]:
        """Of these samples; the words of a `TrainError`, which would not come through whole."""
        found = torch.empty(len(numbers), *self.part.x.shape[1:], dtype=self.part.x.dtype)
        try:
            with chance_kept():
                for place, number in enumerate(numbers):
                    found[place] = self.own.changed(self.part, number, self.epoch)
        except TrainError as error:
            return error.message, *error.notes
        return found


def processes() -> int:
    """How many work beside the one that trains: none where a process cannot be doubled as it is."""
    return max(1, min(MOST_PROCESSES, len(os.sched_getaffinity(0)) - 1)) if sys.platform == "linux" else 0


def changed(part: Part, own: Own, epoch: int, pieces: Sequence[Tensor], pinned: bool) -> Iterator[Tensor]:
    """The samples of each piece, in order; raises `TrainError`."""
    beside = min(processes(), len(pieces))
    loader: DataLoader[Tensor] = DataLoader(
        Changed(part, own, epoch),
        batch_sampler=[piece.tolist() for piece in pieces],
        num_workers=beside,
        collate_fn=as_it_is,
        pin_memory=pinned,
        worker_init_fn=deaf if beside else None,
        multiprocessing_context="fork" if beside else None,
        generator=torch.Generator(),  # else it would draw from the one that dropout draws from
    )
    try:
        for found in loader:
            if not isinstance(found, Tensor):
                raise TrainError(*found)
            yield found
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise TrainError("a process that calls the transform has died", reason(error), f"it is {own.name}") from None


def as_it_is(found: Any) -> Any:
    return found


def deaf(process: int) -> None:
    """What asks a run to stop asks the one that trains alone; these end with it, however it ends: they hold what it
    held, the lock of its folder too."""
    import ctypes
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


DIE_WITH_PARENT = 1
"""Of Linux, PR_SET_PDEATHSIG."""
