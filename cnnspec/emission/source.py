"""The classes of a plan as Python, in one of two styles."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

from cnnspec.emission import layout
from cnnspec.emission.classes import ClassPlan, Flow, Item
from cnnspec.emission.express import annotation, literal, quoted
from cnnspec.emission.layout import Entry
from cnnspec.emission.shapes import shape_text
from cnnspec.layers.base import Shape
from cnnspec.network.model import GroupNode, LayerNode

Style = Literal["sequential", "forward"]
LONGEST_ATTRIBUTE = 40
MARGIN = " " * 8
"""In front of a statement of a method."""


class ClassSource:
    """The text of one class.

    A class whose children all have names sets them as attributes and has a `forward`; any other is a Sequential,
    whose children may be called by position. So is a plain chain of layers, unless `forward` is asked for.
    """

    def __init__(self, plan: ClassPlan, style: Style, parameters: int) -> None:
        self.plan, self.parameters = plan, parameters
        self.explicit = style == "forward"
        grouped = any(isinstance(item.nodes[0], GroupNode) for item in plan.items)
        self.attributes = all(attribute(item.key) for item in plan.items) and (self.explicit or grouped)

    def lines(self) -> list[str]:
        base = "nn.Module" if self.attributes else "nn.Sequential"
        methods = [self.constructor()]
        if self.explicit or self.attributes:
            methods.append(self.forward())
        about = self.about()
        parts = [layout.docstring(about, 1), *methods] if about else methods
        return [f"class {self.plan.name}({base}):", *chain.from_iterable([*part, ""] for part in parts)][:-1]

    def about(self) -> list[str]:
        """The shapes that enter and leave, and what a model learns."""
        outputs = [use.output for use in self.plan.uses[: self.plan.shown]]
        before = arriving(self.plan)
        after = place_text(self.plan, outputs, self.plan.flow)
        shapes = ", ".join(filter(None, (before and f"Input {before}", after and f"output {after}")))
        if self.plan.block:
            return [f"{shapes}."] if before else []
        values = ", ".join(f"{name}={literal(found[0])}" for name, found in self.plan.arguments.items())
        return [f"{shapes}.", f"{self.parameters:,} parameters{' with ' + values if values else ''}."]

    def constructor(self) -> list[str]:
        lines = layout.signature("__init__", [self.parameter(name) for name in self.plan.arguments], 1)
        if self.attributes:
            assigned = [layout.lines(self.entry(item, f"self.{item.key} = "), 2) for item in self.plan.items]
            return [*lines, f"{MARGIN}super().__init__()", *chain.from_iterable(assigned)]
        if positional(self.plan.items):
            return lines + layout.lines(self.container("super().__init__", self.plan.items), 2)
        layers = layout.lines(self.keyed(self.plan.items, "layers = "), 2)
        return [*lines, *layers, f"{MARGIN}super().__init__(OrderedDict(layers))"]

    def parameter(self, name: str) -> str:
        values = self.plan.arguments[name]
        default = "" if self.plan.block else f" = {literal(values[0])}"
        return f"{name}: {annotation(values)}{default}"

    def container(self, head: str, items: tuple[Item, ...], prefix: str = "") -> Entry:
        """A Sequential around its children: by position, or in an OrderedDict where they have names."""
        if not items:
            return Entry(head, prefix=prefix)
        if positional(items):
            return Entry(head, entries=tuple(map(self.entry, items)), prefix=prefix)
        if all(attribute(item.key) for item in items):
            named = tuple(self.entry(item, f"{item.key}=") for item in items)
        else:
            named = (self.keyed(items),)
        return Entry(head, entries=(Entry("OrderedDict", entries=named),), prefix=prefix)

    def keyed(self, items: tuple[Item, ...], prefix: str = "") -> Entry:
        """A dictionary of the children by their names."""
        entries = tuple(self.entry(item, f"{quoted(item.key)}: ") for item in items)
        return Entry("", entries=entries, brackets=("{", "}"), prefix=prefix)

    def entry(self, item: Item, prefix: str = "") -> Entry:
        if item.children is not None:
            return self.container(item.head, item.children, prefix)
        return Entry(item.head, item.arguments, prefix=prefix, comment="" if self.explicit else self.shape(item))

    def shape(self, item: Item) -> str:
        """The shape behind an item; empty for a layer that works element by element."""
        nodes = item.nodes[: self.plan.shown]
        first = nodes[0]
        if isinstance(first, LayerNode) and first.layer.reach == "point" and first.output == first.input:
            return ""
        return place_text(self.plan, [node.output for node in nodes], item.flow)

    def forward(self) -> list[str]:
        steps = list(self.leaves(self.plan.items, "self", self.attributes))
        lines = layout.signature("forward", ["x: torch.Tensor"], 1, " -> torch.Tensor")
        if not steps:
            return [*lines, f"{MARGIN}return x"]
        for target, comment in steps[:-1]:
            lines += layout.commented(f"{MARGIN}x = {target}(x)", comment)
        target, comment = steps[-1]
        return lines + layout.commented(f"{MARGIN}return {target}(x)", comment)

    def leaves(self, items: tuple[Item, ...], owner: str, named: bool = False) -> Iterator[tuple[str, str]]:
        """What `forward` calls, with a comment each: the children, or every layer below them where it is explicit and
        their paths are not too long."""
        for position, item in enumerate(items):
            by_name = named or attribute(item.key)
            target = f"{owner}.{item.key}" if by_name else f"{owner}[{position}]"
            inside = list(self.leaves(item.children, target)) if item.children and self.explicit else []
            if inside and all(fits(inner) for inner, _ in inside):
                yield from inside
            else:
                yield target, self.shape(item) if by_name else self.called(item)

    def called(self, item: Item) -> str:
        """What stands at a position: `Conv2d -> 32x16x16`."""
        return " -> ".join(filter(None, (item.head.removeprefix("nn."), self.shape(item))))


def positional(items: tuple[Item, ...]) -> bool:
    """Whether every child is named by its position, as a Sequential names them."""
    return all(item.key == str(position) for position, item in enumerate(items))


def fits(target: str) -> bool:
    return len(f"{MARGIN}return {target}(x)") <= layout.WIDTH


def attribute(key: str) -> bool:
    """Whether `self.key` gives a submodule this very name: Python mangles `__key` and folds letters beyond ASCII.
    A very long key would leave no room on the line."""
    usable = key.isidentifier() and key.isascii() and not keyword.iskeyword(key)
    return usable and not key.startswith("__") and len(key) <= LONGEST_ATTRIBUTE


def arriving(plan: ClassPlan) -> str:
    """The shape that a class takes."""
    inputs = [use.input for use in plan.uses[: plan.shown]]
    return place_text(plan, inputs, Flow(plan.arriving, tuple(shape.channels for shape in inputs)))


def place_text(plan: ClassPlan, shapes: Sequence[Shape], flow: Flow) -> str:
    """The shape at a place of a class. Channels that arrive and are no argument are called C."""
    inputs = [use.input for use in plan.uses[: plan.shown]]
    named = not plan.block or plan.arriving in plan.used
    text = flow.text if named else re.sub(rf"\b{plan.arriving}\b", "C", flow.text)
    scope = {name: values[: plan.shown] for name, values in plan.arguments.items()}
    return shape_text(inputs, shapes, {text: flow.values[: plan.shown]}, scope)
