"""The summary as text and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from cnnspec.analysis.field import Field
from cnnspec.network.model import BlockUse, CombineNode, GroupNode, LayerNode
from cnnspec.report.summary import JoinSummary, Summary
from cnnspec.report.summary_rows import Row, plain_rows, rows
from cnnspec.report.table import Column, aligned, markdown
from cnnspec.report.written import layer_text
from cnnspec.source import Source, Span
from cnnspec.words import show

WIDTH = 118

COLUMNS = (
    Column("name", shrink=True),
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
MORE_NOTE = "More: further uses of the block before them, summed up; --format markdown and json list every layer."
JOIN_NOTE = "Add, multiply, concat, residual: what comes out where branches join. | begins a branch."
SIDE_NOTE = "Aux: runs only in training; its MACs and activations are not counted."

MILLION = 1_000_000
MANY = 100 * MILLION
"""From this many MACs on a network's text counts them in millions."""

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def as_text(summary: Summary, *, color: bool = False) -> str:
    """Table, totals and what the columns mean, at most 118 columns wide."""
    network = summary.network
    columns, listed, cells = table(summary)
    titles, rule, *lines = aligned(columns, cells, WIDTH)
    if color:
        titles = f"{BOLD}{titles}{PLAIN}"
        bold = (isinstance(row.node, GroupNode) for row in listed)
        lines = [f"{BOLD}{line}{PLAIN}" if group else line for line, group in zip(lines, bold, strict=True)]
    head = f"{network.name}: {network.input} -> {network.output}"
    sums = [f"{name:12}{text}" for name, text in totals(summary)]
    return "\n".join([head, "", titles, rule, *lines, rule, *sums, "", *NOTES, *_notes(listed)])


def table(summary: Summary) -> tuple[list[Column], list[Row], list[tuple[str, ...]]]:
    """The columns, the rows, and what stands in them."""
    macs = _millions if summary.macs >= MANY else _count
    columns = [MILLIONS if column.title == "MACs" and summary.macs >= MANY else column for column in COLUMNS]
    listed = rows(summary)
    return columns, listed, [_cells(row, summary, macs) for row in listed]


def as_markdown(summary: Summary) -> str:
    """One row for each layer and each join, in the order they run."""
    network = summary.network
    cells = [_cells(row, summary, _count) for row in plain_rows(summary)]
    sums = [f"- {name}: {text}" for name, text in totals(summary)]
    title = f"### {network.name}: {network.input} -> {network.output}"
    return "\n".join([title, "", *markdown(COLUMNS, cells), "", *sums, "", *NOTES, *_notes(plain_rows(summary))])


def _notes(listed: list[Row]) -> Iterator[str]:
    """What the rows that are there make necessary to say."""
    if any(isinstance(row.node, GroupNode) for row in listed):
        yield GROUP_NOTE
    if any(row.more for row in listed):
        yield MORE_NOTE
    if any(isinstance(row.measured, JoinSummary) for row in listed):
        yield JOIN_NOTE
    if any(row.measured and row.measured.placed.side for row in listed):
        yield SIDE_NOTE


def _cells(row: Row, summary: Summary, macs: Callable[[int], str]) -> tuple[str, ...]:
    node, measured = row.node, row.measured
    return (
        row.name,
        _called(row),
        _line(node.span, summary.network.source) if node else "",
        node.output.written if node else "",
        _count(row.parameters),
        _share(row.parameters, summary.parameters),
        macs(row.macs),
        field_text(measured.field) if measured else "",
        size(measured.activation) if measured else "",
    )


def totals(summary: Summary) -> Iterator[tuple[str, str]]:
    """What the whole network comes to: names, and what stands behind them."""
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
        yield "largest", f"{most.placed.path} ({most.placed.layer.word}) holds {share} of the parameters"


# ----------------------------------------------------------------------------------------------------------- cells


def _called(row: Row) -> str:
    """What stands in the spec, as short as it can be written."""
    node = row.node
    if isinstance(node, LayerNode):
        return layer_text(node.layer, node.input)
    if isinstance(node, CombineNode):
        return _combinator_text(node)
    if node is None:
        return "passes on"
    if node.block is None:
        return ""
    return f"{row.more} more {node.block.name}" if row.more else _block_text(node.block)


def _combinator_text(node: CombineNode) -> str:
    given = [f"{name}={show(value)}" for name, value in node.options.items() if name != "when" and value is not False]
    return f"{node.kind}({', '.join(given)})" if given else node.kind


def _block_text(use: BlockUse) -> str:
    values = ", ".join(show(value) for value in use.arguments.values())
    return f"{use.name}({values})" if values else use.name


def _line(span: Span, source: Source) -> str:
    """The number of the line, behind the name of its file where that is another one (`use`)."""
    return str(span.line) if span.source.name == source.name else f"{Path(span.source.name).stem}:{span.line}"


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


def field_text(field: Field) -> str:
    """A receptive field: its size, and how far that of the next value is away."""
    if field.whole:
        return "everything"
    if not field.axes:
        return ""
    size = "x".join("all" if axis.whole else str(axis.width) for axis in field.axes)
    steps = ["varies" if stride is None else str(stride) for stride in field.stride]
    return f"{size} step {'x'.join(steps if len(set(steps)) > 1 else steps[:1])}"


UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: int) -> str:
    """Bytes, in a unit that suits."""
    power = min((max(count, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    return f"{count / 1024**power:.1f} {UNITS[power]}" if power else f"{count} B"
