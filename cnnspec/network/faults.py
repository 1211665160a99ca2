"""The wording of what can be wrong with shapes: the fault, why it is so, and what would mend it."""

from __future__ import annotations

from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.network import trail as trails
from cnnspec.network.model import GroupNode, PlacedLayer, layers
from cnnspec.network.trail import Site, Trail
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import LARGEST, Faults, describe


def unit(layer: Layer) -> str:
    return "features" if layer.word == "linear" else "channels"


def arrive(count: int) -> str:
    return f"{count} arrives" if count == 1 else f"{count} arrive"


def answer(span: Span, message: str, text: str) -> Diagnostic:
    """The answer to a question mark."""
    return Diagnostic("N001", message, span, text, fixes=(Fix(f"write {text}", (Edit(span, text),), safe=True),))


# --------------------------------------------------------------------------------------------------------- claims


def wrong_claim(site: Site, argument: tree.Argument, claimed: Any, layer: Layer, trail: Trail) -> Diagnostic:
    """`linear(4096 -> 256)` where 2048 arrive."""
    from cnnspec.network import habits

    claim = argument.incoming
    assert claim is not None
    arriving = layer.incoming(trail.shape)
    message = f"{layer.word} is written for {describe(claimed)} {unit(layer)}, but {arrive(arriving)}"
    fixes: list[Fix] = [_inferred(site, argument, arriving)]
    notes: list[str | None] = []
    exchange = habits.exchanged(argument, arriving, getattr(layer, "out", None), claimed)
    if exchange:
        fixes.insert(0 if trails.before_flatten(trail) else 1, exchange)
    if layer.word == "linear" and isinstance(claimed, int):
        notes = [trails.fitting_input(trail, claimed), trails.earlier(trail, claimed)]
        fixes += trails.repairs(trail, claimed)
    elif trail.whole and not trail.steps and isinstance(claimed, int):
        meant = meant_input(claimed, trail)
        if meant:
            last = len(meant.sizes) == len(trail.origin.sizes)
            words = "channels stand first: the input is" if last else "an input is one sample, without the batch:"
            fixes.insert(0, Fix(f"{words} {meant}", (Edit(trail.span, str(meant)),)))
        else:
            shape = Shape((claimed, *trail.origin.spatial))
            fixes.insert(1, Fix(f"change the input to {shape}", (Edit(trail.span, str(shape)),)))
    return Diagnostic(
        "E301",
        message,
        claim.span,
        "written here",
        trails.labels(trail, site),
        trails.chain_of_sizes(trail) if layer.word == "linear" else "",
        tuple(note for note in notes if note),
        tuple(fixes),
    )


def meant_input(claimed: Any, trail: Trail) -> Shape | None:
    """The input that the first claim about it speaks of, where it is written with its channels last, or with the
    batch."""
    origin = trail.origin
    if not trail.whole or trail.steps or not origin.rank:
        return None
    if claimed == origin.sizes[-1]:
        return Shape((claimed, *origin.sizes[:-1]))
    return Shape(origin.sizes[1:]) if origin.rank > 1 and claimed == origin.sizes[1] else None


def _inferred(site: Site, argument: tree.Argument, arriving: int) -> Fix:
    """Write what arrives; in a block with several uses, where something else may arrive elsewhere, nothing."""
    claim = argument.incoming
    assert claim is not None
    if site.once:
        return Fix("let it be inferred, or write the size that arrives", (Edit(claim.span, str(arriving)),), safe=True)
    until = Span(claim.span.source, claim.span.start, argument.value.span.start)
    return Fix("let it be inferred: the block has several uses", (Edit(until, ""),), safe=True)


def two_sizes(call: tree.Call, layer: type[Layer], diagnostic: Diagnostic, shape: Shape | None = None) -> Diagnostic:
    """`linear(4096, 10)` and `conv(3, 32, kernel_size=3)`: both sizes, as PyTorch takes them. Proposes the arrow."""
    sizes = [a.value for a in call.arguments if a.name is None and isinstance(a.value, tree.Number)]
    if layer.claims is None or len(sizes) != 2 or not _begins_with_two(call):
        return diagnostic
    if layer.word != "linear" and shape and sizes[0].value != shape.channels:
        return diagnostic
    kernels = [a.name for a in call.arguments if a.name and a.name.text in ("kernel", "kernel_size")]
    wrong_kernel = diagnostic.code in ("E202", "E205") and any(
        name.span.start <= diagnostic.span.start <= name.span.end + 1 for name in kernels
    )
    if not wrong_kernel and (layer.word != "linear" or diagnostic.span != sizes[1].span):
        return diagnostic
    between = Edit(Span(call.span.source, sizes[0].span.end, sizes[1].span.start), " -> ")
    edits = (between, *(Edit(name.span, "kernel") for name in kernels))
    return diagnostic.replace(fixes=(Fix("what arrives stands before an arrow, or is left out", edits),))


