"""What is wrong with a text, in the words of the protocol."""

from __future__ import annotations

from importlib.resources import files

from lsprotocol import types

from cnnspec.diagnostics import Diagnostic
from cnnspec.lsp.document import Document
from cnnspec.source import Span
from cnnspec.syntax import tree

SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}


def diagnostics(document: Document) -> list[types.Diagnostic]:
    return [_diagnostic(document, found) for found in document.checked.diagnostics]


def _diagnostic(document: Document, found: Diagnostic) -> types.Diagnostic:
    here = shown_at(document, found)
    related = [_related(document, label.span, label.text) for label in found.labels]
    if found.span.source.name != document.source.name:
        related.insert(0, _related(document, found.span, found.message))
    return types.Diagnostic(
        range=document.places.range(here),
        message=message(found),
        severity=SEVERITIES[found.severity],
        code=found.code,
        code_description=_description(found.code),
        source="cnnspec",
        related_information=related or None,
        tags=[types.DiagnosticTag.Unnecessary] if found.name.startswith("unused") else None,
    )


def shown_at(document: Document, found: Diagnostic) -> Span:
    """The place of a fault; for one in a file that is used, the place in this text that leads there."""
    name = document.source.name
    if found.span.source.name == name:
        return found.span
    uses = (item.path.span for item in document.file.items if isinstance(item, tree.Use))
    here = (label.span for label in found.labels if label.span.source.name == name)
    return next(here, None) or next(uses, None) or document.source.span(0, 0)


def message(found: Diagnostic) -> str:
    """All that is known of a fault but the places, which the editor shows."""
    lines = [found.message]
    lines += [f"why: {found.why}"] if found.why else []
    lines += [f"note: {note}" for note in found.notes]
    lines += [f"help: {fix.message}" for fix in found.fixes]
    return "\n".join(lines)


def _related(document: Document, span: Span, text: str) -> types.DiagnosticRelatedInformation:
    return types.DiagnosticRelatedInformation(document.location(span), text)


def _description(code: str) -> types.CodeDescription | None:
    """The page that explains the code, which is shipped with the program."""
    page = files("cnnspec.diagnostics").joinpath("pages", f"{code}.md")
    return types.CodeDescription(page.as_uri()) if hasattr(page, "as_uri") and page.is_file() else None
