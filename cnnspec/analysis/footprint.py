"""Exactly which values of the input reach a place behind a layer: the way back through all branches, place by place.

A set of places is a union of boxes, and a box is one number per axis whose bits are the places along it. Unlike
`field`, which tells what all places of a map have in common, this knows gaps, edges and padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cnnspec.analysis.steps import joins
from cnnspec.analysis.taps import Taps, folded, taps
from cnnspec.layers.base import Shape
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, Node, nodes
from cnnspec.record import Record

Box = tuple[int, ...]
Boxes = frozenset[Box]
"""A box without axes is a vector: what is seen of it is all of it."""


class Footprint(Record):
    """What is seen of the input `of`, a union of boxes."""

    boxes: Boxes
    of: Shape

    def __contains__(self, place: tuple[int, ...]) -> bool:
        return any(all(bits >> at & 1 for bits, at in zip(box, place, strict=True)) for box in self.boxes)

    @property
    def hull(self) -> tuple[tuple[int, int], ...]:
        """The first and the last place that is seen along each axis; empty where nothing is."""
        along = [_union(each) for each in zip(*self.boxes, strict=True)]
        return tuple(((bits & -bits).bit_length() - 1, bits.bit_length() - 1) for bits in along)

    @property
    def count(self) -> int:
        """How many places are seen, all channels of one counted once."""
        return _count(list(self.boxes), len(self.of.spatial))

    def rows(self) -> Iterator[int]:
        """For each row of a map of one or two axes, the places along the last one that are seen."""
        height = self.of.spatial[0] if self.of.rank == 2 else 1
        for row in range(height):
            yield _union(box[-1] for box in self.boxes if len(box) < 2 or box[0] >> row & 1)


def _union(each: Iterable[int]) -> int:
    union = 0
    for bits in each:
        union |= bits
    return union


def _count(boxes: Sequence[Box], axes: int) -> int:
    """Slice by slice along the first axis; slices that the same boxes cross are counted once."""
    if axes == 0:
        return int(bool(boxes))
    if axes == 1:
        return _union(box[0] for box in boxes).bit_count()
    slices: dict[tuple[int, ...], int] = {}
    for at in range(_union(box[0] for box in boxes).bit_length()):
        crossing = tuple(number for number, box in enumerate(boxes) if box[0] >> at & 1)
        slices[crossing] = slices.get(crossing, 0) + 1
    return sum(
        times * _count([boxes[number][1:] for number in crossing], axes - 1) for crossing, times in slices.items()
    )


def middle(shape: Shape) -> tuple[int, ...]:
    """The place in the middle of a map, or behind it where there is none."""
    return tuple(size // 2 for size in shape.spatial)


def footprint(network: Network, path: str, at: tuple[int, ...] | None = None) -> Footprint:
    """What one place behind a layer or a group sees, all channels taken together; by default that in the middle. Of a
    vector it is what all its values see. `path` is the layer's full name. Raises KeyError where there is none, and
    IndexError where the map has no such place."""
    node = find(network, path)
    place = middle(node.output) if at is None else at
    sizes = node.output.spatial
    if len(place) != len(sizes) or any(not 0 <= each < size for each, size in zip(place, sizes, strict=True)):
        raise IndexError(place)
    start = frozenset([tuple(1 << each for each in place)])
    found = _traced(network.root.items, "", path, start)
    assert found is not None
    return Footprint(found, network.input)


def find(network: Network, path: str) -> LayerNode | GroupNode:
    """The layer or group of that name."""
    return dict(named(network.root.items))[path]


def named(items: tuple[Item, ...], prefix: str = "") -> Iterator[tuple[str, LayerNode | GroupNode]]:
    """All layers and groups with their full names, a group before what is in it."""
    for node in nodes(items):
        if isinstance(node, CombineNode):
            for branch in node.branches:
                yield from named(branch, prefix)
        else:
            yield prefix + node.key, node
            if isinstance(node, GroupNode):
                yield from named(node.items, f"{prefix}{node.key}.")


# ------------------------------------------------------------------------------------------------------- the way back


def _traced(items: tuple[Item, ...], prefix: str, path: str, boxes: Boxes) -> Boxes | None:
    """What is seen of what these steps receive, from behind the layer of that name; None where it is not among them."""
    before: list[Node] = []
    for node in nodes(items):
        found = _inside(node, prefix, path, boxes)
        if found is not None:
            return _back(before, found)
        before.append(node)
    return None


def _inside(node: Node, prefix: str, path: str, boxes: Boxes) -> Boxes | None:
    if isinstance(node, CombineNode):
        found = (_traced(branch, prefix, path, boxes) for branch in node.branches)
        return next((each for each in found if each is not None), None)
    if prefix + node.key == path:
        return _through(node, boxes)
    if isinstance(node, GroupNode) and path.startswith(f"{prefix}{node.key}."):
        return _traced(node.items, f"{prefix}{node.key}.", path, boxes)
    return None


def _back(steps: Sequence[Node], boxes: Boxes) -> Boxes:
    for node in reversed(steps):
        boxes = _through(node, boxes)
    return boxes


def _through(node: Node, boxes: Boxes) -> Boxes:
    """What is seen of what a step receives, given what is seen of its output."""
    if isinstance(node, LayerNode):
        return _through_layer(node, boxes)
    if isinstance(node, GroupNode):
        return _back(node.children, boxes)
    if not joins(node):
        return boxes if node.kind == "aux" else _back(tuple(nodes(node.branches[0])), boxes)
    seen: set[Box] = set()
    for branch in node.branches:
        inside = tuple(nodes(branch))
        made = inside[-1].output if inside else node.input
        seen |= _back(inside, _unspread(boxes, made, node.output))
    if node.kind == "residual":
        seen |= _unspread(boxes, node.input, node.output)
    return _plain(seen)


def _unspread(boxes: Boxes, made: Shape, joined: Shape) -> Boxes:
    """The places of a branch's output behind places of the join, over whose map it may be spread."""
    spread = [old == 1 < new for old, new in zip(made.spatial, joined.spatial, strict=True)]
    return (
        frozenset(tuple(1 if each else bits for bits, each in zip(box, spread, strict=True)) for box in boxes)
        if any(spread)
        else boxes
    )


