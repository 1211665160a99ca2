"""Document symbols and folding: the outline of a text."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from cnnspec.lsp.document import Document
from cnnspec.source import Span
from cnnspec.syntax import tree

Kind = types.SymbolKind


def symbols(document: Document) -> list[types.DocumentSymbol]:
    """Models, blocks, lets and training; inside a model or block what has a label."""
    return [symbol for item in document.file.items for symbol in _item(document, item)]


def _item(document: Document, item: tree.Item) -> Iterator[types.DocumentSymbol]:
    match item:
        case tree.Model() | tree.Block():
            kind = Kind.Class if isinstance(item, tree.Model) else Kind.Function
            params = ", ".join(param.name.text for param in item.params)
            inside = list(_labelled(document, item.body))
            yield _symbol(document, item.name.text, kind, item.span, item.name.span, params, inside)
        case tree.Preset():
            yield _symbol(document, item.name.text, Kind.Class, item.span, item.name.span, item.value.span.text)
        case tree.Let():
            yield _symbol(document, item.name.text, Kind.Constant, item.span, item.name.span, item.value.span.text)
        case tree.Train():
            name = f"train {item.model.text}" if item.model else "train"
            settings = [_setting(document, setting) for setting in item.settings]
            yield _symbol(document, name, Kind.Namespace, item.span, item.span.first_word, "", settings)


def _setting(document: Document, setting: tree.Setting) -> types.DocumentSymbol:
    text = setting.value.span.text
    return _symbol(document, setting.name.text, Kind.Property, setting.span, setting.name.span, text)


def _labelled(document: Document, node: object) -> Iterator[types.DocumentSymbol]:
    """The steps with labels below a node, those in braces under the ones around them."""
    if isinstance(node, tree.Step):
        if node.label:
            inside = list(_labelled(document, node.op))
            called = node.op.name.text if isinstance(node.op, tree.Call) else ""
            kind = Kind.Field if called else Kind.Module
            yield _symbol(document, node.label.text or '""', kind, node.span, node.label.span, called, inside)
        else:
            yield from _labelled(document, node.op)
    elif isinstance(node, tuple):
        for each in node:
            yield from _labelled(document, each)
    elif isinstance(node, tree.Node):
        for part in node.__dict__.values():
            yield from _labelled(document, part)


def _symbol(
    document: Document,
    name: str,
    kind: Kind,
    span: Span,
    chosen: Span,
    detail: str = "",
    inside: list[types.DocumentSymbol] | None = None,
) -> types.DocumentSymbol:
    shown = " ".join(detail.split())
    whole, selection = document.places.range(span), document.places.range(chosen)
    return types.DocumentSymbol(name, kind, whole, selection, detail=shown[:80] or None, children=inside or None)


# --------------------------------------------------------------------------------------------------------- folding


def folding(document: Document) -> list[types.FoldingRange]:
    """Braces over several lines, and comments of several lines."""
    found = [*_braces(document), *_comments(document)]
    return sorted(found, key=lambda fold: fold.start_line)


def _braces(document: Document) -> Iterator[types.FoldingRange]:
    """The last line stays in sight: it closes the braces."""
    opened: list[int] = []
    for token in document.tokens:
        if token.kind == "LBRACE":
            opened.append(document.source.position(token.start)[0])
        elif token.kind == "RBRACE" and opened:
            first, last = opened.pop(), document.source.position(token.start)[0]
            if last > first + 1:
                yield types.FoldingRange(first - 1, last - 2)


def _comments(document: Document) -> Iterator[types.FoldingRange]:
    lines = [comment.span.line for comment in document.file.comments if _alone(comment)]
    start = before = None
    for line in [*lines, None]:
        if before is None or line != before + 1:
            if start is not None and before is not None and before > start:
                yield types.FoldingRange(start - 1, before - 1, kind=types.FoldingRangeKind.Comment)
            start = line
        before = line


def _alone(comment: tree.Comment) -> bool:
    """Whether nothing else stands on the line."""
    return comment.span.source.line(comment.span.line).lstrip().startswith("#")
