"""Semantic tokens: what every word of a text is, by what it means and not by how it is spelled."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from cnnspec.layers import LAYERS
from cnnspec.layers.combine import COMBINATORS
from cnnspec.lsp.document import Document
from cnnspec.lsp.words import TAKEN_BY
from cnnspec.network.functions import FUNCTIONS
from cnnspec.record import Record
from cnnspec.syntax import tree
from cnnspec.syntax.lexer import Token

TYPES = (
    "keyword",
    "class",
    "function",
    "parameter",
    "variable",
    "property",
    "number",
    "string",
    "comment",
    "operator",
    "enumMember",
)
MODIFIERS = ("declaration", "defaultLibrary")
LEGEND = types.SemanticTokensLegend(list(TYPES), list(MODIFIERS))

BY_KIND = {"model": "class", "block": "class", "parameter": "parameter", "let": "variable", "loop": "variable"}
BY_TOKEN = {"INT": "number", "FLOAT": "number", "DIMS": "number", "STRING": "string", "X": "variable"}
BY_TOKEN |= dict.fromkeys(("ARROW", "PLUS", "MINUS", "STAR", "SLASH", "DSLASH", "PERCENT", "VBAR", "EQUAL"), "operator")
BY_TOKEN |= dict.fromkeys(("LT", "GT", "LE", "GE", "EQ", "NE", "QMARK"), "operator")
BRACKETS = {"LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE", "COMMA", "COLON", "DOT", "_NL", "STRAY"}


class Marked(Record):
    start: int
    end: int
    type: str
    modifiers: tuple[str, ...] = ()


def semantic_tokens(document: Document) -> types.SemanticTokens:
    data: list[int] = []
    line = column = 0
    for mark in marked(document):
        place, end = document.places.position(mark.start), document.places.position(mark.end)
        step = place.line - line
        data += [step, place.character - column if step == 0 else place.character, end.character - place.character]
        data += [TYPES.index(mark.type), sum(1 << MODIFIERS.index(each) for each in mark.modifiers)]
        line, column = place.line, place.character
    return types.SemanticTokens(data)


def marked(document: Document) -> list[Marked]:
    """The words of the text in its order."""
    meant = dict(_meant(document))
    tokens = (_token(document, token, meant) for token in document.tokens)
    found = [mark for mark in tokens if mark]
    found += [Marked(c.span.start, c.span.start + len(c.text), "comment") for c in document.file.comments]
    return sorted(found, key=lambda mark: mark.start)


def _meant(document: Document) -> Iterator[tuple[int, Marked]]:
    """What names mean, by where they begin."""
    for node in tree.walk(document.file.items):
        if isinstance(node, tree.Setting | tree.Argument | tree.Step):
            name = node.label if isinstance(node, tree.Step) else node.name
            if name:
                yield name.span.start, Marked(name.span.start, name.span.end, "property")
        elif isinstance(node, tree.Attribute):
            yield node.span.end - len(node.name), Marked(node.span.end - len(node.name), node.span.end, "property")
    names = document.names
    for definition in names.definitions:
        if definition.kind != "label":
            span = definition.span
            yield span.start, Marked(span.start, span.end, BY_KIND[definition.kind], ("declaration",))
    for reference in names.references:
        span = reference.span
        yield span.start, Marked(span.start, span.end, BY_KIND[reference.definition.kind])


def _token(document: Document, token: Token, meant: dict[int, Marked]) -> Marked | None:
    if token.kind in BRACKETS:
        return None
    known = meant.get(token.start)
    if known and known.end == token.end:
        return known
    if token.kind == "NAME":
        return _name(token)
    return Marked(token.start, token.end, BY_TOKEN.get(token.kind, "keyword"))


def _name(token: Token) -> Marked | None:
    """A name that the text does not define."""
    if token.text in COMBINATORS:
        return Marked(token.start, token.end, "keyword")
    library = token.text in LAYERS or token.text in FUNCTIONS or any(token.text in taken for taken in TAKEN_BY.values())
    if library:
        return Marked(token.start, token.end, "function", ("defaultLibrary",))
    return Marked(token.start, token.end, "enumMember") if token.text.islower() else None
