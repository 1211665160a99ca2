"""A network as a drawing: boxes, frames and forks, which `svg`, `mermaid` and `dot` put on paper."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from cnnspec.layers.base import Layer, Shape
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, Node, nodes
from cnnspec.record import Record
from cnnspec.report.summary_rows import gathered, rest
from cnnspec.report.written import block_text

MOST_BOXES = 24
"""So many boxes, frames and joins a drawing has at most, as long as nobody says how deep it is to be opened."""

DEEPEST = 20


class Box(Record):
    """Layers that are drawn as one, or a group that is not opened. `kind` is `weights`, `pool`, `plain` or `group`; a
    group stands for `times` like it. `name` is the label it has."""

    kind: str
    name: str
    lines: tuple[str, ...]
    output: Shape
    times: int = 1


class Frame(Record):
    """An opened group, drawn around what is inside; it stands for `times` like it."""

    name: str
    text: str
    inside: Chain
    output: Shape
    times: int = 1


class Fork(Record):
    """Branches and what joins them, or a side output, which joins nothing: its one branch leads aside."""

    kind: str
    branches: tuple[Chain, ...]
    output: Shape

    @property
    def aside(self) -> bool:
        return self.kind == "aux"


Element = Box | Frame | Fork
Chain = tuple[Element, ...]

SIGNS = {"add": "+", "multiply": "×", "concat": "concat", "residual": "+"}


class Drawing(Record):
    title: str
    input: Shape
    chain: Chain


def draw(network: Network, *, depth: int | None = None, open: Collection[str] = ()) -> Drawing:
    """The network with groups opened down to `depth` (0 opens none), and those named in `open` with all around them.

    Without a depth as many levels are opened as leave `MOST_BOXES`. Raises `ValueError` for a name of no group."""
    unknown = sorted({*open} - {*_groups(network.root)})
    if unknown:
        raise ValueError(f"there is no group {unknown[0]} in {network.name}")
    if depth is None:
        fitting = (
            each for each in range(_deepest(network.root), 0, -1) if _count(_chain(network, each, open)) <= MOST_BOXES
        )
        depth = next(fitting, 0)
    chain = (*_chain(network, depth, open), Box("plain", "", ("output",), network.output))
    return Drawing(f"{network.name}: {network.input} to {network.output}", network.input, chain)


def _chain(network: Network, depth: int, open: Collection[str]) -> Chain:
    return _Drawer(depth, open).chain(network.root.children, "", 0)


def _groups(group: GroupNode, path: str = "") -> Iterator[str]:
    for node in _inside(group):
        name = _under(path, node.key)
        yield name
        yield from _groups(node, name)


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _inside(node: Node) -> Iterator[GroupNode]:
    """The groups below, up to the next level of names."""
    for child in () if isinstance(node, LayerNode) else node.inside:
        if isinstance(child, GroupNode):
            yield child
        else:
            yield from _inside(child)


def _deepest(group: GroupNode) -> int:
    return max((1 + _deepest(child) for child in _inside(group)), default=0)


def _count(chain: Chain) -> int:
    """How many boxes, frames and joins there are."""
    return sum(map(_size, chain))


def _size(element: Element) -> int:
    if isinstance(element, Box):
        return 1
    chains = (element.inside,) if isinstance(element, Frame) else element.branches
    return sum(map(_count, chains)) + 1


# ------------------------------------------------------------------------------------------------------------ making


class _Drawer:
    def __init__(self, depth: int, open: Collection[str]) -> None:
        self.depth, self.open = depth, open

    def chain(self, children: Collection[Node], path: str, level: int) -> Chain:
        found: list[Element] = []
        for first, *more in self.runs(children, path, level):
            if isinstance(first, LayerNode):
                self.layer(found, first)
            elif isinstance(first, GroupNode):
                found.append(self.group(first, path, level, [first, *more]))
            else:
                found += self.fork(first, path, level)
        return tuple(found)

    def runs(self, children: Collection[Node], path: str, level: int) -> Iterator[list[Node]]:
        """Each node with those behind it that are drawn as one with it: an opened one has the same inside."""
        for run in gathered(iter(children)):
            first = run[0]
            if len(run) > 1 and isinstance(first, GroupNode) and self.opens(_under(path, first.key), level):
                yield from (list(alike) for _, alike in groupby(run, key=_structure))
            else:
                yield run

    def opens(self, path: str, level: int) -> bool:
        return level < self.depth or any(each == path or each.startswith(f"{path}.") for each in self.open)

    def layer(self, found: list[Element], node: LayerNode) -> None:
        """A box of its own, or a line of the one before: what learns little and keeps the shape belongs to that."""
        last = found[-1] if found else None
        joins = isinstance(last, Box) and last.kind != "group" and node.output == node.input
        if isinstance(last, Box) and joins and kind_of(node.layer) == "plain":
            more = f"{last.lines[-1]}, {layer_words(node.layer)}" if len(last.lines) > 1 else layer_words(node.layer)
            found[-1] = last.replace(lines=(last.lines[0], more))
        else:
            found.append(Box(kind_of(node.layer), "", (layer_words(node.layer),), node.output))

    def group(self, node: GroupNode, path: str, level: int, alike: Sequence[Node]) -> Element:
        path = _under(path, node.key)
        text = block_text(node.block) if node.block else ""
        times, last = len(alike), alike[-1]
        name = node.key if node.labelled else ""
        if name and times > 1 and isinstance(last, GroupNode):
            name = f"{name} to {rest(name, last.key)}"
        if not self.opens(path, level):
            return Box("group", name, (text,) if text else _contents(node), node.output, times)
        inside = self.chain(node.children, path, level + 1)
        if len(inside) == 1 and isinstance(inside[0], Box) and times == 1 and not inside[0].name:
            return inside[0].replace(name=name)
        return Frame(name, text, inside, node.output, times)

    def fork(self, node: CombineNode, path: str, level: int) -> Chain:
        branches = tuple(self.chain(passing(branch), path, level) for branch in node.branches)
        if node.kind == "residual":
            if not node.options["when"]:
                return branches[0]
            branches = (*branches, ())
        return (Fork("add" if node.kind == "residual" else node.kind, branches, node.output),)


def _structure(node: Node) -> object:
    """Equal where the same is drawn inside."""
    if isinstance(node, LayerNode):
        return layer_words(node.layer), node.output.spatial
    if isinstance(node, CombineNode):
        return node.kind, tuple(tuple(map(_structure, nodes(branch))) for branch in node.branches)
    return tuple(map(_structure, node.children))


def passing(branch: tuple[Item, ...]) -> list[Node]:
    """The nodes of a branch; none where it passes on what arrives."""
    found = [*nodes(branch)]
    alone = found[0] if len(found) == 1 else None
    return [] if isinstance(alone, LayerNode) and alone.layer.word == "identity" else found


def told(element: Element) -> bool:
    """Whether the shape that comes out stands beside an arrow inside."""
    return isinstance(element, Frame) and len(element.inside) > 1 and element.inside[-2].output == element.output


def _contents(group: GroupNode) -> tuple[str, ...]:
    """What is in braces that are not opened: blocks, or how many layers of which kind."""
    blocks = [child.block.name for child in _inside(group) if child.block]
    if blocks:
        return tuple(_counted(blocks))[:3]
    words = [child.layer.word for child in _layers(group) if kind_of(child.layer) != "plain"]
    return (", ".join(_counted(words)),) if words else ()


def _layers(node: Node) -> Iterator[LayerNode]:
    if isinstance(node, LayerNode):
        yield node
    else:
        for child in node.inside:
            yield from _layers(child)


def _counted(words: Collection[str]) -> Iterator[str]:
    for word in dict.fromkeys(words):
        count = list(words).count(word)
        yield f"{count} {word}" if count > 1 else word


# ------------------------------------------------------------------------------------------------------------- words


def kind_of(layer: Layer) -> str:
    if layer.multiplies_at != "nothing":
        return "weights"
    return "pool" if "pool" in layer.word else "plain"


def layer_words(layer: Layer) -> str:
    """A layer as papers write it: `7x7 conv, 64, /2`."""
    values = {name: getattr(layer, name) for name in layer.__fields__}
    if "kernel" in values:
        return ", ".join(_window_words(layer.word, values))
    shown = [f"{value}" for name, value in values.items() if name in ("out", "size", "p", "factor", "groups") and value]
    return f"{layer.word} {shown[0]}" if shown and shown[0] != "None" else layer.word


def _window_words(word: str, values: dict[str, Any]) -> Iterator[str]:
    yield f"{_size_words(values['kernel'])} {word}"
    if "out" in values:
        yield f"{values['out']}"
    if values["stride"] not in (1, (1, 1), (1,), (1, 1, 1)):
        yield f"{'×' if word == 'conv_transpose' else '/'}{_size_words(values['stride'], once=True)}"
    groups = values.get("groups", 1)
    if groups != 1:
        yield "depthwise" if groups == values.get("out") else f"{groups} groups"
    if values.get("dilation", 1) != 1:
        yield f"dilation {_size_words(values['dilation'], once=True)}"


def _size_words(value: Any, once: bool = False) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value}" if once else f"{value}x{value}"
