"""What the lines of a text come to: the shapes and counts of each use."""

from __future__ import annotations

from functools import cached_property

from cnnspec.layers.base import Shape
from cnnspec.network import Checked, Node
from cnnspec.record import Record
from cnnspec.report.summary import LayerSummary, summarize
from cnnspec.source import Source


class Use(Record):
    """One run of the steps that end on a line: the shape behind the last of them, and what all of them learn."""

    output: str
    parameters: int


class Uses:
    """`placed` are the nodes of this text, in the order they run."""

    def __init__(self, checked: Checked, source: Source) -> None:
        self.checked, self.source = checked, source
        self.placed = [node for node in checked.placed if node.span.source.name == source.name]

    def of_step(self, start: int) -> list[Node]:
        """What the step whose layer, block or braces begin at an offset came to, each shape once."""
        found: dict[tuple[Shape, Shape, int], Node] = {}
        for node in self.placed:
            if node.span.start == start:
                found.setdefault((node.input, node.output, node.parameters), node)
        return list(found.values())

    @cached_property
    def lines(self) -> dict[int, list[Use]]:
        """By line, counted from 1; equal uses once."""
        runs: dict[int, list[list[Node]]] = {}
        for node in self.placed:
            of_line = runs.setdefault(self.source.position(node.span.end)[0], [[]])
            before = [each for each in of_line[-1] if not _contains(node, each)]
            if all(each.span.end <= node.span.start for each in before):
                of_line[-1] = [*before, node]
            else:
                of_line.append([node])
        return {line: _uses(of_line) for line, of_line in runs.items()}

    @cached_property
    def measured(self) -> dict[int, list[LayerSummary]]:
        """Layers of models without errors, with what they cost and see, by where they begin."""
        found: dict[int, list[LayerSummary]] = {}
        for network in self.checked.networks:
            for layer in summarize(network).layers:
                if layer.placed.span.source.name == self.source.name:
                    found.setdefault(layer.placed.span.start, []).append(layer)
        return found


def _contains(outer: Node, inner: Node) -> bool:
    """Whether what one stands for has been counted with the other: the braces around it."""
    start, end = outer.span.start, outer.span.end
    return start <= inner.span.start and inner.span.end <= end and (inner.span.start, inner.span.end) != (start, end)


def _uses(runs: list[list[Node]]) -> list[Use]:
    uses = (Use(str(run[-1].output), sum(node.parameters for node in run)) for run in runs if run)
    return list(dict.fromkeys(uses))
