"""What sort each parameter of a network is, and whether the words of a recipe that choose some find any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.activation import PReLU
from cnnspec.layers.base import Layer
from cnnspec.layers.norm import Scale
from cnnspec.network.freezing import not_there, parts, place
from cnnspec.network.model import GroupNode, Item, LayerNode
from cnnspec.recipe import Recipe
from cnnspec.recipe.names import Chosen, Sort
from cnnspec.source import Span


def sorts_of(items: tuple[Item, ...]) -> dict[str, Sort]:
    """What each parameter below is, by its name in the `state_dict`."""
    return {
        f"{path}.{key}" if key else path: sort_of(node.layer, key)
        for path, node in parts(items)
        if isinstance(node, LayerNode)
        for key in node.weights.parameters
    }


def sort_of(layer: Layer, key: str) -> Sort:
    if isinstance(layer, Scale | PReLU):
        return "scales"
    if type(layer).__module__ == Scale.__module__:
        return "norm_biases" if key == "bias" else "norm_weights"
    return "biases" if key == "bias" else "weights"


def wrongly_chosen(model: str, root: GroupNode, recipe: Recipe, spans: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Faults of words that choose parameters; `spans` has the places of the settings that are written."""
    known, sorts = dict(parts(root.items)), sorts_of(root.items)
    for word in recipe.groups:
        wrong = [name for name in word.names if name not in known]
        for name in wrong:
            yield not_there(model, name, known, place(spans["groups"], name), "nothing to choose")
        if not wrong:
            yield from _empty(word, sorts, spans["groups"])
    if not any(_learns(name, sort, recipe) for name, sort in sorts.items()):
        message = f"{model} has nothing left to learn: every group has the rate 0"
        yield Diagnostic("E504", message, spans["groups"], "everything")


def _empty(word: Chosen, sorts: Mapping[str, Sort], span: Span) -> Iterator[Diagnostic]:
    """A name without parameters of the kind."""
    for name in word.names:
        one = word.replace(names=(name,))
        if not any(one.holds(parameter, sort) for parameter, sort in sorts.items()):
            kind = "parameters" if word.kind == "all" else word.kind.replace("_", " ")
            yield Diagnostic("E504", f"{name} has no {kind}", place(span, name), f"{word.word} holds nothing here")


def _learns(name: str, sort: Sort, recipe: Recipe) -> bool:
    rates = [group.lr for group in recipe.groups if group.lr is not None and group.holds(name, sort)]
    return not rates or rates[-1] > 0
