"""The table of codes. A code never changes its meaning and is never used again for another."""

from __future__ import annotations

from typing import Literal

from cnnspec.record import Record

Severity = Literal["error", "warning", "note"]


class Code(Record):
    name: str
    severity: Severity
    meaning: str
    page: str = ""
    """The long explanation, where it is no file of `pages`."""


def _error(name: str, meaning: str) -> Code:
    return Code(name, "error", meaning)


def _warning(name: str, meaning: str) -> Code:
    return Code(name, "warning", meaning)


CODES: dict[str, Code] = {
    # E1: syntax
    "E101": _error("syntax", "the text does not follow the grammar"),
    "E102": _error("open-bracket", "a bracket or brace is not closed"),
    "E103": _error("foreign-syntax", "written as in Python, Keras or mathematics, not as in .cnn"),
    "E104": _error("reserved-word", "a word of the language stands where a name belongs"),
    "E105": _error("stray-character", "a character that no part of the language uses"),
    "E106": _error("not-supported", "part of the language, but not supported by this version"),
    # E2: names and arguments
    "E201": _error("unknown-layer", "no layer or block has this name"),
    "E202": _error("unknown-argument", "the layer, block or setting has no such argument"),
    "E203": _error("missing-argument", "an argument without a default is not given"),
    "E204": _error("bad-argument", "the value does not suit the argument"),
    "E205": _error("repeated-argument", "an argument is given twice, or more are given than there are"),
    "E206": _error("unknown-name", "nothing in reach has this name"),
    "E207": _error("repeated-name", "two children of one module, or two definitions, have the same name"),
    "E208": _error("bad-expression", "an expression that cannot be evaluated"),
    "E209": _error("misplaced-arrow", "an arrow in an argument that takes none"),
    "E210": _error("no-model", "there is no model, or none of that name"),
    "E211": _error("no-input", "a model without exactly one input, before its layers"),
    "E212": _error("recursive-block", "a block that contains itself"),
    "E213": _error("too-large", "more layers or deeper nesting than the checker expands"),
    "E214": _error("taken-name", "a name that no submodule can have"),
    # E3: shapes
    "E301": _error("size-mismatch", "the number written for the incoming channels or features is not what arrives"),
    "E302": _error("wrong-rank", "the layer does not take a shape with this many axes"),
    "E303": _error("map-collapsed", "the map is smaller than the window that should slide over it"),
    "E304": _error("not-divisible", "channels cannot be divided into that many groups"),
    "E305": _error("wrong-prediction", "the shape after -> is not the shape that comes out"),
    "E306": _error("wrong-count", "an assertion about the network does not hold"),
    "E307": _error("does-not-fit", "the layer does not accept this shape with these arguments"),
    "E308": _error("depends-on-size", "weights that have another shape for each size of the input"),
    # E4: branches and blocks
    "E401": _error("branch-mismatch", "the outputs of branches cannot be joined"),
    "E402": _error("bad-branches", "braces, bars or a label that the combinator does not take"),
    "E403": _error("bad-use", "a file that cannot be used: not there, elsewhere, or in a circle"),
    # E5: data and training
    "E501": _error("input-mismatch", "the data set's samples do not have the shape of the input"),
    "E502": _error("classes-mismatch", "the output does not have one value per class of the data set"),
    "E503": _error("not-a-classifier", "the output is not a vector of classes"),
    "E504": _error("bad-setting", "a training setting that cannot be used"),
    # notes and warnings
    "N001": Code("hole", "note", "the answer to a question mark"),
    "N002": Code("not-checked", "note", "a model whose parameters have no values"),
    "N003": Code("any-size", "note", "the sizes of input that a model runs for"),
    "W001": _warning("linear-on-map", "linear acts on the last axis of a map, which is rarely meant"),
    "W002": _warning("unused-block", "a block that no model uses"),
    "W004": _warning("stretched", "a sum of shapes that differ, where sizes of 1 are repeated"),
    "W003": _warning("torch-order", "arguments that look as if they were in PyTorch's order"),
}
