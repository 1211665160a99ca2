"""An input with open sizes: what is asked of it, what the answer is, and the sizes that the rest of the check takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.layers.base import Shape
from cnnspec.network.anysize.answer import LIMIT, Answer, answer
from cnnspec.network.anysize.opened import Pattern, Unknown, names_of, run
from cnnspec.network.anysize.runs import Fit, Refusal
from cnnspec.network.anysize.told import note
from cnnspec.network.anysize.varying import Varying, torch, varying, weights
from cnnspec.network.evaluate import Scope, bad, evaluate
from cnnspec.network.home import Homes
from cnnspec.network.model import Open
from cnnspec.network.reading import UsageFault
from cnnspec.network.trail import written_text
from cnnspec.record import Record
from cnnspec.sizes.cases import Found
from cnnspec.sizes.sets import Box, between
from cnnspec.sizes.words import in_words, of_box
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import Argument, Faults

PLAIN = 32
"""The size that shapes are shown for, where it runs; otherwise the next one."""

USUAL = 224
"""The size that is taken where any will do to show a fault."""


class Opening(Record):
    """The input to go on with, and the names of its sizes with their values. `open` is None where it is closed from
    outside, and there is no `answer` then. `told` is what is to be said, and `note` what is to be added to faults of
    shapes."""

    shape: Shape
    names: Mapping[str, int]
    open: Open | None = None
    told: tuple[Diagnostic, ...] = ()
    note: str = ""
    answer: Answer | None = None


def leaves_open(expr: tree.Expr, scope: Scope) -> bool:
    """Whether an input has sizes whose names have no value."""
    items = expr.items if isinstance(expr, tree.List) else ()
    sizes = expr.sizes if isinstance(expr, tree.Dims) else [i.text for i in items if isinstance(i, tree.Name)]
    return any(isinstance(size, str) and size[:1].isupper() and size not in scope for size in sizes)


def opening(
    homes: Homes, model: tree.Model, scope: Scope, statement: tree.Input, given: Argument | None, data: Shape | None
) -> Opening:
    """Raises `Faults` for what is no input, or where the answer is not known. `given` is an input from outside, `data`
    the shape of the samples to train on."""
    span = statement.shape.span
    pattern = _pattern(statement.shape, scope)
    if given is not None:
        return _closed(pattern, given)
    try:
        runs, limit = _runs(homes, model, scope, pattern, span)
    except Unknown as unknown:
        raise Faults(_unknown(unknown, span, names_of(pattern))) from None
    found = answer(names_of(pattern), runs, limit)
    sizes, by_data = _chosen(pattern, found, runs, data)
    shape = Shape(tuple(sizes[size] if isinstance(size, str) else size for size in pattern))
    different = varying(runs, weights)
    told = [note(found, model.name.text, pattern, span)] if found.boxes else []
    if different:
        told = [_depends(different, span, names_of(pattern))]
    return Opening(
        shape,
        sizes,
        None if by_data else _open(pattern, found, runs),
        tuple(told),
        "" if by_data else _example(sizes, found.boxes),
        found,
    )


def _runs(
    homes: Homes, model: tree.Model, scope: Scope, pattern: Pattern, span: Span
) -> tuple[list[Found[Fit | Refusal]], str]:
    """For all sizes, or for those up to a limit, and why."""
    try:
        return run(homes, model, scope, pattern, span), ""
    except Unknown as unknown:
        if unknown.entangled:
            raise
        first = unknown
    place = f" ({written_text(first.span)} on line {first.span.line})" if first.span else ""
    try:
        return run(homes, model, scope, pattern, span, between(1, LIMIT)), f"{first.why}{place}"
    except Unknown:
        raise first from None


def _open(pattern: Pattern, found: Answer, runs: Sequence[Found[Fit | Refusal]]) -> Open:
    different = varying(runs, torch)
    place = f"{different.visit.layer.word} on line {different.visit.call.span.line}" if different else ""
    output = found.outputs[0][0] if len(found.outputs) == 1 else "?"
    return Open("x".join(map(str, pattern)), names_of(pattern), output, place)


# ------------------------------------------------------------------------------------------------- what is written


def _pattern(expr: tree.Expr, scope: Scope) -> Pattern:
    found = [_size(item, scope) for item in (expr.items if isinstance(expr, tree.List) else _dims(expr))]
    if isinstance(found[0], str):
        raise bad("the channels of an input cannot be left open: the weights depend on them", expr.span)
    if not all(isinstance(size, str) or (type(size) is int and size > 0) for size in found) or not 2 <= len(found) <= 4:
        raise bad("this is no input", expr.span)
    return tuple(found)


def _dims(expr: tree.Expr) -> tuple[Any, ...]:
    return expr.sizes if isinstance(expr, tree.Dims) else ()


def _size(item: Any, scope: Scope) -> Any:
    """A number, or the name of a size that is open."""
    name = item.text if isinstance(item, tree.Name) else item
    if isinstance(name, str):
        return scope.look_up(name) if name in scope else name
    return item if item is None or isinstance(item, int) else evaluate(item, scope)


def _closed(pattern: Pattern, given: Argument) -> Opening:
    """Another input, from outside; it gives the names their values where it has as many sizes."""
    value = given.value if isinstance(given.value, tuple) else (given.value,)
    names: dict[str, int] = {}
    if not all(type(size) is int and size > 0 for size in value):
        raise bad(f"{given.span.text} is not an input", given.span)
    if len(value) != len(pattern):
        written = "x".join(map(str, pattern))
        raise UsageFault(f"{given.span.text} does not suit the input {written}, which has {len(pattern)} sizes")
    for name, size in zip(pattern, value, strict=True):
        if isinstance(name, str) and names.setdefault(name, size) != size:
            raise UsageFault(f"{given.span.text} gives {name} two sizes, {names[name]} and {size}")
    return Opening(Shape(tuple(value)), names)


# ---------------------------------------------------------------------------------------------- one input of many


def _chosen(
    pattern: Pattern, found: Answer, runs: Sequence[Found[Fit | Refusal]], data: Shape | None
) -> tuple[dict[str, int], bool]:
    """The sizes to go on with, and whether those of the data set are taken."""
    if data is not None and len(data.sizes) == len(pattern):
        names: dict[str, int] = {}
        for name, size in zip(pattern, data.sizes, strict=True):
            if isinstance(name, str):
                names.setdefault(name, size)
        return names, True
    if found.boxes:
        return _near(min(found.lossless or found.boxes, key=_distance), PLAIN), False
    last = max(
        (run for run in runs if isinstance(run.outcome, Refusal)),
        key=lambda run: run.outcome.after,  # type: ignore[union-attr]
    )
    return _near(last.box, USUAL), False


def _distance(box: Box) -> tuple[int, int]:
    least = [sizes.least for sizes in box.values()]
    return max(least) - min(least), sum(least)


MOST_TRIED = 2_000


def _near(box: Box, wanted: int) -> dict[str, int]:
    """From each set the first size that is not below what is wanted, or the largest of the first ones."""
    found = {}
    for axis, sizes in box.items():
        first = sizes.first(MOST_TRIED)
        found[axis] = next((size for size in first if size >= wanted), first[-1])
    return found


def _example(sizes: Mapping[str, int], boxes: Sequence[Box]) -> str:
    values = in_words(f"{name} = {size}" for name, size in sizes.items())
    return f"for {values}, for instance" if boxes else f"for {values}; other sizes end here or earlier"


# ----------------------------------------------------------------------------------------------------------- faults


def _unknown(unknown: Unknown, span: Span, names: Sequence[str]) -> Diagnostic:
    message = f"what this does for every {in_words(names)} is not worked out: {unknown.why}"
    fixes: tuple[Fix, ...] = (Fix("give the input sizes, and try others with --input"),)
    if len(names) > 1 and unknown.entangled:
        square = "x".join(names[0] if size in names else size for size in span.text.split("x"))
        fixes = (Fix("for square inputs, give the sizes one name", (Edit(span, square),)), *fixes)
    labels = (Label(span, f"{in_words(names)} {'are' if len(names) > 1 else 'is'} left open here"),)
    place = unknown.span or span
    return Diagnostic("E106", message, place, "", labels if place != span else (), fixes=fixes)


def _renamed(different: Varying, labels: tuple[Label, ...], names: Sequence[str]) -> Diagnostic:
    """What runs for some sizes only shifts the numbers that name the layers behind it."""
    here, elsewhere = different.names
    call = different.visit.call
    message = f"the name of {different.visit.layer.word} depends on {in_words(names)}"
    why = f"it is called {here} for {of_box(different.box)}, and {elsewhere} for other sizes"
    fix = Fix(
        f"give it a name, which then holds for all sizes: {different.visit.layer.word}1: {written_text(call.span)}"
    )
    return Diagnostic("E308", message, call.span, "its position names it", labels, why, fixes=(fix,))


def _depends(different: Varying, span: Span, names: Sequence[str]) -> Diagnostic:
    """Weights of another shape or name for each size: that is not one network."""
    visit = different.visit
    word, call = visit.layer.word, visit.call
    message = f"the weights of {word} depend on {in_words(names)}"
    some = of_box(different.box)
    what = f"{different.formula} features arrive" if word == "linear" else f"one of their sizes is {different.formula}"
    why = f"{what}{f' for {some}' if some else ''}" if different.formula else ""
    labels = (Label(span, f"{in_words(names)} {'are' if len(names) > 1 else 'is'} left open here"),)
    if different.names:
        return _renamed(different, labels, names)
    helps = ["adaptive_avgpool(1) before flatten makes the same number of features of every map"] * (word == "linear")
    if different.partly:
        helps = ["let it run for all sizes"]
    elif word == "linear":
        helps.append("write for how many it is, linear(400 -> 120) for instance: then the sizes that fit are told")
    else:
        helps.append("give the input sizes")
    return Diagnostic(
        "E308",
        message,
        call.span,
        "there for some sizes only" if different.partly else "not the same for all sizes",
        labels,
        why,
        fixes=tuple(map(Fix, helps)),
    )
