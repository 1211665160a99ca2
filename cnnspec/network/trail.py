"""How a shape came about: the layers that ran before a fault, and what else they could have given.

Everything here runs only when there is a fault to explain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

from cnnspec.diagnostics import Edit, Fix, Label
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.shape import Flatten
from cnnspec.network.model import LayerNode
from cnnspec.record import Record
from cnnspec.source import Span
from cnnspec.syntax import tree

LARGEST_INPUT = 512
"""Square inputs are tried up to this side. All of them: a layer may refuse some sizes between others."""

MOST_STEPS = 8
"""A longer chain of sizes is shown without its middle."""


class Site(Record):
    """Where a layer or block is called: the step and its call, and whether they are expanded only once."""

    step: tree.Step
    call: tree.Call
    once: bool

    def before(self, text: str) -> Edit:
        """An edit that puts another step in front, label and all."""
        start = self.step.span
        return Edit(Span(start.source, start.start, start.start), text)


class Step(Record):
    """A layer that ran, and where it is called."""

    node: LayerNode
    site: Site

    @property
    def call(self) -> tree.Call:
        return self.site.call


class Trail(Record):
    """Where the shape started (the input, or a prediction after a fault) and what ran since."""

    origin: Shape
    span: Span
    steps: tuple[Step, ...]

    @property
    def shape(self) -> Shape:
        return self.steps[-1].node.output if self.steps else self.origin

    @property
    def layers(self) -> list[Layer]:
        return [step.node.layer for step in self.steps]


def run(layers: list[Layer], shape: Shape) -> Shape | None:
    """What a chain of layers makes of a shape; None where one of them refuses it."""
    try:
        for layer in layers:
            shape = layer.output(shape)
    except Refused:
        return None
    return shape


# ------------------------------------------------------------------------------------------------- why it is so


def chain_of_sizes(trail: Trail) -> str:
    """The sizes of the map from the origin on, each change with its arithmetic, and what flatten made of it; empty
    where what arrives was made by a linear layer."""
    if not trail.shape.rank and trail.origin.rank and before_flatten(trail) is None:
        return ""
    changes = [step for step in trail.steps if step.node.input.spatial != step.node.output.spatial]
    slides = [step for step in changes if step.node.output.rank == step.node.input.rank]
    sizes = [_side(trail.origin), *(_side(step.node.output) for step in slides)]
    lines = [" -> ".join(shorten(sizes))] if slides else []
    lines += shorten([_arithmetic(steps) for steps in _by_call(slides)])
    lines += [_flattening(step) for step in changes if isinstance(step.node.layer, Flatten)]
    return "\n".join(lines)


def shorten(items: list[str]) -> list[str]:
    if len(items) <= MOST_STEPS + 1:
        return items
    return [*items[: MOST_STEPS // 2], "...", *items[-MOST_STEPS // 2 :]]


def _by_call(steps: list[Step]) -> Iterator[list[Step]]:
    """Steps that stand in the same call, together, at the place of the first."""
    together: dict[int, list[Step]] = {}
    for step in steps:
        together.setdefault(step.call.span.start, []).append(step)
    yield from together.values()


def _arithmetic(steps: list[Step]) -> str:
    sums = [_sum(step.node) for step in steps]
    times = f", {len(steps)} times" if len(steps) > 1 else ""
    return f"{written(steps[0].call)} on line {steps[0].call.span.line}{times}: {', '.join(shorten(sums))}"


def _sum(node: LayerNode) -> str:
    return node.layer.arithmetic(node.input) or f"{_side(node.input)} becomes {_side(node.output)}"


def _flattening(step: Step) -> str:
    return f"flatten: {product(step.node.input)}"


def product(shape: Shape) -> str:
    """`16 x 4 x 4 = 256`"""
    return f"{' x '.join(map(str, shape.sizes))} = {shape.elements}" if shape.rank else str(shape.elements)


def written(call: tree.Call) -> str:
    """A call as it stands in the text, on one line."""
    return written_text(call.span)


def written_text(span: Span) -> str:
    text = " ".join(span.text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def _side(shape: Shape) -> str:
    """The size of a map: one number where it is square."""
    sizes = shape.spatial
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))


def labels(trail: Trail, site: Site) -> tuple[Label, ...]:
    """Where the number that arrives was made: the flatten, or the layer that set the channels."""
    for step in reversed(trail.steps):
        node = step.node
        if isinstance(node.layer, Flatten):
            return (Label(node.span, f"{node.input} becomes {node.output} here"),)
        if node.layer.claims and node.span != site.call.span:
            return (Label(node.span, f"{node.output.channels} come from here"),)
    return (Label(trail.span, f"{trail.origin} starts here"),)


# ------------------------------------------------------------------------------------- what would make it right


def before_flatten(trail: Trail) -> Shape | None:
    """The map that the last flatten received."""
    for step in reversed(trail.steps):
        if isinstance(step.node.layer, Flatten):
            return step.node.input
        if step.node.input != step.node.output:
            return None
    return None


def fitting_input(trail: Trail, features: int) -> str | None:
    """For which square inputs the map would flatten to `features`, in a sentence; None where that is no question."""
    origin, layers = trail.origin, trail.layers
    if before_flatten(trail) is None or not origin.rank or len(set(origin.spatial)) > 1:
        return None
    fitting = [
        side
        for side in range(1, LARGEST_INPUT + 1)
        if (shape := run(layers, _square(origin, side))) is not None and shape.elements == features
    ]
    if not fitting:
        return f"no square input up to {_square(origin, LARGEST_INPUT)} makes it {features}"
    cut = max(n for n, step in enumerate(trail.steps) if isinstance(step.node.layer, Flatten))
    map_then = run(layers[:cut], _square(origin, fitting[0]))
    assert map_then is not None
    sizes = " x ".join(map(str, map_then.sizes))
    return f"{features} = {sizes} fits an input of {_square(origin, fitting[0])}{_up_to(origin, fitting)}"


def _up_to(origin: Shape, fitting: list[int]) -> str:
    """The largest of the fitting inputs, and whether all between fit too."""
    if len(fitting) == 1:
        return ""
    some = f"{len(fitting)} sizes " if fitting[-1] - fitting[0] + 1 > len(fitting) else ""
    return f" ({some}up to {_square(origin, fitting[-1])})"


def _square(shape: Shape, side: int) -> Shape:
    return Shape((shape.channels, *[side] * shape.rank))


def smallest_input(trail: Trail, layer: Layer) -> Shape | None:
    """The smallest square input from which `layer` still gets a map it accepts."""
    origin = trail.origin
    if not origin.rank or len(set(origin.spatial)) > 1:
        return None
    chain = [*trail.layers, layer]
    fitting = (_square(origin, side) for side in range(1, LARGEST_INPUT + 1))
    return next((shape for shape in fitting if run(chain, shape) is not None), None)


def earlier(trail: Trail, features: int) -> str | None:
    """Where on the way the map had `features` elements, in a sentence."""
    flattened = before_flatten(trail)
    for step in reversed(trail.steps):
        shape = step.node.input
        if shape.rank and shape != flattened and shape.elements == features:
            sizes = " x ".join(map(str, shape.sizes))
            return f"{features} = {sizes} is what {written(step.call)} on line {step.call.span.line} receives"
    return None


def repairs(trail: Trail, features: int) -> list[Fix]:
    """Changes to layers before the flatten that would make `features` right: paddings, then a pool more."""
    if before_flatten(trail) is None:
        return []
    everywhere = padding_everywhere(trail, lambda layers: _gives(layers, trail.origin, features))
    padded = list(_paddings(trail, features))[:1] or [
        Fix(f"or keep {features} with padding in every convolution", edits) for edits in everywhere
    ]
    return padded + _one_more_pool(trail, features)


def _paddings(trail: Trail, features: int) -> Iterator[Fix]:
    """A padding in one layer; those that keep the size come first."""
    layers = trail.layers
    candidates = []
    for at, step in enumerate(trail.steps):
        kernel = _kernel(step.node.layer)
        if kernel is None or not step.site.once:
            continue
        for padding in range(1, kernel // 2 + 1):
            changed = [*layers[:at], step.node.layer.replace(padding=padding), *layers[at + 1 :]]
            if _gives(changed, trail.origin, features):
                candidates.append((2 * padding != kernel - 1, at, padding))
    for _, at, padding in sorted(candidates):
        call = trail.steps[at].call
        message = f"or keep {features} with padding={padding} in {written(call)} on line {call.span.line}"
        yield Fix(message, (_set_argument(trail.steps[at], "padding", padding),))


def padding_everywhere(trail: Trail, mends: Callable[[list[Layer]], bool]) -> list[tuple[Edit, ...]]:
    """The edits that give every convolution the padding that keeps the size, if that mends the fault."""
    layers, edits = trail.layers, []
    for at, step in enumerate(trail.steps):
        kernel = _kernel(step.node.layer)
        if kernel and kernel % 2 and kernel > 1 and step.node.layer.word == "conv":
            layers[at] = step.node.layer.replace(padding=kernel // 2)
            edits.append(_set_argument(step, "padding", kernel // 2))
    once = tuple(dict.fromkeys(edits))
    places = {edit.span.start for edit in once}
    return [once] if len(edits) > 1 and len(places) == len(once) and mends(layers) else []


def _one_more_pool(trail: Trail, features: int) -> list[Fix]:
    from cnnspec.layers.pool import MaxPool

    at = max(n for n, step in enumerate(trail.steps) if isinstance(step.node.layer, Flatten))
    flatten = trail.steps[at]
    pooled = [*trail.layers[:at], MaxPool(2), *trail.layers[at:]]
    if not flatten.site.once or not _gives(pooled, trail.origin, features):
        return []
    edit = flatten.site.before("maxpool(2), ")
    return [Fix(f"or keep {features} with one more maxpool(2) before flatten", (edit,))]


def _kernel(layer: Layer) -> int | None:
    """The kernel of a layer that slides it and takes a padding."""
    kernel = getattr(layer, "kernel", None)
    padding = getattr(layer, "padding", None)
    return kernel if isinstance(kernel, int) and padding == 0 else None


def _gives(layers: list[Layer], origin: Shape, features: int) -> bool:
    shape = run(layers, origin)
    return shape is not None and prod(shape.sizes) == features


def _set_argument(step: Step, name: str, value: int) -> Edit:
    """An edit that gives a call an argument it does not have, or changes the one it has."""
    call, names = step.call, list(step.node.layer.parameters())
    for position, argument in enumerate(call.arguments):
        if name == (argument.name.text if argument.name else names[position]):
            return Edit(argument.value.span, str(value))
    close = Span(call.span.source, call.span.end - 1, call.span.end - 1)
    comma = " " if call.span.text[:-1].rstrip().endswith(",") else ", "
    return Edit(close, f"{comma}{name}={value}")
