"""Signature help: the call the cursor stands in, and which argument."""

from __future__ import annotations

from lsprotocol import types

from cnnspec.lsp import words
from cnnspec.lsp.context import Call, context
from cnnspec.lsp.document import Document


def signature_help(document: Document, position: types.Position) -> types.SignatureHelp | None:
    offset = document.places.offset(position)
    here = context(document.tokens, document.source.text, offset)
    for call in reversed(here.calls):
        found = words.signature(document, call.name, offset, here.setting or None)
        if found:
            return types.SignatureHelp([_information(found)], 0, _active(call, found))
    return None


def _information(found: words.Signature) -> types.SignatureInformation:
    parameters = [types.ParameterInformation(takes.shown, _markdown(takes.about)) for takes in found.parameters]
    return types.SignatureInformation(found.shown, _markdown(found.about), parameters)


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)


def _active(call: Call, found: words.Signature) -> int | None:
    names = [takes.name for takes in found.parameters]
    if call.named is None:
        return call.index if call.index < len(names) else None
    return names.index(call.named) if call.named in names else None