def _begins_with_two(call: tree.Call) -> bool:
    """Whether an arrow can stand between the first two arguments."""
    return all(argument.name is None and argument.incoming is None for argument in call.arguments[:2])


LARGEST_KERNEL = 11
"""A larger one is hardly meant: it is the largest of the known networks."""


def torch_order(call: tree.Call, layer: Layer, shape: Shape) -> Fix | None:
    """`conv(3, 32, 3)` in PyTorch's order, where the first number is what arrives and the second reads as a kernel of
    32. Proposes the arrow."""
    given = [argument.value for argument in call.arguments if argument.name is None]
    kernel = getattr(layer, "kernel", None)
    if layer.claims is None or len(given) < 3 or not isinstance(kernel, int) or kernel <= LARGEST_KERNEL:
        return None
    if not _begins_with_two(call):
        return None
    if layer.incoming(shape) != layer.out:  # type: ignore[attr-defined]
        return None
    between = Span(call.span.source, given[0].span.end, given[1].span.start)
    return Fix(f"{layer.word} infers what arrives; both sizes are written with an arrow", (Edit(between, " -> "),))


def channels_as_eps(call: tree.Call, layer: Layer) -> Diagnostic | None:
    """`batchnorm(32)`, where PyTorch takes the channels and we, who infer them, take eps."""
    names = list(layer.parameters())
    for position, argument in enumerate(call.arguments):
        if argument.name is None and names[position] == "eps" and layer.eps >= 1:  # type: ignore[attr-defined]
            message = f"{layer.word} has an eps of {argument.value.span.text} here"
            kept = ", ".join(a.span.text for a in call.arguments if a is not argument)
            edit = Edit(call.span, f"{layer.word}({kept})" if kept else layer.word)
            fix = Fix(f"{layer.word} infers the number of channels", (edit,))
            return Diagnostic("W003", message, argument.span, "is this PyTorch's order?", fixes=(fix,))
    return None


def read_in_torch_order(call: tree.Call, layer: Layer, rank: int, fix: Fix) -> Diagnostic:
    kernel = "x".join([str(layer.kernel)] * rank)  # type: ignore[attr-defined]
    message = f"{layer.word} has a kernel of {kernel} here"
    note = f"the arguments are {layer.signature()}"
    return Diagnostic("W003", message, call.span, "is this PyTorch's order?", notes=(note,), fixes=(fix,))


def unflattened(site: Site, argument: tree.Argument, claimed: Any, layer: Layer, trail: Trail) -> Diagnostic:
    """A linear layer that was written for features, at a map."""
    claim, shape = argument.incoming, trail.shape
    assert claim is not None
    message = f"linear is written for {describe(claimed)} features, but a map of {shape} arrives"
    fix = Fix("put flatten before it", (site.before("flatten, "),))
    why = f"linear acts on the last axis, which has {shape.sizes[-1]}; flattened, the map has {trails.product(shape)}"
    if claimed != shape.elements:
        both = (*fix.edits, Edit(claim.span, str(shape.elements)))
        fix = Fix(f"put flatten before it, and write the {shape.elements} features that come out", both)
    labels = tuple(Label(step.call.span, f"{shape} comes out here") for step in trail.steps[-1:])
    return Diagnostic("E301", message, claim.span, "written here", labels, why, fixes=(fix,))


def linear_on_map(site: Site, shape: Shape) -> Diagnostic:
    rows = shape.elements // shape.sizes[-1]
    message = f"linear acts on the last axis of a map: on each of the {rows} rows of {shape} alone"
    fix = Fix("put flatten before it", (site.before("flatten, "),))
    return Diagnostic("W001", message, site.call.span, "is flatten missing?", fixes=(fix,))


# ------------------------------------------------------------------------------------------------------- refusals


def refused(site: Site, layer: Layer, refusal: Refused, trail: Trail) -> Diagnostic:
    """A layer that does not take the shape that arrives."""
    call = site.call
    swapped = torch_order(call, layer, trail.shape)
    collapsed = refusal.code == "E303"
    chain = trails.chain_of_sizes(trail) if collapsed else ""
    smallest = trails.smallest_input(trail, layer) if collapsed else None
    shape = trail.shape
    fixes = [swapped] if swapped else [Fix(refusal.help)] if refusal.help else []
    if collapsed and not swapped:
        everywhere = trails.padding_everywhere(
            trail, lambda stages: trails.run([*stages, layer], trail.origin) is not None
        )
        fixes += [Fix("keep the size with padding in every convolution", edits) for edits in everywhere]
    return Diagnostic(
        refusal.code,
        refusal.message,
        _argument_span(call, layer, refusal.argument),
        f"{shape} arrives here" if shape.rank else f"{shape} features arrive here",
        trails.labels(trail, site) if refusal.code == "E304" else (),
        "\n".join(part for part in (chain, refusal.why) if part),
        (f"the smallest input that gets through here is {smallest}",) if smallest else (),
        tuple(fixes),
    )


