"""Whether a network and its data set belong together: the shape of a sample, and the number of classes."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.data.facts import Dataset, Facts, suits
from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.layers.base import Shape
from cnnspec.network.model import CombineNode, LayerNode
from cnnspec.network.proof import Guess
from cnnspec.recipe import Augmentation, Crop, Mixup, Moves
from cnnspec.source import Span
from cnnspec.words import Word, counted, show


def disagreements(
    input: Shape,
    input_span: Span,
    output: Shape,
    last: LayerNode | CombineNode | None,
    data: Dataset,
    data_span: Span,
    folder: str,
    *,
    written: bool = True,
) -> Iterator[Diagnostic]:
    """Faults of a network of this input and output, trained on this data set.

    `last` is the layer that made the output; relative paths of the data set start at `folder`. Where the data set is
    the default and not `written`, `data_span` is the place of something else."""
    facts = data.facts(folder)
    end = last.span if last else input_span
    if output.rank and not written:
        yield _no_classifier(output, end, ())
        return
    if facts.shape is not None and facts.shape != input.sizes:
        yield _wrong_input(input, input_span, Shape(facts.shape), data, data_span, written)
    if output.rank:
        yield _no_classifier(output, end, (Label(data_span, "to train on"),))
    elif facts.classes is not None and not suits(output.channels, len(facts.classes)):
        yield _wrong_classes(output, end, facts, data, data_span)


def unsuitable(input: Shape, words: tuple[Word, ...], span: Span) -> Iterator[Diagnostic]:
    """Augmentations, ways to mix and views that cannot change samples of this shape."""
    for word in words:
        reason = _not_images(input, word) or _too_small(input, word)
        if reason:
            fixes = (Fix(f"leave {word.word} out"),)
            yield Diagnostic("E504", f"{word.word} {reason}", span, "cannot be applied", fixes=fixes)


def _not_images(input: Shape, word: Word) -> str:
    if isinstance(word, Mixup):
        return ""
    if input.rank != 2:
        return f"changes images, and samples of {input} are none"
    if isinstance(word, Augmentation) and word.channels and input.channels not in word.channels:
        return f"changes colours, and samples of {input} are neither grey nor RGB"
    return ""


def _too_small(input: Shape, word: Word) -> str:
    by = word.pixels if isinstance(word, Moves) else word.padding if isinstance(word, Crop) else 0
    reflects = isinstance(word, Moves) or (isinstance(word, Crop) and word.mode == "reflect")
    side = min(input.spatial, default=0)
    return f"reflects {counted(by, 'pixel')} of images that have {side}" if reflects and by >= side else ""


def _wrong_input(input: Shape, span: Span, shape: Shape, data: Dataset, data_span: Span, written: bool) -> Diagnostic:
    fixes: list[Fix] = [Fix(f"make the input {shape}", (Edit(span, str(shape)),))]
    fixes += [
        Guess(f"write data: {show(changed)}, {how}", (Edit(data_span, show(changed)),))
        for changed, how in (_brought_to(input, shape, data) if written else ())
    ]
    message = f"samples of {data.word} are {shape}, but the input is {input}"
    labels = (Label(data_span, f"gives {shape}"),) if written else ()
    notes = () if written else (f"no data set is named, so {data.word} is used: write data: mnist, for instance",)
    return Diagnostic("E501", message, span, "the input", labels, notes=notes, fixes=tuple(fixes))


def _brought_to(input: Shape, shape: Shape, data: Dataset) -> Iterator[tuple[Dataset, str]]:
    """Arguments of the data set that make its samples fit."""
    if not data.images or input.rank != 2 or shape.rank != 2:
        return
    borders = {(wanted - size) / 2 for wanted, size in zip(input.spatial, shape.spatial, strict=True)}
    border = borders.pop()
    if "pad" in data.__fields__ and not borders and border > 0 and border % 1 == 0 and input.channels == shape.channels:
        padding = data.pad + int(border)  # type: ignore[attr-defined]
        yield data.replace(pad=padding), f"a border of {padding} makes them {input}"
    if "resize" in data.__fields__ and input.channels in (1, 3, 4):
        yield data.replace(resize=True), f"resized to {input}"


def _no_classifier(output: Shape, span: Span, labels: tuple[Label, ...]) -> Diagnostic:
    message = f"the network ends in a map of {output}, not in one value per class"
    notes = ("only classifiers can be trained yet: samples have one class each, not one per pixel",)
    fixes = (Fix("to classify samples, end with flatten and a linear layer of one output per class"),)
    return Diagnostic("E503", message, span, f"{output} comes out here", labels, notes=notes, fixes=fixes)


def _wrong_classes(output: Shape, span: Span, facts: Facts, data: Dataset, data_span: Span) -> Diagnostic:
    assert facts.classes is not None
    classes = len(facts.classes)
    ends, has = counted(output.channels, "value"), counted(classes, "class")
    message = f"the network ends in {ends}, but {data.word} has {has}"
    fixes = (Fix(f"make the last layer's output {classes}"),)
    return Diagnostic(
        "E502",
        message,
        span,
        f"{output.channels} come out here",
        (Label(data_span, has),),
        fixes=fixes,
    )
