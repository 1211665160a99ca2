"""A model whose input has open sizes, expanded once for every case that they make a difference to.

It is the ordinary expansion, with numbers in the place of sizes that stand for all of them (`cnnspec.sizes.number`). So
conditions, lets and arguments may ask for sizes, and each case has its own layers. A run ends at the first fault.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.base import Refused, Shape
from cnnspec.network import walk as walks
from cnnspec.network.anysize.runs import Fit, Misfit, Module, Refusal, Visit, call_of
from cnnspec.network.evaluate import Scope
from cnnspec.network.expand import Expander
from cnnspec.network.flow import Flow
from cnnspec.network.home import Homes
from cnnspec.network.model import GroupNode, Item, layers
from cnnspec.network.trail import written_text
from cnnspec.network.walk import Walk
from cnnspec.sizes.cases import Case, Found, cases
from cnnspec.sizes.number import Number, open_size
from cnnspec.sizes.sets import ALL, Sizes
from cnnspec.sizes.steps import Entangled, Undecided
from cnnspec.source import Span
from cnnspec.syntax import tree

Pattern = tuple[int | str, ...]
"""An input: the channels, and the sizes of the map, those that are open by their names."""


class Unknown(Exception):
    """What is asked at a place has no answer for all sizes."""

    def __init__(self, why: Undecided, span: Span | None) -> None:
        super().__init__(str(why))
        self.why, self.span, self.entangled = str(why), span, isinstance(why, Entangled)


def names_of(pattern: Pattern) -> tuple[str, ...]:
    return tuple(dict.fromkeys(size for size in pattern if isinstance(size, str)))


def run(
    homes: Homes, model: tree.Model, scope: Scope, pattern: Pattern, span: Span, sizes: Sizes = ALL
) -> list[Found[Fit | Refusal]]:
    """What becomes of a model for all of some sizes; raises `Unknown`."""
    axes = names_of(pattern)

    def expand(case: Case) -> Fit | Refusal:
        walk = _Walk(homes, model)
        named: dict[str, Any] = {axis: open_size(case, axis) for axis in axes}
        shape = Shape(tuple(named[size] if isinstance(size, str) else size for size in pattern))
        left = scope.budget.left
        try:
            root, _ = _Expander(walk).root(model, scope.inner(**named), shape, span)
            return _fit(root) if root else Refusal(len(walk.placed), span, "", "fault", "")
        except Misfit as end:
            why = end.refused.message if end.refused else ""
            return Refusal(len(walk.placed), end.span, end.name, end.kind, why)
        finally:
            scope.budget.left = left

    try:
        return list(cases(axes, expand, sizes))
    except Undecided as why:
        raise Unknown(why, None) from None


def _fit(root: GroupNode) -> Fit:
    placed = tuple(layers(root.items))
    visits = tuple(Visit(call_of(each.node), each.layer, each.input, each.output) for each in placed)
    modules = tuple(Module(each.path, each.layer.torch(each.input), each.weights) for each in placed)
    return Fit(root.output, visits, modules)


class _Walk(Walk):
    def __init__(self, homes: Homes, model: tree.Model) -> None:
        super().__init__(homes, model, lambda *_: None)
        self.guesses = False

    def ends(self, span: Span, kind: str, refused: Refused | None = None) -> None:
        raise Misfit(span, written_text(span), kind, refused)

    def report(self, *diagnostics: Diagnostic) -> None:
        for diagnostic in diagnostics:
            if diagnostic.severity == "error":
                raise Misfit(diagnostic.span, written_text(diagnostic.span), "fault")


class _Expander(Expander):
    def statements(
        self, statements: tuple[tree.Statement, ...], module: walks.Module, scope: Scope, flow: Flow
    ) -> tuple[Item, ...]:
        found: list[Item] = []
        for statement in statements:
            try:
                found += super().statements((statement,), module, scope, flow)
            except Undecided as why:
                raise Unknown(why, span_of(statement)) from None
        return tuple(found)

    def memo_key(self, block: tree.Block, values: dict[str, Any], flow: Flow) -> Hashable:
        if flow.shape is None or len(self.walk.homes.known) > 1:
            return None
        shape = (*map(_key, flow.shape.sizes), flow.shape.channels_last)
        try:
            return (id(block), shape, tuple(_key(value) for value in values.values()))
        except Undecided:
            return None


def span_of(statement: Any) -> Span:
    """The place of a statement; of one with braces, its beginning."""
    whole: Span = statement.span
    return Span(whole.source, whole.start, whole.start + len(whole.text.partition("{")[0].rstrip()))


def _key(value: Any) -> Hashable:
    """Equal for values that mean the same."""
    from cnnspec.network.values import canonical

    if type(value) is Number:
        return ("open", value.form.key)
    if isinstance(value, tuple):
        return ("list", tuple(map(_key, value)))
    return canonical(value)
