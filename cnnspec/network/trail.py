"""How a shape came about: the layers that ran before a fault, and what else they could have given.

Everything here runs only when there is a fault to explain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod

from cnnspec.diagnostics import Edit, Fix, Label
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.combine import COMBINATORS
from cnnspec.layers.shape import Flatten
from cnnspec.network.edits import set_argument
from cnnspec.network.flow import Steps
from cnnspec.network.model import CombineNode, GroupNode, LayerNode, Node, nodes
from cnnspec.record import Record
from cnnspec.source import Span
from cnnspec.syntax import tree

LARGEST_INPUT = 512
"""Square inputs are tried up to this side. All of them: a layer may refuse some sizes between others."""

MOST_TRIED = 10_000
"""For one question no more layers than this are run: an editor waits for the answer."""

MOST_STEPS = 8
"""A longer chain of sizes is shown without its middle."""


class Site(Record):
    """Where a layer or block is called: the step and its call, and whether it stands for one layer only. `direct` is
    false where the name of the call stands for a layer that was given as a value."""

    step: tree.Step
    call: tree.Call
    once: bool
    direct: bool = True

    def before(self, text: str) -> Edit:
        """An edit that puts another step in front, label and all."""
        start = self.step.span
        return Edit(Span(start.source, start.start, start.start), text)


class Step(Record):
    """A layer or a combinator that ran, and where it is called."""

    node: LayerNode | CombineNode
    site: Site

    @property
    def call(self) -> tree.Call:
        return self.site.call

    @property
    def layer(self) -> Layer | None:
        return self.node.layer if isinstance(self.node, LayerNode) else None

    @property
    def stage(self) -> Stage:
        return self.node.layer if isinstance(self.node, LayerNode) else Joined(self.node)


class Trail(Record):
    """Where the shape started (the input, an equal share of channels, or a prediction after a fault) and what ran
    since. `whole` tells that it was the input."""

    origin: Shape
    span: Span
    steps: tuple[Step, ...]
    whole: bool

    @property
    def shape(self) -> Shape:
        return self.steps[-1].node.output if self.steps else self.origin

    @property
    def stages(self) -> list[Stage]:
        return [step.stage for step in self.steps]


class Joined:
    """Branches and what joins them, as one stage of a chain."""

    def __init__(self, node: CombineNode) -> None:
        self.node = node
        self.word = COMBINATORS[node.kind](**node.options)

    def output(self, x: Shape) -> Shape:
        """Raises `Refused` as layers do."""
        branches = self.node.branches
        shapes = self.word.inputs(x, len(branches))
        outputs = [through(nodes(items), shape) for items, shape in zip(branches, shapes, strict=True)]
        return self.word.output(x, outputs)


Stage = Layer | Joined


def through(chain: Iterable[Node], shape: Shape) -> Shape:
    """What some nodes make of another shape than their own; raises `Refused`."""
    for node in chain:
        if isinstance(node, GroupNode):
            shape = through(node.children, shape)
        else:
            shape = (node.layer if isinstance(node, LayerNode) else Joined(node)).output(shape)
    return shape


def flat(steps: Steps) -> list[LayerNode | CombineNode]:
    """What ran, the first first; groups that ran as a whole are taken apart."""
    found: list[LayerNode | CombineNode] = []
    while steps:
        steps, node = steps
        found += reversed(list(inside((node,))))
    return found[::-1]


def inside(chain: Iterable[Node]) -> Iterator[LayerNode | CombineNode]:
    """What runs, groups taken apart."""
    for node in chain:
        if isinstance(node, GroupNode):
            yield from inside(node.children)
        else:
            yield node


def told(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps as a story of one chain: in the place of branches, the one with the most layers."""
    for step in steps:
        if isinstance(step.node, CombineNode):
            if step.node.kind != "aux":
                branches = [list(inside(nodes(items))) for items in step.node.branches]
                yield from told(Step(node, site_of(node)) for node in max(branches, key=len))
        else:
            yield step


def site_of(node: LayerNode | CombineNode, once: bool = False) -> Site:
    op = node.step.op
    call = op.call if isinstance(op, tree.Combine) else op
    assert isinstance(call, tree.Call)
    direct = isinstance(node, CombineNode) or call.name.text == node.layer.word
    return Site(node.step, call, once and direct, direct)


