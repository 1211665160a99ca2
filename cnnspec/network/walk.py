"""The state of a walk through a model, shared by what expands statements, places layers and joins branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnspec.diagnostics import Diagnostic, Label
from cnnspec.layers.base import Layer, Refused
from cnnspec.network.evaluate import Scope
from cnnspec.network.flow import Flow
from cnnspec.network.home import Home, Homes
from cnnspec.network.model import BlockUse, CombineNode, GroupNode, LayerNode, Node
from cnnspec.network.names import Keys
from cnnspec.network.trail import Site, Step, Trail, flat, site_of
from cnnspec.network.uses import Uses
from cnnspec.source import Span
from cnnspec.syntax import tree

MOST_MODULES = 200_000
DEEPEST = 100


MOST_ERRORS = 1_000
"""After so many a walk stops: most of them are one fault, in every pass of some loops."""


class Stopped(Exception):
    """The end of a walk: no use in going on to look for other faults."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__(diagnostics)


class Module:
    """The submodule that is being expanded: the keys of its children, the uses of blocks that led there, what its
    assertions say, and the file its text stands in. Bodies of loops, conditions and branches belong to it too."""

    __slots__ = ("asserts", "home", "keys", "uses")

    def __init__(self, walk: Walk, home: Home, uses: tuple[BlockUse, ...]) -> None:
        self.keys = Keys(walk.report)
        self.home, self.uses = home, uses
        self.asserts: list[tuple[tree.Assert, Scope]] = []


class Walk:
    """One walk through one model; `report` takes what is wrong with it. Predicted shapes are those of the input that
    the text states: they say nothing of a walk with another one, which is not `as_stated`."""

    def __init__(self, homes: Homes, model: tree.Model, report: Callable[..., None], as_stated: bool = True) -> None:
        self.homes, self.model, self.take, self.as_stated = homes, model, report, as_stated
        self.guesses = True
        """Whether what might mend a fault is looked for."""
        self.uses = Uses(homes, model)
        self.used: set[tuple[str, str]] = set()
        self.modules = 0
        self.told = self.errors = 0
        self.memo: dict[Any, GroupNode] = {}
        self.constant: dict[int, Layer] = {}  # calls that come to the same layer each time, by identity
        self.placed: list[Node] = []

    def report(self, *diagnostics: Diagnostic) -> None:
        self.told += len(diagnostics)
        self.errors += sum(diagnostic.severity == "error" for diagnostic in diagnostics)
        self.take(*diagnostics)
        if self.errors > MOST_ERRORS:
            raise Stopped()

    def ends(self, span: Span, kind: str, refused: Refused | None = None) -> None:
        """Told where what arrives is not taken, before the message about it is worded. `kind` is what it is about: a
        `map`, the `branches`, a `claim`, a `prediction` or an `assertion`."""

    def tell(self, module: Module, *diagnostics: Diagnostic) -> None:
        """Report faults; those inside a block with the uses of the block that they show in."""
        uses = tuple(Label(use.span, f"in {use.name}, used here") for use in reversed(module.uses))
        if any(diagnostic.code == "E206" for diagnostic in diagnostics):
            from cnnspec.network.habits import defined_elsewhere

            owner = module.uses[-1].definition if module.uses else self.model
            diagnostics = tuple(defined_elsewhere(diagnostic, owner) for diagnostic in diagnostics)
        self.report(*(diagnostic.replace(labels=diagnostic.labels + uses) for diagnostic in diagnostics))

    def count(self, modules: int, span: Span) -> None:
        self.modules += modules
        if self.modules > MOST_MODULES:
            message = f"the network has more than {MOST_MODULES:,} layers and groups"
            raise Stopped(Diagnostic("E213", message, span, "too many"))

    def site(self, node: LayerNode | CombineNode) -> Site:
        site = site_of(node)
        return site.replace(once=site.direct and self.uses.once(site.call))

    def trail(self, flow: Flow) -> Trail:
        assert flow.origin is not None
        steps = tuple(Step(node, self.site(node)) for node in flat(flow.steps))
        return Trail(flow.origin, flow.span, steps, flow.whole)
