"""Hover: what stands at a place, what it takes, and what it comes to in the networks of the text."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from cnnspec.lsp import words
from cnnspec.lsp.context import context
from cnnspec.lsp.document import Document
from cnnspec.lsp.names import Definition
from cnnspec.network import LayerNode, Node
from cnnspec.report.summary import LayerSummary
from cnnspec.report.summary_text import field_text
from cnnspec.report.written import layer_text
from cnnspec.syntax.lexer import Token

MOST_USES = 6

ATTRIBUTES = {
    "channels": "the channels of the map that arrives here",
    "height": "the height of the map that arrives here",
    "width": "the width of the map that arrives here",
    "depth": "the depth of the map that arrives here",
    "length": "the length of the map that arrives here",
    "features": "the number of features that arrive here",
}

KINDS = {
    "parameter": "a parameter of",
    "let": "a value",
    "loop": "takes the values of a loop",
    "label": "the name of a submodule",
}


def hover(document: Document, position: types.Position) -> types.Hover | None:
    token = token_at(document, document.places.offset(position))
    if token is None:
        return None
    parts = list(_parts(document, token))
    if not parts:
        return None
    span = document.source.span(token.start, token.end)
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(parts))
    return types.Hover(content, document.places.range(span))


def token_at(document: Document, offset: int) -> Token | None:
    """The word at a place, or the one that ends there."""
    near = [t for t in document.tokens if t.start <= offset <= t.end and t.text.strip('"')[:1].isidentifier()]
    return near[-1] if near else None


def _parts(document: Document, token: Token) -> Iterator[str]:
    here = context(document.tokens, document.source.text, token.start)
    definition = document.names.at(token.start)
    called = words.signature(document, token.text, token.start, here.setting)
    if here.kind == "attribute" and token.text in ATTRIBUTES:
        yield f"`x.{token.text}`: {ATTRIBUTES[token.text]}"
    elif here.setting == "" and (setting := words.of_setting(token.text)):
        yield from _signature(setting)
    elif definition and definition.kind in ("block", "model"):
        yield from _signature(words.of_block(definition)) if hasattr(definition.node, "params") else ()
        yield from _uses(document, token)
    elif definition and not (called and document.uses.of_step(token.start)):
        yield _defined(definition)
    elif here.call and here.call.fresh and (takes := _argument(document, token, here.call.name, here.setting)):
        yield f"`{takes.shown}`: {takes.about}"
    elif called:
        yield from _signature(called)
        yield from _uses(document, token)


def _argument(document: Document, token: Token, call: str, setting: str | None) -> words.Takes | None:
    """The parameter of a call whose name stands here, before `=`."""
    if not document.source.text[token.end :].lstrip().startswith("="):
        return None
    found = words.signature(document, call, token.start, setting or None)
    return next((takes for takes in found.parameters if takes.name == token.text), None) if found else None


def _signature(found: words.Signature) -> Iterator[str]:
    yield f"```cnn\n{found.shown}\n```"
    if found.about:
        yield found.about


def _defined(definition: Definition) -> str:
    what = KINDS[definition.kind]
    if definition.owner:
        what = f"{what} {definition.owner.name}"
    value = getattr(definition.node, "default", None) or getattr(definition.node, "value", None)
    shown = f" = {words.value(value)}" if value is not None else ""
    return f"```cnn\n{definition.name}{shown}\n```\n\n{what}"


# ------------------------------------------------------------------------------------------------------------ uses


def _uses(document: Document, token: Token) -> Iterator[str]:
    """What a step comes to: its shapes and sums, for each of its uses."""
    nodes = document.uses.of_step(token.start)
    for node in nodes[:MOST_USES]:
        yield _use(node, [each for each in document.uses.measured.get(token.start, []) if _alike(each, node)])
    if len(nodes) > MOST_USES:
        yield f"and {len(nodes) - MOST_USES} more"


def _alike(measured: LayerSummary, node: Node) -> bool:
    placed = measured.placed
    return (placed.input, placed.output, placed.node.parameters) == (node.input, node.output, node.parameters)


def _use(node: Node, measured: list[LayerSummary]) -> str:
    lines = [f"**{node.input} → {node.output}**"]
    if isinstance(node, LayerNode):
        lines += [f"`{layer_text(node.layer, node.input)}`"]
        lines += [f"size: {sum}" for sum in [node.layer.arithmetic(node.input)] if sum]
    if node.parameters:
        lines.append(f"parameters: {_counted(node)}")
    if measured and measured[0].macs:
        lines.append(f"MACs: {measured[0].macs:,}")
    fields = list(dict.fromkeys(text for each in measured if (text := field_text(each.field))))
    if fields:
        lines.append(f"receptive field: {fields[0]}" + (f", then up to {fields[-1]}" if len(fields) > 1 else ""))
    return "  \n".join(lines)


def _counted(node: Node) -> str:
    """`448 = weight 16x3x3x3 + bias 16`"""
    if not isinstance(node, LayerNode):
        return f"{node.parameters:,}"
    shapes = node.weights.parameters.items()
    return f"{node.parameters:,} = " + " + ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes)
