"""Two networks compared: what a person would say was changed, and what that costs."""

from __future__ import annotations

from functools import cached_property

from cnnspec.analysis.field import Field
from cnnspec.network import Network
from cnnspec.network.model import CombineNode, Item, LayerNode, nodes
from cnnspec.record import Record
from cnnspec.report.diff.align import Aligner
from cnnspec.report.diff.changes import Change, Costs, Setting, changes_of, renamed_in, together
from cnnspec.report.diff.parts import Part, parts_of
from cnnspec.report.diff.settings import settings_of
from cnnspec.report.summary import Summary, summarize


class Count(Record):
    """How many uses of a block a module holds in a row."""

    module: str
    block: str
    before: int
    after: int


class Side(Record):
    """One of the two networks."""

    summary: Summary
    root: Part

    @property
    def network(self) -> Network:
        return self.summary.network

    @cached_property
    def depth(self) -> int:
        """Convolutions and linear layers on the longest way from the input to the output."""
        return depth(self.network.root.items)

    @cached_property
    def last_field(self) -> Field | None:
        """What a value of the last map sees, before all is pooled or flattened; None where that is everything, and
        where nothing is a map."""
        leaves = [leaf for leaf in self.root.leaves if leaf.measured and not leaf.measured.placed.side]
        maps = [leaf for leaf in leaves if leaf.output.rank]
        wide = [leaf for leaf in maps if max(leaf.output.spatial) > 1]
        last = (wide or maps)[-1:]
        return last[0].field if last and bounded(last[0].field) else None


class Difference(Record):
    """Two networks, and what happened between them. `str` gives the text that `cnnspec diff` prints.

    `renamed` are layers with weights that have other names now."""

    before: Side
    after: Side
    changes: tuple[Change, ...]
    renamed: dict[str, str]
    settings: tuple[Setting, ...]
    """Input, arguments of the model, and what is different in `train { }`."""

    def __str__(self) -> str:
        from cnnspec.report.diff.text import as_text

        return as_text(self)

    @property
    def equal(self) -> bool:
        """Whether nothing differs but the names of what computes nothing."""
        return not (self.changes or self.renamed or self.settings)

    @property
    def costs(self) -> Costs:
        return together(change.costs for change in self.changes)

    @cached_property
    def counts(self) -> tuple[Count, ...]:
        """Modules in which blocks of one kind were only added, or only removed."""
        return tuple(_counts(self))


def compare(before: Network, after: Network) -> Difference:
    one, other = (_side(network) for network in (before, after))
    root = Aligner().kept(one.root, other.root)
    return Difference(one, other, changes_of(root), renamed_in(root), settings_of(before, after))


def _side(network: Network) -> Side:
    summary = summarize(network)
    return Side(summary, parts_of(summary))


def bounded(field: Field) -> bool:
    """Whether less than all of the input is seen, along each of its axes."""
    return bool(field.axes) and not any(axis.whole for axis in field.axes)


def depth(items: tuple[Item, ...]) -> int:
    total = 0
    for node in nodes(items):
        if isinstance(node, LayerNode):
            total += node.layer.multiplies_at != "nothing"
        elif isinstance(node, CombineNode):
            total += max(map(depth, node.branches)) if node.kind != "aux" else 0
        else:
            total += depth(node.items)
    return total


def _counts(difference: Difference) -> list[Count]:
    found: dict[tuple[str, str], Count] = {}
    for change in difference.changes:
        names = {part.word for part in change.parts if part.block}
        if change.kind in ("added", "removed") and len(names) == 1 and all(part.block for part in change.parts):
            key = change.home, names.pop()
            known = found.get(key)
            if known is None:
                numbers = [_uses(side.root, *key) for side in (difference.before, difference.after)]
                found[key] = Count(*key, *numbers)
    return [count for count in found.values() if count.before and count.after]


def _uses(root: Part, path: str, block: str) -> int:
    module = _module(root, path)
    return sum(part.word == block for part in module.branches[0]) if module else 0


def _module(part: Part, path: str) -> Part | None:
    if part.path == path and part.branches and not isinstance(part.node, CombineNode):
        return part
    inside = (_module(child, path) for child in part.inside if child.branches and (path + ".").startswith(child.path))
    return next(filter(None, inside), None)
