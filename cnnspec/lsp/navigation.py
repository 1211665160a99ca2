"""Go to definition, references, highlights and rename."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.fixing import edited
from cnnspec.layers import LAYERS
from cnnspec.lsp.document import Document
from cnnspec.lsp.names import IDENTIFIER, Definition, Names, used_path
from cnnspec.network import check
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
    """Where a name is used, in all files, and where it is defined."""
    uses = [span for names in everywhere(document, found) for span in names.uses(found)]
    return [found.span, *uses] if declared else uses


def everywhere(document: Document, found: Definition) -> Iterator[Names]:
    """The files in which a name may be used, this one first."""
    yield document.names
    shared = found.owner or found
    if shared.kind not in ("block", "let") or shared.span.source.name.startswith("<") or not _at_top(shared):
        return
    home = found.span.source.name
    for path in (home, *document.project.users(home)):
        names = document.project.names(path) if path != document.source.name else None
        if names:
            yield names


def _at_top(found: Definition) -> bool:
    return (found.reach.start, found.reach.end) == (0, len(found.reach.source.text))


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
    _check(found, name)
    if found.kind != "label":
        for names in everywhere(document, found):
            _check_free(names, found, name)
            _check_loose(names, found)
    _check_outcome(document, [Edit(_bare(span), name) for span in spans])
    changes: dict[str, list[types.TextEdit]] = {}
    for span in map(_bare, spans):
        place = document.location(span)
        changes.setdefault(place.uri, []).append(types.TextEdit(place.range, name))
    return types.WorkspaceEdit(changes)


def _check_outcome(document: Document, edits: list[Edit]) -> None:
    """Whether the text, where all edits are in it, is as right as before: two submodules may not share a name, some
    names belong to PyTorch, and so on."""
    if any(edit.span.source.name != document.source.name for edit in edits):
        return
    before = {fault.message for fault in document.checked.errors}
    now = check(document.source.replace(text=edited(document.source.text, edits)))
    if len(now.errors) > len(document.checked.errors):
        new = [fault.message for fault in now.errors if fault.message not in before]
        raise CannotRename(new[0] if new else "the text would have one more fault")


def _bare(span: Span) -> Span:
    """Without the quotes of a computed name."""
    quoted = span.text.startswith('"')
    return Span(span.source, span.start + 1, span.end - 1) if quoted else span


def _check(found: Definition, name: str) -> None:
    """Whether something of this kind may have such a name."""
    if found.kind == "label" and found.span.text.startswith('"'):
        return
    if not IDENTIFIER.fullmatch(name):
        raise CannotRename(f"{name!r} is no name: letters, digits and _ make one")
    if name in tables.load().words:
        raise CannotRename(f"{name} is a word of the language")
    if found.kind == "block" and not name[0].isupper():
        raise CannotRename(f"the name of a block begins with an upper-case letter: {name[0].upper()}{name[1:]}")


def _check_free(names: Names, found: Definition, name: str) -> None:
    """Whether the new name has no other meaning where the old one is used, nor the old one's place where it is."""
    spans = [found.span] if found in names.definitions else []
    hidden = any(names.in_reach(span.start).get(name) for span in [*spans, *names.uses(found)])
    others = [d for d in (*names.definitions, *names.top.values()) if d.name == name and d.kind != "label"]
    captured = any(_within(use, found) for other in others if other != found for use in names.uses(other))
    if found.kind == "model" and name in names.models:
        raise CannotRename(f"there is a model {name} already")
    if found.owner and name in names.parameters_of(found.owner):
        raise CannotRename(f"{found.owner.name} has a parameter {name} already")
    if found.kind != "model" and (hidden or captured):
        raise CannotRename(f"{name} has another meaning here")
    if found.kind in ("parameter", "let", "loop") and name in LAYERS and _called(names, name, found):
        raise CannotRename(f"{name} is a layer that is used here")


def _within(span: Span, found: Definition) -> bool:
    reach = found.reach
    return span.source == reach.source and reach.start <= span.start <= reach.end


def _called(names: Names, name: str, found: Definition) -> bool:
    """Whether a layer of that name is used where the new name would hide it."""
    calls = (node.name for node in tree.walk(names.file.items) if isinstance(node, tree.Call))
    return any(call.text == name and _within(call.span, found) for call in calls)


def _check_loose(names: Names, found: Definition) -> None:
    """A block that is given as a value is called under other names, which may set its parameters."""
    owner = found.owner
    if found.kind != "parameter" or owner is None or owner.name not in names.given:
        return
    for name in names.loose:
        if name.text == found.name:
            line = name.span.line
            raise CannotRename(f"{found.name} is set on line {line} too, where it may belong to another block")
