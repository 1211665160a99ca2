"""The receptive field: what one value sees of the network's input.

Along each axis, a window of kernel k, dilation d, stride s and padding p changes a field of span r, step j and offset o
by the recurrence

    r += (k - 1) * d * j        o -= p * j        j *= s

(Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019,
doi:10.23915/distill.00021). A transposed convolution is a convolution of stride 1 over an input that was spread out s
times (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285): there j is
divided by s first, and sizes and strides become fractions.

Where branches join, a value sees what it sees through any of them: from the first value to the last. That is the same
at every place only if a step in the map means the same in each branch; where it does not, and where one branch is
spread over the map of another, the field may be anything up to the whole input.

The mean and variance that norms take from a map, and the sums of softmax, do not count as seeing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnspec.analysis.steps import joins
from cnnspec.layers.base import Shape, Window
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, nodes
from cnnspec.record import Record

if TYPE_CHECKING:
    from fractions import Fraction


class Field(Record):
    """What a value sees, along each axis of the input. One step in the map moves the field by `stride`, a fraction
    behind layers that enlarge the map. `span` is the distance from the first to the last value that is seen, `offset`
    the place of the first one that the first value of the map sees: negative where that is padding.

    `whole` tells that all of the input is seen, or may be, where windows differ from place to place; the others are
    empty then, as they are for an input without axes.
    """

    span: tuple[int | Fraction, ...]
    stride: tuple[int | Fraction, ...]
    offset: tuple[int | Fraction, ...]
    whole: bool = False

    @property
    def size(self) -> tuple[int, ...]:
        """How many values are seen along each axis, at the most: more than there are where the field reaches into
        padding."""
        return tuple(int(span) + 1 for span in self.span)


WHOLE = Field((), (), (), whole=True)


def start(x: Shape) -> Field:
    """The field of an input: every value sees itself."""
    return Field((0,) * x.rank, (1,) * x.rank, (0,) * x.rank)


def through(field: Field, node: LayerNode) -> Field:
    """The field behind a layer, given the one before it."""
    if field.whole or node.layer.reach == "point":
        return field
    window = node.layer.window(node.input)
    return WHOLE if window is None else _slide(field, window)


def _slide(field: Field, window: Window) -> Field:
    spans, strides, offsets = [], [], []
    moved = zip(field.span, field.stride, field.offset, strict=True)
    for (span, step, offset), kernel, stride, dilation, padding in zip(
        moved, window.kernel, window.stride, window.dilation, window.padding, strict=True
    ):
        inner = _divided(step, stride) if window.upsamples else step
        wider = (kernel - 1) * dilation * inner
        spans.append(span + wider)
        strides.append(inner if window.upsamples else step * stride)
        offsets.append(offset + padding * inner - wider if window.upsamples else offset - padding * inner)
    return Field(tuple(spans), tuple(strides), tuple(offsets))


def _divided(step: int | Fraction, stride: int) -> int | Fraction:
    if step % stride == 0:
        return step // stride
    from fractions import Fraction

    return Fraction(step) / stride


def together(fields: Sequence[Field]) -> Field:
    """What is seen through any of several branches whose maps have the same sizes."""
    first = fields[0]
    if any(field.whole or field.stride != first.stride for field in fields):
        return WHOLE
    offsets = tuple(min(along) for along in zip(*(field.offset for field in fields), strict=True))
    ends = zip(*(map(sum, zip(field.offset, field.span, strict=True)) for field in fields), strict=True)
    spans = tuple(max(along) - offset for along, offset in zip(ends, offsets, strict=True))
    return Field(spans, first.stride, offsets)


# ------------------------------------------------------------------------------------------------------------ fold


class Fields(Record):
    """The fields of all outputs: `layers` are those of `network.layers`, `joins` those of the joins among its `steps`,
    each in the order they run."""

    layers: tuple[Field, ...]
    joins: tuple[Field, ...]


def fields(network: Network) -> Fields:
    found = _Found()
    found.behind(network.root.items, start(network.input))
    return Fields(tuple(found.layers), tuple(found.joins))


class _Found:
    def __init__(self) -> None:
        self.layers: list[Field] = []
        self.joins: list[Field] = []

    def behind(self, items: tuple[Item, ...], field: Field) -> Field:
        """The field behind steps that run one after another."""
        for node in nodes(items):
            if isinstance(node, LayerNode):
                field = through(field, node)
                self.layers.append(field)
            elif isinstance(node, GroupNode):
                field = self.behind(node.items, field)
            else:
                field = self.behind_branches(node, field)
        return field

    def behind_branches(self, node: CombineNode, field: Field) -> Field:
        ends = [self.behind(branch, field) for branch in node.branches]
        if not joins(node):
            return field if node.kind == "aux" else ends[0]
        shapes = [_output(branch, node.input) for branch in node.branches]
        if node.kind == "residual":
            ends, shapes = [*ends, field], [*shapes, node.input]
        spread = any(shape.spatial != node.output.spatial for shape in shapes)
        joined = WHOLE if spread else together(ends)
        self.joins.append(joined)
        return joined


def _output(branch: tuple[Item, ...], input: Shape) -> Shape:
    output = input
    for node in nodes(branch):
        output = node.output
    return output
