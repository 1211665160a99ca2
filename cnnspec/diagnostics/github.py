"""Annotations of GitHub: printed by a workflow, they stand beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.found import Found
from cnnspec.diagnostics.human import visible

WORDS = {"error": "error", "warning": "warning", "note": "notice"}
DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
PROPERTY = DATA | {":": "%3A", ",": "%2C"}


def report(found: Iterable[Found], *, color: bool) -> Iterator[str]:
    for file in found:
        for diagnostic in file.diagnostics:
            yield annotation(diagnostic)


def annotation(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    last, end = span.source.position(max(span.start, span.end))
    place = {"file": span.source.name.replace("\\", "/"), "line": span.line, "endLine": last}
    if last == span.line:
        place |= {"col": span.column, "endColumn": end}
    place["title"] = f"{diagnostic.code} {diagnostic.name}"
    properties = ",".join(f"{name}={_escaped(str(value), PROPERTY)}" for name, value in place.items())
    return f"::{WORDS[diagnostic.severity]} {properties}::{_escaped(visible(_message(diagnostic)), DATA)}"


def _message(diagnostic: Diagnostic) -> str:
    """The fault, why, and what would mend it; the excerpt is what GitHub shows already."""
    lines = [diagnostic.message]
    lines += [f"why: {diagnostic.why}"] if diagnostic.why else []
    lines += [f"note: {note}" for note in diagnostic.notes]
    lines += [f"help: {fix.message}" for fix in diagnostic.fixes]
    return "\n".join(lines)


def _escaped(text: str, marks: dict[str, str]) -> str:
    return "".join(marks.get(character, character) for character in text)
