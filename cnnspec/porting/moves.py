"""Functions that only move values about: which layers move them alike is found by moving numbers."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.resize import Pad
from cnnspec.layers.shape import (
    ChannelsFirst,
    ChannelShuffle,
    ChannelsLast,
    Flatten,
    PixelShuffle,
    PixelUnshuffle,
    Unflatten,
)
from cnnspec.porting.values import Op, Value, mapped

if TYPE_CHECKING:
    from cnnspec.porting.nodes import Node

MOVES = frozenset(("view", "reshape", "flatten", "unflatten", "permute", "transpose", "swapaxes", "movedim", "squeeze",
                   "unsqueeze", "contiguous", "clone", "chunk", "split", "split_with_sizes", "tensor_split", "unbind",
                   "select", "narrow", "getitem", "roll", "flip", "view_as", "reshape_as"))  # fmt: skip


class Move(NamedTuple):
    """A value made by moving those of a node: the steps, each with the number of the output it is given, and the number
    of the last one's output that is meant."""

    node: Node
    steps: tuple[tuple[Op, int], ...]
    number: int
    owner: str
    sizes: tuple[int, ...]


class Part(NamedTuple):
    """One of several equal shares of the channels."""

    number: int
    of: int


Steps = tuple["Layer | Part", ...]


def moved(move: Move) -> Steps | None:
    """The layers that move the values of a node in the same way; None where there are none."""
    x = move.node.shape
    numbers = torch.arange(2 * prod(x.sizes)).reshape(2, *x.sizes)
    result = numbers
    try:
        for op, index in move.steps:
            result = _replayed(op, result if isinstance(result, Tensor) else result[index])
    except RuntimeError:  # behind a placeholder there may be other sizes than in the original
        return None
    goal = result if isinstance(result, Tensor) else result[move.number]
    return next((steps for steps in ways(x, goal) if _equal(numbers, steps, x, goal)), None)


def _replayed(op: Op, given: Tensor) -> Any:
    assert op.function is not None
    args, kwargs = mapped((op.args, op.kwargs), lambda leaf: given if isinstance(leaf, Value) else leaf)
    return op.function(*args, **kwargs)


def ways(x: Shape, goal: Tensor) -> Iterator[Steps]:
    """What could make the goal out of what arrives, the simplest first."""
    sizes = tuple(goal.shape[1:])
    if len(goal.shape) < 2 or goal.shape[0] != 2:
        return
    yield ()
    yield (Flatten(),)
    yield (ChannelsLast(),)
    yield (ChannelsFirst(),)
    yield (Unflatten(sizes),)
    yield (Flatten(), Unflatten(sizes))
    yield (ChannelsFirst(), Flatten())
    for count in [n for n in range(2, 17) if x.channels % n == 0]:
        yield (ChannelShuffle(count),)
        if sizes == x.with_channels(x.channels // count).sizes:
            yield from ((Part(index, count),) for index in range(count))
    for factor in (2, 3, 4, 8):
        yield (PixelShuffle(factor),)
        yield (PixelUnshuffle(factor),)
    if len(sizes) == x.rank + 1 and sizes != x.sizes and not x.channels_last:
        yield from _crop(x, goal)


def _crop(x: Shape, goal: Tensor) -> Iterator[Steps]:
    """Where the first number comes from tells how much was cut off in front."""
    first, amounts = int(goal.flatten()[0]), []
    for size, new in zip(reversed(x.spatial), reversed(goal.shape[2:]), strict=True):
        first, before = divmod(first, size)
        amounts += [-before, -(size - new - before)]
    if max(amounts) <= 0:
        yield (Pad(amounts[0] if len(set(amounts)) == 1 else tuple(amounts)),)


def _equal(numbers: Tensor, steps: Steps, x: Shape, goal: Tensor) -> bool:
    try:
        for step in steps:
            if isinstance(step, Part):
                axis = x.channel_axis
                numbers, x = numbers.chunk(step.of, axis)[step.number], x
            else:
                shape = step.output(x)
                numbers, x = _run(step, x, numbers), shape
    except (Refused, RuntimeError, IndexError):
        return False
    return numbers.shape == goal.shape and bool((numbers == goal).all())


def _run(layer: Layer, x: Shape, numbers: Tensor) -> Tensor:
    from cnnspec.porting.inverse import class_of

    call = layer.torch(x)
    result: Tensor = class_of(call)(*call.args, **call.kwargs)(numbers)
    return result
