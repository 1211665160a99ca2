"""Go to definition, references, highlights and rename."""

from __future__ import annotations

from lsprotocol import types

from cnnspec.layers import LAYERS
from cnnspec.lsp.document import Document
from cnnspec.lsp.names import IDENTIFIER, Definition, used_path
from cnnspec.source import Span
from cnnspec.syntax import tables, tree


class CannotRename(Exception):
    """Why a name stays what it is, for the one who asked."""


def definition(document: Document, position: types.Position) -> types.Location | None:
    """Where the name is defined; behind `use`, the file."""
    offset = document.places.offset(position)
    found = document.names.at(offset)
    if found:
        return document.location(found.span)
    for item in document.file.items:
        if isinstance(item, tree.Use) and item.path.span.start <= offset <= item.path.span.end:
            source = document.source.replace(name=used_path(item), text="")
            return document.location(Span(source, 0, 0))
    return None


def references(document: Document, position: types.Position, *, declared: bool = True) -> list[types.Location]:
    found = document.names.at(document.places.offset(position))
    return [document.location(span) for span in places(document, found, declared)] if found else []


def highlights(document: Document, position: types.Position) -> list[types.DocumentHighlight]:
    found = document.names.at(document.places.offset(position))
    spans = places(document, found, True) if found else []
    own = [span for span in spans if span.source.name == document.source.name]
    return [types.DocumentHighlight(document.places.range(span)) for span in own]


def places(document: Document, found: Definition, declared: bool) -> list[Span]:
    """Where a name is used, and where it is defined."""
    uses = document.names.uses(found)
    return [found.span, *uses] if declared else uses


# ---------------------------------------------------------------------------------------------------------- rename


def prepare_rename(document: Document, position: types.Position) -> types.Range | None:
    """What would be renamed; None where nothing here has a name of its own."""
    offset = document.places.offset(position)
    found = document.names.at(offset)
    if not found:
        return None
    at = [span for span in places(document, found, True) if span.start <= offset <= span.end]
    return document.places.range(_bare(at[0])) if at else None


def rename(document: Document, position: types.Position, name: str) -> types.WorkspaceEdit | None:
    """Raises `CannotRename`."""
    found = document.names.at(document.places.offset(position))
    if not found:
        return None
    spans = places(document, found, True)
    _check(document, found, spans, name)
    changes: dict[str, list[types.TextEdit]] = {}
    for span in map(_bare, spans):
        place = document.location(span)
        changes.setdefault(place.uri, []).append(types.TextEdit(place.range, name))
    return types.WorkspaceEdit(changes)


def _bare(span: Span) -> Span:
    """Without the quotes of a computed name."""
    quoted = span.text.startswith('"')
    return Span(span.source, span.start + 1, span.end - 1) if quoted else span


def _check(document: Document, found: Definition, spans: list[Span], name: str) -> None:
    if found.kind == "label" and found.span.text.startswith('"'):
        return
    if not IDENTIFIER.fullmatch(name):
        raise CannotRename(f"{name!r} is no name: letters, digits and _ make one")
    if name in tables.load().words:
        raise CannotRename(f"{name} is a word of the language")
    if found.kind == "label":
        return
    if found.kind == "block" and not name[0].isupper():
        raise CannotRename(f"the name of a block begins with an upper-case letter: {name[0].upper()}{name[1:]}")
    _check_free(document, found, spans, name)
    _check_loose(document, found)


def _check_free(document: Document, found: Definition, spans: list[Span], name: str) -> None:
    """Whether the new name has no other meaning where the old one is used, nor the old one's place where it is."""
    names = document.names
    taken = [d for d in names.definitions if d.name == name and d.kind != "label" and d != found]
    hidden = any(names.in_reach(span.start).get(name) for span in spans)
    captured = any(found.reach.start <= use.start <= found.reach.end for other in taken for use in names.uses(other))
    if found.kind == "model" and name in names.models:
        raise CannotRename(f"there is a model {name} already")
    if found.owner and name in names.parameters_of(found.owner):
        raise CannotRename(f"{found.owner.name} has a parameter {name} already")
    if found.kind != "model" and (hidden or captured):
        raise CannotRename(f"{name} has another meaning here")
    if found.kind in ("parameter", "let", "loop") and name in LAYERS and _called(document, name, found):
        raise CannotRename(f"{name} is a layer that is used here")


def _called(document: Document, name: str, found: Definition) -> bool:
    """Whether a layer of that name is used where the new name would hide it."""
    calls = (node.name for node in tree.walk(document.file.items) if isinstance(node, tree.Call))
    return any(call.text == name and found.reach.start <= call.span.start <= found.reach.end for call in calls)


def _check_loose(document: Document, found: Definition) -> None:
    """A block that is given as a value is called under other names, which may set its parameters."""
    owner = found.owner
    if found.kind != "parameter" or owner is None or owner.name not in document.names.given:
        return
    for name in document.names.loose:
        if name.text == found.name:
            line = name.span.line
            raise CannotRename(f"{found.name} is set on line {line} too, where it may belong to another block")
