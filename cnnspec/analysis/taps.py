"""Which values of its input a layer makes an output from, along each axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import gcd
from typing import Any, Literal

from cnnspec.layers.base import Layer, Shape, Window
from cnnspec.layers.conv import Conv
from cnnspec.layers.linear import Linear
from cnnspec.layers.pool import AdaptivePool
from cnnspec.layers.resize import Pad, Upsample
from cnnspec.record import Record

Edge = Literal["zeros", "reflect", "replicate", "circular"]


class Taps(Record):
    """The output at place `at` of the first period sees the places `sees[at]` of the input; a period further on,
    outputs see what lies `shift` places further. A `shift` of 0 means that all periods see the same.

    Places may lie outside the input, where `edge` tells what stands for them; of zeros nothing is seen."""

    sees: tuple[tuple[int, ...], ...]
    shift: int
    edge: Edge = "zeros"

    def at(self, place: int) -> Iterator[int]:
        """The places that an output sees, those outside included."""
        periods, phase = divmod(place, len(self.sees))
        return (seen + periods * self.shift for seen in self.sees[phase])


HERE = Taps(((0,),), 1)


def taps(layer: Layer, x: Shape) -> tuple[Taps, ...] | None:
    """For each axis of the map `x`; None where every output sees all of the input, or where there is no map."""
    if layer.reach == "point":
        return (HERE,) * x.rank
    for kind, special in SPECIAL.items():
        if isinstance(layer, kind):
            return special(layer, x)
    window = layer.window(x)
    if window is not None:
        return _of_window(window)
    if layer.reach == "window":
        raise TypeError(f"nothing tells what an output of {layer.word} sees")
    return None


def _of_window(window: Window, edge: Edge = "zeros") -> tuple[Taps, ...]:
    axes = zip(window.kernel, window.stride, window.padding, window.dilation, strict=True)
    if window.upsamples:
        return tuple(_spread(*axis) for axis in axes)
    return tuple(Taps((tuple(d * k - p for k in range(kernel)),), s, edge) for kernel, s, p, d in axes)


def _spread(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """Input i reaches the outputs i * stride - padding + dilation * k."""
    reached = ([at + padding - dilation * k for k in reversed(range(kernel))] for at in range(stride))
    return Taps(tuple(tuple(place // stride for place in each if place % stride == 0) for each in reached), 1)


def _conv(layer: Conv, x: Shape) -> tuple[Taps, ...]:
    return _of_window(layer.window(x), layer.padding_mode)


def _linear(layer: Linear, x: Shape) -> tuple[Taps, ...] | None:
    if x.channels_last or not x.rank:
        return (HERE,) * x.rank or None
    return (*(HERE,) * (x.rank - 1), _all(x.sizes[-1]))


def _all(size: int) -> Taps:
    return Taps((tuple(range(size)),), 0)


def _pad(layer: Pad, x: Shape) -> tuple[Taps, ...]:
    return tuple(Taps(((-before,),), 1, layer.mode) for before, _ in layer.sides(x))


def _adaptive(layer: AdaptivePool, x: Shape) -> tuple[Taps, ...]:
    return tuple(_parts(old, new) for old, new in zip(x.spatial, layer.sizes(x), strict=True))


def _parts(old: int, new: int) -> Taps:
    """Output i covers the inputs from floor(i * old / new) to ceil((i + 1) * old / new)."""
    period, shift = _reduced(new, old)
    sees = (range(at * old // new, -(-(at + 1) * old // new)) for at in range(period))
    return Taps(tuple(map(tuple, sees)), shift if new > 1 else 0)


def _reduced(new: int, old: int) -> tuple[int, int]:
    """The smallest numbers of outputs and of inputs after which the same comes again."""
    common = gcd(new, old) or 1
    return max(new // common, 1), old // common


def _upsample(layer: Upsample, x: Shape) -> tuple[Taps, ...]:
    sample = SAMPLES.get(layer.mode, _sample_two)
    axes = zip(x.spatial, layer.sizes(x), strict=True)
    if layer.align_corners:
        return tuple(_sampled(sample, new - 1, old - 1, 0) for old, new in axes)
    return tuple(_sampled(sample, new, old, int(layer.mode != "nearest")) for old, new in axes)


def _sampled(sample: Callable[[int, bool], tuple[int, ...]], new: int, old: int, centred: int) -> Taps:
    """Output i is read at the place i * old / new of the input, or between the centres of both:
    (i + 1/2) * old / new - 1/2."""
    if new == 0:
        return Taps((sample(0, False),), 0, "replicate")
    period, shift = _reduced(new, old)
    places = (divmod((2 * at + centred) * old - centred * new, 2 * new) for at in range(period))
    return Taps(tuple(sample(place, rest > 0) for place, rest in places), shift, "replicate")


def _sample_one(place: int, between: bool) -> tuple[int, ...]:
    return (place,)


def _sample_two(place: int, between: bool) -> tuple[int, ...]:
    return (place, place + 1) if between else (place,)


def _sample_four(place: int, between: bool) -> tuple[int, ...]:
    return (place - 1, place, place + 1, place + 2) if between else (place,)


SAMPLES: dict[str, Callable[[int, bool], tuple[int, ...]]] = {"nearest": _sample_one, "bicubic": _sample_four}

SPECIAL: dict[type[Layer], Callable[[Any, Shape], tuple[Taps, ...] | None]] = {
    Conv: _conv,
    Linear: _linear,
    Pad: _pad,
    AdaptivePool: _adaptive,
    Upsample: _upsample,
}
"""Layers of which the window does not tell all: what stands outside the map, or windows that differ."""


def folded(place: int, size: int, edge: Edge) -> int | None:
    """The place of the map that stands for one that may lie outside; None where nothing does."""
    if 0 <= place < size:
        return place
    if edge == "zeros":
        return None
    if edge == "circular":
        return place % size
    if edge == "replicate":
        return min(max(place, 0), size - 1)
    return -place if place < 0 else 2 * (size - 1) - place
