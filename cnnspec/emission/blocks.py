"""The blocks of a network, with all their uses, so that what a block calls comes before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from cnnspec.network.model import CombineNode, GroupNode, LayerNode, Node

Key = tuple[str, str, int]
"""A block: the file and name of its definition; where two blocks use each other, also how deep a use is nested."""


@dataclass
class Found:
    """A block and its uses, equal ones once; `own` of them belong to the first network. `others` are the nodes of
    equal uses, with the number of the one that stands for them; `given` what each call gives."""

    name: str
    uses: list[GroupNode] = field(default_factory=list)
    own: int = 0
    others: list[tuple[GroupNode, int]] = field(default_factory=list)
    given: list[tuple[int, frozenset[str]]] = field(default_factory=list)


def find(roots: Sequence[GroupNode]) -> list[Found]:
    """All blocks, inner ones first."""
    try:
        return _find(roots, nested=False)
    except CycleError:
        return _find(roots, nested=True)


def _find(roots: Sequence[GroupNode], *, nested: bool) -> list[Found]:
    found: dict[Key, Found] = {}
    calls: dict[Key, set[Key]] = {}
    search = _Search(found, calls, nested)
    for number, root in enumerate(roots):
        search.inside(root, None)
        if number == 0:
            for each in found.values():
                each.own = len(each.uses)
    return [found[key] for key in TopologicalSorter(calls).static_order()]


class _Search:
    def __init__(self, found: dict[Key, Found], calls: dict[Key, set[Key]], nested: bool) -> None:
        self.found, self.calls, self.nested = found, calls, nested
        self.seen: dict[tuple[Key, int], int] = {}
        self.heights: dict[int, int] = {}

    def inside(self, group: GroupNode, owner: Key | None) -> None:
        for use in uses_inside(group):
            key = self.key(use)
            self.calls.setdefault(key, set())
            if owner:
                self.calls[owner].add(key)
            if self.take(key, use):
                self.inside(use, key)

    def key(self, use: GroupNode) -> Key:
        assert use.block
        place = use.block.definition.span.source.name
        return (place, use.block.name, self.height(use) if self.nested else 0)

    def height(self, use: GroupNode) -> int:
        if id(use) not in self.heights:
            self.heights[id(use)] = 1 + max(map(self.height, uses_inside(use)), default=0)
        return self.heights[id(use)]

    def take(self, key: Key, use: GroupNode) -> bool:
        """Whether a use is the first of its kind. Equal uses share their items."""
        assert use.block
        found = self.found.setdefault(key, Found(use.block.name))
        same = (key, id(use.items) if use.items else id(use))
        fresh = same not in self.seen
        if fresh:
            self.seen[same] = len(found.uses)
            found.uses.append(use)
        else:
            found.others.append((use, self.seen[same]))
        found.given.append((self.seen[same], given(use)))
        return fresh


def given(use: GroupNode) -> frozenset[str]:
    """The parameters that a call gives a value."""
    assert use.block
    assert use.step
    op = use.step.op
    names = list(use.block.arguments)
    written = getattr(op, "arguments", ())
    return frozenset(
        argument.name.text if argument.name else names[position]
        for position, argument in enumerate(written)
        if argument.name or position < len(names)
    )


def uses_inside(node: Node) -> Iterator[GroupNode]:
    """The uses of blocks below that are not inside another one."""
    if isinstance(node, LayerNode):
        return
    for child in node.inside:
        if isinstance(child, GroupNode) and child.block:
            yield child
        elif isinstance(child, GroupNode | CombineNode):
            yield from uses_inside(child)
