"""What feeds what: the layers and joins of a network, each with those before and behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from cnnspec.analysis.steps import PlacedJoin, Step, joins
from cnnspec.layers.base import Layer, Shape
from cnnspec.network.model import GroupNode, Item, LayerNode, Network, PlacedLayer, nodes
from cnnspec.source import Span

if TYPE_CHECKING:
    from cnnspec.analysis.field import Field

TRANSPARENT = frozenset(("identity", "dropout", "alpha_dropout", "channel_dropout", "stochastic_depth", "flatten"))
"""Layers that change no value but by leaving some out, or lay them out anew."""


class Vertex:
    """A layer or a join. `before` are those whose output it receives, `behind` those that receive its own; the input
    of the network is a vertex without a step. `summand` tells that it stands in a branch of a sum."""

    __slots__ = ("before", "behind", "step", "summand")

    def __init__(self, step: Step | None, before: tuple[Vertex, ...], summand: bool) -> None:
        self.step, self.before, self.summand = step, before, summand
        self.behind: list[Vertex] = []
        for vertex in before:
            vertex.behind.append(self)

    @property
    def layer(self) -> Layer | None:
        return self.step.layer if isinstance(self.step, PlacedLayer) else None

    @property
    def word(self) -> str:
        return self.layer.word if self.layer else ""

    @property
    def span(self) -> Span:
        assert self.step
        return self.step.node.span

    @property
    def place(self) -> tuple[str, int]:
        return place(self.span)

    @property
    def input(self) -> Shape:
        assert self.step
        return self.step.node.input

    @property
    def output(self) -> Shape:
        assert self.step
        return self.step.node.output

    def back(self) -> Vertex | None:
        """The vertex that made the values that arrive, transparent layers passed over; None where there is not one."""
        vertex = self
        while len(vertex.before) == 1:
            vertex = vertex.before[0]
            if vertex.step is None:
                return None
            if vertex.word not in TRANSPARENT:
                return vertex
        return None


def place(span: Span) -> tuple[str, int]:
    """What tells a place in the text from all others."""
    return span.source.name, span.start


class Graph:
    """A network as vertices, in the order they run. `end` is what gives its output."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.vertices: list[Vertex] = []
        self.start = Vertex(None, (), False)
        self.end = self._items(network.root.items, self.start, "", False, False)

    @property
    def layers(self) -> Iterator[Vertex]:
        return (vertex for vertex in self.vertices if vertex.layer)

    def once(self, vertex: Vertex) -> bool:
        """Whether the text of a layer stands for this layer alone."""
        return self.expanded[vertex.place] == 1

    @cached_property
    def expanded(self) -> Counter[tuple[str, int]]:
        """How many layers and joins each place in the text stands for."""
        return Counter(vertex.place for vertex in self.vertices)

    def field(self, vertex: Vertex) -> Field | None:
        """What a value behind a vertex sees of the input; None for the input itself."""
        return self._fields.get(vertex)

    @cached_property
    def _fields(self) -> dict[Vertex, Field]:
        from cnnspec.analysis.field import fields  # most networks are checked without

        found = fields(self.network)
        layers, joined = iter(found.layers), iter(found.joins)
        return {vertex: next(layers if vertex.layer else joined) for vertex in self.vertices}

    def _add(self, step: Step, before: tuple[Vertex, ...], summand: bool) -> Vertex:
        vertex = Vertex(step, before, summand)
        self.vertices.append(vertex)
        return vertex

    def _items(self, items: tuple[Item, ...], vertex: Vertex, prefix: str, side: bool, summand: bool) -> Vertex:
        for node in nodes(items):
            if isinstance(node, LayerNode):
                vertex = self._add(PlacedLayer(prefix + node.key, node, side), (vertex,), summand)
            elif isinstance(node, GroupNode):
                vertex = self._items(node.items, vertex, f"{prefix}{node.key}.", side, summand)
            else:
                inside = summand or node.kind in ("add", "residual")
                aux = node.kind == "aux"
                ends = [self._items(branch, vertex, prefix, side or aux, inside) for branch in node.branches]
                if joins(node):
                    ends += [vertex] if node.kind == "residual" else []
                    vertex = self._add(PlacedJoin(prefix.rstrip("."), node, side), tuple(ends), summand)
                elif not aux:
                    vertex = ends[0]
        return vertex
