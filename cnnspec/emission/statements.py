"""The statements of a `forward` while they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cnnspec.emission import layout
from cnnspec.emission.items import Child, Choice, ClassPlan, Item, Join, Loop
from cnnspec.emission.names import free
from cnnspec.emission.naming import Naming, attribute

APART, OPEN = -1, -2
"""Lines of the spec for what stands apart from all other, and for a value that goes into the next call."""


class Statements:
    """Writes the statements one by one. `value` is what the text has come to, an expression that is put into the
    variable `target` where it gets long; `comment` gives the shape behind a child or join."""

    def __init__(self, plan: ClassPlan, naming: Naming, comment: Callable[[Child | Join], str]) -> None:
        self.plan, self.naming, self.comment = plan, naming, comment
        self.lines: list[str] = []
        self.value = self.target = "x"
        self.taken = {"x", "sides", "layers", "scales", "choices", "inner"}
        self.told = self.label = ""
        self.line = 0
        self.depth = 2
        self.position = 0

    @property
    def room(self) -> int:
        return layout.WIDTH - layout.STEP * self.depth

    def flush(self) -> None:
        """Put the value into its variable."""
        if self.value != self.target:
            self.lines += layout.commented(f"{self.target} = {self.value}", self.told, self.room)
            self.value = self.target
        self.told = ""

    def step(self, text: Callable[[str], str], comment: str, line: int) -> None:
        """Go on with the value: inside the same expression where that stays on one line of the spec, and short."""
        nested = text(self.value)
        fits = len(f"return {nested}") + 4 <= self.room - (len(self.told or comment) + 4)
        apart = line in (APART, OPEN) or line != self.line or self.naming.explicit
        taken = "next(" in self.value
        if self.value != self.target and not self.simple and ((apart and self.line != OPEN) or taken or not fits):
            self.flush()
            nested = text(self.value)
        self.value, self.line = nested, line
        self.told = comment or self.told

    @property
    def simple(self) -> bool:
        """Whether the value is a variable."""
        return self.value.isidentifier()

    def name(self, wanted: str) -> str:
        numbered = wanted in self.taken and wanted[-1].isdigit()
        name = free(f"{wanted}_", {*self.taken, f"{wanted}_"}) if numbered else free(wanted, self.taken)
        self.taken.add(name)
        return name

    def keep(self) -> None:
        """Put the value, which is needed again behind the branches, into a variable called like what made it."""
        target, label = self.target, self.label
        if label and label not in self.taken:
            self.target = self.name(label)
        self.flush()
        self.target = target

    def answer(self, item: Item, name: str) -> str:
        """What the constructor kept about an item."""
        kept = self.naming.asked[id(item), name]
        return f"self.{kept}" if kept else "next(choices)"


def merged(block: list[str]) -> list[str]:
    """Two conditions where one stands alone in the other, as one."""
    outer, first, *rest = block
    if not first.startswith("    if ") or not rest or any(not line.startswith("        ") for line in rest):
        return block
    return [f"{outer[:-1]} and {first.removeprefix('    if ')}", *(line[4:] for line in rest)]


def child_key(child: Child) -> str:
    return f'"{child.key or child.position}"'


def atom(text: str) -> str:
    """An expression as an operand."""
    return text if re.fullmatch(r"[\w.\[\]]+(\(.*\))?", text) and balanced(text) else f"({text})"


def balanced(text: str) -> bool:
    """Whether the first bracket of a call closes at its end."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character == ")" and at < len(text) - 1:
            return False
    return True


def paths(child: Child, owner: str) -> Iterator[tuple[Child, str]]:
    """What runs inside a group, with how it is reached; an empty path where that is not known."""
    assert child.items is not None
    for position, item in enumerate(item for item in child.items if not is_silent(item)):
        if not isinstance(item, Child) or item.computed:
            yield child, ""
            continue
        path = f"{owner}.{item.key}" if attribute(item.key) else f"{owner}[{position}]"
        if item.items:
            yield from paths(item, path)
        else:
            yield item, path


def is_silent(item: Item) -> bool:
    return not isinstance(item, Child | Join | Choice | Loop)
