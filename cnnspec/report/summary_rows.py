"""What the rows of a summary are: the tree of a network, with its repetitions gathered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from cnnspec.analysis.steps import joins
from cnnspec.layers.base import Shape
from cnnspec.network.model import BlockUse, CombineNode, GroupNode, Item, LayerNode, Node, nodes
from cnnspec.network.values import canonical
from cnnspec.record import Record
from cnnspec.report.summary import JoinSummary, LayerSummary, Summary


class Row(Record):
    """The row of a layer, a combinator or a group, or of `more` groups like the one before them, of which `node` is the
    last. One without a node is a branch that passes its input on.

    `name` is indented as deep as it stands. `measured` is None where a row sums up what is inside, and where nothing
    is computed (`aux`)."""

    name: str
    node: Node | None
    measured: LayerSummary | JoinSummary | None = None
    parameters: int = 0
    macs: int = 0
    more: int = 0


def rows(summary: Summary) -> list[Row]:
    """Layers and groups below the model, in the order they are written."""
    return _Walk(summary).body(summary.network.root.items, "")


def plain_rows(summary: Summary) -> list[Row]:
    """Layers and joins in the order they run, with their whole names; joins with that of their module."""
    return [_plain(step) for step in summary.steps]


def _plain(step: LayerSummary | JoinSummary) -> Row:
    name = f"`{step.placed.path}`" if step.placed.path else ""
    if isinstance(step, LayerSummary):
        return Row(name, step.placed.node, step, step.counts.parameters, step.macs)
    return Row(name, step.placed.node, step)


class _Walk:
    """Goes through the tree in the order in which `layers` and `joins` are listed."""

    def __init__(self, summary: Summary) -> None:
        self.layers, self.joins = summary.layers, iter(summary.joins)
        self.macs = [0, *accumulate(layer.macs for layer in self.layers)]
        self.at = 0

    def body(self, items: tuple[Item, ...], indent: str) -> list[Row]:
        found = []
        for first, *others in gathered(nodes(items)):
            found += self.node(first, indent)
            if others:
                found.append(self.more(others, indent))
        return found

    def node(self, node: Node, indent: str) -> list[Row]:
        if isinstance(node, LayerNode):
            return [self.layer(node, indent)]
        if isinstance(node, GroupNode):
            return self.group(node, indent)
        return self.combinator(node, indent)

    def layer(self, node: LayerNode, indent: str) -> Row:
        layer = self.layers[self.at]
        self.at += 1
        return Row(indent + node.key, node, layer, layer.counts.parameters, layer.macs)

    def group(self, node: GroupNode, indent: str) -> list[Row]:
        start = self.at
        inside = self.body(node.items, indent + "  ")
        macs = self.macs[self.at] - self.macs[start]
        return [Row(indent + node.key, node, None, node.parameters, macs), *inside]

    def combinator(self, node: CombineNode, indent: str) -> list[Row]:
        if node.kind == "residual" and not node.options["when"]:
            return self.body(node.branches[0], indent)
        barred = node.kind not in ("residual", "aux")
        branches = [row for branch in node.branches for row in self.branch(branch, indent, barred)]
        return [Row(indent, node, next(self.joins) if joins(node) else None), *branches]

    def branch(self, branch: tuple[Item, ...], indent: str, barred: bool) -> list[Row]:
        """The rows of a branch; a bar marks the first, one without a node where the branch passes its input on."""
        inside = self.body(branch, indent + "  ") or [Row(indent + "  ", None)]
        if barred:
            inside[0] = inside[0].replace(name=f"{indent}| {inside[0].name[len(indent) + 2 :]}")
        return inside

    def more(self, groups: Sequence[Node], indent: str) -> Row:
        start = self.at
        for group in groups:
            self.node(group, indent)
        first, last = groups[0], groups[-1]
        assert isinstance(first, GroupNode)
        assert isinstance(last, GroupNode)
        name = first.key if first is last else f"{first.key} to {rest(first.key, last.key)}"
        parameters = sum(group.parameters for group in groups)
        return Row(indent + name, last, None, parameters, self.macs[self.at] - self.macs[start], len(groups))


def gathered(each: Iterator[Node]) -> Iterator[list[Node]]:
    """Each node, with those behind it that are like it."""
    alike: list[Node] = []
    for node in each:
        if alike and not _alike(alike[-1], node):
            yield alike
            alike = []
        alike.append(node)
    if alike:
        yield alike


def _alike(node: Node, other: Node) -> bool:
    """Whether two groups are uses of one block that differ in nothing but what arrives (densenet), or in arguments
    that change neither shapes nor weights (rates of dropout)."""
    if not (isinstance(node, GroupNode) and isinstance(other, GroupNode) and node.block and other.block):
        return False
    if node.block.definition is not other.block.definition:
        return False
    return _same_arguments(node.block, other.block) or _measures(node) == _measures(other)


def _same_arguments(use: BlockUse, other: BlockUse) -> bool:
    return [*map(canonical, use.arguments.values())] == [*map(canonical, other.arguments.values())]


def _measures(group: GroupNode) -> tuple[Shape, Shape, int, int]:
    return group.input, group.output, group.parameters, group.modules


def rest(first: str, last: str) -> str:
    """The number that `last` ends in, where all before it is the same: `layer12` behind `layer2` is 12."""
    name = last.rstrip("0123456789")
    return last.removeprefix(name) or last if first.rstrip("0123456789") == name else last
