"""What differs between the uses of a block becomes a parameter of it, or follows from one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cnnspec.layers import LAYERS
from cnnspec.porting.items import Call, For, Group, If, Item, Items, Join, Let, Range, Repeat
from cnnspec.porting.merge import ABSENT, Vary, same
from cnnspec.porting.write import RESERVED, Text

Values = tuple[Any, ...]


class Facts:
    """What is known of the uses: channels that arrive at each (`entry`) and leave it (`out`), and numbers by the names
    that their modules give them."""

    def __init__(self, entry: Values, out: Values, known: Sequence[Mapping[str, Any]]) -> None:
        self.entry, self.out, self.known = entry, out, known


def parameterized(template: Items, facts: Facts) -> tuple[list[str], Items, dict[str, Values]]:
    """The parameters, the body with expressions in the place of what differs, and for each parameter its values."""
    solver = Solver(facts, {"i", "k", "j"})
    items = solver.body(template, facts.entry)
    if solver.uses_entry:
        items = (Let(ENTRY, Text("x.channels")), *items)
    return list(solver.params), items, solver.params


ENTRY = "channels"
"""The name of what arrives at a block, where it is used further in."""

NAMES = {
    "out": ("width", "out"),
    "p": ("drop",),
    "eps": ("eps",),
    "init": ("init",),
    "size": ("size",),
    "i": ("i", "k"),
}


class Solver:
    """Finds expressions for what differs, in reading order."""

    def __init__(self, facts: Facts, taken: Iterable[str] = ()) -> None:
        self.facts, self.taken = facts, {*taken, ENTRY}
        self.params: dict[str, Values] = {}
        self.wanted: dict[str, str] = {}
        self.uses_entry = False

    def body(self, items: Items, arriving: Values | None) -> Items:
        """`arriving` are the channels at its beginning, where they are known for every use."""
        found = []
        for item in items:
            found.append(self.item(item, arriving))
            arriving = None
        return tuple(found)

    def item(self, item: Item, arriving: Values | None) -> Item:
        if isinstance(item, Call):
            return self.call(item)
        if isinstance(item, If):
            inner = self.body(item.items, arriving)
            return If(self.condition(item.condition.values, item.items, arriving), inner)
        if isinstance(item, Join):
            return self.join(item, arriving)
        if isinstance(item, Group):
            return item.replace(items=self.body(item.items, arriving), label=self.label(item.label))
        if isinstance(item, Repeat):
            count = item.count
            value = self.value(count.values, "depth", ()) if isinstance(count, Vary) else count
            return Repeat(value, self.body(item.items, None))
        if isinstance(item, For):
            return item.replace(values=tuple(map(self.counted, item.values)), items=self.body(item.items, None))
        return item

    def counted(self, value: Any) -> Any:
        """The range of a loop that has not as many passes everywhere."""
        if isinstance(value, Range) and isinstance(value.count, Vary):
            return value.replace(count=self.value(value.count.values, "depth", ()))
        return value

    def join(self, item: Join, arriving: Values | None) -> Item:
        """Branches before the condition of a residual: it follows from what they have found."""
        inside = arriving if not item.options.get("split") else None
        found: dict[int, Items] = {}
        order = sorted(range(len(item.branches)), key=lambda at: isinstance(next(iter(item.branches[at]), None), If))
        for at in order:  # conditions last: they follow from what the others need
            found[at] = self.body(item.branches[at], inside)
        branches = tuple(found[at] for at in range(len(found)))
        options = dict(item.options)
        if isinstance(options.get("when"), Vary):
            options["when"] = self.condition(options["when"].values, (item,), arriving)
        return item.replace(branches=branches, options=options)

    def call(self, item: Call) -> Item:
        arriving = item.channels.values if isinstance(item.channels, Vary) else ()
        item = item.replace(label=self.label(item.label))
        if isinstance(item.word, Vary):
            return item.replace(word=self.new("act", item.word.values))
        args = {
            name: self.value(value.values, name.removeprefix("+"), arriving) if isinstance(value, Vary) else value
            for name, value in item.args.items()
        }
        return item.replace(args=args)

    def label(self, label: Any) -> Any:
        """A label whose numbers differ has expressions in their places."""
        if not isinstance(label, Vary):
            return label
        texts = [text for text in label.values if text is not ABSENT]
        pieces = []
        for at, piece in enumerate(zip(*(re.split(r"(\d+)", text) for text in texts), strict=True)):
            if at % 2 == 0 or len(set(piece)) == 1:
                pieces.append(piece[0])
                continue
            numbers = iter(piece)
            values = tuple(ABSENT if text is ABSENT else int(next(numbers)) for text in label.values)
            pieces.append(f"{{{self.value(values, 'i', ()).text}}}")
        return "".join(pieces)

    # ---------------------------------------------------------------------------------------------------- expressions

    def value(self, values: Values, name: str, arriving: Values) -> Any:
        """An expression with these values; a new parameter where none is found."""
        for text in self.expressions(values, name, arriving):
            return Text(text)
        for param, known in self.params.items():
            if self.wanted[param] == name and compatible(values, known):
                self.params[param] = tuple(b if a is ABSENT else a for a, b in zip(values, known, strict=True))
                return Text(param)
        return Text(self.new(name, values))

    def expressions(self, values: Values, name: str, arriving: Values) -> Iterator[str]:
        yield from (param for param, known in self.params.items() if equal(values, known))
        if not whole(values) or name in ("stride", "kernel", "padding", "i"):
            if name == "padding":
                yield from self.half_kernel(values)
            return
        if arriving and equal(values, arriving) and (name == "groups" or equal(values, self.facts.entry)):
            yield "x.channels"
        if not self.facts.entry:
            yield from (text for param, known in self.params.items() for text in ratio(values, known, param))
            return
        if equal(values, self.facts.entry):
            yield self.entry(arriving)
        if distinct(values) > 1:
            for param, known in self.params.items():
                yield from ratio(values, known, param)
            for text in ratio(values, self.facts.entry, "@"):
                if name != "out" or distinct(values) > 2 or "//" in text:
                    yield text.replace("@", self.entry(arriving))

    def entry(self, arriving: Values) -> str:
        if arriving and equal(arriving, self.facts.entry):
            return "x.channels"
        self.uses_entry = True
        return ENTRY

    def half_kernel(self, values: Values) -> Iterator[str]:
        for param, known in self.params.items():
            if param.startswith("kernel") and whole(known) and equal(values, mapped(known, lambda size: size // 2)):
                yield f"{param} // 2"

    def condition(self, values: Values, items: Items, arriving: Values | None) -> Any:
        """When an optional part is there, or a residual adds."""
        present = [value for value in values if value is not ABSENT]
        if all(value == present[0] for value in present):
            return present[0]
        for text, known, entry in self.conditions():
            if equal(values, known):
                if entry and arriving is None:
                    self.uses_entry = True
                return Text(text.replace("@", "x.channels" if arriving is not None else ENTRY))
        return Text(self.new(_name_of(items), values))

    def conditions(self) -> Iterator[tuple[str, Values, bool]]:
        """Texts with their values; in some @ stands for what arrives at the block."""
        for param, known in self.full():
            if all(isinstance(value, bool) for value in known):
                yield param, known, False
                yield f"not {param}", mapped(known, lambda value: not value), False
        differs = tuple(a != b for a, b in zip(self.facts.entry, self.facts.out, strict=True))
        written = self.written(self.facts.out)
        if written:
            yield f"@ != {written}", differs, True
            yield f"@ == {written}", mapped(differs, lambda value: not value), True
            for param, known in self.full():
                if param.startswith("stride"):
                    either = tuple(a != 1 or b for a, b in zip(known, differs, strict=True))
                    yield f"{param} != 1 or @ != {written}", either, True
                    yield f"{param} == 1 and @ == {written}", mapped(either, lambda value: not value), True
        yield from self.switches()

    def switches(self) -> Iterator[tuple[str, Values, bool]]:
        """A number that turns something on."""
        for param, known in self.full():
            if whole(known):
                yield f"{param} != 1", mapped(known, lambda value: value != 1), False
                yield f"{param} == 1", mapped(known, lambda value: value == 1), False

    def full(self) -> list[tuple[str, Values]]:
        """Parameters that every use gives."""
        return [(param, known) for param, known in self.params.items() if ABSENT not in known]

    def written(self, out: Values) -> str:
        """What the channels that leave are called."""
        for param, known in self.full():
            if equal(out, known):
                return param
        for param, known in self.full():
            for text in ratio(out, known, param):
                return text
        return str(out[0]) if all(value == out[0] for value in out) else ""

    # ----------------------------------------------------------------------------------------------------- parameters

    def new(self, wanted: str, values: Values) -> str:
        """A new parameter, named as the modules name this number, or after what it is for."""
        given = wanted
        if wanted == "i" and "i" in self.taken and self.facts.entry:
            wanted = "number"
        names = [*self.told(values), *NAMES.get(wanted, (wanted,)), *(f"{wanted}{n}" for n in range(2, 99))]
        name = next(name for name in names if name not in {*self.params, *self.taken} and is_name(name))
        self.params[name] = values
        self.wanted[name] = given
        return name

    def told(self, values: Values) -> Iterator[str]:
        if distinct(values) < 2:
            return
        for name in self.facts.known[0]:
            if all(
                value is ABSENT or (name in known and same(known[name], value))
                for value, known in zip(values, self.facts.known, strict=True)
            ):
                yield re.sub(r"\W", "", name).lower().strip("_")


def is_name(name: str) -> bool:
    free = (
        name not in RESERVED
        and name not in LAYERS
        and name not in ("channels", "block", "model", "input", "train", "use")
    )
    return bool(re.fullmatch(r"[a-z]\w*", name)) and free


def equal(values: Values, known: Values) -> bool:
    """Wherever there is a value."""
    return len(values) == len(known) and all(
        value is ABSENT or (other is not ABSENT and same(value, other))
        for value, other in zip(values, known, strict=True)
    )


def compatible(values: Values, known: Values) -> bool:
    """Whether one parameter can serve both: they are equal wherever both have a value, and somewhere they have."""
    both = [(a, b) for a, b in zip(values, known, strict=True) if a is not ABSENT and b is not ABSENT]
    return bool(both) and all(same(a, b) for a, b in both)


def whole(values: Values) -> bool:
    return all(value is ABSENT or (isinstance(value, int) and not isinstance(value, bool)) for value in values)


def distinct(values: Values) -> int:
    return len({str(value) for value in values if value is not ABSENT})


def mapped(values: Values, change: Callable[[Any], Any]) -> Values:
    return tuple(ABSENT if value is ABSENT else change(value) for value in values)


def ratio(values: Values, known: Values, name: str) -> Iterator[str]:
    """`4 * width`, `width // 4`, where that holds everywhere."""
    pairs = [(a, b) for a, b in zip(values, known, strict=True) if a is not ABSENT]
    if not whole(known) or any(b is ABSENT or not a or not b for a, b in pairs) or distinct(known) < 2:
        return
    (first, base), *_ = pairs
    if first > base and all(a * base == b * first and a % b == 0 for a, b in pairs):
        yield f"{first // base} * {name}"
    elif first < base:
        for factor in (base // first,):
            if all(a == b // factor for a, b in pairs):
                yield f"{name} // {factor}"


def _name_of(items: Items) -> str:
    """A name for a switch: the label of what it switches."""
    for item in items:
        if isinstance(item, Group | Call) and item.label and not item.label.isdigit():
            return item.label if item.label not in LAYERS else f"with_{item.label}"
        if isinstance(item, Call) and isinstance(item.word, str):
            return f"with_{item.word}" if item.word in LAYERS else "extra"
        if isinstance(item, Join):
            return "skip" if item.kind == "add" else f"with_{item.kind}"
    return "more"
