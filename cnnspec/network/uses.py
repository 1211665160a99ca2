"""How often the calls of a model are expanded, as its text tells: once, or more often."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cnnspec.syntax import tree

if TYPE_CHECKING:
    from cnnspec.network.home import Homes

MANY = 2


class Uses:
    """Tells calls that stand for one layer from those that stand for several, in loops and in blocks with several
    uses: a repair in one of these may be none for the others. Counted only when a fault asks."""

    def __init__(self, homes: Homes, model: tree.Model) -> None:
        self.homes, self.model = homes, model

    def once(self, call: tree.Call) -> bool:
        return self.counted.get((call.span.source.name, call.span.start), MANY) == 1

    @cached_property
    def counted(self) -> dict[tuple[str, int], int]:
        self.found: dict[tuple[str, int], int] = {}
        for block in self.blocks_as_values():
            self.body(block.body, MANY, (block.name.text,))
        self.body(self.model.body, 1, ())
        return self.found

    def blocks_as_values(self) -> list[tree.Block]:
        """Blocks that are handed over as values, anywhere: nobody knows how often."""
        return [
            self.homes.of(node.span).blocks[node.text]
            for file in self.homes.files.values()
            for node in tree.walk(file.items)
            if isinstance(node, tree.Name) and node.text in self.homes.of(node.span).blocks
        ]

    def body(self, body: tree.Body, times: int, inside: tuple[str, ...]) -> None:
        for statement in body.statements:
            if isinstance(statement, tree.Repeat | tree.For):
                self.body(statement.body, MANY, inside)
            elif isinstance(statement, tree.If):
                self.choice(statement, times, inside)
            elif isinstance(statement, tree.Chain):
                for step in statement.steps:
                    self.step(step.op, times, inside)

    def choice(self, statement: tree.If, times: int, inside: tuple[str, ...]) -> None:
        self.body(statement.body, times, inside)
        if isinstance(statement.otherwise, tree.If):
            self.choice(statement.otherwise, times, inside)
        elif statement.otherwise:
            self.body(statement.otherwise, times, inside)

    def step(self, op: tree.Call | tree.Combine | tree.Group, times: int, inside: tuple[str, ...]) -> None:
        if isinstance(op, tree.Group):
            self.body(op.body, times, inside)
        elif isinstance(op, tree.Combine):
            self.count(op.call, times)
            for body in op.body.branches if isinstance(op.body, tree.Branches) else (op.body,):
                self.body(body, times, inside)
        else:
            seen = self.count(op, times)
            name = op.name.text
            block = self.homes.of(op.span).blocks.get(name)
            if block and seen < MANY and name not in inside:
                self.body(block.body, times, (*inside, name))

    def count(self, call: tree.Call, times: int) -> int:
        """Counts uses of a call; gives how many were counted before."""
        place = (call.span.source.name, call.span.start)
        seen = self.found.get(place, 0)
        self.found[place] = min(MANY, seen + times)
        return seen
