"""What an expression can see: values by name, what arrives where it stands, and the steps that are left."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Protocol

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.base import Shape
from cnnspec.source import Span
from cnnspec.words import Faults

MOST_STEPS = 1_000_000

MOST_KNOWN = 100
"""How many names are proposed in the place of one that is not known: the nearest ones."""


class _Hidden:
    def __repr__(self) -> str:
        return "HIDDEN"


HIDDEN: Any = _Hidden()
"""The value of a name whose `let` is at fault: what uses it is silent."""


class Budget:
    """The steps that are left to one check. All its scopes share one."""

    __slots__ = ("left",)

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int, span: Span) -> None:
        self.left -= steps
        if self.left < 0:
            note = f"its expressions take more than {MOST_STEPS:,} steps"
            raise Faults(Diagnostic("E213", "the spec computes too long", span, "stopped here", notes=(note,)))


class Arriving(Protocol):
    """What arrives at a place in a network; the shape is None where a fault hides it."""

    @property
    def shape(self) -> Shape | None: ...


class Scope(dict[str, Any]):
    """Values by name. `flow` is what arrives, None outside of networks. `blocks` are the blocks there are; without
    them, whatever is spelled like a block counts as one."""

    __slots__ = ("_names", "_size", "blocks", "budget", "flow")

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        flow: Arriving | None = None,
        budget: Budget | None = None,
        blocks: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(values or {})
        self.flow, self.blocks = flow, blocks
        self.budget = budget or Budget()
        self._names: tuple[str, ...] = ()
        self._size = 0

    def inner(self, **more: Any) -> Scope:
        """A scope inside this one, with more names or other values for some. Changing it leaves this one alone."""
        scope = Scope(self, self.flow, self.budget, self.blocks)
        scope.update(more)
        return scope

    def look_up(self, name: str) -> Any:
        """The value of a name, or None; raises `Faults` without diagnostics where a fault hides it."""
        value = self.get(name)
        if value is HIDDEN:
            raise Faults()
        return value

    @property
    def names(self) -> tuple[str, ...]:
        """The names in scope; one tuple for all who ask, until a name comes in."""
        if self._size != len(self):
            self._size = len(self)
            self._names = tuple(islice(reversed(self), MOST_KNOWN))[::-1]
        return self._names
