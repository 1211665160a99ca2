"""The classes of a plan as Python, in one of two styles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain

from cnnspec.emission import layout
from cnnspec.emission.constructor import Constructor
from cnnspec.emission.express import annotation, literal, words
from cnnspec.emission.forward import Forward
from cnnspec.emission.frames import Frame
from cnnspec.emission.items import Child, ClassPlan, Join
from cnnspec.emission.layout import indented
from cnnspec.emission.names import ANY, Flow
from cnnspec.emission.naming import Naming, Style
from cnnspec.emission.shapes import shape_text
from cnnspec.layers.base import Shape


class ClassSource:
    """The text of one class.

    A class whose children have names sets them as attributes and has a `forward`; any other is a Sequential, whose
    children may be called by position. So is a plain chain of layers, unless `forward` is asked for.
    """

    def __init__(self, plan: ClassPlan, style: Style, parameters: int) -> None:
        self.plan, self.parameters = plan, parameters
        self.naming = Naming(plan, style)

    def lines(self) -> list[str]:
        naming = self.naming
        plain = not naming.attributes and not naming.registered
        methods = [self.constructor()]
        if naming.branched or naming.attributes or (naming.explicit and not naming.dynamic):
            methods.append(self.forward())
        about = self.about()
        parts = [layout.docstring(about, 1), *methods] if about else methods
        base = "nn.Sequential" if plain else "nn.Module"
        return [f"class {self.plan.name}({base}):", *chain.from_iterable([*part, ""] for part in parts)][:-1]

    def about(self) -> list[str]:
        """The shapes that enter and leave, and what a model learns."""
        plan = self.plan
        outputs = [use.output for use in plan.uses]
        before = arriving(plan)
        assert plan.flow
        same = [name for name, values in plan.arguments.items() if values == plan.flow.values]
        flow = Flow(same[0], plan.flow.values) if same else plan.flow
        counted = words(flow.text or "") & plan.frame.counters
        after = "" if counted else place_text(plan, plan.frame, outputs, flow)
        shapes = ", ".join(filter(None, (before and f"Input {before}", after and f"output {after}")))
        if plan.block:
            return [f"{shapes}."] if before else []
        values = ", ".join(f"{name}={literal(found[0])}" for name, found in plan.arguments.items())
        return [f"{shapes}.", f"{self.parameters:,} parameters{' with ' + values if values else ''}."]

    def constructor(self) -> list[str]:
        lines = layout.signature("__init__", [self.parameter(name) for name in self.plan.arguments], 1)
        body = Constructor(self.plan, self.naming, self.beside).body()
        return [*lines, *indented(indented(body))]

    def parameter(self, name: str) -> str:
        values = tuple(value for value in self.plan.arguments[name] if value is not ANY)
        defaults = self.plan.defaults
        default = f" = {literal(defaults[name])}" if name in defaults else ""
        return f"{name}: {annotation(values)}{default}"

    def forward(self) -> list[str]:
        result = "torch.Tensor | tuple[torch.Tensor, ...]" if self.plan.sides else "torch.Tensor"
        lines = layout.signature("forward", ["x: torch.Tensor"], 1, f" -> {result}")
        return [*lines, *indented(indented(Forward(self.plan, self.naming, self.shape).body()))]

    def beside(self, child: Child) -> str:
        """The comment beside a child in the constructor."""
        return "" if self.naming.explicit else self.shape(child)

    def shape(self, item: Child | Join) -> str:
        """The shape behind an item; empty for a layer that works element by element."""
        if isinstance(item, Child) and item.pointwise:
            return ""
        outputs = item.outputs
        if item.frame.repeated and len(set(outputs)) > 1:
            return ""
        text = place_text(self.plan, item.frame, outputs, item.flow)
        return self.of_few(item, text) if text == str(outputs[0]) else text

    def of_few(self, item: Child | Join, size: str) -> str:
        """The text for a place with one size that only some uses of the class reach: in the symbols of the shapes
        around it, as it would be read as a fixed size among these; empty where they do not say it."""
        shown = self.plan.shown
        reached = [(at, use) for at, use in enumerate(uses_of(item.frame)) if use < shown]
        if len({use for _, use in reached}) == shown:
            return size
        places = [(shapes, text) for shapes, text in self.whole if len(set(shapes[:shown])) > 1]
        says = [text for shapes, text in places if all(shapes[use] == item.outputs[at] for at, use in reached)]
        return next(filter(None, says), "") if places else size

    @cached_property
    def whole(self) -> list[tuple[Sequence[Shape], str]]:
        return list(whole(self.plan))


def arriving(plan: ClassPlan) -> str:
    """The shape that a class takes."""
    inputs = [use.input for use in plan.uses]
    return place_text(plan, plan.frame, inputs, Flow(plan.arriving, tuple(shape.channels for shape in inputs)))


def place_text(plan: ClassPlan, frame: Frame, shapes: Sequence[Shape], flow: Flow) -> str:
    """The shape at a place of a class. Channels that arrive and are no argument are called C."""
    uses = uses_of(frame)
    kept = [at for at, use in enumerate(uses) if use < plan.shown]
    outputs = [shapes[at] for at in kept]
    if not outputs:
        return ""
    inputs = [plan.uses[uses[at]].input for at in kept]
    named = not plan.block or plan.arriving in plan.frame.used
    text = flow.text or ""
    text = text if named else re.sub(rf"\b{plan.arriving}\b", "C", text)
    channels = {text: tuple(flow.values[at] for at in kept)} if text else {}
    scope = {name: frame.values(name) for name in plan.arguments}
    told = {name: tuple(values[at] for at in kept) for name, values in scope.items() if values and ANY not in values}
    return shape_text(inputs, outputs, channels, told)


def uses_of(frame: Frame) -> list[int]:
    """The use of the class that each run of a place belongs to."""
    uses = list(range(len(frame)))
    inside: Frame | None = frame
    while inside and inside.parent:
        uses = [inside.index[at] for at in uses]
        inside = inside.parent
    return uses


def whole(plan: ClassPlan) -> Iterator[tuple[Sequence[Shape], str]]:
    """Shapes that the class has in all its uses, with their text: what it takes, what it gives, and between."""
    assert plan.flow
    yield [use.input for use in plan.uses], arriving(plan)
    yield [use.output for use in plan.uses], place_text(plan, plan.frame, [use.output for use in plan.uses], plan.flow)
    for item in plan.items:
        if isinstance(item, Child | Join) and uses_of(item.frame) == list(range(len(plan.uses))):
            yield item.outputs, place_text(plan, item.frame, item.outputs, item.flow)
