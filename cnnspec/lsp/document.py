"""One version of a text that is open in an editor, with what is known of it. What is known is found out when it is
first asked for, and kept until the text changes."""

from __future__ import annotations

from functools import cached_property

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from cnnspec.lint import linted
from cnnspec.lsp.names import Names
from cnnspec.lsp.project import Project
from cnnspec.lsp.text import Places
from cnnspec.lsp.uses import Uses
from cnnspec.network import Checked, check
from cnnspec.source import Source, Span
from cnnspec.syntax import tables
from cnnspec.syntax.lexer import Token, lex
from cnnspec.syntax.tree import File


class Document:
    """`places` of the text; `checked`, `names` and so on are computed once."""

    def __init__(
        self,
        uri: str,
        text: str,
        version: int | None = None,
        encoding: str = types.PositionEncodingKind.Utf16,
        project: Project | None = None,
    ) -> None:
        self.project = project or Project()
        self.uri, self.version, self.encoding = uri, version, encoding
        self.source = Source(source_name(uri), text)
        self.places = Places(self.source, encoding)

    @cached_property
    def checked(self) -> Checked:
        return linted(check(self.source))

    @property
    def file(self) -> File:
        return self.checked.file

    @cached_property
    def names(self) -> Names:
        return Names(self.file, self.project.read)

    @cached_property
    def tokens(self) -> list[Token]:
        return lex(self.source, tables.load())[0]

    @cached_property
    def uses(self) -> Uses:
        return Uses(self.checked, self.source)

    def location(self, span: Span) -> types.Location:
        """A place in this text or in another file."""
        if span.source.name == self.source.name:
            return types.Location(self.uri, self.places.range(span))
        uri = from_fs_path(span.source.name) or self.uri
        return types.Location(uri, Places(span.source, self.encoding).range(span))


def source_name(uri: str) -> str:
    """How the checker calls the text: its path, where it has one."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return path or "<unsaved>"
