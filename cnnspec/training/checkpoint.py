"""Checkpoints: all that a run needs to go on from where it was, in one file without code.

A file of safetensors: the tensors, and beside them one text of JSON with everything else and a check sum over the
tensors. There are two such files in turn, so that the newest good one stays until the next is complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zlib import crc32

import torch
from pydantic import ConfigDict, Field, JsonValue, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from cnnspec import __version__
from cnnspec.files import write
from cnnspec.training.config import Strict
from cnnspec.training.distributed import ALONE, Team
from cnnspec.training.error import BadRun
from cnnspec.training.history import Epoch, best_epoch
from cnnspec.training.state import State, weights_of

SLOTS = ("checkpoint-a.safetensors", "checkpoint-b.safetensors")
ABOUT = "cnnspec checkpoint"


class Numbers(Strict):
    """What a checkpoint holds beside its tensors."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    format: Literal[3] = 3
    cnnspec: str = __version__
    run: str
    """The check sum of the configuration that it belongs to."""
    device: str
    checkpoints: int = Field(ge=1)
    epoch: int = Field(ge=1)
    step: int = Field(ge=0)
    learning_rate: float
    seconds: float
    history: list[Epoch]
    rates: list[float]
    """Of the groups of the optimizer."""
    schedule: dict[str, JsonValue]
    sum: int
    """CRC-32 over the tensors."""


class Checkpoint(NamedTuple):
    path: Path
    numbers: Numbers
    tensors: dict[str, Tensor]


# ------------------------------------------------------------------------------------------------------- writing


def save_checkpoint(folder: Path, run: str, state: State, team: Team = ALONE) -> None:
    """Writes over the older of the two; the newest stays until this one is complete. Raises OSError.

    Of a team all call it together, and the first one writes."""
    own = dict(_own(state, team))
    if team.leads:
        _write(folder, run, state, dict(_tensors(state)) | own)
    state.checkpoints, state.saved = state.checkpoints + 1, len(state.history)


def _write(folder: Path, run: str, state: State, tensors: dict[str, Tensor]) -> None:
    number = state.checkpoints + 1
    numbers = Numbers(
        run=run,
        device=state.device.type,
        checkpoints=number,
        epoch=state.epoch,
        step=state.step,
        learning_rate=state.learning_rate,
        seconds=state.seconds,
        history=state.history,
        rates=[float(group["lr"]) for group in state.optimizer.param_groups],
        schedule=state.schedule.state_dict(),
        sum=_sum(tensors),
    )
    path = folder / SLOTS[number % 2]
    path.unlink(missing_ok=True)  # makes room for its successor where there is little
    write(path, save(tensors, {ABOUT: numbers.model_dump_json()}), sync=True)


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    """Everything in the memory of the host, by name. Right after the best epoch its weights are there already."""
    for name, tensor in weights_of(state.model).items():
        yield f"model.{name}", tensor.contiguous()
    for name, tensor in weights_of(state.mean).items() if state.mean else ():
        yield f"mean.{name}", tensor.contiguous()
    if not _is_best(state):
        for name, tensor in state.best.items():
            yield f"best.{name}", tensor.contiguous()
    for index, slots in state.optimizer.state_dict()["state"].items():
        for name, value in slots.items():
            if isinstance(value, Tensor):
                yield f"optimizer.{index}.{name}", value.cpu().contiguous()


def _own(state: State, team: Team) -> Iterator[tuple[str, Tensor]]:
    """What every process of a team has for itself, stacked by rank."""
    if state.step:
        yield "loss", team.together(state.loss)
        yield "hits", team.together(state.hits)
    yield "random.torch", team.together(torch.get_rng_state())
    if state.device.type == "cuda":
        yield "random.cuda", team.together(torch.cuda.get_rng_state(state.device))


def _is_best(state: State) -> bool:
    """Whether the weights to be kept are those of the best epoch."""
    return not state.step and bool(state.history) and best_epoch(state.history) is state.history[-1]


def _sum(tensors: dict[str, Tensor]) -> int:
    total = 0
    for name in sorted(tensors):
        total = crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, crc32(name.encode(), total))
    return total


def remove_checkpoints(folder: Path) -> None:
    for name in SLOTS:
        (folder / name).unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------------------- reading


