"""What sort each parameter of a network is, and whether the words of a recipe that choose some find any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.activation import PReLU
from cnnspec.layers.base import Layer
from cnnspec.layers.conv import Conv
from cnnspec.layers.norm import Scale
from cnnspec.network.freezing import not_there, parts, place
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, nodes
from cnnspec.recipe import Group, Groups, Init, Recipe
from cnnspec.recipe.inits import Dirac, Whitening, ZeroResidual
from cnnspec.recipe.names import Names, Sort, covers
from cnnspec.source import Span

Part = LayerNode | GroupNode


def sorts_of(items: tuple[Item, ...], prefix: str = "") -> dict[str, Sort]:
    """What each parameter below is, by its name in the `state_dict`."""
    return {
        f"{path}.{key}" if key else path: sort_of(node.layer, key)
        for path, node in parts(items, prefix)
        if isinstance(node, LayerNode)
        for key in node.weights.parameters
    }


def sort_of(layer: Layer, key: str) -> Sort:
    if isinstance(layer, Scale | PReLU):
        return "scales"
    if type(layer).__module__ == Scale.__module__:
        return "norm_biases" if key == "bias" else "norm_weights"
    return "biases" if key == "bias" else "weights"


def rates_of(settings: Any, groups: Groups, name: str, sort: Sort) -> tuple[float, float]:
    """The learning rate and weight decay of a parameter: those of the optimizer, where no group says otherwise."""
    lr, decay = settings.lr, settings.weight_decay
    for group in groups:
        if group.holds(name, sort):
            lr = lr if group.lr is None else group.lr
            decay = decay if group.weight_decay is None else group.weight_decay
    return lr, decay


def last_norms(items: tuple[Item, ...], prefix: str = "") -> list[str]:
    """The weight of the norm layer in which the longest branch of an `add` or `residual` ends, for each where it ends
    in one."""
    found = []
    for node in nodes(items):
        if isinstance(node, GroupNode):
            found += last_norms(node.items, f"{prefix}{node.key}.")
        elif isinstance(node, CombineNode):
            for branch in node.branches:
                found += last_norms(branch, prefix)
            if node.kind == "add" or node.options.get("when"):
                *_, last = ("", *sorts_of(max(node.branches, key=_length), prefix).items())
                found += [last[0].removesuffix("bias") + "weight"] if last and last[1] == "norm_biases" else []
    return found


def _length(branch: tuple[Item, ...]) -> int:
    return sum(isinstance(node, LayerNode) for _, node in parts(branch))


def wrongly_chosen(model: str, root: GroupNode, recipe: Recipe, spans: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Faults of words that choose parameters; `spans` has the places of the settings that are written."""
    known, sorts = dict(parts(root.items)), sorts_of(root.items)
    chosen: list[tuple[str, Group | Init]] = [("groups", group) for group in recipe.groups]
    for setting, word in chosen + [("init", init) for init in recipe.init]:
        names: Names = getattr(word, "names", ())
        wrong = [name for name in names if name not in known]
        for name in wrong:
            yield not_there(model, name, known, place(spans[setting], name), "nothing to choose")
        if not wrong:
            yield from _empty(word, names, sorts, spans[setting])
        if isinstance(word, Whitening | Dirac) and not wrong:
            yield from _no_filters(word, known, spans[setting])
        if isinstance(word, ZeroResidual) and not last_norms(root.items):
            message = f"{model} has no add or residual whose longest branch ends in a norm layer"
            yield Diagnostic("E504", message, place(spans[setting], word.word), "nothing to begin at zero")
    if recipe.groups and not any(rates_of(recipe.optimizer, recipe.groups, *each)[0] for each in sorts.items()):
        message = f"{model} has nothing left to learn: every group has the rate 0"
        yield Diagnostic("E504", message, spans["groups"], "everything")


def _no_filters(word: Whitening | Dirac, known: Mapping[str, Part], span: Span) -> Iterator[Diagnostic]:
    """Names without a convolution that the scheme can fill."""
    able = [path for path, node in known.items() if isinstance(node, LayerNode) and _fills(word, node)]
    for name in word.names or ("",):
        if not any(not name or covers(name, path) for path in able):
            what = "convolution" if isinstance(word, Dirac) else "convolution over a map, and without groups,"
            message = f"{name or 'the network'} has no {what} that {word.word} could fill"
            yield Diagnostic("E504", message, place(span, name or word.word), "no filters")


def _fills(word: Whitening | Dirac, node: LayerNode) -> bool:
    if not isinstance(node.layer, Conv):
        return False
    return isinstance(word, Dirac) or (node.input.rank == 2 and node.layer.groups == 1)


def _empty(word: Group | Init, names: Names, sorts: Mapping[str, Sort], span: Span) -> Iterator[Diagnostic]:
    """Names without parameters of the kind."""
    for name in names:
        one = word.replace(names=(name,))
        if not any(one.holds(parameter, sort) for parameter, sort in sorts.items()):
            kind = getattr(word, "kind", "weights").replace("_", " ").replace("all", "parameters")
            yield Diagnostic("E504", f"{name} has no {kind}", place(span, name), f"{word.word} holds nothing here")
