"""From steps to submodules: what belongs to one module of the original stands in braces of its own, under its name."""

from __future__ import annotations

from itertools import groupby

from torch import nn

from cnnspec.porting.graph import Graph
from cnnspec.porting.items import Call, Group, Item, Items, Join, children, is_residual, weights_inside
from cnnspec.porting.nodes import Node, Note
from cnnspec.porting.series import Fork, Series, Side, nodes_of
from cnnspec.record import REQUIRED
from cnnspec.words import Like

CONTAINERS = ("torch.nn.", "cnnspec.building.")
"""Where the classes come from whose names say nothing."""

Step = Node | Fork | Side
Path = tuple[str, ...]


class Arrange:
    """Puts the steps of a network into submodules."""

    def __init__(self, graph: Graph) -> None:
        self.modules, self.notes = graph.run.modules, graph.notes
        self.layers = graph.paths
        self.used: dict[Path, int] = {}

    def network(self, series: Series, channels: int) -> Items:
        return labelled(self.body(series, (), channels))

    def body(self, series: Series, prefix: Path, channels: int) -> Items:
        """The items of a module. Steps that belong to one child stand together."""
        wanted = self.absorbed(series, [self.child(step, prefix) for step in series], prefix)
        wanted = self.alone(series, wanted, prefix)
        items: list[Item] = []
        for child, run in groupby(zip(wanted, series, strict=True), key=lambda pair: pair[0]):
            steps = [step for _, step in run]
            if child is None:
                for step in steps:
                    items += self.item(step, prefix, channels)
                    channels = channels_after(step, channels)
            else:
                items += self.group(steps, (*prefix, child), channels)
                for step in steps:
                    channels = channels_after(step, channels)
        return tuple(items)

    # ------------------------------------------------------------------------------------------- whose child it is

    def child(self, step: Step, prefix: Path) -> str | None:
        """The child of a module that a step belongs to; None where it is a step of the module itself."""
        if isinstance(step, Node):
            path = step.place
            if path[: len(prefix)] != prefix or len(path) <= len(prefix):
                return None
            child = path[len(prefix)]
            return None if ".".join((*prefix, child)) in self.layers else child
        if isinstance(step, Side):
            return None
        own = step.node.place
        if own[: len(prefix)] != prefix or len(own) <= len(prefix):
            return None
        return own[len(prefix)] if self.needed(step, prefix) <= {own[len(prefix)]} else None

    def needed(self, step: Step, prefix: Path) -> set[str | None]:
        """The children whose weights a step uses; None stands for layers of the module itself."""
        inside = [step] if isinstance(step, Node) else list(nodes_of([step]))
        return {self.child(node, prefix) for node in inside if node.weighted}

    def absorbed(self, series: Series, wanted: list[str | None], prefix: Path) -> list[str | None]:
        """A child whose steps stand apart, or in several branches, takes in what lies between."""
        needs = [self.needed(step, prefix) for step in series]
        names: set[str] = {each for need in needs for each in need if each is not None}
        for name in sorted(names):
            places = [at for at, need in enumerate(needs) if name in need]
            first, last = places[0], places[-1]
            scattered = {wanted[at] for at in range(first, last + 1)} != {name}
            inside = first != last or self.in_several_branches(series[first], name, prefix)
            if scattered and inside and all(need <= {name} for need in needs[first : last + 1]):
                wanted = [name if first <= at <= last else each for at, each in enumerate(wanted)]
        return wanted

    def in_several_branches(self, step: Step, child: str, prefix: Path) -> bool:
        """Also further in."""
        if not isinstance(step, Fork):
            return False
        counts = [child in set().union(*(self.needed(each, prefix) for each in branch)) for branch in step.branches]
        if sum(counts) > 1:
            return True
        return any(self.apart(branch, child, prefix) for branch in step.branches)

    def apart(self, branch: Series, child: str, prefix: Path) -> bool:
        places = [at for at, step in enumerate(branch) if child in self.needed(step, prefix)]
        several = len(places) > 1 and any(
            child != self.child(branch[at], prefix) for at in range(places[0], places[-1])
        )
        return several or any(self.in_several_branches(branch[at], child, prefix) for at in places)

    def alone(self, series: Series, wanted: list[str | None], prefix: Path) -> list[str | None]:
        """Steps without weights that stand apart from the rest of their child are steps of the module."""
        weighted = {child for step in series for child in self.needed(step, prefix)}
        runs = [(child, [at for at, _ in run]) for child, run in groupby(enumerate(wanted), key=lambda pair: pair[1])]
        for child, places in runs:
            has = any(child in self.needed(series[at], prefix) for at in places)
            if child is not None and child in weighted and not has:
                for at in places:
                    wanted[at] = None
        return wanted

    # -------------------------------------------------------------------------------------------------------- items

    def item(self, step: Step, prefix: Path, channels: int) -> Items:
        if isinstance(step, Side):
            return (Join("aux", (self.body(step.branch, prefix, channels),), {}, channels),)
        if isinstance(step, Fork):
            inside = channels // len(step.branches) if step.split else channels
            branches = tuple(self.body(branch, prefix, inside) for branch in step.branches)
            return (Join(step.node.join, branches, {"split": True} if step.split else {}, channels, step.node.note),)
        if step.kind == "part":
            text = f"share {step.index + 1} of {step.count} of the channels"
            self.notes.append(Note(".".join(prefix), text))
            return (Call("identity", {}, "", "", False, channels, note=text),)
        assert step.layer is not None
        return self.layer(step, prefix, channels)

    def layer(self, step: Node, prefix: Path, channels: int) -> Items:
        layer = step.layer
        assert layer is not None
        empty = not step.note and layer.word in ("identity", "dropout") and not getattr(layer, "p", 0)
        if empty and not isinstance(self.modules.get(".".join(prefix)), nn.Sequential):
            return ()
        args = {
            name: getattr(layer, name)
            for name, default in layer.__fields__.items()
            if default is REQUIRED
            or getattr(layer, name) != (getattr(layer, default.argument) if isinstance(default, Like) else default)
        }
        rest = step.path.split(".")[len(prefix) :] if step.weighted else []
        key = "_".join(rest)
        return (Call(layer.word, args, key, key, step.weighted, channels, step.hint, step.note),)

    def group(self, steps: Series, path: Path, channels: int) -> Items:
        items = self.body(steps, path, channels)
        name, module = path[-1], self.modules.get(".".join(path))
        parent = self.modules.get(".".join(path[:-1]))
        if not items or (not weights_inside(items) and self.is_small(items, parent)):
            return tuple(item.replace(hint=item.hint or name) if isinstance(item, Call) else item for item in items)
        if path in self.used and not weights_inside(items):
            return items
        self.used[path] = self.used.get(path, 0) + 1
        key = name if self.used[path] == 1 else f"{name}_{self.used[path]}"
        if key != name:
            text = f"its layers stand in several places; here they are called {key}"
            self.notes.append(Note(".".join(path), text))
        kind = "" if type(module).__module__.startswith(CONTAINERS) else type(module).__name__
        out = channels
        for step in steps:
            out = channels_after(step, out)
        return (Group(key, key, kind, ".".join(path), items, channels, out),)

    def is_small(self, items: Items, parent: nn.Module | None) -> bool:
        """Whether steps without weights need no module of their own: few of them, and none that counts positions."""
        return len(items) == 1 or not isinstance(parent, nn.Sequential)


