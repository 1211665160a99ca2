"""What is written as in Python, PyTorch, Keras or mathematics: what to write instead."""

from __future__ import annotations

import re

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.source import Span

CONSTANTS = {"True": "true", "False": "false"}


def replace(message: str, span: Span, text: str) -> Fix:
    return Fix(message, (Edit(span, text),))


def constant(text: str, span: Span) -> Diagnostic | None:
    """`True`, `False`, `None` in the place of a value."""
    if text in CONSTANTS:
        fix = replace("write it in lower case", span, CONSTANTS[text])
        return Diagnostic("E103", f"{text} is Python's spelling", span, "not known here", fixes=(fix,))
    if text == "None":
        fix = Fix("leave the argument out: what is not written has its default")
        return Diagnostic("E103", "the language has no None", span, "not known here", fixes=(fix,))
    return None


def hexadecimal(text: str, span: Span) -> Diagnostic | None:
    """`0x3`, which is a number everywhere else."""
    if not text.startswith("0x"):
        return None
    sizes = f"[{', '.join(text.split('x'))}]"
    fix = replace("write a list", span, sizes)
    return Diagnostic(
        "E103", f"{text} reads as a hexadecimal number", span, "two sizes, the first of them 0?", fixes=(fix,)
    )


GLUED = re.compile(r"([A-Za-z_]\w*?)((?:x[0-9]+)+)")


def glued_dims(text: str, span: Span) -> Diagnostic | None:
    """`widthx4x4` in the place of a shape: a name in a shape needs a list."""
    match = GLUED.fullmatch(text)
    if match is None:
        return None
    sizes = f"[{match[1]}{match[2].replace('x', ', ')}]"
    fix = replace("write a list", span, sizes)
    return Diagnostic("E103", f"{text} reads as one name", span, "a name cannot be part of a x b", fixes=(fix,))
