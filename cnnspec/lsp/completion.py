"""Completion: what can stand at the cursor, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lsprotocol import types

from cnnspec.layers import LAYERS
from cnnspec.layers.combine import COMBINATORS
from cnnspec.lsp import words
from cnnspec.lsp.context import Call, Context, context
from cnnspec.lsp.document import Document
from cnnspec.lsp.hover import ATTRIBUTES
from cnnspec.network.freezing import parts
from cnnspec.network.functions import FUNCTIONS
from cnnspec.network.model import GroupNode
from cnnspec.recipe import Recipe
from cnnspec.words import Word

Item = types.CompletionItem
Kind = types.CompletionItemKind

TOP = {
    "model": "model ${1:Name}(${2:classes=10}) {\n  input ${3:3x32x32}\n\n  $0\n}",
    "block": "block ${1:Name}(${2:width}) {\n  $0\n}",
    "train": "train {\n  data: ${1:cifar10}\n  $0\n}",
    "let": "let ${1:name} = $0",
    "use": 'use "${1:blocks.cnn}"',
}
STATEMENTS = {
    "let": "let ${1:name} = $0",
    "repeat": "repeat ${1:2} {\n  $0\n}",
    "for": "for ${1:width} in ${2:[32, 64]} {\n  $0\n}",
    "if": "if ${1:condition} {\n  $0\n}",
    "assert": "assert $0",
    "input": "input ${0:3x32x32}",
}


def completion(document: Document, position: types.Position, snippets: bool = True) -> list[Item]:
    offset = document.places.offset(position)
    here = context(document.tokens, document.source.text, offset)
    found = list(OFFERS[here.kind](document, here, offset))
    for at, item in enumerate(found):
        item.sort_text = f"{at:03}"  # what is most likely meant comes first, not what the alphabet says
    return found if snippets else [_plain(item) for item in found]


def _plain(item: Item) -> Item:
    """For editors that cannot fill in: the word alone."""
    item.insert_text = item.insert_text_format = None
    return item


# ------------------------------------------------------------------------------------------------- by kind of place


def _top(document: Document, here: Context, offset: int) -> Iterator[Item]:
    yield from _keywords(TOP)


def _steps(document: Document, here: Context, offset: int) -> Iterator[Item]:
    for name, definition in document.names.in_reach(offset).items():
        found = words.signature(document, name, offset)
        if definition.kind == "block":
            yield _callable(words.of_block(definition), Kind.Class)
        elif found and definition.kind != "loop" and name not in LAYERS:
            yield _callable(found.replace(name=name), Kind.Variable)
    yield from (_callable(words.of_word(layer), Kind.Function) for layer in LAYERS.values())
    yield from (_combinator(word) for word in COMBINATORS.values())
    if here.starts:
        yield from _keywords(STATEMENTS)


def _settings(document: Document, here: Context, offset: int) -> Iterator[Item]:
    for name in Recipe.parameters():
        found = words.of_setting(name)
        assert found
        yield _item(name, Kind.Property, found.shown, found.about, f"{name}: $0")


def _values(document: Document, here: Context, offset: int) -> Iterator[Item]:
    if here.setting:
        taken = words.TAKEN_BY.get(here.setting, {})
        yield from (_callable(words.of_word(word), Kind.Function) for word in taken.values())
        yield from _parts(document) if here.setting == "freeze" else ()
        yield from _names(document, here, offset)
    else:
        yield from _names(document, here, offset)
        yield from _computed(here)


def _parts(document: Document) -> Iterator[Item]:
    """Layers and groups that have weights, by their full names; quoted where these have a point."""
    placed = document.checked.placed
    inner = {id(node) for each in placed if isinstance(each, GroupNode) for _, node in parts(each.items)}
    found = dict(parts(tuple(node for node in placed if id(node) not in inner)))
    for name, node in sorted(found.items(), key=lambda pair: pair[0].count(".")):
        if node.parameters:
            written = name if name.isidentifier() else f'"{name}"'
            yield _item(name, Kind.Field, f"{node.parameters:,} parameters", "", written)


def _names(document: Document, here: Context, offset: int) -> Iterator[Item]:
    """What the text defines; settings see only what stands outside of models."""
    for name, definition in document.names.in_reach(offset).items():
        if here.setting is None or definition.kind == "let":
            kind = Kind.Class if definition.kind == "block" else Kind.Variable
            yield _item(name, kind, definition.kind, words.comment_above(definition) if kind is Kind.Class else "")


def _computed(here: Context) -> Iterator[Item]:
    for name in FUNCTIONS:
        found = words.of_function(name)
        yield _item(name, Kind.Function, found.shown, found.about, f"{name}($0)")
    if here.setting is None:
        yield _item("x", Kind.Variable, "what arrives here", "", "x.$0")


def _arguments(document: Document, here: Context, offset: int) -> Iterator[Item]:
    call = here.call
    assert call
    found = words.signature(document, call.name, offset, here.setting or None)
    if found and call.fresh:
        yield from (_argument(takes) for takes in _left(found, call))
    takes = _current(found, call) if found else None
    if takes:
        yield from (_item(choice, Kind.EnumMember, takes.about) for choice in takes.choices)
    yield from _names(document, here, offset)
    if takes is None or not takes.choices:
        yield from _computed(here)
        yield from (_item(word, Kind.Function, "a layer as a value") for word in LAYERS if _takes_layer(document, call))


def _left(found: words.Signature, call: Call) -> Iterable[words.Takes]:
    """The parameters that have no value yet."""
    positional = call.index - len(call.given)
    return (takes for takes in found.parameters[positional:] if takes.name not in call.given)


def _current(found: words.Signature, call: Call) -> words.Takes | None:
    if call.named is None:
        return found.parameters[call.index] if call.index < len(found.parameters) else None
    return next((takes for takes in found.parameters if takes.name == call.named), None)


def _takes_layer(document: Document, call: Call) -> bool:
    """Blocks and models may be given layers; layers take numbers."""
    return call.name in document.names.top or call.name in document.names.models


def _attributes(document: Document, here: Context, offset: int) -> Iterator[Item]:
    yield from (_item(name, Kind.Property, about) for name, about in ATTRIBUTES.items())


def _models(document: Document, here: Context, offset: int) -> Iterator[Item]:
    yield from (_item(name, Kind.Class, "model") for name in document.names.models)


def _nothing(document: Document, here: Context, offset: int) -> Iterator[Item]:
    return iter(())


OFFERS: dict[str, Callable[[Document, Context, int], Iterator[Item]]] = {
    "top": _top,
    "step": _steps,
    "setting": _settings,
    "value": _values,
    "argument": _arguments,
    "attribute": _attributes,
    "model": _models,
    "text": _nothing,
    "nothing": _nothing,
}


# ------------------------------------------------------------------------------------------------------------ items


def _item(name: str, kind: Kind, detail: str, about: str = "", snippet: str | None = None) -> Item:
    return Item(
        label=name,
        kind=kind,
        detail=detail,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, about) if about else None,
        insert_text=snippet,
        insert_text_format=types.InsertTextFormat.Snippet if snippet else None,
    )


def _callable(found: words.Signature, kind: Kind) -> Item:
    return _item(found.name, kind, found.shown, found.about, f"{found.name}($0)" if found.required else None)


def _combinator(word: type[Word]) -> Item:
    found = words.of_word(word)
    inside = "\n  | $1\n  | $2\n" if getattr(word, "bars", False) else "\n  $0\n"
    return _item(found.name, Kind.Keyword, found.shown, found.about, f"{found.name} {{{inside}}}")


def _argument(takes: words.Takes) -> Item:
    return _item(f"{takes.name}=", Kind.Field, takes.shown, takes.about)


def _keywords(snippets: dict[str, str]) -> Iterator[Item]:
    return (_item(word, Kind.Keyword, "", "", snippet) for word, snippet in snippets.items())