def newest(folder: Path, run: str) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """The newest good checkpoint of the run, and what is wrong with the other; None where none was written yet.

    Raises `BadRun` where there are some and none is good."""
    good, faults = [], []
    for path in (folder / name for name in SLOTS):
        if path.exists():
            try:
                good.append(_read(path, run))
            except BadRun as fault:
                faults.append(str(fault).replace("\n", ": "))
    if faults and not good:
        again = "to begin again, train from its spec into another folder"
        raise BadRun(f"{folder} cannot go on: none of its checkpoints can be used", *faults, again)
    return max(good, key=lambda found: found.numbers.checkpoints, default=None), tuple(faults)


def _read(path: Path, run: str) -> Checkpoint:
    try:
        with safe_open(path, "pt") as file:
            about = (file.metadata() or {}).get(ABOUT)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise BadRun(f"{path.name} is cut short or damaged", str(error)) from None
    if about is None:
        raise BadRun(f"{path.name} is no checkpoint of cnnspec")
    try:
        numbers = Numbers.model_validate_json(about)
    except ValidationError as error:
        raise BadRun(f"{path.name} is not of format 3, or damaged", _first(error)) from None
    if numbers.sum != _sum(tensors):
        raise BadRun(f"{path.name} is damaged: its check sum is another")
    if numbers.run != run:
        raise BadRun(f"{path.name} belongs to another run, or config.json was changed")
    return Checkpoint(path, numbers, tensors)


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def restore(state: State, found: Checkpoint, team: Team = ALONE) -> None:
    """Brings a state from before the first step to where the checkpoint was; raises `BadRun` where it does not fit."""
    try:
        _restore(state, found.numbers, found.tensors)
        _restore_own(state, found.numbers, found.tensors, team)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise BadRun(f"{found.path.name} does not fit the network", str(error)) from None


def _restore(state: State, numbers: Numbers, tensors: dict[str, Tensor]) -> None:
    state.model.load_state_dict(_under("model.", tensors))
    if state.mean:
        state.mean.load_state_dict(_under("mean.", tensors))
    _restore_optimizer(state, numbers, _under("optimizer.", tensors))
    state.epoch, state.step, state.checkpoints = numbers.epoch, numbers.step, numbers.checkpoints
    state.learning_rate, state.seconds, state.history = numbers.learning_rate, numbers.seconds, list(numbers.history)
    state.saved = len(state.history)
    state.best = weights_of(state.kept) if _is_best(state) else _under("best.", tensors)
    if state.step:
        state.draw()


def _restore_own(state: State, numbers: Numbers, tensors: dict[str, Tensor], team: Team) -> None:
    """With another number of processes, the first takes the sums of all, and those that are new draw what they draw."""
    if state.step:
        state.finite.fill_(state.step)
        state.loss, state.hits = (_mine(tensors[name], team).to(state.device) for name in ("loss", "hits"))
    if team.rank < len(tensors["random.torch"]):
        torch.set_rng_state(tensors["random.torch"][team.rank].clone())  # it cannot read a part of a tensor
        if numbers.device == state.device.type == "cuda":  # another device draws other numbers anyway
            torch.cuda.set_rng_state(tensors["random.cuda"][team.rank].clone(), state.device)


def _mine(sums: Tensor, team: Team) -> Tensor:
    if len(sums) == team.size:
        return sums[team.rank].clone()
    return sums.sum() if team.leads else torch.zeros_like(sums[0])


def _restore_optimizer(state: State, numbers: Numbers, tensors: dict[str, Tensor]) -> None:
    """What an optimizer keeps for a weight lies in memory as the weight does: so it is added up in the same order."""
    optimizer = state.optimizer
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for name, tensor in tensors.items():
        index, _, slot = name.partition(".")
        weight = weights[int(index)]
        like = weight if slot != "step" and tensor.shape == weight.shape else tensor
        optimizer.state[weight][slot] = torch.empty_like(like, dtype=tensor.dtype).detach().copy_(tensor)
    for group, rate in zip(optimizer.param_groups, numbers.rates, strict=True):
        group["lr"] = rate
    schedule: dict[str, Any] = state.schedule.state_dict()
    if schedule.keys() != numbers.schedule.keys():
        raise ValueError("its schedule is another")
    state.schedule.load_state_dict(numbers.schedule)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
