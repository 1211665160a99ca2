"""Quick fixes: the edits that diagnostics propose."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from cnnspec.diagnostics import Fix
from cnnspec.diagnostics.fixing import apply
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
    """The safe fixes of this text, all at once."""
    name, text = document.source.name, document.source.text
    applied = apply({name: text}, document.checked.diagnostics, {name: name}.get, unsafe=False)
    if not applied.texts:
        return None
    edit = types.WorkspaceEdit({document.uri: [types.TextEdit(document.places.whole, applied.texts[name])]})
    return types.CodeAction("Apply all safe fixes", kind=types.CodeActionKind.SourceFixAll, edit=edit)
