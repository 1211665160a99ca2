"""A drawing as a Mermaid flowchart, which Markdown pages of many places show."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.report.drawing import Drawing
from cnnspec.report.drawing.flow import Cluster, Edge, Vertex, flow

SHAPES = {"join": ("((", "))"), "group": ("(", ")"), "input": ("([", "])")}
CLASSES = {
    "weights": "fill:#dce6f2,stroke:#111,color:#111",
    "pool": "fill:#eee6d6,stroke:#111,color:#111",
    "group": "stroke-width:2px",
}
ESCAPES = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;"}


def as_mermaid(drawing: Drawing) -> str:
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    whole = flow(drawing)
    yield from ("---", f"title: '{whole.title.replace(chr(39), chr(39) * 2)}'", "---", "flowchart TD")
    for item in whole.inside:
        yield from _item(item, "  ")
    yield from map(_edge, whole.edges)
    yield from (f"  classDef {name} {style}" for name, style in CLASSES.items())


def _item(item: Vertex | Cluster, indent: str) -> Iterator[str]:
    if isinstance(item, Vertex):
        start, end = SHAPES.get(item.kind, ("[", "]"))
        kind = f":::{item.kind}" if item.kind in CLASSES else ""
        text = "<br/>".join(map(_text, item.lines))
        yield f'{indent}{item.name}{start}"{text}"{end}{kind}'
        return
    yield f'{indent}subgraph {item.name}["{_text(item.title) or " "}"]'
    for inner in item.inside:
        yield from _item(inner, indent + "  ")
    yield f"{indent}end"


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.dashed else "-->"
    return f"  {edge.start} {arrow}{f'|{edge.label}|' if edge.label else ''} {edge.end}"


def _text(text: str) -> str:
    return "".join(ESCAPES.get(letter, letter) for letter in text)
