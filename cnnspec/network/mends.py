"""What could mend a layer that refuses its input, as guesses: other values for its arguments, another place for it,
other channels or another input before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import isqrt, prod
from typing import Any

from cnnspec.diagnostics import Edit
from cnnspec.layers.axes import Sliding
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.shape import Flatten
from cnnspec.network import trail as trails
from cnnspec.network.edits import set_argument
from cnnspec.network.proof import Guess
from cnnspec.network.trail import Site, Trail, written
from cnnspec.syntax import tree
from cnnspec.words import show
from cnnspec.words.edits import behind, remove

COLOURS = (1, 3, 4)
"""Channels of pictures."""

MOST_GROUPS = 4096


def guesses(site: Site, layer: Layer, refusal: Refused, trail: Trail, model: tree.Model) -> list[Guess]:
    """The likeliest first."""
    if not site.direct:
        return []
    finders: dict[str, tuple[Finder, ...]] = {
        "E302": (_per_axis, _modes, _behind_flatten, _input_of_features),
        "E203": (_reading, _missing),
        "E303": (_smaller_window, _fewer_passes, _larger_input),
        "E304": (_groups, _own_channels, _channels_before),
        "E307": (_limits, _channels_before, _channels_first),
    }
    doubt = Doubt(site, layer, refusal, trail, model)
    return [guess for finder in finders.get(refusal.code, ()) for guess in finder(doubt)]


def habits(site: Site, layer: Layer, refusal: Refused, trail: Trail, model: tree.Model) -> list[Guess]:
    """What a map that is too small comes from, where it is a habit from elsewhere."""
    doubt = Doubt(site, layer, refusal, trail, model)
    return [*_channels_last(doubt), *_third_number(doubt)] if refusal.code == "E303" else []


class Doubt:
    """A layer that refused what arrives."""

    def __init__(self, site: Site, layer: Layer, refusal: Refused, trail: Trail, model: tree.Model) -> None:
        self.site, self.layer, self.refusal, self.trail, self.model = site, layer, refusal, trail, model
        self.shape = trail.shape

    def accepts(self, **changes: Any) -> bool:
        return trails.run([self.layer.replace(**changes)], self.shape) is not None

    def set(self, **changes: Any) -> tuple[Edit, ...]:
        names = self.layer.parameters()
        return tuple(set_argument(self.site.call, names, name, show(value)) for name, value in changes.items())

    def change(self, message: str, **changes: Any) -> Iterator[Guess]:
        if self.accepts(**changes):
            yield Guess(message, self.set(**changes))


Finder = Callable[[Doubt], Iterator[Guess]]

# ------------------------------------------------------------------------------------------------ too small a map


def _channels_last(doubt: Doubt) -> Iterator[Guess]:
    """`input 150x150x3`"""
    origin = doubt.trail.origin
    if doubt.trail.whole and origin.rank > 1 and origin.sizes[-1] in COLOURS and origin.channels not in COLOURS:
        shape = Shape((origin.sizes[-1], *origin.sizes[:-1]))
        if trails.run([*doubt.trail.stages, doubt.layer], shape) is not None:
            yield Guess(f"channels stand first: the input is {shape}", (Edit(doubt.trail.span, str(shape)),))


def _third_number(doubt: Doubt) -> Iterator[Guess]:
    """`conv(32, 3, 3)`, whose third number is the stride."""
    edits, stages = dict[int, Edit](), doubt.trail.stages
    for at, step in enumerate(doubt.trail.steps):
        given = step.call.arguments
        layer = step.layer
        if layer is None or layer.word != "conv" or len(given) < 3 or any(argument.name for argument in given[:3]):
            continue
        if show(layer.kernel) == given[2].value.span.text:  # type: ignore[attr-defined]
            stages[at] = layer.replace(stride=1)
            edits[given[2].span.start] = remove(given[2].span)
    if edits and trails.run([*stages, doubt.layer], doubt.trail.origin) is not None:
        yield Guess("the third number of conv is the stride; one number is the kernel of both axes", (*edits.values(),))


def _smaller_window(doubt: Doubt) -> Iterator[Guess]:
    layer, shape = doubt.layer, doubt.shape
    kernel = _tuple(getattr(layer, "kernel", None), shape.rank)
    if not isinstance(layer, Sliding) or kernel is None or not doubt.site.once:
        return
    smaller = tuple(min(k, size) for k, size in zip(kernel, shape.spatial, strict=True))
    if layer.word == "avgpool":
        edits = (Edit(doubt.site.call.span, "adaptive_avgpool(1)"),)
        yield Guess("adaptive_avgpool(1) takes the mean of the whole map, whatever its size", edits)
    if layer.word.endswith("pool"):
        if max(smaller) > 1:
            yield from doubt.change("use a window that fits", kernel=_short(smaller))
        yield Guess(f"leave this {layer.word} out", (remove(doubt.site.step.span, "identity"),))
        return
    same = tuple(k // 2 for k in kernel)
    if doubt.layer.word == "conv":
        yield from doubt.change("keep the size of the map with padding", padding=_short(same))
    if max(smaller) > 1 or prod(shape.spatial) == 1:
        yield from doubt.change("use a kernel that fits", kernel=_short(smaller))


def _fewer_passes(doubt: Doubt) -> Iterator[Guess]:
    call = doubt.site.call.span
    loops = [node for node in tree.walk(doubt.model) if isinstance(node, tree.Repeat)]
    for loop in loops:
        count = loop.count.value if isinstance(loop.count, tree.Number) else None
        around = loop.span.source is call.source and loop.span.start <= call.start < loop.span.end
        for times in range(count - 1, max(0, count - 4), -1) if around and isinstance(count, int) else ():
            yield Guess(f"repeat it {times} times", (Edit(loop.count.span, str(times)),))


def _larger_input(doubt: Doubt) -> Iterator[Guess]:
    trail = doubt.trail
    if not trail.whole or not trail.origin.rank or next(_channels_last(doubt), None):
        return
    smallest = trails.smallest_input(trail, doubt.layer)
    if smallest and smallest != trail.origin:
        yield Guess(f"start with a larger input, {smallest} or more", (Edit(trail.span, str(smallest)),))
    elif smallest is None:
        for times in (2, 4, 8, 16, 32):
            shape = Shape((trail.origin.channels, *(times * size for size in trail.origin.spatial)))
            if trails.run([*trail.stages, doubt.layer], shape) is not None:
                yield Guess(f"start with a larger input, {shape} for instance", (Edit(trail.span, str(shape)),))


# --------------------------------------------------------------------------------------------- groups and channels


def _groups(doubt: Doubt) -> Iterator[Guess]:
    name = doubt.refusal.argument
    if name not in ("groups", "factor") or not isinstance(groups := getattr(doubt.layer, name), int):
        return
    channels = doubt.shape.channels
    fitting = [n for n in range(1, min(channels, MOST_GROUPS) + 1) if doubt.accepts(**{name: n})]
    if not fitting:
        return
    near = min(fitting, key=lambda n: (abs(n - groups), -n))
    if name == "groups" and channels in fitting and channels > 1 and 2 * groups > channels:
        # As many groups as channels were meant, and counted wrongly.
        yield Guess(f"one group for each of the {channels} channels that arrive", doubt.set(groups=channels))
    elif name == "groups":
        yield Guess(doubt.refusal.help, doubt.set(groups=near))


def _own_channels(doubt: Doubt) -> Iterator[Guess]:
    """`conv(5, 3, groups=2)`"""
    out, groups = getattr(doubt.layer, "out", None), getattr(doubt.layer, "groups", 1)
    if doubt.refusal.argument == "out" and isinstance(out, int):
        for multiple in (out // groups * groups + groups, out // groups * groups):
            if multiple:
                yield from doubt.change(doubt.refusal.help, out=multiple)


def _channels_before(doubt: Doubt) -> Iterator[Guess]:
    """Another number of channels or features from the layer before."""
    found = source_of_channels(doubt.trail, doubt.site)
    if found is None or doubt.refusal.argument in ("groups", "out"):
        return
    call, given, channels = found
    wanted = list(_near(doubt, channels))
    for count in wanted[:2]:
        yield Guess(f"let {written(call)} on line {call.span.line} give {count}", (Edit(given.span, str(count)),))


def _near(doubt: Doubt, channels: int) -> Iterator[int]:
    """Numbers of channels near the one there is that the layer would take."""
    if doubt.layer.word == "unflatten":
        yield prod(doubt.layer.shape)  # type: ignore[attr-defined]
        return
    for distance in range(1, channels + 1):
        for count in (channels + distance, channels - distance):
            if count > 0 and trails.run([doubt.layer], doubt.shape.with_channels(count)) is not None:
                yield count


def source_of_channels(trail: Trail, site: Site | None) -> tuple[tree.Call, tree.Expr, int] | None:
    """The last layer that sets the number of channels, where that is one number in the text."""
    for step in reversed(trail.steps):
        layer = step.layer
        if layer is None or (isinstance(layer, Flatten) and step.node.input.rank):
            return None
        if layer.claims:
            for position, argument in enumerate(step.call.arguments):
                named = argument.name.text if argument.name else position == 0
                if named in (True, layer.claims) and step.site.once and _constant(argument.value):
                    return step.call, argument.value, step.node.output.channels
            return None
        if step.node.input.channels != step.node.output.channels:
            return None
    return None


def _constant(value: tree.Expr) -> bool:
    """Whether an expression is made of numbers alone."""
    return all(isinstance(node, tree.Number | tree.Binary | tree.Unary | str) for node in tree.walk(value))


# ----------------------------------------------------------------------------------------------------- predictions


def predicted(trail: Trail, sizes: tuple[int | None, ...]) -> list[Guess]:
    """One argument of one layer, or another input, with which the predicted shape comes out."""
    found: list[Guess] = []
    stages = trail.stages
    for place in reversed(range(len(stages))):
        step = trail.steps[place]
        layer = step.layer
        if layer is None or not step.site.once:
            continue
        for name, value in _other_sizes(layer):
            changed = layer.replace(**{name: value})
            if _gives([*stages[:place], changed, *stages[place + 1 :]], trail.origin, sizes):
                edit = set_argument(step.call, changed.parameters(), name, str(value))
                call = f"{written(step.call)} on line {step.call.span.line}"
                found.append(Guess(f"write {name}={value} in {call}", (edit,)))
    return [*found[:1], *_fitting_input(trail, sizes), *found[1:MOST_GUESSES]]


MOST_GUESSES = 3


def _gives(stages: list[trails.Stage], origin: Shape, sizes: tuple[int | None, ...]) -> bool:
    shape = trails.run(stages, origin)
    return (
        shape is not None
        and len(shape.sizes) == len(sizes)
        and all(size is None or size == actual for size, actual in zip(sizes, shape.sizes, strict=True))
    )


def _other_sizes(layer: Layer) -> Iterator[tuple[str, int]]:
    """Values for arguments that make a map larger or smaller, the usual ones first."""
    kernel, stride = getattr(layer, "kernel", None), getattr(layer, "stride", None)
    if not isinstance(kernel, int):
        return
    half = kernel // 2
    pool = layer.word.endswith("pool")
    if getattr(layer, "padding", None) != half and not pool:
        yield "padding", half
    if layer.word == "conv_transpose" and isinstance(stride, int):
        yield from (("output_padding", extra) for extra in range(1, stride) if extra != layer.output_padding)  # type: ignore[attr-defined]
        yield "kernel", stride
    if isinstance(layer, Sliding) and isinstance(stride, int):
        yield from (("stride", other) for other in (1, 2) if other != stride)
    if pool:
        return
    yield from (("padding", other) for other in range(half))
    yield from (("kernel", other) for other in (kernel + 1, kernel - 1) if other > 0)


def _fitting_input(trail: Trail, sizes: tuple[int | None, ...]) -> Iterator[Guess]:
    origin = trail.origin
    if not trail.whole or not origin.rank or len(set(origin.spatial)) > 1 or len(trail.steps) > 100:
        return
    for side in range(1, trails.LARGEST_INPUT + 1):
        shape = Shape((origin.channels, *[side] * origin.rank))
        if _gives(trail.stages, shape, sizes):
            yield Guess(f"make the input {shape}, from which it comes", (Edit(trail.span, str(shape)),))
            return


# ------------------------------------------------------------------------------------------------------- arguments


def _per_axis(doubt: Doubt) -> Iterator[Guess]:
    """Lists for another number of axes."""
    rank, changes = doubt.shape.rank, dict[str, Any]()
    for name in doubt.layer.parameters():
        value = getattr(doubt.layer, name)
        if isinstance(value, tuple) and name != "shape" and rank:
            wanted = 2 * rank if doubt.layer.word == "pad" else rank
            if len(value) != wanted:
                changes[name] = _short(_of_length(value, wanted))
    given = {argument.name.text for argument in doubt.site.call.arguments if argument.name}
    own = [*doubt.layer.parameters()]
    placed = set(own[: sum(argument.name is None for argument in doubt.site.call.arguments)])
    written = {name: value for name, value in changes.items() if name in given | placed}
    if written and doubt.accepts(**changes):
        axes = "one axis" if rank == 1 else f"{rank} axes"
        yield Guess(f"the map has {axes}", doubt.set(**written))


def _of_length(value: tuple[Any, ...], wanted: int) -> tuple[Any, ...]:
    """A list for more or fewer axes: without its ones, or with its last item repeated."""
    if wanted == 2 * len(value):
        return tuple(item for item in value for _ in range(2))
    while len(value) > wanted:
        at = next((at for at, item in enumerate(value) if item in (0, 1)), 0)
        value = value[:at] + value[at + 1 :]
    return value + value[-1:] * (wanted - len(value))


def _modes(doubt: Doubt) -> Iterator[Guess]:
    if doubt.refusal.argument == "mode" and doubt.layer.word == "upsample":
        linear = {1: "linear", 2: "bilinear", 3: "trilinear"}.get(doubt.shape.rank, "nearest")
        if doubt.accepts(mode=linear):
            edit = set_argument(doubt.site.call, doubt.layer.parameters(), "mode", linear)
            yield Guess(f"on this map it is called {linear}", (edit,))


def _behind_flatten(doubt: Doubt) -> Iterator[Guess]:
    """`flatten, maxpool(2)`"""
    flattens = [step for step in doubt.trail.steps if isinstance(step.layer, Flatten) and step.node.input.rank]
    if doubt.shape.rank or not flattens:
        return
    flatten = flattens[-1].site.step.span
    yield Guess("put flatten behind it", (remove(flatten, "identity"), behind(doubt.site.step.span, "flatten")))
    yield Guess("leave this flatten out", (remove(flatten, "identity"),))


def _input_of_features(doubt: Doubt) -> Iterator[Guess]:
    """`input 784` and `input 3*32*32` for a map."""
    trail = doubt.trail
    if not trail.whole or trail.origin.rank or doubt.shape.rank:
        return
    factors = re.split(r"\s*\*\s*", trail.span.text)
    if len(factors) > 1 and all(factor.isdigit() for factor in factors):
        yield Guess(f"sizes are joined by x: {'x'.join(factors)}", (Edit(trail.span, "x".join(factors)),))
        return
    for channels in COLOURS:
        side = isqrt(trail.origin.channels // channels)
        if channels * side * side == trail.origin.channels:
            shape = f"{channels}x{side}x{side}"
            message = f"say which map it is: {trail.origin.channels} = {channels} x {side} x {side}"
            yield Guess(message, (Edit(trail.span, shape),))


def _limits(doubt: Doubt) -> Iterator[Guess]:
    """The nearest value that an argument may have."""
    layer, shape, name = doubt.layer, doubt.shape, doubt.refusal.argument
    kernel = _tuple(getattr(layer, "kernel", None), shape.rank)
    if getattr(layer, "padding", None) == "same" and kernel:
        half = _short(tuple(k // 2 for k in kernel))
        yield from doubt.change(f"half of the kernel, rounded down, is {show(half)}", padding=half)
    elif name == "padding" and kernel:
        half = _short(tuple(k // 2 for k in kernel))
        yield from doubt.change(f"at most half of the kernel, {show(half)}", padding=half)
    elif name == "count":
        yield from doubt.change(doubt.refusal.help, count=shape.channels)
    elif name == "output_padding":
        stride = _tuple(getattr(layer, "stride", 1), shape.rank) or (1,)
        yield from doubt.change(doubt.refusal.help, output_padding=_short(tuple(s - 1 for s in stride)))
    elif name == "amount" and isinstance(layer.amount, int):  # type: ignore[attr-defined]
        yield from doubt.change(doubt.refusal.help, amount=min(shape.spatial) - 1)
    elif layer.word == "instancenorm":
        yield Guess(doubt.refusal.help, (Edit(doubt.site.call.span, "batchnorm"),))


def _channels_first(doubt: Doubt) -> Iterator[Guess]:
    if doubt.shape.channels_last:
        yield Guess(doubt.refusal.help, (doubt.site.before("channels_first, "),))


def _reading(doubt: Doubt) -> Iterator[Guess]:
    """`layernorm` on a map, which has three readings."""
    if doubt.layer.word == "layernorm":
        yield Guess(doubt.refusal.help, (set_argument(doubt.site.call, doubt.layer.parameters(), "over", "channels"),))


def _missing(doubt: Doubt) -> Iterator[Guess]:
    """`upsample`, which wants a factor or a size."""
    if doubt.layer.word == "upsample":
        yield Guess("give a factor", (set_argument(doubt.site.call, doubt.layer.parameters(), "factor", "2"),))


def _tuple(value: Any, rank: int) -> tuple[int, ...] | None:
    if isinstance(value, tuple):
        return value if len(value) == rank else None
    return (value,) * rank if isinstance(value, int) else None


def _short(values: tuple[Any, ...]) -> Any:
    """One number where all axes have the same."""
    return values[0] if len(set(values)) == 1 else values
