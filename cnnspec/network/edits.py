"""Changes to calls, as edits."""

from __future__ import annotations

from collections.abc import Iterable

from cnnspec.diagnostics import Edit
from cnnspec.source import Span
from cnnspec.syntax import tree


def set_argument(call: tree.Call, parameters: Iterable[str], name: str, text: str) -> Edit:
    """An edit that gives a call an argument it does not have, or changes the one it has."""
    names = list(parameters)
    for position, argument in enumerate(call.arguments):
        if name == (argument.name.text if argument.name else names[position]):
            return Edit(argument.value.span, text)
    source, end = call.span.source, call.span.end
    if not call.span.text.endswith(")"):
        return Edit(Span(source, end, end), f"({name}={text})")
    inside = call.span.text[:-1].rstrip()
    comma = "" if inside.endswith("(") else " " if inside.endswith(",") else ", "
    return Edit(Span(source, end - 1, end - 1), f"{comma}{name}={text}")
