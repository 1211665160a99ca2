"""The shape on its way through a model, and what is believed of it after a fault."""

from __future__ import annotations

from typing import Any

from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.linear import Linear
from cnnspec.layers.shape import Flatten
from cnnspec.network.model import Node
from cnnspec.source import Span

Steps = tuple[Any, Node] | None
"""What ran since the origin, the last first: (what ran before, a node). Branches share what ran before them."""


class Flow:
    """The shape that arrives at the next step.

    `shape` is None behind a layer that refused its input: nothing is said of shapes again until a layer or a
    prediction makes them known. `believed` is the shape the author had in mind, as a wrong prediction tells it: a
    claim that agrees with it follows from the same fault and stays silent.
    """

    __slots__ = ("axes", "believed", "origin", "shape", "span", "steps", "whole")

    def __init__(self, shape: Shape | None, span: Span, whole: bool = False) -> None:
        self.restart(shape, span)
        self.whole = whole
        """Whether it begins with the input of the model."""

    def restart(self, shape: Shape | None, span: Span) -> None:
        """Go on from the input, or from a shape that the text states at `span`."""
        self.shape, self.believed = shape, shape
        self.axes = shape.rank + 1 if shape else None
        self.steps: Steps = None
        self.origin, self.span, self.whole = shape, span, False

    def fork(self) -> Flow:
        """The beginning of a branch."""
        flow = Flow(self.shape, self.span, self.whole)
        flow.believed, flow.axes, flow.steps, flow.origin = self.believed, self.axes, self.steps, self.origin
        return flow

    def pass_through(self, node: Node) -> None:
        """On behind a node. What the author's shape becomes there is for others to say."""
        self.shape = node.output
        self.steps = (self.steps, node)
        self.axes = node.output.rank + 1

    @property
    def last(self) -> Node | None:
        """What gave the shape; None at the origin."""
        return self.steps[1] if self.steps else None

    def lose(self) -> None:
        """Nothing is known any more but the number of axes."""
        self.shape = self.believed = None

    def pass_unknown(self, layer: Layer, span: Span) -> None:
        """Behind a layer while the shape is unknown: flatten and linear make it known again."""
        if isinstance(layer, Flatten):
            self.axes = 1
        elif isinstance(layer, Linear) and self.axes == 1:
            self.restart(Shape((layer.out,)), span)

    def believe(self, layer: Layer) -> None:
        """Behind a layer that the author's shape passes too."""
        try:
            self.believed = layer.output(self.believed) if self.believed else None
        except Refused:
            self.believed = None