def _argument_span(call: tree.Call, layer: Layer, name: str | None) -> Span:
    names = list(layer.parameters())
    for position, argument in enumerate(call.arguments):
        if name == (argument.name.text if argument.name else names[position]):
            return argument.value.span
    return call.span


# ------------------------------------------------------------------------------------- predictions and assertions


def predicted_sizes(value: Any, span: Span) -> tuple[int | None, ...]:
    """A prediction as sizes, None for `?`; raises `Faults` where it is no shape."""
    sizes = value if isinstance(value, tuple) else (value,)
    for size in sizes:
        whole = isinstance(size, int) and not isinstance(size, bool)
        if size is not None and not (whole and 1 <= size <= LARGEST):
            note = "a shape is 128x4x4, 2048 or [width, 4, 4]"
            message = f"{describe(value)} is not a shape"
            fixes: tuple[Fix, ...] = ()
            if isinstance(value, str):
                from cnnspec.network.habits import unquoted

                fixes = unquoted(value, span)
            raise Faults(Diagnostic("E208", message, span, "not a shape", notes=(note,), fixes=fixes))
    return sizes


def wrong_prediction(prediction: tree.Expr, sizes: tuple[int | None, ...], trail: Trail, guess: bool) -> Diagnostic:
    predicted = "x".join("?" if size is None else str(size) for size in sizes)
    shape = trail.shape
    text = shape.written if isinstance(prediction, tree.Dims | tree.Number) else str(list(shape.sizes))
    from cnnspec.network import mends

    fix = Fix("write what comes out, if that is what you want", (Edit(prediction.span, text),))
    guesses = mends.predicted(trail, sizes) if guess else []
    why = trails.chain_of_sizes(trail)
    message = f"{shape} comes out here, not {predicted}"
    return Diagnostic("E305", message, prediction.span, "predicted here", why=why, fixes=(fix, *guesses))


def mentions_count(claim: tree.Assert) -> bool:
    """Whether an assertion is about the number of parameters."""
    return any(isinstance(node, tree.Name) and node.text == "parameters" for node in tree.walk(claim.condition))


def wrong_assertion(claim: tree.Assert, value: Any, group: GroupNode | None) -> Diagnostic:
    """An assertion that is false; where it is about the number of parameters of a group, with the sum behind it."""
    if not isinstance(value, bool):
        message = f"{describe(value)} is neither true nor false"
        return Diagnostic("E208", message, claim.condition.span, "cannot be evaluated")
    if group is None:
        return Diagnostic("E306", "this does not hold", claim.condition.span, "false here")
    count, number = group.parameters, _claimed_count(claim.condition)
    why = _sum(count, tuple(layers(group.items)))
    if number is None:
        return Diagnostic("E306", "this does not hold", claim.condition.span, f"parameters is {count:,}", why=why)
    difference = count - number.value
    message = f"there are {count:,} parameters, not {number.value:,}"
    label = f"{abs(difference):,} too {'few' if difference > 0 else 'many'}"
    fix = Fix("write the sum, if the network is what you want", (Edit(number.span, f"{count:_}"),))
    return Diagnostic("E306", message, number.span, label, why=why, fixes=(fix,))


def _claimed_count(condition: tree.Expr) -> tree.Number | None:
    """The number in `parameters == N`."""
    if isinstance(condition, tree.Binary) and condition.operator == "==":
        for name, number in ((condition.left, condition.right), (condition.right, condition.left)):
            if isinstance(name, tree.Name) and name.text == "parameters" and isinstance(number, tree.Number):
                return number
    return None


def _sum(count: int, nodes: tuple[PlacedLayer, ...]) -> str:
    """Layer by layer, then all of it."""
    counted = [node for node in nodes if node.weights.count]
    rows = [
        f"{node.weights.count:>{len(f'{count:,}')},}  {node.path} {trails.written_text(node.span)}" for node in counted
    ]
    terms = " + ".join(f"{node.weights.count:,}" for node in counted)
    total = [f"{terms} = {count:,}"] if len(counted) <= trails.MOST_STEPS else [f"{count:,} together"]
    return "\n".join(trails.shorten(rows) + total)
