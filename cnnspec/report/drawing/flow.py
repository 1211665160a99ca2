"""A drawing as what Mermaid and DOT are given: nodes, edges, and groups around them."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.layers.base import Shape
from cnnspec.record import Record
from cnnspec.report.drawing import SIGNS, Box, Chain, Drawing, Element, Fork, Frame, told


class Vertex(Record):
    """`kind` is that of a box, `join`, or `input`."""

    name: str
    kind: str
    lines: tuple[str, ...]


class Edge(Record):
    """`label` is the shape that is carried, where it is another one than before; a side output is `dashed`."""

    start: str
    end: str
    label: str
    dashed: bool = False


class Cluster(Record):
    name: str
    title: str
    inside: tuple[Vertex | Cluster, ...]


class Flow(Record):
    """Edges stand behind all vertices."""

    title: str
    inside: tuple[Vertex | Cluster, ...]
    edges: tuple[Edge, ...]


class End(Record):
    """Where a chain has come to: a vertex, what comes out of it, and whether that was written already."""

    vertex: str
    shape: Shape
    told: bool = False
    aside: bool = False


def flow(drawing: Drawing) -> Flow:
    walk = _Walk()
    first = walk.vertex("input", ("input",))
    inside, _ = walk.chain(drawing.chain, End(first.name, drawing.input))
    return Flow(drawing.title, (first, *inside), tuple(walk.edges))


class _Walk:
    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self.count = 0

    def vertex(self, kind: str, lines: tuple[str, ...]) -> Vertex:
        self.count += 1
        return Vertex(f"n{self.count}", kind, lines)

    def edge(self, end: End, vertex: str) -> None:
        label = "" if end.told else end.shape.written
        self.edges.append(Edge(end.vertex, vertex, label, end.aside))

    def chain(self, chain: Chain, end: End) -> tuple[tuple[Vertex | Cluster, ...], End]:
        found: list[Vertex | Cluster] = []
        for element in chain:
            made, behind = self.element(element, end)
            found += made
            end = behind.replace(told=told(element) or (behind.shape == end.shape and not isinstance(element, Fork)))
        return tuple(found), end

    def element(self, element: Element, end: End) -> tuple[tuple[Vertex | Cluster, ...], End]:
        if isinstance(element, Fork):
            return self.fork(element, end)
        if isinstance(element, Frame):
            inside, behind = self.chain(element.inside, end)
            self.count += 1
            return (Cluster(f"g{self.count}", frame_title(element), inside),), behind
        vertex = self.vertex(element.kind, tuple(box_lines(element)))
        self.edge(end, vertex.name)
        return (vertex,), End(vertex.name, element.output)

    def fork(self, fork: Fork, end: End) -> tuple[tuple[Vertex | Cluster, ...], End]:
        if fork.aside:
            inside, _ = self.chain(fork.branches[0], end.replace(aside=True))
            return inside, end
        found: list[Vertex | Cluster] = []
        ends = []
        for branch in fork.branches:
            inside, behind = self.chain(branch, end)
            found += inside
            ends.append(behind)
        join = self.vertex("join", (SIGNS[fork.kind],))
        for each in ends:
            self.edge(each, join.name)
        return (*found, join), End(join.name, fork.output)


def box_lines(box: Box) -> Iterator[str]:
    lines = [*filter(None, (box.name, *box.lines))]
    yield from lines[:-1]
    yield f"{lines[-1] if lines else ''}{f' × {box.times}' if box.times > 1 else ''}"


def frame_title(frame: Frame) -> str:
    title = " ".join(filter(None, (frame.name, frame.text)))
    return f"{title} × {frame.times}".strip() if frame.times > 1 else title
