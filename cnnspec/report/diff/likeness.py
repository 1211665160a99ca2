"""How well two layers, groups or joins go together: points for what they have in common."""

from __future__ import annotations

from cnnspec.layers.base import Layer
from cnnspec.record import REQUIRED
from cnnspec.report.diff.parts import Part, arguments_of

SAME_LABEL, OTHER_LABEL, SAME_PLACE, SAME_SIZE = 1.0, -0.4, 0.02, 0.05
SAME_ROLE = 0.08
"""Of all points of a group, for its place among the others, and for changing the map as the other does."""

SAME_FAMILY = 0.2
"""Of the weight, for another layer of the same family: a maxpool that became an avgpool."""


def layers(a: Part, b: Part) -> float:
    """Zero or less where no person would say that one became the other."""
    one, other = a.layer, b.layer
    assert one
    assert other
    if one.word == other.word:
        points = a.weight * (0.5 + 0.5 * _common(one, other))
    elif type(one).__module__ == type(other).__module__ or (a.label and a.label == b.label):
        points = SAME_FAMILY * min(a.weight, b.weight)
    else:
        return 0.0
    return points + names(a, b) + SAME_SIZE * (a.input == b.input) + SAME_SIZE * (a.output == b.output)


def _common(one: Layer, other: Layer) -> float:
    """The share of equal arguments; those that must be written count twice."""
    same = total = 0
    for name, default in one.__fields__.items():
        value = getattr(one, name)
        if default is REQUIRED or value != default or getattr(other, name) != default:
            counts = 2 if default is REQUIRED else 1
            total += counts
            same += counts * (value == getattr(other, name))
    return same / total if total else 1.0


def names(a: Part, b: Part) -> float:
    if a.label and b.label:
        return SAME_LABEL if a.label == b.label else OTHER_LABEL
    return SAME_PLACE if a.key == b.key else 0.0


def heads(a: Part, b: Part) -> float:
    """The points of two groups or joins beside those of what is inside."""
    alike = (a.key == b.key) + (_role(a) == _role(b))
    return _called(a, b) + SAME_ROLE * alike * min(a.weight, b.weight)


def _role(part: Part) -> tuple[bool, bool]:
    before, after = part.input, part.output
    return before.channels == after.channels, before.spatial == after.spatial


def _called(a: Part, b: Part) -> float:
    if a.block and b.block and a.block.name == b.block.name:
        mine, its = arguments_of(a.block), arguments_of(b.block)
        same = sum(its.get(name) == value for name, value in mine.items())
        return 0.3 + 0.2 * same / max(len(mine), len(its), 1) + names(a, b)
    return names(a, b) if a.word == b.word else names(a, b) - 0.2
