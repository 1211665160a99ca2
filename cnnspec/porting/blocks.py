"""Modules of one class become one block, with parameters for what differs between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from cnnspec.porting.items import Call, Group, If, Item, Items, below, bodies, rebuilt
from cnnspec.porting.merge import ABSENT, Different, merged
from cnnspec.porting.parameters import Facts, parameterized
from cnnspec.porting.runs import forms, unwrapped
from cnnspec.porting.write import Block
from cnnspec.record import REQUIRED


class Blocks:
    """Takes blocks out of a network, the innermost first. `facts` are what is known of the modules by their paths:
    arguments they were made with, and numbers among their attributes."""

    def __init__(self, facts: Mapping[str, Mapping[str, Any]], taken: set[str]) -> None:
        self.facts = facts
        self.taken = set(taken)
        self.found: list[Block] = []

    def taken_out(self, items: Items) -> Items:
        """The items with calls in the place of modules that became blocks."""
        while True:
            kinds = [group for group in below(items) if isinstance(group, Group) and group.kind and _innermost(group)]
            if not kinds:
                return items
            calls: dict[str, Call] = {}
            for kind in dict.fromkeys(group.kind for group in kinds):
                for same in self.alike([group for group in kinds if group.kind == kind]):
                    calls |= self.block(kind, same)
            items = _replaced(items, calls)

    def alike(self, groups: list[Group]) -> list[list[Group]]:
        """The modules of a class, parted where they have too little in common for one block."""
        parts: list[list[Group]] = []
        for same in _by_structure(groups):
            costs = [self.more(part, same) for part in parts]
            best = min(range(len(parts)), key=costs.__getitem__, default=-1)
            if best >= 0 and costs[best] <= self.best(same)[0] + APART:
                parts[best] += same
            else:
                parts.append(same)
        if len(parts) > 1 and self.better_whole(parts):
            return [groups]
        order = {group.path: at for at, group in enumerate(groups)}
        return [sorted(part, key=lambda group: order[group.path]) for part in parts]

    def better_whole(self, parts: list[list[Group]]) -> bool:
        """Whether one block for all is no harder to read: what is seen first may have parted them badly."""
        try:
            whole = self.best([group for part in parts for group in part])[0]
        except Different:
            return False
        return whole <= sum(self.best(part)[0] for part in parts) + APART * (len(parts) - 1)

    def more(self, part: list[Group], others: list[Group]) -> float:
        """How much more there is to read when modules join others."""
        try:
            return self.best([*part, *others])[0] - self.best(part)[0]
        except Different:
            return float("inf")

    def best(self, groups: list[Group]) -> tuple[float, Items, dict[str, tuple[Any, ...]]]:
        """How much there is to read, the body and the parameters with their values, in the form in which these modules
        have most in common. Raises `Different`."""
        facts = Facts(
            entry=tuple(group.channels for group in groups),
            out=tuple(group.out for group in groups),
            known=[self.facts.get(group.path, {}) for group in groups],
        )
        found: list[tuple[float, Items, dict[str, tuple[Any, ...]]]] = []
        for each in forms([group.items for group in groups]):
            try:
                _, items, values = parameterized(unwrapped(merged(each)), facts)
            except Different:
                continue
            found.append((_cost(items, values), items, values))
        if not found:
            raise Different
        return min(found, key=lambda found_one: found_one[0])

    def block(self, kind: str, groups: list[Group]) -> dict[str, Call]:
        """Defines a block; the calls of it, by the paths of the modules."""
        _, items, values = self.best(groups)
        name = self.name(kind)
        defaults = {param: _default(param, each) for param, each in values.items()}
        defaults = {
            param: defaults[param] for param in sorted(defaults, key=lambda each: defaults[each] is not REQUIRED)
        }
        self.found.append(Block(name, tuple(defaults.items()), items))
        return {group.path: _use(name, group, at, values, defaults) for at, group in enumerate(groups)}

    def name(self, kind: str) -> str:
        plain = re.sub(r"\W", "", kind).lstrip("_") or "Block"
        plain = plain[0].upper() + plain[1:]
        names = [plain, *(f"{plain}{number}" for number in range(2, len(self.taken) + 3))]
        name = next(each for each in names if each not in self.taken)
        self.taken.add(name)
        return name


def _innermost(group: Group) -> bool:
    return not any(isinstance(item, Group) and item.kind for item in below(group.items))


def _by_structure(groups: list[Group]) -> list[list[Group]]:
    """Modules with the same items, whatever their arguments, together."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(_structure(group.items), []).append(group)
    return list(found.values())


def _structure(items: Items) -> str:
    return "; ".join(
        f"{item.word}{list(item.args)}{item.label}"
        if isinstance(item, Call)
        else f"{type(item).__name__}{getattr(item, 'label', '')}{list(map(_structure, bodies(item)))}"
        for item in items
    )


def _cost(items: Items, values: Mapping[str, tuple[Any, ...]]) -> float:
    """Lines, conditions, parameters, and arguments of the uses."""
    found = list(below(items))
    conditions = sum(isinstance(item, If) for item in found)
    given: int = sum(
        _hashable(value) != _hashable(_default(name, each)) for name, each in values.items() for value in each
    )
    return len(found) + conditions + 1.5 * len(values) + 0.3 * given


def _replaced(items: Items, calls: Mapping[str, Call]) -> Items:
    def change(item: Item) -> Item:
        if isinstance(item, Group) and item.path in calls:
            return calls[item.path]
        return rebuilt(item, lambda body: _replaced(body, calls))

    return tuple(map(change, items))


APART = 16
"""How much harder a second block is to read than the same lines in the first."""

SIZES = ("width", "out", "in", "depth")


def _default(name: str, values: tuple[Any, ...]) -> Any:
    """The value that most uses have; sizes are always given, where they count everywhere."""
    present = [value for value in values if value is not ABSENT]
    if len(present) == len(values) and any(name.startswith(size) for size in SIZES):
        return REQUIRED
    value, count = Counter(map(_hashable, present)).most_common(1)[0]
    chosen = next(each for each in present if _hashable(each) == value)
    return chosen if count * 2 > len(present) or len(present) < len(values) else REQUIRED


def _use(name: str, group: Group, at: int, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> Call:
    """The call of a block in the place of a module, with all its arguments."""
    args = {f"+{param}": _given(values[param][at], default) for param, default in defaults.items()}
    return Call(name, args, group.label, group.key, True, group.channels)


def _given(value: Any, default: Any) -> Any:
    """Where a value does not matter it is the default."""
    return default if value is ABSENT else value


def _hashable(value: Any) -> Any:
    return (type(value).__name__, str(value))


def without_defaults(items: Items, blocks: list[Block]) -> Items:
    """Calls of blocks without the arguments that are the defaults; those behind one that is left out go by name."""
    known = {block.name: dict(block.params) for block in blocks}

    def change(item: Item) -> Item:
        item = rebuilt(item, lambda body: without_defaults(body, blocks))
        if not isinstance(item, Call) or item.word not in known:
            return item
        args: dict[str, Any] = {}
        left_out = False
        for name, value in item.args.items():
            default = known[item.word][name.removeprefix("+")]
            if default is not REQUIRED and _hashable(value) == _hashable(default):
                left_out = True
            else:
                args[name.removeprefix("+") if left_out else name] = value
        return item.replace(args=args)

    return tuple(map(change, items))
