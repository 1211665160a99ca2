"""Quick fixes: the edits that diagnostics propose."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.lsp.diagnostics import shown_at
from cnnspec.lsp.document import Document


def actions(document: Document, inside: types.Range, asked: Sequence[types.Diagnostic]) -> list[types.CodeAction]:
    """What mends the faults that touch a range, each tied to those of the client's diagnostics that it mends."""
    start, end = document.places.offset(inside.start), document.places.offset(inside.end)
    found = []
    for diagnostic in document.checked.diagnostics:
        place = shown_at(document, diagnostic)
        if place.start <= end and start <= place.end:
            fixes = [fix for fix in diagnostic.fixes if fix.edits]
            mended = [a for a in asked if a.code == diagnostic.code and a.range == document.places.range(place)]
            found += [_action(document, fix, mended, only=len(fixes) == 1) for fix in fixes]
    return found


def _action(document: Document, fix: Fix, mended: list[types.Diagnostic], *, only: bool) -> types.CodeAction:
    return types.CodeAction(
        title=fix.message[:1].upper() + fix.message[1:],
        kind=types.CodeActionKind.QuickFix,
        diagnostics=mended or None,
        is_preferred=only or fix.safe,
        edit=types.WorkspaceEdit(_changes(document, fix)),
    )


def _changes(document: Document, fix: Fix) -> dict[str, list[types.TextEdit]]:
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in fix.edits:
        place = document.location(edit.span)
        changes.setdefault(place.uri, []).append(types.TextEdit(place.range, edit.text))
    return changes


def all_safe(document: Document) -> types.CodeAction | None:
    """Every safe fix at once, where they do not touch each other."""
    changes: dict[str, list[types.TextEdit]] = {}
    taken: list[tuple[int, int]] = []
    for diagnostic in document.checked.diagnostics:
        fix = next((fix for fix in diagnostic.fixes if fix.safe and fix.edits), None)
        if fix is None or not _own(document, diagnostic, fix):
            continue
        spans = [(edit.span.start, edit.span.end) for edit in fix.edits]
        if any(start <= last and first <= end for start, end in spans for first, last in taken):
            continue
        taken += spans
        for uri, edits in _changes(document, fix).items():
            changes.setdefault(uri, []).extend(edits)
    if not changes:
        return None
    kind = types.CodeActionKind.SourceFixAll
    return types.CodeAction("Apply all safe fixes", kind=kind, edit=types.WorkspaceEdit(changes))


def _own(document: Document, diagnostic: Diagnostic, fix: Fix) -> bool:
    name = document.source.name
    return diagnostic.span.source.name == name and all(edit.span.source.name == name for edit in fix.edits)