def run(stages: Iterable[Stage], shape: Shape) -> Shape | None:
    """What a chain of stages makes of a shape; None where one of them refuses it."""
    try:
        for stage in stages:
            shape = stage.output(shape)
    except Refused:
        return None
    return shape


# ------------------------------------------------------------------------------------------------- why it is so


def chain_of_sizes(trail: Trail) -> str:
    """The sizes of the map from the origin on, each change with its arithmetic, and what flatten made of it; empty
    where what arrives was made by a linear layer."""
    if not trail.shape.rank and trail.origin.rank and before_flatten(trail) is None:
        return ""
    changes = [step for step in told(trail.steps) if step.node.input.spatial != step.node.output.spatial]
    slides = [step for step in changes if step.node.output.rank == step.node.input.rank]
    sizes = [_side(trail.origin), *(_side(step.node.output) for step in slides)]
    lines = [" -> ".join(shorten(sizes))] if slides else []
    lines += shorten([_arithmetic(steps) for steps in _by_call(slides)])
    lines += [_flattening(step) for step in changes if isinstance(step.layer, Flatten)]
    return "\n".join(lines)


def shorten(items: list[str]) -> list[str]:
    if len(items) <= MOST_STEPS + 1:
        return items
    return [*items[: MOST_STEPS // 2], "...", *items[-MOST_STEPS // 2 :]]


def _by_call(steps: list[Step]) -> Iterator[list[Step]]:
    """Steps that stand in the same call, together, at the place of the first."""
    together: dict[tuple[str, int], list[Step]] = {}
    for step in steps:
        together.setdefault(place(step.call), []).append(step)
    yield from together.values()


def place(call: tree.Call) -> tuple[str, int]:
    """What tells a call from all others."""
    return call.span.source.name, call.span.start


def _arithmetic(steps: list[Step]) -> str:
    sums = [_sum(step) for step in steps]
    times = f", {len(steps)} times" if len(steps) > 1 else ""
    return f"{written(steps[0].call)} on line {steps[0].call.span.line}{times}: {', '.join(shorten(sums))}"


def _sum(step: Step) -> str:
    node = step.node
    sum_ = step.layer.arithmetic(node.input) if step.layer else ""
    return sum_ or f"{_side(node.input)} becomes {_side(node.output)}"


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
        if isinstance(step.layer, Flatten):
            return (Label(node.span, f"{node.input} becomes {node.output} here"),)
        sets = step.layer.claims if step.layer else node.output.channels != node.input.channels
        if sets and step.call is not site.call:
            return (Label(step.call.span, f"{node.output.channels} come from here"),)
    return (Label(trail.span, f"{trail.origin} {'starts' if trail.whole else 'comes from'} here"),)


# ------------------------------------------------------------------------------------- what would make it right


def before_flatten(trail: Trail) -> Shape | None:
    """The map that the last flatten received."""
    for step in reversed(trail.steps):
        if isinstance(step.layer, Flatten):
            return step.node.input
        if step.node.input != step.node.output:
            return None
    return None


def fitting_input(trail: Trail, features: int) -> str | None:
    """For which square inputs the map would flatten to `features`, in a sentence; None where that is no question."""
    origin, stages = trail.origin, trail.stages
    if not trail.whole or before_flatten(trail) is None or not origin.rank or len(set(origin.spatial)) > 1:
        return None
    outputs = _for_square_inputs(stages, origin)
    if outputs is None:
        return None
    fitting = [side for side, shape in outputs.items() if shape.elements == features]
    if not fitting:
        square = "square " if origin.rank > 1 else ""
        return f"no {square}input up to {_square(origin, _largest(origin))} makes it {features}"
    cut = max(n for n, step in enumerate(trail.steps) if isinstance(step.layer, Flatten))
    map_then = run(stages[:cut], _square(origin, fitting[0]))
    assert map_then is not None
    sizes = " x ".join(map(str, map_then.sizes))
    return f"{features} = {sizes} fits an input of {_square(origin, fitting[0])}{_up_to(origin, fitting)}"


def _for_square_inputs(stages: list[Stage], origin: Shape) -> dict[int, Shape] | None:
    """What comes out, by the side of the input; inputs that have become equal on the way go on as one. None where
    that would take too long."""
    if _trials(stages, _square(origin, _largest(origin))) > MOST_TRIED:
        return None
    shapes = {side: _square(origin, side) for side in range(1, _largest(origin) + 1)}
    for stage in stages:
        outputs = {shape: run([stage], shape) for shape in set(shapes.values())}
        shapes = {side: output for side, shape in shapes.items() if (output := outputs[shape]) is not None}
    return shapes


def _largest(origin: Shape) -> int:
    """The largest side that is tried: a series is longer than a picture is wide."""
    return LARGEST_INPUT if origin.rank > 1 else max(LARGEST_INPUT, *origin.spatial)


def _trials(stages: list[Stage], largest: Shape) -> int:
    """About how many layers run for all square inputs: there are as many different maps as the largest has rows."""
    trials, different, shape = 0, max(largest.spatial), largest
    for stage in stages:
        trials += different * _layers_in(stage)
        output = run([stage], shape)
        if output is not None:
            shape = output
            different = max(shape.spatial, default=different)
    return trials


def _layers_in(*stages: Stage) -> int:
    return sum(stage.node.modules if isinstance(stage, Joined) else 1 for stage in stages)


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
    if not trail.whole or not origin.rank or len(set(origin.spatial)) > 1:
        return None
    chain = [*trail.stages, layer]
    largest = min(LARGEST_INPUT, MOST_TRIED // _layers_in(*chain))
    fitting = (_square(origin, side) for side in range(1, largest + 1))
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
    if before_flatten(trail) is None or _layers_in(*trail.stages) ** 2 > MOST_TRIED:
        return []
    everywhere = padding_everywhere(trail, lambda stages: _gives(stages, trail.origin, features))
    padded = list(_paddings(trail, features))[:1] or [
        Fix(f"keep {features} with padding in every convolution", edits) for edits in everywhere
    ]
    return padded + _one_more_pool(trail, features)


def _paddings(trail: Trail, features: int) -> Iterator[Fix]:
    """A padding in one layer; those that keep the size come first."""
    stages = trail.stages
    candidates = []
    for at, step in enumerate(trail.steps):
        kernel = _kernel(step)
        if kernel is None or not step.site.once:
            continue
        for padding in range(1, kernel // 2 + 1):
            changed = [*stages[:at], _padded(step, padding), *stages[at + 1 :]]
            if _gives(changed, trail.origin, features):
                candidates.append((2 * padding != kernel - 1, at, padding))
    for _, at, padding in sorted(candidates):
        call = trail.steps[at].call
        message = f"keep {features} with padding={padding} in {written(call)} on line {call.span.line}"
        yield Fix(message, (_set_argument(trail.steps[at], "padding", padding),))


def padding_everywhere(trail: Trail, mends: Callable[[list[Stage]], bool]) -> list[tuple[Edit, ...]]:
    """The edits that give every convolution the padding that keeps the size, if that mends the fault."""
    stages, edits = trail.stages, []
    for at, step in enumerate(trail.steps):
        kernel = _kernel(step)
        if kernel and kernel % 2 and kernel > 1 and step.call.name.text == "conv":
            stages[at] = _padded(step, kernel // 2)
            edits.append(_set_argument(step, "padding", kernel // 2))
    once = tuple(dict.fromkeys(edits))
    places = {(edit.span.source.name, edit.span.start) for edit in once}
    return [once] if len(edits) > 1 and len(places) == len(once) and mends(stages) else []


def _one_more_pool(trail: Trail, features: int) -> list[Fix]:
    from cnnspec.layers.pool import MaxPool

    at = max(n for n, step in enumerate(trail.steps) if isinstance(step.layer, Flatten))
    flatten = trail.steps[at]
    pooled = [*trail.stages[:at], MaxPool(2), *trail.stages[at:]]
    if not flatten.site.once or not _gives(pooled, trail.origin, features):
        return []
    edit = flatten.site.before("maxpool(2), ")
    return [Fix(f"keep {features} with one more maxpool(2) before flatten", (edit,))]


def _kernel(step: Step) -> int | None:
    """The kernel of a layer that slides it and takes a padding."""
    kernel = getattr(step.layer, "kernel", None)
    padding = getattr(step.layer, "padding", None)
    return kernel if isinstance(kernel, int) and padding == 0 else None


def _padded(step: Step, padding: int) -> Layer:
    assert step.layer
    return step.layer.replace(padding=padding)


def _gives(stages: list[Stage], origin: Shape, features: int) -> bool:
    shape = run(stages, origin)
    return shape is not None and prod(shape.sizes) == features


def _set_argument(step: Step, name: str, value: int) -> Edit:
    assert step.layer
    return set_argument(step.call, step.layer.parameters(), name, str(value))