def _through_layer(node: LayerNode, boxes: Boxes) -> Boxes:
    if node.layer.reach == "point":
        return boxes
    axes = taps(node.layer, node.input)
    if axes is None:
        return frozenset([tuple((1 << size) - 1 for size in node.input.spatial)]) if boxes else boxes
    known: dict[tuple[int, int], int] = {}
    return _plain({_box(box, axes, node.input.spatial, known) for box in boxes})


def _box(box: Box, axes: tuple[Taps, ...], sizes: tuple[int, ...], known: dict[tuple[int, int], int]) -> Box:
    found = []
    for number, (bits, along, size) in enumerate(zip(box, axes, sizes, strict=True)):
        if (number, bits) not in known:
            known[number, bits] = _seen(bits, along, size)
        found.append(known[number, bits])
    return tuple(found)


def _seen(bits: int, along: Taps, size: int) -> int:
    seen = 0
    while bits:
        place = (bits & -bits).bit_length() - 1
        bits &= bits - 1
        for each in along.at(place):
            inside = folded(each, size, along.edge)
            if inside is not None:
                seen |= 1 << inside
    return seen


def _plain(boxes: set[Box]) -> Boxes:
    """Without those that are empty, or lie inside others."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda each: -sum(bits.bit_count() for bits in each)):
        if all(box) and not any(_within(box, other) for other in kept):
            kept.append(box)
    return frozenset(kept)


def _within(box: Box, other: Box) -> bool:
    return all(bits & ~around == 0 for bits, around in zip(box, other, strict=True))
