"""The shape on its way through a model, and what is believed of it after a fault."""

from __future__ import annotations

from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.linear import Linear
from cnnspec.layers.shape import Flatten
from cnnspec.network.trail import Step, Trail
from cnnspec.source import Span


class Flow:
    """The shape that arrives at the next step.

    `shape` is None behind a layer that refused its input: nothing is said of shapes again until a layer or a
    prediction makes them known. `believed` is the shape the author had in mind, as a wrong prediction tells it: a
    claim that agrees with it follows from the same fault and stays silent.
    """

    def __init__(self, shape: Shape | None, span: Span) -> None:
        self.restart(shape, span)

    def restart(self, shape: Shape | None, span: Span) -> None:
        """Go on from the input, or from a shape that the text states at `span`."""
        self.shape, self.believed = shape, shape
        self.axes = shape.rank + 1 if shape else None
        self.steps: list[Step] = []
        self.origin, self.span = shape, span

    @property
    def trail(self) -> Trail:
        assert self.origin is not None
        return Trail(self.origin, self.span, tuple(self.steps))

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
        """Behind a layer: what the author's shape becomes."""
        try:
            self.believed = layer.output(self.believed) if self.believed else None
        except Refused:
            self.believed = None
