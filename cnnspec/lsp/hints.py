"""Inlay hints: the shape that comes out of every line with layers, and what the line learns."""

from __future__ import annotations

from lsprotocol import types

from cnnspec.lsp.document import Document
from cnnspec.lsp.uses import Use
from cnnspec.network import Network

MOST_SHOWN = 3
"""Of more values than this, the first ones and the last are shown."""

TOOLTIP = "what comes out of this line · parameters it learns"
SEVERAL = "what comes out of this line · parameters it learns, for each of its uses"


def hints(document: Document, inside: types.Range) -> list[types.InlayHint]:
    """For the lines of a range, behind the code and before a comment."""
    found = {line: text(uses) for line, uses in document.uses.lines.items()}
    several = {line for line, uses in document.uses.lines.items() if len(uses) > 1}
    for network in document.checked.networks:
        found[_line(document, network)] = f"{network.input} -> {network.output} · {network.parameters:,}"
    lines = range(inside.start.line + 1, inside.end.line + 2)
    ends = {comment.span.line: comment.span.start for comment in document.file.comments}
    return [
        types.InlayHint(
            position=document.places.position(_end(document, line, ends.get(line))),
            label=found[line],
            padding_left=True,
            tooltip=SEVERAL if line in several else TOOLTIP,
        )
        for line in sorted(found)
        if line in lines
    ]


def text(uses: list[Use]) -> str:
    """`64x8x8 · 18,496`, or `32x16x16 | 64x8x8 · 896 | 18,496` for two uses."""
    shapes = " | ".join(_shortened([use.output for use in uses]))
    counts = _shortened([f"{use.parameters:,}" for use in uses])
    return shapes if counts == ["0"] else f"{shapes} · {' | '.join(counts)}"


def _shortened(values: list[str]) -> list[str]:
    several = list(dict.fromkeys(values))
    return several if len(several) <= MOST_SHOWN else [*several[: MOST_SHOWN - 1], "…", several[-1]]


def _line(document: Document, network: Network) -> int:
    """Where a model or preset is named."""
    return document.names.models[network.name].span.line


def _end(document: Document, line: int, comment: int | None) -> int:
    start = document.source.starts[line - 1]
    code = document.source.text[start:comment] if comment is not None else document.source.line(line)
    return start + len(code.rstrip())
