"""One run through a network whose input has open sizes: what it went through, and where it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnspec.layers.axes import Sliding
from cnnspec.layers.base import Layer, Refused, Shape, TorchCall, Weights
from cnnspec.layers.shape import Flatten
from cnnspec.network.model import CombineNode, LayerNode
from cnnspec.network.trail import written
from cnnspec.record import Record
from cnnspec.sizes.number import Number
from cnnspec.sizes.sets import Box, Sizes
from cnnspec.sizes.steps import product_sign
from cnnspec.sizes.words import formula
from cnnspec.source import Span
from cnnspec.syntax import tree

AXES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
"""What the axes of a map are called where the spec gives them no names."""


class Visit(Record):
    """A layer that ran, what arrived, and what came out."""

    call: tree.Call
    layer: Layer
    input: Shape
    output: Shape


class Misfit(Exception):
    """The end of a run at a call that does not take what arrives. `refused` tells why, where a layer or combinator
    said so; `kind` is what it is about otherwise: a `claim`, a `prediction`, the `weights`, an `assertion`."""

    def __init__(self, span: Span, name: str, kind: str, refused: Refused | None = None) -> None:
        super().__init__(name)
        self.span, self.name, self.kind, self.refused = span, name, kind, refused


class Module(Record):
    """What PyTorch makes of a layer that ran."""

    path: str
    torch: TorchCall
    weights: Weights


class Fit(Record):
    """The end of a run that went through, with all that ran. `modules` are given where each run has its own layers."""

    output: Shape
    visits: tuple[Visit, ...]
    modules: tuple[Module, ...] = ()


class Refusal(Record):
    """The end of a run that did not, how many layers had run, and where it ended."""

    after: int
    span: Span
    name: str
    kind: str
    why: str


def call_of(node: LayerNode | CombineNode) -> tree.Call:
    op = node.step.op
    call = op.call if isinstance(op, tree.Combine) else op
    assert isinstance(call, tree.Call)
    return call


def is_open(shape: Shape) -> bool:
    """Whether some size of it depends on the open ones."""
    sizes: tuple[Any, ...] = shape.sizes
    return any(type(size) is Number for size in sizes)


def place(call: tree.Call) -> str:
    """`maxpool(2) on line 6`"""
    return f"{written(call)} on line {call.span.line}"


# --------------------------------------------------------------------------------------------------- what is lost


class Loss(Record):
    """Sizes of an axis for which the last values along it are seen by no window of a layer."""

    call: tree.Call
    axis: str
    sizes: Sizes


def losses(fit: Fit, box: Box) -> Iterator[Loss]:
    for visit in fit.visits:
        if isinstance(visit.layer, Sliding):
            for slide, out in zip(visit.layer.slides(visit.input), visit.output.spatial, strict=True):
                if slide.extent < slide.stride:
                    continue
                unseen = slide.size - 1 - ((out - 1) * slide.stride + slide.extent - 1 - slide.before)
                yield from _lost(visit.call, unseen, box)


def _lost(call: tree.Call, unseen: Any, box: Box) -> Iterator[Loss]:
    if type(unseen) is not Number or len(unseen.form.axes) != 1:
        return
    (axis,) = unseen.form.axes
    terms = [(count, [function for _, function in factors]) for count, factors in unseen.form.terms()]
    sizes = Sizes(product_sign(terms, ">")) & box[axis]
    if sizes:
        yield Loss(call, axis, sizes)


# ----------------------------------------------------------------------------------------------------- what it is


def flattened(visits: tuple[Visit, ...]) -> Iterator[tuple[Visit, Visit]]:
    """Each flatten of a map, with the first layer behind it that has weights for its features."""
    for at, visit in enumerate(visits):
        if isinstance(visit.layer, Flatten) and visit.input.rank:
            head = next((v for v in visits[at + 1 :] if v.layer.claims or v.output.sizes != visit.output.sizes), None)
            if head is not None and head.layer.claims:
                yield visit, head


def product_in(shape: Shape, box: Box) -> str:
    """`400 = 16 x 5 x 5`, where the sizes are numbers in a box; empty where they are not."""
    sizes = [in_box(size, box) for size in shape.sizes]
    if not all(type(size) is int for size in sizes):
        return ""
    total = 1
    for size in sizes:
        total *= size
    return f"{total} = {' x '.join(map(str, sizes))}"


def in_box(size: Any, box: Box) -> Any:
    """A number where it is one for all sizes of a box, a formula elsewhere."""
    if type(size) is not Number:
        return size
    text = formula(size.form, box)
    return int(text) if text.lstrip("-").isdigit() else text
