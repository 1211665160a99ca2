"""Listens to an editor. Every request is answered from the `Document` of the text's newest version."""

from __future__ import annotations

import asyncio

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from cnnspec import __version__
from cnnspec.lsp import (
    actions,
    completion,
    diagnostics,
    formatting,
    hints,
    hover,
    navigation,
    semantic,
    signatures,
    symbols,
)
from cnnspec.lsp.document import Document, source_name
from cnnspec.lsp.project import Project

WAIT = 0.004
"""Seconds a text must rest before it is checked: of changes that come at once only the last one counts."""


class Server(LanguageServer):
    """A language server with the documents that are open, each with what is known of its newest version."""

    def __init__(self) -> None:
        super().__init__("cnnspec", __version__)
        self.documents: dict[str, Document] = {}
        self.waiting: dict[str, asyncio.TimerHandle] = {}

    def document(self, uri: str) -> Document:
        text = self.workspace.get_text_document(uri)
        known = self.documents.get(uri)
        if known is None or known.source.text != text.source:
            known = Document(uri, text.source, text.version, self.encoding, self.project)
            self.documents[uri] = known
        known.version = text.version
        return known

    @property
    def project(self) -> Project:
        return Project(self.texts, self.workspace.root_path)

    def texts(self) -> dict[str, str]:
        """What is open, by path."""
        return {source_name(uri): text.source for uri, text in self.workspace.text_documents.items()}

    @property
    def encoding(self) -> str:
        """How the editor counts characters, as agreed at the start."""
        return self.workspace.position_encoding or types.PositionEncodingKind.Utf16

    def publish(self, uri: str) -> None:
        self.waiting.pop(uri, None)
        document = self.document(uri)
        found = diagnostics.diagnostics(document)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, document.version))

    def publish_soon(self, uri: str) -> None:
        self.forget_waiting(uri)
        self.waiting[uri] = asyncio.get_running_loop().call_later(WAIT, self.publish, uri)

    def forget_waiting(self, uri: str) -> None:
        if uri in self.waiting:
            self.waiting.pop(uri).cancel()

    def saved(self) -> None:
        """What other texts use may have changed."""
        self.documents.clear()
        for uri in self.workspace.text_documents:
            self.publish(uri)
        asked = self.client_capabilities.workspace
        if asked and asked.inlay_hint and asked.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    @property
    def fills_in(self) -> bool:
        """Whether the editor lets a completion have places to fill in."""
        asked = self.client_capabilities.text_document
        item = asked.completion.completion_item if asked and asked.completion else None
        return bool(item and item.snippet_support)


def make() -> Server:
    """A server that answers everything but has not begun to listen."""
    server = Server()
    _synchronize(server)
    _show(server)
    _navigate(server)
    _help_writing(server)
    return server


def _synchronize(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.publish_soon(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.saved()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.forget_waiting(uri)
        server.documents.pop(uri, None)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def _show(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint]:
        return hints.hints(server.document(params.text_document.uri), params.range)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        return hover.hover(server.document(params.text_document.uri), params.position)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbol(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return symbols.symbols(server.document(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding_range(params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        return symbols.folding(server.document(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, semantic.LEGEND)
    def semantic_tokens(params: types.SemanticTokensParams) -> types.SemanticTokens:
        return semantic.semantic_tokens(server.document(params.text_document.uri))


def _navigate(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        return navigation.definition(server.document(params.text_document.uri), params.position)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        document, declared = server.document(params.text_document.uri), params.context.include_declaration
        return navigation.references(document, params.position, declared=declared)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        return navigation.highlights(server.document(params.text_document.uri), params.position)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(params: types.PrepareRenameParams) -> types.Range | None:
        return navigation.prepare_rename(server.document(params.text_document.uri), params.position)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        document = server.document(params.text_document.uri)
        try:
            return navigation.rename(document, params.position, params.new_name)
        except navigation.CannotRename as reason:
            raise JsonRpcInvalidParams(str(reason)) from None


def _help_writing(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["(", ".", "=", ":"]))
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        document = server.document(params.text_document.uri)
        return completion.completion(document, params.position, server.fills_in)

    @server.feature(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(trigger_characters=["(", ","]))
    def signature_help(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        return signatures.signature_help(server.document(params.text_document.uri), params.position)

    kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=kinds))
    def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        document, wanted = server.document(params.text_document.uri), params.context.only or []
        quick = actions.actions(document, params.range, params.context.diagnostics)
        found = quick + [every for every in [actions.all_safe(document)] if every]
        return [action for action in found if not wanted or action.kind in wanted]

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def format_document(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        return formatting.formatting(server.document(params.text_document.uri))
