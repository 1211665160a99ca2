"""In what runs differ: their settings as facts by name, their networks layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from cnnspec.analysis.steps import PlacedJoin, steps
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, nodes
from cnnspec.recipe import Recipe
from cnnspec.report.written import layer_text
from cnnspec.training.config import Config, spelled
from cnnspec.words import first_of, together

SEED = "seed"
MOST_LAYERS, MOST_PLACES = 8, 4
ALIKE = 0.4
"""Networks with a smaller share of layers in common are told as two, not as one that was changed."""


def facts_of(config: Config, versions: Mapping[str, object]) -> dict[str, str]:
    """All that a run was asked for and what it depends on, by name. The device is told without its number."""
    samples = config.samples
    return {
        "model": config.model,
        **{f"argument {name}": value for name, value in config.arguments.items()},
        "input": config.input,
        "parameters": f"{config.parameters:,}",
        **_defaults(),
        **config.train,
        "training samples": f"{samples.train:,}",
        "validation samples": f"{samples.validation:,}",
        "test samples": f"{samples.test:,}",
        "loss": config.loss.partition(",")[0],
        "computed in": config.precision,
        "device": config.device.partition(":")[0],
        "test_every_epoch": "true" if config.test_every_epoch else "false",
        "transform": config.transform or "none",
        **{name: str(versions[name]) for name in ("cnnspec", "torch", "threads") if name in versions},
    }


def _defaults() -> dict[str, str]:
    """Of all settings: one that a run does not know yet is one that it left out."""
    recipe = Recipe()
    values = {parameter.name: getattr(recipe, name) for name, parameter in recipe.parameters().items()}
    return {name: value if isinstance(value, str) else spelled(value) for name, value in values.items()}


def differing(facts: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """The values of each fact that is not the same everywhere, in the order of `facts`; `-` where it is not known.

    Where one word differs only in arguments, these are told: `optimizer lr`."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for each in facts for name in each):
        values = [each.get(name, "-") for each in facts]
        if len(set(values)) > 1:
            found |= _inside(name, values)
    return found


def _inside(name: str, values: list[str]) -> dict[str, list[str]]:
    calls = [_call(value) for value in values]
    if len({word for word, _ in calls}) > 1 or len({tuple(inside) for _, inside in calls}) > 1:
        return {name: values}
    each = {argument: [inside[argument] for _, inside in calls] for argument in calls[0][1]}
    return {f"{name} {argument}": given for argument, given in each.items() if len(set(given)) > 1} or {name: values}


def _call(text: str) -> tuple[str, dict[str, str]]:
    """`sgd(lr=0.1, momentum=0.9)` as its word and its arguments; none where it is no call with plain arguments."""
    word, _, inside = text.removesuffix(")").partition("(")
    pairs = [part.partition("=") for part in inside.split(", ")]
    plain = text.endswith(")") and word.isidentifier() and all(name.isidentifier() for name, _, _ in pairs)
    return (word, {name: value for name, _, value in pairs}) if plain else (text, {})


# -------------------------------------------------------------------------------------------------------- layers


def layers_of(network: Network) -> tuple[str, ...]:
    """Layers and joins in the order they run, as a spec writes them."""
    return tuple(
        step.node.kind if isinstance(step, PlacedJoin) else layer_text(step.layer, step.input)
        for step in steps(network)
    )


def wiring_of(network: Network) -> tuple[str, ...]:
    """The same with the branches: equal where two networks compute the same from the same weights."""
    return tuple(_wiring(network.root.items))


def _wiring(items: tuple[Item, ...]) -> Iterator[str]:
    for node in nodes(items):
        if isinstance(node, LayerNode):
            yield layer_text(node.layer, node.input)
        elif isinstance(node, GroupNode):
            yield from _wiring(node.items)
        else:
            yield from _branches(node)


def _branches(node: CombineNode) -> Iterator[str]:
    yield f"{node.kind}({node.options})"
    for branch in node.branches:
        yield "|"
        yield from _wiring(branch)
    yield "end"


def changes(base: Sequence[str], other: Sequence[str]) -> list[str]:
    """What `other` is beside `base`, layer by layer, in words."""
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    if matcher.ratio() < ALIKE:
        return [f"another network, {_listed(other)} instead of {_listed(base)}"]
    places: dict[str, list[str]] = {}
    for kind, at, to, start, end in matcher.get_opcodes():
        if kind != "equal":
            what, where = _change(base[at:to], other[start:end], base[at - 1] if at else "")
            places.setdefault(what, []).append(where)
    return [f"{what}{_places(where)}" for what, where in places.items()]


def _change(gone: Sequence[str], come: Sequence[str], before: str) -> tuple[str, str]:
    """In words, and the layer before it where that helps."""
    if gone and come:
        return f"with {_listed(come)} instead of {_listed(gone)}", ""
    return (f"with {_listed(come)}" if come else f"without {_listed(gone)}"), (before or "the input")


def _places(where: Sequence[str]) -> str:
    if not where[0]:
        return "" if len(where) == 1 else f", in {len(where)} places"
    if len(where) > MOST_PLACES:
        return f" in {len(where)} places, the first behind {where[0]}"
    return f" behind {together(where)}"


def _listed(layers: Sequence[str]) -> str:
    return first_of(layers, MOST_LAYERS)
