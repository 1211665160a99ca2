"""From a graph to steps one after another: what forks and comes together again becomes a join with branches.

A join begins where all its operands were last one value: at its immediate dominator."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.porting.graph import Graph
from cnnspec.porting.nodes import Node, Note


class Fork:
    """A join with its branches, each a series."""

    def __init__(self, node: Node, branches: list[Series], split: bool = False) -> None:
        self.node, self.branches, self.split = node, branches, split


class Side:
    """A side output of training: what makes it from what arrives."""

    def __init__(self, branch: Series) -> None:
        self.branch = branch


Series = list["Node | Fork | Side"]


class Dominators:
    """For every node, the last one that all ways to it lead through."""

    def __init__(self, source: Node) -> None:
        self.known: dict[Node, Node] = {source: source}

    def of(self, node: Node) -> Node:
        """Works out what lies before as well, without recursion: networks are deep."""
        todo = [node]
        while todo:
            last = todo[-1]
            missing = [each for each in last.inputs if each not in self.known]
            if last in self.known or not missing:
                todo.pop()
                if last not in self.known:
                    self.known[last] = self.common(last.inputs)
            else:
                todo.extend(missing)
        return self.known[node]

    def common(self, nodes: tuple[Node, ...]) -> Node:
        """The last node that all ways to all of these lead through, themselves included."""
        found, *others = nodes
        for other in others:
            while found is not other:
                if found.number > other.number:
                    found = self.of(found)
                else:
                    other = self.of(other)
        return found

    def first_after(self, node: Node, start: Node) -> Node:
        """The first node behind `start` that all ways to this one lead through."""
        while self.of(node) is not start:
            node = self.of(node)
        return node


class Structure:
    """Takes a graph apart, once; what cannot be told as branches is noted."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.notes = graph, graph.notes
        self.dominators = Dominators(graph.source)
        self.written: set[Node] = set()
        self.uses: dict[Node, int] = {}

    def network(self) -> Series:
        """The network, with its side outputs where they leave it."""
        output, *sides = self.graph.outputs
        self.count_uses(output)
        result = self.series(output, self.graph.source)
        for side in sorted(sides, key=lambda node: -node.number):
            self.put_aside(result, side)
        return result

    def count_uses(self, output: Node) -> None:
        todo, seen = [output], {output}
        while todo:
            for node in todo.pop().inputs:
                self.uses[node] = self.uses.get(node, 0) + 1
                if node not in seen:
                    seen.add(node)
                    todo.append(node)

    def put_aside(self, series: Series, side: Node) -> None:
        """A side output begins at the last step of the network, or of another side output, that it depends on."""
        stations = self.stations(series)
        start = side
        while start not in stations and start is not self.graph.source:
            start = self.dominators.of(start)
        home, at = stations.get(start, (series, 0))
        home.insert(at, Side(self.series(side, start)))

    def stations(self, series: Series) -> dict[Node, tuple[Series, int]]:
        """Where a side output may begin, and the place behind."""
        found: dict[Node, tuple[Series, int]] = {}
        for at, step in enumerate(series, 1):
            for branch in _branches(step):
                found = self.stations(branch) | found
            if not isinstance(step, Side):
                found[step.node if isinstance(step, Fork) else step] = (series, at)
        return found

    def series(self, node: Node, start: Node) -> Series:
        """The steps that make a node out of an earlier one."""
        found: Series = []
        while node is not start:
            if node in self.written and (node.kind == "join" or node.weighted):
                return [self.elsewhere(node, start)]
            step: Node | Fork = node
            if node.kind == "join":
                self.written.add(node)
                step = self.fork(node)
                node = self.dominators.of(node)
            else:
                if node.weighted:
                    self.written.add(node)
                node = node.inputs[0]
            found.append(step)
        return found[::-1]

    def elsewhere(self, node: Node, start: Node) -> Node:
        """A placeholder for a value that was computed already, in another branch."""
        what = node.path if node.weighted else f"a {node.join} in {node.path or 'the model'}"
        text = f"the output of {what} belongs here, which another branch computes"
        self.notes.append(
            Note(node.path, "its output is used where branches cross, which no nesting of branches tells")
        )
        return self.graph.placeholder_for(start, node, text)

    def fork(self, node: Node) -> Fork:
        start = self.dominators.of(node)
        operands = self.regrouped(self.flattened(node, start), start, node)
        branches = [self.series(each, start) for each in operands]
        return self.split(Fork(node, branches))

    def flattened(self, node: Node, start: Node) -> list[Node]:
        """(a + b) + c is one sum of three."""
        first = node.inputs[0]
        alone = first.kind == "join" and first.join == node.join and not first.note and self.uses.get(first, 0) == 1
        if alone and self.dominators.of(first) is start:
            return [*self.flattened(first, start), *node.inputs[1:]]
        return list(node.inputs)

    def regrouped(self, operands: list[Node], start: Node, node: Node) -> list[Node]:
        """Neighbours in a concat that have more in common than the start are put together first."""
        if node.join != "concat" or len(operands) < 3:
            return operands
        keys = [each if each is start else self.dominators.first_after(each, start) for each in operands]
        found: list[Node] = []
        for at, operand in enumerate(operands):
            if at and keys[at] is keys[at - 1] and operand is not start:
                found[-1] = self.together(found[-1], operand, node, fresh=at < 2 or keys[at - 2] is not keys[at])
            else:
                found.append(operand)
        return found

    def together(self, before: Node, operand: Node, node: Node, *, fresh: bool) -> Node:
        inputs = (before, operand) if fresh else (*before.inputs, operand)
        channels = sum(each.shape.channels for each in inputs)
        made = self.graph.add(Node("join", inputs, operand.shape.with_channels(channels), node.path))
        made.join = "concat"
        made.owner = node.owner
        return made

    def split(self, fork: Fork) -> Fork:
        """Branches that take one share of the channels each."""
        firsts = [branch[0] if branch else None for branch in fork.branches]
        parts = [first for first in firsts if isinstance(first, Node) and first.kind == "part"]
        if not parts:
            return fork
        if fork.node.join != "concat":
            fork.branches.sort(key=lambda branch: branch[0].index if branch and isinstance(branch[0], Node) else 0)
            parts.sort(key=lambda part: part.index)
        count = len(fork.branches)
        if [(part.index, part.count) for part in parts] == [(index, count) for index in range(count)]:
            return Fork(fork.node, [branch[1:] for branch in fork.branches], split=True)
        return fork


def nodes_of(series: Series) -> Iterator[Node]:
    """All nodes of a series and of its branches."""
    for step in series:
        if isinstance(step, Node):
            yield step
        else:
            if isinstance(step, Fork):
                yield step.node
            for branch in _branches(step):
                yield from nodes_of(branch)


def _branches(step: Node | Fork | Side) -> list[Series]:
    if isinstance(step, Fork):
        return step.branches
    return [step.branch] if isinstance(step, Side) else []
