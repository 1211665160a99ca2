"""Changes to calls and lists, as edits."""

from __future__ import annotations

from collections.abc import Sequence

from cnnspec.diagnostics import Edit
from cnnspec.source import Span
from cnnspec.words.values import Argument, CallValue


def remove(span: Span, otherwise: str = "") -> Edit:
    """An edit that takes away an item of a list, with the comma that parted it from the others; the line with it, where
    it stands alone there; the parentheses with it, where it is all they hold."""
    source, text = span.source, span.source.text
    start, end = span.start, span.end
    before = len(text[:start].rstrip(" \t"))
    after = end + len(text[end:]) - len(text[end:].lstrip(" \t"))
    last, first = text[before - 1 : before], text[after : after + 1]
    if last == ",":
        return Edit(Span(source, before - 1, end), "")
    if first == ",":
        after += 1
        return Edit(Span(source, start, after + len(text[after:]) - len(text[after:].lstrip(" \t"))), "")
    if last == "(" and first == ")":
        return Edit(Span(source, before - 1, after + 1), "")
    if last in ("", "\n") and first in ("", "\n"):
        return Edit(Span(source, before, min(after + 1, len(text))), "")
    if last in ("", "\n") and first == "#":
        return Edit(Span(source, start, after), "")
    return Edit(span, otherwise)


def behind(span: Span, step: str) -> Edit:
    """An edit that puts a step behind another one."""
    return Edit(Span(span.source, span.end, span.end), f", {step}")


def whole(argument: Argument) -> Span:
    """The place of an argument, its name included."""
    return argument.name_span.to(argument.span) if argument.name_span else argument.span


def give(call: CallValue, names: Sequence[str], name: str, text: str) -> Edit | None:
    """An edit that gives a call an argument it lacks: by place where nothing stands before it, or by name."""
    source, end = call.span.source, call.span.end
    if not call.span.text.startswith(call.name_span.text):
        return None
    if not call.span.text.endswith(")"):
        inside = text if names[0] == name else f"{name}={text}"
        return Edit(Span(source, end, end), f"({inside})")
    placed = [argument for argument in call.arguments if argument.name is None]
    if len(placed) != names.index(name):
        return Edit(Span(source, end - 1, end - 1), f"{', ' if call.arguments else ''}{name}={text}")
    if placed:
        return Edit(Span(source, placed[-1].span.end, placed[-1].span.end), f", {text}")
    start = call.name_span.end + 1
    return Edit(Span(source, start, start), f"{text}, " if call.arguments else text)
