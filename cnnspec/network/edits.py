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


def remove(span: Span) -> Edit:
    """An edit that takes away an item of a list, with the comma that parted it from the others; the line with it,
    where it stands alone there."""
    source, text = span.source, span.source.text
    start, end = span.start, span.end
    before = len(text[:start].rstrip(" \t"))
    after = end + len(text[end:]) - len(text[end:].lstrip(" \t"))
    if text[before - 1 : before] == ",":
        return Edit(Span(source, before - 1, end), "")
    if text[after : after + 1] == ",":
        after += 1
        return Edit(Span(source, start, after + len(text[after:]) - len(text[after:].lstrip(" \t"))), "")
    if text[before - 1 : before] in ("", "\n") and text[after : after + 1] in ("", "\n"):
        return Edit(Span(source, before, min(after + 1, len(text))), "")
    return Edit(span, "identity")


def behind(span: Span, step: str) -> Edit:
    """An edit that puts a step behind another one."""
    return Edit(Span(span.source, span.end, span.end), f", {step}")
