"""The words of the language: layers, data sets, optimizers and the like.

A word is a record whose fields are its signature: `class Dropout(Layer): p: Probability = 0.5` is callable in a spec
as `dropout(0.3)` or `dropout(p=0.3)`, and completion, docs and error messages are read from the same fields. An
annotation names a kind (`KINDS`), which says what values the argument takes.
"""

from __future__ import annotations

from cnnspec.words.binding import (
    Faults,
    bind,
    bind_arguments,
    unknown_name,
    word_of,
)
from cnnspec.words.kinds import (
    KINDS,
    LARGEST,
    Amounts,
    Count,
    Dims,
    Kernel,
    Kind,
    Mismatch,
    Natural,
    NonNegative,
    Number,
    Padding,
    Positive,
    Probability,
    Share,
    Sizes,
    choice,
    kind_of,
    list_of,
    optional,
)
from cnnspec.words.values import (
    Argument,
    CallValue,
    Like,
    Symbol,
    closest,
    counted,
    describe,
    first_of,
    like,
    show,
    together,
)
from cnnspec.words.word import (
    AnyWord,
    Parameter,
    Word,
    by_name,
    show_default,
    signature,
)

__all__ = [
    "KINDS",
    "LARGEST",
    "Amounts",
    "AnyWord",
    "Argument",
    "CallValue",
    "Count",
    "Dims",
    "Faults",
    "Kernel",
    "Kind",
    "Like",
    "Mismatch",
    "Natural",
    "NonNegative",
    "Number",
    "Padding",
    "Parameter",
    "Positive",
    "Probability",
    "Share",
    "Sizes",
    "Symbol",
    "Word",
    "bind",
    "bind_arguments",
    "by_name",
    "choice",
    "closest",
    "counted",
    "describe",
    "first_of",
    "kind_of",
    "like",
    "list_of",
    "optional",
    "show",
    "show_default",
    "signature",
    "together",
    "unknown_name",
    "word_of",
]
