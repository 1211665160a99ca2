"""The receptive field: what one value sees of the network's input.

Along each axis, a window of kernel k, dilation d and stride s widens a field of size r and stride j by the recurrence

    r += (k - 1) * d * j        j *= s

(Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019,
doi:10.23915/distill.00021). A transposed convolution is a convolution of stride 1 over an input that was spread out s
times (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285): there j is
divided by s first, and sizes and strides become fractions.

The mean and variance that norms take from a map, and the sums of softmax, do not count as seeing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnspec.layers.base import Shape, Window
from cnnspec.network.model import LayerNode, Network
from cnnspec.record import Record

if TYPE_CHECKING:
    from fractions import Fraction


class Field(Record):
    """What a value sees, along each axis of the input. One step in the map moves the field by `stride`, a fraction
    behind layers that enlarge the map. `span` is the distance from the first to the last value that is seen.

    `whole` tells that all of the input is seen, or may be, where windows differ from place to place; `span` and
    `stride` are empty then, as they are for an input without axes.
    """

    span: tuple[int | Fraction, ...]
    stride: tuple[int | Fraction, ...]
    whole: bool = False

    @property
    def size(self) -> tuple[int, ...]:
        """How many values are seen along each axis, at the most: more than there are where the field reaches into
        padding."""
        return tuple(int(span) + 1 for span in self.span)


WHOLE = Field((), (), whole=True)


def start(x: Shape) -> Field:
    """The field of an input: every value sees itself."""
    return Field((0,) * x.rank, (1,) * x.rank)


def through(field: Field, node: LayerNode) -> Field:
    """The field behind a layer, given the one before it."""
    if field.whole or node.layer.reach == "point":
        return field
    window = node.layer.window(node.input)
    return WHOLE if window is None else _slide(field, window)


def _slide(field: Field, window: Window) -> Field:
    spans, strides = [], []
    axes = zip(field.span, field.stride, window.kernel, window.stride, window.dilation, strict=True)
    for span, step, kernel, stride, dilation in axes:
        inner = _divided(step, stride) if window.upsamples else step
        spans.append(span + (kernel - 1) * dilation * inner)
        strides.append(inner if window.upsamples else step * stride)
    return Field(tuple(spans), tuple(strides))


def _divided(step: int | Fraction, stride: int) -> int | Fraction:
    if step % stride == 0:
        return step // stride
    from fractions import Fraction

    return Fraction(step) / stride


def fields(network: Network) -> tuple[Field, ...]:
    """For each of `network.layers`, the field of its output."""
    field, found = start(network.input), []
    for node in network.layers:
        field = through(field, node)
        found.append(field)
    return tuple(found)
