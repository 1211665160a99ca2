"""What learns in a network, as its recipe says."""

from __future__ import annotations

from cnnspec.network.grouping import rates_of, sort_of
from cnnspec.network.model import Network, PlacedLayer
from cnnspec.recipe import Recipe
from cnnspec.recipe.names import covers


def frozen(recipe: Recipe, epoch: int) -> tuple[str, ...]:
    """The names of what is frozen in an epoch, counted from 1."""
    last = recipe.unfreeze_after
    if last is None:
        return recipe.freeze
    ends = last if isinstance(last, tuple) else (last,) * len(recipe.freeze)
    return tuple(name for name, end in zip(recipe.freeze, ends, strict=True) if epoch <= end)


def is_frozen(name: str, parts: tuple[str, ...]) -> bool:
    return any(covers(part, name) for part in parts)


class Use(PlacedLayer):
    """A layer in a step of training: the names of its parameters that learn, and whether it works as in a measurement,
    which is what frozen layers do."""

    learns: tuple[str, ...]
    rests: bool


def uses(network: Network, recipe: Recipe) -> list[Use]:
    """All layers, in the order they run, in the last epoch: what is frozen only becomes less, and so what training
    takes only more."""
    parts = frozen(recipe, recipe.epochs)
    return [_use(placed, recipe, is_frozen(placed.path, parts)) for placed in network.layers]


def _use(placed: PlacedLayer, recipe: Recipe, rests: bool) -> Use:
    names = () if rests else tuple(key for key in placed.weights.parameters if _has_a_rate(placed, key, recipe))
    return Use(placed.path, placed.node, placed.side, names, rests)


def _has_a_rate(placed: PlacedLayer, key: str, recipe: Recipe) -> bool:
    return rates_of(recipe.optimizer, recipe.groups, name_of(placed, key), sort_of(placed.layer, key))[0] > 0


def name_of(placed: PlacedLayer, key: str) -> str:
    """That of a parameter in the `state_dict`."""
    return f"{placed.path}.{key}" if key else placed.path