def channels_after(step: Step, channels: int) -> int:
    if isinstance(step, Side):
        return channels
    return (step.node if isinstance(step, Fork) else step).shape.channels


def labelled(items: Items) -> Items:
    """Labels are left out where the position gives the name, and given where it would take another's."""
    keys = {child.key for child in children(items) if child.key}
    return _Labels(keys).body(items)


class _Labels:
    """Counts the children of one module."""

    def __init__(self, keys: set[str]) -> None:
        self.keys, self.at = keys, 0

    def body(self, items: Items) -> Items:
        return tuple(map(self.item, items))

    def item(self, item: Item) -> Item:
        if isinstance(item, Join):
            return item.replace(branches=tuple(self.branch(branch, item) for branch in item.branches))
        position, self.at = str(self.at), self.at + 1
        if isinstance(item, Group):
            label = "" if item.key == position else item.key
            return item.replace(label=label, items=labelled(item.items))
        assert isinstance(item, Call)
        if item.key:
            return item.replace(label="" if item.key == position else item.key)
        return item.replace(label=self.other(item) if position in self.keys else "")

    def branch(self, items: Items, join: Join) -> Items:
        """An empty branch becomes an identity, for the eye, unless its position is the name of another child."""
        if items or is_residual(join) or str(self.at) in self.keys:
            return self.body(items)
        self.at += 1
        return (Call("identity", {}, "", "", False, join.channels),)

    def other(self, item: Call) -> str:
        """A name that no child has."""
        wanted = item.hint if item.hint and not item.hint.isdigit() else item.word
        names = [wanted, *(f"{wanted}{number}" for number in range(1, len(self.keys) + 2))]
        name = next(name for name in names if name not in self.keys)
        self.keys.add(name)
        return name
