"""Diagnostics as JSON. `docs/schemas/diagnostics.schema.json` says what stands where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.diagnostics.found import Found
from cnnspec.source import Span

VERSION = 1
"""Of the schema: it grows where something is left out or means something else, not where something is added."""


def report(found: Iterable[Found], *, color: bool) -> Iterator[str]:
    import json

    yield json.dumps(document(list(found)), indent=2)


def document(found: list[Found]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "summary": {f"{severity}s": sum(f.count(severity) for f in found) for severity in ("error", "warning", "note")},
        "files": [_file(each) for each in found],
    }


def _file(found: Found) -> dict[str, Any]:
    return {
        "file": found.file,
        "models": [
            {"name": each.model, "input": each.input, "output": each.output, "parameters": each.parameters}
            for each in found.right
        ],
        "diagnostics": [_diagnostic(each) for each in found.diagnostics],
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **place(diagnostic.span),
        "label": diagnostic.label,
        "labels": [{**place(label.span), "text": label.text} for label in diagnostic.labels],
        "why": diagnostic.why,
        "notes": list(diagnostic.notes),
        "fixes": [_fix(fix) for fix in diagnostic.fixes],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {"message": fix.message, "safe": fix.safe, "edits": [_edit(edit) for edit in fix.edits]}


def _edit(edit: Edit) -> dict[str, Any]:
    return {**place(edit.span), "text": edit.text}


def place(span: Span) -> dict[str, Any]:
    return {
        "file": span.source.name,
        "start": _position(span, span.start),
        "end": _position(span, max(span.start, span.end)),
    }


def _position(span: Span, offset: int) -> dict[str, int]:
    line, column = span.source.position(offset)
    return {"line": line, "column": column, "offset": offset}
