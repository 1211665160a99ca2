"""A drawing in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.report.drawing import Drawing
from cnnspec.report.drawing.flow import Cluster, Edge, Vertex, flow

LOOKS = {
    "weights": 'style=filled, fillcolor="#dce6f2"',
    "pool": 'style=filled, fillcolor="#eee6d6"',
    "group": "style=rounded, penwidth=1.6",
    "join": "shape=circle, width=0.3, margin=0.02",
    "input": "style=rounded",
}


def as_dot(drawing: Drawing) -> str:
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    whole = flow(drawing)
    yield f"digraph {_text(whole.title)} {{"
    yield '  node [shape=box, fontname="Helvetica", fontsize=11, height=0.3]'
    yield '  edge [fontname="Helvetica", fontsize=10, arrowsize=0.7]'
    yield '  graph [fontname="Helvetica", fontsize=11, nodesep=0.3, ranksep=0.3]'
    for item in whole.inside:
        yield from _item(item, "  ")
    yield from map(_edge, whole.edges)
    yield "}"


def _item(item: Vertex | Cluster, indent: str) -> Iterator[str]:
    if isinstance(item, Vertex):
        look = LOOKS.get(item.kind)
        yield f"{indent}{item.name} [label={_text(*item.lines)}{f', {look}' if look else ''}]"
        return
    yield f"{indent}subgraph cluster_{item.name} {{"
    yield f"{indent}  label={_text(item.title)}; labeljust=l; style=dashed"
    for inner in item.inside:
        yield from _item(inner, indent + "  ")
    yield f"{indent}}}"


def _edge(edge: Edge) -> str:
    looks = [f"label={_text(' ' + edge.label)}"] if edge.label else []
    looks += ["style=dashed"] if edge.dashed else []
    attributes = f" [{', '.join(looks)}]" if looks else ""
    return f"  {edge.start} -> {edge.end}{attributes}"


def _text(*lines: str) -> str:
    escaped = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return f'"{escaped}"'
