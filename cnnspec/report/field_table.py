"""The receptive fields of all layers, and the look from one of them, found by its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnspec.analysis.field import Field, fields
from cnnspec.analysis.footprint import footprint, middle, named
from cnnspec.analysis.steps import PlacedJoin, Step, steps
from cnnspec.layers.base import Shape
from cnnspec.network.model import GroupNode, LayerNode, Network
from cnnspec.record import Record
from cnnspec.report.field_view import View
from cnnspec.report.summary import field_as_dict
from cnnspec.report.summary_text import field_text
from cnnspec.report.table import Column, aligned
from cnnspec.report.written import step_text

COLUMNS = (
    Column("name", shrink=True),
    Column("layer", shrink=True),
    Column("output"),
    Column("receptive field"),
    Column("starts at", numbers=True),
    Column("off centre", numbers=True),
    Column("apart", numbers=True),
)
WIDTH = 118

NOTES = (
    "Receptive field: what one value sees of the input; step: how far the field of its neighbour is from it.",
    "Starts at: where the field of the first value begins; negative numbers are padding.",
    "Off centre: how far the fields of a map, taken together, lie off the middle of the input, negative up or left.",
    "Apart: how far the middles of what branches see lie apart where they join, or joined before.",
)


class NoSuchLayer(ValueError):
    """A name that no layer has, or several; `notes` say which there are."""

    def __init__(self, message: str, *notes: str) -> None:
        super().__init__(message)
        self.notes = notes


class NoPlace(ValueError):
    """A place that the map does not have."""


class Seen(Record):
    """A layer or a join, and the field behind it."""

    step: Step
    field: Field


def every(network: Network) -> Iterator[Seen]:
    """In the order they run."""
    found = fields(network)
    layers, joined = iter(found.layers), iter(found.joins)
    for step in steps(network):
        yield Seen(step, next(joined if isinstance(step, PlacedJoin) else layers))


def as_dicts(network: Network) -> list[dict[str, Any]]:
    """Plain values, ready for JSON; `name` of a join is that of the module it stands in."""
    return [
        {
            "name": seen.step.path,
            "kind": _word(seen.step),
            "output": list(seen.step.node.output.sizes),
            "receptive_field": field_as_dict(seen.field),
            "offset": list(seen.field.offset),
            "off_centre": _off_centre(seen.field, seen.step.node.output),
            "branches_apart": seen.field.apart,
        }
        for seen in every(network)
    ]


def as_text(network: Network) -> str:
    """A line for each layer and join."""
    head = f"{network.name}: {network.input} -> {network.output}"
    lines = aligned(COLUMNS, [_cells(seen) for seen in every(network)], WIDTH)
    return "\n".join([head, "", *lines, "", *NOTES])


def _word(step: Step) -> str:
    return step.node.kind if isinstance(step, PlacedJoin) else step.layer.word


def _cells(seen: Seen) -> tuple[str, ...]:
    step, field = seen.step, seen.field
    off = _off_centre(field, step.node.output)
    return (
        step.path,
        step_text(step),
        step.node.output.written,
        field_text(field),
        _short(list(field.offset)),
        _short(off) if any(off) else "",
        f"{field.apart:g}" if field.apart else "",
    )


def _off_centre(field: Field, output: Shape) -> list[float]:
    return list(field.off_centre(output)) if field.axes else []


def _short(numbers: list[Any]) -> str:
    """Once where they are all the same."""
    return ",".join(f"{number:g}" for number in (numbers if len(set(numbers)) > 1 else numbers[:1]))


# --------------------------------------------------------------------------------------------------------- one layer


def view_of(network: Network, name: str, at: tuple[int, ...] | None = None) -> View:
    """The look from a layer or group; raises `NoSuchLayer` and `NoPlace`."""
    path = full_name(network, name)
    node = dict(named(network.root.items))[path]
    place = middle(node.output) if at is None else at
    try:
        seen = footprint(network, path, place)
    except IndexError:
        raise NoPlace(_no_place(path, node.output, place)) from None
    return View(network, path, node.output, place, field_behind(network, path, node), seen)


def _no_place(path: str, output: Shape, place: tuple[int, ...]) -> str:
    here = ",".join(map(str, place))
    if not output.rank:
        return f"{path} gives a vector of {output}, which has no places to look from"
    last = ",".join(str(size - 1) for size in output.spatial)
    return f"{path} gives {output}, which has no place {here}; places go up to {last}"


def full_name(network: Network, name: str) -> str:
    """The name of a layer or group of which `name` is all, or the end."""
    paths = [path for path, _ in named(network.root.items)]
    if name in paths:
        return name
    ending = [path for path in paths if path.endswith(f".{name}")]
    if len(ending) == 1:
        return ending[0]
    if ending:
        more = f" and {len(ending) - 4} more" if len(ending) > 4 else ""
        raise NoSuchLayer(f"{len(ending)} layers of {network.name} are named {name}", ", ".join(ending[:4]) + more)
    from difflib import get_close_matches

    close = get_close_matches(name, paths, 3)
    note = f"there is {', '.join(close)}" if close else "cnnspec summary lists their names"
    raise NoSuchLayer(f"no layer of {network.name} is named {name}", note)


def field_behind(network: Network, path: str, node: LayerNode | GroupNode) -> Field:
    """The field behind a layer, or behind the last step of a group."""
    found = None
    for seen in every(network):
        inside = seen.step.path == path or seen.step.path.startswith(f"{path}.")
        if inside and not (seen.step.side and isinstance(node, GroupNode)):
            found = seen.field
    if found is None:
        raise NoSuchLayer(f"{path} of {network.name} holds no layer")
    return found
