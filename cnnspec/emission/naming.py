"""How the children of one class are reached: as attributes, or as the members of a Sequential."""

from __future__ import annotations

from collections.abc import Sequence
from keyword import iskeyword, kwlist
from typing import Literal

from cnnspec.emission.express import FUNCTIONS, words
from cnnspec.emission.items import Child, Choice, ClassPlan, Item, Join, Loop, Side, below, children, needs_forward
from cnnspec.emission.names import free
from cnnspec.network.model import GroupNode, LayerNode
from cnnspec.network.names import TAKEN

Style = Literal["sequential", "forward"]
LONGEST_ATTRIBUTE = 40

ROLES = {"adaptive_avgpool": "avgpool", "adaptive_maxpool": "maxpool", "channel_shuffle": "shuffle"}
"""What modules without a name are called as attributes, where that is not their word."""


def attribute(key: str) -> bool:
    """Whether `self.key` gives a submodule this very name: Python mangles `__key` and folds letters beyond ASCII.
    A very long key would leave no room on the line."""
    usable = key.isidentifier() and key.isascii() and not iskeyword(key)
    return usable and not key.startswith("__") and len(key) <= LONGEST_ATTRIBUTE


class Naming:
    """Decides for one class. Its children are attributes where all that have weights have names that can be; then
    those without weights get names too, and equal ones share one. Otherwise it is a Sequential."""

    def __init__(self, plan: ClassPlan, style: Style) -> None:
        self.plan, self.explicit = plan, style == "forward"
        every = children(plan.items)
        self.branched = needs_forward(plan.items)
        self.attributes = self._attributes(every)
        self.taken = {child.key for child in every} | TAKEN
        self.names: dict[int, str] = {}
        self.first: set[int] = set()
        self.shared: dict[tuple[str, tuple[str, ...]], str] = {}
        self.flags: dict[str, str] = {}
        """What is kept for `forward` of what the arguments say, and as what."""
        if self.attributes:
            self._name(plan.items, certain=True)
        self.registered = not self.attributes and any(child.bare for child in every)
        """Whether the children are registered one by one, which a Sequential cannot do with bare parameters."""
        self.dynamic = not self.attributes and (
            any(isinstance(item, Loop | Choice) for item in below(plan.items))
            or (self.registered and any(child.computed for child in every))
        )
        """Whether positions in the Sequential are not known beforehand."""
        self.asked: dict[tuple[int, str], str] = {}
        """What the answer to each item's questions is kept as; empty for the list of choices."""
        self.choices = ""
        if self.branched or self.attributes:
            self._ask(plan.items, inside=False)

    def _attributes(self, every: list[Child]) -> bool:
        if any(isinstance(item, Loop) for item in below(self.plan.items)):
            return False
        if any(child.computed or not attribute(child.key) for child in every if child.stateful or child.key):
            return False
        if self.branched:
            return True
        named = [child for child in every if child.key]
        grouped = any(isinstance(child.first, GroupNode) for child in every)
        return bool(named) and (self.explicit or grouped or len(named) < len(every))

    def _name(self, items: tuple[Item, ...], *, certain: bool) -> None:
        for item in items:
            if isinstance(item, Child):
                self.names[id(item)] = self._name_of(item, certain)
            elif isinstance(item, Join):
                for branch in item.branches:
                    self._name(branch, certain=certain and item.kind != "aux")
            elif isinstance(item, Choice):
                for side in item.sides:
                    self._name(side.items, certain=False)

    def _name_of(self, child: Child, certain: bool) -> str:
        if child.key:
            self.first.add(id(child))
            return child.key
        if self.inline(child):
            return ""
        made = (child.head, child.arguments)
        if child.items is None and made in self.shared:
            return self.shared[made]
        self.first.add(id(child))
        name = self.new(role(child))
        if certain and child.items is None:
            self.shared[made] = name
        return name

    def inline(self, child: Child) -> bool:
        """Whether `forward` does not call a module for it: it does nothing, or torch has a function for it."""
        if not self.attributes or child.key:
            return False
        return child.silent or (child.head == "nn.Flatten" and not child.arguments)

    def silent(self, items: Sequence[Item]) -> bool:
        """Whether nothing in a branch does anything."""
        if any(isinstance(item, Join) for item in below(items)):
            return False
        return all(self.inline(child) and child.silent for child in children(items))

    # ------------------------------------------------------------------------------------------------- conditions

    def _ask(self, items: Sequence[Item], *, inside: bool) -> None:
        """Names for what `forward` asks that the constructor knows. In a loop that changes from pass to pass: then
        the constructor keeps a list of its `choices`, and `forward` takes one after another."""
        for item in items:
            for text, wanted in questions(item):
                if not (isinstance(item, Choice) and self.absent(item)):
                    self.asked[id(item), wanted] = self._asked(text, wanted, inside)
            if isinstance(item, Join):
                for branch in item.branches:
                    self._ask(branch, inside=inside)
            elif isinstance(item, Choice):
                for side in item.sides:
                    self._ask(side.items, inside=inside)
            elif isinstance(item, Loop):
                self._ask(item.items, inside=True)

    def _asked(self, text: str, wanted: str, inside: bool) -> str:
        settled = words(text) <= {*self.plan.arguments, *FUNCTIONS, *kwlist}
        if inside and not settled:
            self.choices = self.choices or self.new("choices")
            return ""
        if not settled:
            return self.new(wanted)
        if text not in self.flags:
            self.flags[text] = self.new(text if text.isidentifier() else wanted)
        return self.flags[text]

    def new(self, wanted: str) -> str:
        name = free(wanted, self.taken)
        self.taken.add(name)
        return name

    def absent(self, choice: Choice) -> str | None:
        """The attribute that is None where the one side of a condition is not taken."""
        if not self.attributes or len(choice.sides) != 1:
            return None
        made = [item for item in below(choice.sides[0].items) if isinstance(item, Child) and id(item) in self.first]
        return self.names[id(made[0])] if made and not made[0].bare else None


def role(child: Child) -> str:
    """What a child without a name is called: like what it is."""
    if isinstance(child.first, LayerNode):
        return ROLES.get(child.first.layer.word, child.first.layer.word)
    return child.first.block.name.lower() if isinstance(child.first, GroupNode) and child.first.block else "layers"


def condition_name(choice: Choice) -> str:
    """What is kept of a condition is called like what depends on it."""
    made = children(choice.sides[0].items)
    named = [child.key for child in made if attribute(child.key) and not child.computed]
    return f"has_{(named or [*map(role, made), 'more'])[0]}"


def questions(item: Item) -> list[tuple[str, str]]:
    """What `forward` has to know about an item: Python for it, and a name."""
    match item:
        case Join():
            axes = [(item.cut, "cut"), (item.dim, "dim")]
            conditions = [(item.when, "skip")] if item.when not in ("", "True", "False") else []
            return conditions + [(text, name) for text, name in axes if text and not text.lstrip("-").isdigit()]
        case Choice(sides=(only,) | (only, Side(test=""))):
            return [(only.test, condition_name(item))]
        case Choice(sides=sides):
            tests = [f"{number} if {side.test} else " for number, side in enumerate(sides) if side.test]
            return [(f"{''.join(tests)}{len(tests)}", "chosen")]
        case Loop(count=text) if not text.isdigit():
            return [(text, "depth")]
    return []
