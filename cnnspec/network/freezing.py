"""Whether what a recipe freezes is there, and leaves something to learn. Loaded where something is frozen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, nodes
from cnnspec.recipe import Recipe
from cnnspec.recipe.names import covers
from cnnspec.source import Span
from cnnspec.words import closest, counted, first_of

MOST_NAMES = 12
"""So many are listed."""


def parts(items: tuple[Item, ...], prefix: str = "") -> Iterator[tuple[str, LayerNode | GroupNode]]:
    """Every layer and group below with its full name, groups before what they hold."""
    for node in nodes(items):
        if isinstance(node, CombineNode):
            for branch in node.branches:
                yield from parts(branch, prefix)
            continue
        yield prefix + node.key, node
        if isinstance(node, GroupNode):
            yield from parts(node.items, f"{prefix}{node.key}.")


def wrongly_frozen(model: str, root: GroupNode, recipe: Recipe, spans: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Faults of `freeze` and `unfreeze_after`; `spans` has the places of the settings that are written."""
    known = dict(parts(root.items))
    unknown = [name for name in recipe.freeze if name not in known]
    for name in unknown:
        yield not_there(model, name, known, place(spans["freeze"], name), "nothing to freeze")
    for name in recipe.freeze:
        if name in known and not _weights(known[name]):
            message = f"{name} has no weights that could be frozen"
            yield Diagnostic("E504", message, place(spans["freeze"], name), "nothing to freeze")
    if recipe.freeze and not unknown and not any(_learns(root, recipe.freeze)):
        fixes = (Fix("leave out what should learn, the last layers as a rule"),)
        message = f"{model} has nothing left to learn: all of its weights are frozen"
        yield Diagnostic("E504", message, spans["freeze"], "everything", fixes=fixes)
    if recipe.unfreeze_after is not None:
        yield from _wrong_ends(recipe, recipe.unfreeze_after, spans["unfreeze_after"])


def not_there(model: str, name: str, known: Mapping[str, LayerNode | GroupNode], span: Span, told: str) -> Diagnostic:
    """A name that is none of a layer or group; `told` stands at its place."""
    uses = [
        path for path, node in known.items() if isinstance(node, GroupNode) and node.block and node.block.name == name
    ]
    near = uses[:1] if len(uses) == 1 else [] if uses else closest(name, known)
    quoted = span.text.startswith('"')
    fixes = tuple(Fix(f"did you mean {each}?", (Edit(span, _written(each, quoted)),)) for each in near)
    note = f"{name} is a block, which is used as {first_of(uses, MOST_NAMES)}" if uses else _inside(model, name, known)
    message = f"{model} has no layer or group called {name}"
    return Diagnostic("E206", message, span, told, notes=(note,), fixes=fixes)


def _inside(model: str, name: str, known: Mapping[str, LayerNode | GroupNode]) -> str:
    """What there is, in the innermost group of that name that there is."""
    outer = name
    while outer and outer not in known:
        outer = outer.rpartition(".")[0]
    depth = outer.count(".") + 1 if outer else 0
    inside = [path for path in known if path.count(".") == depth and (not outer or covers(outer, path))]
    return f"{outer or model} consists of {first_of(inside, MOST_NAMES)}" if inside else f"{outer} is one layer"


def _written(name: str, quoted: bool) -> str:
    return name if name.isidentifier() and not quoted else f'"{name}"'


def place(span: Span, name: str) -> Span:
    """Where a name stands in a list of them; the list where it does not."""
    found = re.search(rf'"{re.escape(name)}"|(?<![\w."]){re.escape(name)}(?![\w."])', span.text)
    return Span(span.source, span.start + found.start(), span.start + found.end()) if found else span


def _weights(node: LayerNode | GroupNode) -> bool:
    """Whether it has parameters or buffers."""
    if isinstance(node, LayerNode):
        return bool(node.weights.parameters or node.weights.buffers)
    return any(_weights(inside) for _, inside in parts(node.items))


def _learns(root: GroupNode, frozen: tuple[str, ...]) -> Iterator[bool]:
    for name, node in parts(root.items):
        if isinstance(node, LayerNode) and node.parameters:
            yield not any(covers(part, name) for part in frozen)


def _wrong_ends(recipe: Recipe, ends: int | tuple[int, ...], span: Span) -> Iterator[Diagnostic]:
    if not recipe.freeze:
        fixes = (Fix("say what is frozen until then: freeze: [features], for instance"),)
        yield Diagnostic("E504", "unfreeze_after is given, and nothing is frozen", span, "of what?", fixes=fixes)
    elif isinstance(ends, tuple) and len(ends) != len(recipe.freeze):
        frozen = counted(len(recipe.freeze), "name")
        message = f"unfreeze_after has {counted(len(ends), 'number')}, and freeze has {frozen}"
        fixes = (Fix("write one number for all, or one for each name"),)
        yield Diagnostic("E504", message, span, "one for each name", fixes=fixes)
