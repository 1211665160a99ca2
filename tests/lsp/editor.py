"""An editor for tests: a client of pytest-lsp with the words of someone who writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsprotocol import types
from marked import MARK, unmarked
from pytest_lsp import LanguageClient

from cnnspec.lsp.text import Places
from cnnspec.source import Source


class Editor:
    """One open text. A § in it is the cursor."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.uri, self.text, self.version = "", "", 0
        self.places = Places(Source("", ""))
        self.cursor = types.Position(0, 0)

    async def open(self, text: str, name: str = "net.cnn", *, saved: bool = False) -> Editor:
        path = self.folder / name
        self.uri = path.as_uri()
        self._show(text)
        if saved:
            path.write_text(self.text, encoding="utf-8")
        item = types.TextDocumentItem(self.uri, "cnnspec", self.version, self.text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        await self._answered()
        return self

    async def change(self, text: str) -> None:
        """The whole text anew, as one edit."""
        self._show(text)
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        change = types.TextDocumentContentChangeWholeDocument(self.text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        await self._answered()

    async def close(self) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.document))
        await self._answered()

    async def _answered(self) -> None:
        await self.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)

    def _show(self, text: str) -> None:
        self.text, offset = unmarked(text) if MARK in text else (text, 0)
        self.version += 1
        self.places = Places(Source("", self.text))
        self.cursor = self.places.position(offset)

    @property
    def document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    @property
    def here(self) -> tuple[types.TextDocumentIdentifier, types.Position]:
        return self.document, self.cursor

    @property
    def diagnostics(self) -> list[types.Diagnostic]:
        return list(self.client.diagnostics[self.uri])

    def at(self, place: types.Range) -> str:
        """The text of a range."""
        return self.text[self.places.offset(place.start) : self.places.offset(place.end)]

    def line(self, place: types.Range) -> int:
        return place.start.line + 1

    def after(self, edits: list[types.TextEdit]) -> str:
        """The text with edits made, the last first."""
        text = self.text
        for edit in sorted(edits, key=lambda edit: self.places.offset(edit.range.start), reverse=True):
            start, end = self.places.offset(edit.range.start), self.places.offset(edit.range.end)
            text = text[:start] + edit.new_text + text[end:]
        return text

    # -------------------------------------------------------------------------------------------------------- questions

    async def hints(self) -> dict[int, Any]:
        """The hints by line."""
        params = types.InlayHintParams(self.document, self.places.whole)
        found = await self.client.text_document_inlay_hint_async(params) or []
        return {hint.position.line + 1: hint.label for hint in found}

    async def hover(self) -> str:
        found = await self.client.text_document_hover_async(types.HoverParams(*self.here))
        if found is None:
            return ""
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    async def completion(self) -> dict[str, types.CompletionItem]:
        found = await self.client.text_document_completion_async(types.CompletionParams(*self.here))
        assert isinstance(found, list)
        assert len({item.label for item in found}) == len(found)
        return {item.label: item for item in found}

    async def signature(self) -> types.SignatureHelp | None:
        return await self.client.text_document_signature_help_async(types.SignatureHelpParams(*self.here))

    async def definition(self) -> types.Location | None:
        found = await self.client.text_document_definition_async(types.DefinitionParams(*self.here))
        assert found is None or isinstance(found, types.Location)
        return found

    async def actions(self, kind: str | None = None) -> list[types.CodeAction]:
        context = types.CodeActionContext(self.diagnostics, only=[kind] if kind else None)
        params = types.CodeActionParams(self.document, types.Range(self.cursor, self.cursor), context)
        found = await self.client.text_document_code_action_async(params) or []
        return [action for action in found if isinstance(action, types.CodeAction)]

    async def rename(self, name: str) -> dict[str, list[types.TextEdit]]:
        found = await self.client.text_document_rename_async(types.RenameParams(*self.here, name))
        return {uri: list(edits) for uri, edits in (found.changes or {}).items()} if found else {}
