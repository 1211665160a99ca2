"""The summary as text and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cnnspec.analysis.field import Field
from cnnspec.network import GroupNode, LayerNode, Node
from cnnspec.record import REQUIRED
from cnnspec.report.summary import LayerSummary, Summary
from cnnspec.report.table import Column, aligned, markdown
from cnnspec.words import Like, show

WIDTH = 118

COLUMNS = (
    Column("name"),
    Column("layer", shrink=True),
    Column("line", numbers=True),
    Column("output"),
    Column("parameters", numbers=True),
    Column("share", numbers=True),
    Column("MACs", numbers=True),
    Column("receptive field"),
    Column("activation", numbers=True),
)

MILLIONS = Column("M MACs", numbers=True)

NOTES = (
    "MACs: multiplications with weights in conv, conv_transpose and linear, for one sample; all else counts nothing.",
    "Receptive field: what one value sees of the input; step: how far the field of its neighbour is from it.",
    "Activation: the layer's output for one sample in float32.",
)
GROUP_NOTE = "The line of a group or block sums up what is in it."

MILLION = 1_000_000
MANY = 1000 * MILLION
"""From this many MACs on a network's text counts them in millions."""

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def as_text(summary: Summary, *, color: bool = False) -> str:
    """Table, totals and what the columns mean, at most 118 columns wide."""
    network = summary.network
    rows = list(_tree_rows(summary))
    columns = [MILLIONS if column.title == "MACs" and summary.macs >= MANY else column for column in COLUMNS]
    titles, rule, *lines = aligned(columns, [cells for _, cells in rows], WIDTH)
    if color:
        titles = f"{BOLD}{titles}{PLAIN}"
        lines = [f"{BOLD}{line}{PLAIN}" if group else line for line, (group, _) in zip(lines, rows, strict=True)]
    notes = [*NOTES, GROUP_NOTE] if any(group for group, _ in rows) else NOTES
    head = f"{network.name}: {network.input} -> {network.output}"
    totals = [f"{name:12}{text}" for name, text in _totals(summary)]
    return "\n".join([head, "", titles, rule, *lines, rule, *totals, "", *notes])


def as_markdown(summary: Summary) -> str:
    network = summary.network
    rows = [(f"`{layer.node.path}`", *_cells(summary, layer, _count)) for layer in summary.layers]
    totals = [f"- {name}: {text}" for name, text in _totals(summary)]
    title = f"### {network.name}: {network.input} -> {network.output}"
    return "\n".join([title, "", *markdown(COLUMNS, rows), "", *totals, "", *NOTES])


def _tree_rows(summary: Summary) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """The rows below the model, each with whether it is a group's."""
    by_path = {layer.node.path: layer for layer in summary.layers}
    macs = _millions if summary.macs >= MANY else _count

    def walk(node: Node, depth: int) -> Iterator[tuple[bool, tuple[str, ...]]]:
        name = "  " * depth + node.key
        if isinstance(node, LayerNode):
            yield False, (name, *_cells(summary, by_path[node.path], macs))
            return
        inside = [by_path[layer.path] for layer in node.layers()]
        yield True, (name, *_group_cells(summary, node, inside, macs))
        for child in node.children:
            yield from walk(child, depth + 1)

    for child in summary.network.root.children:
        yield from walk(child, 0)


def _cells(summary: Summary, layer: LayerSummary, macs: Callable[[int], str]) -> tuple[str, ...]:
    node, parameters = layer.node, layer.counts.parameters
    return (
        call_text(node),
        str(node.span.line),
        str(node.output),
        _count(parameters),
        _share(parameters, summary.parameters),
        macs(layer.macs),
        _field(layer.field),
        size(layer.activation),
    )


def _group_cells(
    summary: Summary, group: GroupNode, inside: list[LayerSummary], macs: Callable[[int], str]
) -> tuple[str, ...]:
    parameters = sum(layer.counts.parameters for layer in inside)
    called = _block_text(group) if group.block else ""
    total = macs(sum(layer.macs for layer in inside))
    share = _share(parameters, summary.parameters)
    return called, str(group.span.line), str(group.output), _count(parameters), share, total, "", ""


def _totals(summary: Summary) -> Iterator[tuple[str, str]]:
    buffers = (
        f"; {summary.counts.buffers:,} more in buffers, which are kept but not learned"
        if summary.counts.buffers
        else ""
    )
    yield "parameters", f"{summary.parameters:,} ({size(summary.weights)} in float32){buffers}"
    yield "MACs", f"{summary.macs:,}"
    yield "activation", f"{size(summary.activation)}, the outputs of all layers together"
    if summary.parameters:
        most = max(summary.layers, key=lambda layer: layer.counts.parameters)
        share = _share(most.counts.parameters, summary.parameters)
        yield "largest", f"{most.node.path} ({most.node.layer.word}) holds {share} of the parameters"


# ----------------------------------------------------------------------------------------------------------- cells


def call_text(node: LayerNode) -> str:
    """As short as a layer can be written, with what arrives before the arrow where there may be one."""
    layer = node.layer
    given = []
    for name, default in layer.__fields__.items():
        value = getattr(layer, name)
        if name == layer.claims:
            given.append(f"{layer.incoming(node.input)} -> {_written(value)}")
        elif default is REQUIRED or (len(layer.__fields__) == 1 and value != default):
            given.append(_written(value))
        elif value != (getattr(layer, default.argument) if isinstance(default, Like) else default):
            given.append(f"{name}={_written(value)}")
    return f"{layer.word}({', '.join(given)})" if given else layer.word


def _written(value: Any) -> str:
    """Sizes as 3x5, which is shorter than a list; with a zero they must be one."""
    sizes = isinstance(value, tuple) and len(value) > 1 and all(isinstance(size, int) and size > 0 for size in value)
    return "x".join(map(str, value)) if sizes else show(value)


def _block_text(group: GroupNode) -> str:
    assert group.block is not None
    values = ", ".join(show(value) for value in group.block.arguments.values())
    return f"{group.block.name}({values})" if values else group.block.name


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _millions(number: int) -> str:
    tenths = round(number, -5) // (MILLION // 10)  # whole numbers: a float has too few digits for some layers
    return f"{tenths // 10:,}.{tenths % 10}" if number else ""


def _share(part: int, whole: int) -> str:
    if not part:
        return ""
    share = f"{part / whole:.1%}"
    return "<0.1%" if share == "0.0%" else share


def _field(field: Field) -> str:
    if field.whole:
        return "everything"
    if not field.stride:
        return ""
    step = field.stride if len(set(field.stride)) > 1 else field.stride[:1]
    return f"{'x'.join(map(str, field.size))} step {'x'.join(map(str, step))}"


UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: int) -> str:
    """Bytes, in a unit that suits."""
    power = min((max(count, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    return f"{count / 1024**power:.1f} {UNITS[power]}" if power else f"{count} B"
