"""What an expression can see: values by name, what arrives where it stands, and the steps that are left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.base import Shape
from cnnspec.source import Span
from cnnspec.words import Faults

MOST_STEPS = 1_000_000


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

    __slots__ = ("_names", "blocks", "budget", "flow")

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

    def inner(self, **more: Any) -> Scope:
        """A scope inside this one, with more names or other values for some. Changing it leaves this one alone."""
        scope = Scope(self, self.flow, self.budget, self.blocks)
        scope.update(more)
        return scope

    @property
    def names(self) -> tuple[str, ...]:
        """All names in scope; one tuple for all who ask, until a name comes in."""
        if len(self._names) != len(self):
            self._names = tuple(self)
        return self._names
