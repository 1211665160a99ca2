"""Every layer of the registry against torch: acceptance, shapes, weights and buffers, over seeded random calls.

A new layer is tested as soon as it is listed: arguments are drawn by the kinds of its fields. The meta device answers
first; where it disagrees with us, and for a sample of all calls, real tensors decide.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import made, read_case
from torch import nn

from cnnspec.layers import LAYERS
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.record import Record

CASES_WITH_WINDOW, CASES = 400, 80
REAL_EVERY = 8


def crops_more_than_all(layer: Any, x: Shape) -> bool:
    amounts = layer.amount if isinstance(layer.amount, tuple) else (layer.amount,) * 2 * x.rank
    before_after = zip(amounts[::2], amounts[1::2], reversed(x.spatial), strict=True)
    return any(max(0, -before) + max(0, -after) > size for before, after, size in before_after)


def halves(layer: Any, x: Shape) -> bool:
    """Whether a factor leads between two sizes."""
    factors = layer.factor if isinstance(layer.factor, tuple) else (layer.factor or 1,) * x.rank
    return any(
        abs(size * factor - round(size * factor)) > 1e-6 for size, factor in zip(x.spatial, factors, strict=False)
    )


def len_differs(value: Any, x: Shape) -> bool:
    return isinstance(value, tuple) and len(value) != x.rank


STRICTER: dict[str, Callable[[Any, Shape], bool]] = {
    "pixel_shuffle": lambda layer, x: x.rank in (1, 3),
    "pixel_unshuffle": lambda layer, x: x.rank in (1, 3),
    "unflatten": lambda layer, x: x.rank > 0,
    "conv": lambda layer, x: layer.padding_mode != "zeros" and len_differs(layer.padding, x),
    "upsample": lambda layer, x: halves(layer, x),
    "prelu": lambda layer, x: layer.count > 1 and x.channels_last,
    "rmsnorm": lambda layer, x: layer.over == "channels" and x.rank > 0 and not x.channels_last,
    "feature_alpha_dropout": lambda layer, x: x.rank == 0,
    "channels_last": lambda layer, x: x.rank == 0 or x.channels_last,
    "channels_first": lambda layer, x: not x.channels_last,
    "pad": lambda layer, x: x.rank > 0 and layer.mode == "circular" and crops_more_than_all(layer, x),
}
"""Where we refuse what torch accepts: it takes the batch for channels or other axes for a map, splits the channels
of a map, fills padding for axes that are not there, fills a map around of which nothing is left, rounds a size
down, or knows nothing of layouts."""

NEED_CHANNELS_FIRST = {
    "conv",
    "conv_transpose",
    "maxpool",
    "avgpool",
    "adaptive_avgpool",
    "adaptive_maxpool",
    "batchnorm",
    "instancenorm",
    "groupnorm",
    "local_response_norm",
    "channel_dropout",
    "feature_alpha_dropout",
    "lp_pool",
    "pad",
    "upsample",
    "channel_shuffle",
    "pixel_shuffle",
    "pixel_unshuffle",
}
"""Given HxWxC, their modules would take the rows for channels: we refuse."""


def annotations(layer: type[Layer]) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in reversed(layer.__mro__):
        if issubclass(base, Record):
            found |= base.__annotations__
    return {name: found[name] for name in layer.__fields__}


def per_axis(rng: random.Random, rank: int, number: Callable[[], Any]) -> Any:
    """One number, one per axis, or now and then a list that is too long or too short.

    Lists of one number are left out where there are more axes: torch repeats them, we refuse them.
    """
    if rng.random() < 0.6:
        return number()
    lengths = [rank] * 12 + [length for length in (rank - 1, rank + 1) if length > 1]
    return tuple(number() for _ in range(rng.choice(lengths))) or number()


def draw(rng: random.Random, layer: type[Layer], name: str, kind: str, x: Shape) -> Any:
    rank = max(x.rank, 1)
    small, least = (lambda: rng.choice([1, 1, 2, 3, 3, 4, 5])), (lambda: rng.choice([0, 0, 1, 1, 2, 3]))
    special = DRAWS.get((layer.word, name))
    if special:
        return special(rng, x)
    if kind.startswith("Literal["):
        return rng.choice(re.findall(r"'(\w+)'", kind))
    match kind.removesuffix(" | None"):
        case "Count":
            return rng.choice([1, 2, 3, 4, 6, 8, x.channels])
        case "Kernel":
            return per_axis(rng, rank, small)
        case "Amounts":
            return per_axis(rng, rank, least)
        case "Padding":
            return rng.choice(["same", "valid", *(per_axis(rng, rank, least) for _ in range(4))])
        case "Sizes":
            return per_axis(rng, rank, lambda: rng.choice([1, 2, 5, 7, None])) or 3
        case "Number" | "NonNegative":
            return rng.choice([0.0, 0.5, 1.0, 2.0])
        case "Positive" | "Probability":
            return rng.choice([0.001, 0.25, 1.0])
        case "bool":
            return rng.random() < 0.5
    raise AssertionError(f"no draw for {kind}")


def unflattened(rng: random.Random, x: Shape) -> tuple[int, ...]:
    first = rng.choice([1, 2, 3, x.channels])
    return (first, max(1, x.channels // first), rng.choice([1, 1, 1, 2]))


def sides(rng: random.Random, x: Shape) -> Any:
    amounts = [-2, -1, 0, 0, 1, 1, 2, 3, 5]
    return rng.choice(amounts) if rng.random() < 0.4 else tuple(rng.choice(amounts) for _ in range(2 * max(x.rank, 1)))


def over(rng: random.Random, x: Shape) -> str | None:
    return rng.choice(["last", "all", "channels", *([] if x.rank else [None])])


DRAWS: dict[tuple[str, str], Callable[[random.Random, Shape], Any]] = {
    ("unflatten", "shape"): unflattened,
    ("pad", "amount"): sides,
    ("pad", "value"): lambda rng, x: 0.0,
    ("layernorm", "over"): over,
    ("rmsnorm", "over"): over,
    ("upsample", "mode"): lambda rng, x: rng.choice(
        ["nearest", "linear", "bilinear", "trilinear", "bicubic", ["", "linear", "bilinear", "trilinear"][x.rank]]
    ),
    ("upsample", "factor"): lambda rng, x: rng.choice(
        [None, 2, 3, 0.5, 1.5, 1 / 3, 1.1, (2,) * max(x.rank, 1), (1, 2.5, 3)[: max(x.rank, 1)]]
    ),
    ("lp_pool", "norm_type"): lambda rng, x: rng.choice([0.5, 1.0, 2.0, 3.0]),
    ("upsample", "size"): lambda rng, x: rng.choice([None, None, 4, 7, (3,) * max(x.rank, 1)]),
    ("groupnorm", "groups"): lambda rng, x: rng.choice([1, 2, 3, x.channels]),
    ("pixel_shuffle", "factor"): lambda rng, x: rng.choice([1, 2, 2, 3]),
    ("pixel_unshuffle", "factor"): lambda rng, x: rng.choice([1, 2, 2, 3]),
    ("conv", "groups"): lambda rng, x: rng.choice([1, 1, 1, 2, 3, x.channels]),
    ("conv_transpose", "groups"): lambda rng, x: rng.choice([1, 1, 1, 2, 3, x.channels]),
}


RANKS = {"unflatten": [0, 0, 0, 1, 2, 3], "pixel_shuffle": [0, 1, 2, 2, 2, 3], "pixel_unshuffle": [0, 1, 2, 2, 2, 3]}


def draw_shape(rng: random.Random, ranks: list[int]) -> Shape:
    rank = rng.choice(ranks)
    sizes = [1, 1, 2, 3, 4, 5, 6, 7] if rank == 3 else [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13]
    shape = Shape((rng.choice([1, 2, 3, 4, 6, 8, 9, 12]), *(rng.choice(sizes) for _ in range(rank))))
    last = rank and rng.random() < 0.2
    return Shape((*shape.spatial, shape.channels), channels_last=True) if last else shape


def draw_case(rng: random.Random, layer: type[Layer]) -> tuple[Layer, Shape]:
    x = draw_shape(rng, RANKS.get(layer.word, [0, 1, 1, 2, 2, 2, 2, 3, 3, 3]))
    required = {name for name, p in layer.parameters().items() if repr(p.default) == "REQUIRED"}
    given = {
        name: draw(rng, layer, name, kind, x)
        for name, kind in annotations(layer).items()
        if name in required or name == "over" or rng.random() < 0.45
    }
    return layer(**given), x


def torch_answer(layer: Layer, x: Shape, device: str) -> tuple[tuple[int, ...], nn.Module] | None:
    """Shape and module, or None where torch refuses: in training with two samples, or in use with one."""
    try:
        call = layer.torch(x)
        with torch.device(device):
            module = made(call)
            module.eval()
            module(torch.zeros(1, *x.sizes))
            module.train()
            shape = tuple(module(torch.zeros(2, *x.sizes)).shape)
    except (RuntimeError, ValueError, AttributeError, TypeError, AssertionError, IndexError, NotImplementedError):
        return None
    return (shape[1:], module) if 0 not in shape else None


def our_answer(layer: Layer, x: Shape) -> tuple[int, ...] | None:
    try:
        return layer.output(x).sizes
    except Refused:
        return None


def check(layer: Layer, x: Shape, real: bool) -> bool:
    """Compares one call; returns whether it is accepted."""
    ours = our_answer(layer, x)
    guessed = layer.word in STRICTER and STRICTER[layer.word](layer, x)
    if guessed or (x.channels_last and layer.word in NEED_CHANNELS_FIRST):
        assert ours is None, f"{layer} on {x}: accepted, though torch would guess"
        return False
    theirs = torch_answer(layer, x, "meta")
    if real or ours != (theirs and theirs[0]):
        theirs = torch_answer(layer, x, "cpu")
    assert ours == (theirs and theirs[0]), f"{layer} on {x}: {ours}, torch {theirs and theirs[0]}"
    if theirs is None:
        return False
    weights, module = layer.weights(x), theirs[1]
    assert list(weights.parameters.items()) == [(n, tuple(p.shape)) for n, p in module.named_parameters()], (layer, x)
    assert list(weights.buffers.items()) == [(n, tuple(b.shape)) for n, b in module.named_buffers()], (layer, x)
    assert weights.count == sum(p.numel() for p in module.parameters())
    return True


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("word", LAYERS)
def test_agrees_with_torch(word: str, record_property: Callable[[str, object], None]) -> None:
    layer = LAYERS[word]
    rng = random.Random(zlib.crc32(word.encode()))
    count = CASES_WITH_WINDOW if layer.reach == "window" else CASES
    accepted = sum(check(*draw_case(rng, layer), real=index % REAL_EVERY == 0) for index in range(count))
    record_property("mix", f"{word:20} {accepted:4} accepted {count - accepted:4} refused")
    assert accepted >= count / 10
    assert layer.reach != "window" or count - accepted >= 20


@pytest.mark.parametrize("word", LAYERS)
def test_is_documented(word: str) -> None:
    layer = LAYERS[word]
    assert layer.word == word
    first_line = (layer.__doc__ or "").splitlines()[0]
    assert first_line.strip(), f"{word} says nothing"
    assert first_line != (layer.__mro__[1].__doc__ or "").splitlines()[0], f"{word} only repeats its base"
    assert layer.signature().startswith(word)


@pytest.mark.parametrize("word", LAYERS)
def test_example(word: str) -> None:
    layer, x = read_case(LAYERS[word].example)
    assert check(layer, x, real=True)


@pytest.mark.parametrize("word", LAYERS)
def test_says_what_a_window_is(word: str) -> None:
    """A window belongs to every layer that says it has one, with a number for each axis."""
    layer, x = read_case(LAYERS[word].example)
    window = layer.window(x)
    assert window is None or layer.reach == "window"
    if window:
        assert len(window.kernel) == len(window.stride) == len(window.padding) == len(window.dilation) == x.rank


def test_battery_notices_a_wrong_layer() -> None:
    """The battery can fail: a layer with one wrong sum is found."""

    class OffByOne(LAYERS["maxpool"]):  # type: ignore[misc, name-defined]
        def output(self, x: Shape) -> Shape:
            right = super().output(x)
            return Shape((*right.sizes[:-1], right.sizes[-1] + (right.sizes[-1] > 6)))

    rng = random.Random(0)
    cases = [draw_case(rng, OffByOne) for _ in range(200)]
    with pytest.raises(AssertionError, match="torch"):
        all(check(*case, real=False) or True for case in cases)
