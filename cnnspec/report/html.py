"""Summaries, networks and faults as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.human import render
from cnnspec.network.model import GroupNode, Network
from cnnspec.report.drawing import draw
from cnnspec.report.drawing.svg import as_svg
from cnnspec.report.summary import Summary, summarize
from cnnspec.report.summary_text import table, totals

CELL = "padding: 1px 10px; white-space: pre; font-family: monospace; border: none"
NUMBER = f"{CELL}; text-align: right"
TEXT = f"{CELL}; text-align: left"
FAULT = "font-family: monospace; white-space: pre; line-height: 1.3; border-left: 3px solid {color}; padding-left: 8px"
COLORS = {"error": "#d73a49", "warning": "#b08800", "note": "#0366d6"}


def network_html(network: Network) -> str:
    """The picture of a network and its summary."""
    return f"{as_svg(draw(network))}{summary_html(summarize(network))}"


def summary_html(summary: Summary) -> str:
    """The table that `cnnspec summary` prints."""
    network = summary.network
    columns, listed, cells = table(summary)
    styles = [NUMBER if column.numbers else TEXT for column in columns]
    head = _row("th", [column.title for column in columns], styles)
    groups = (isinstance(row.node, GroupNode) for row in listed)
    body = [_row("th" if group else "td", each, styles) for group, each in zip(groups, cells, strict=True)]
    sums = "<br/>".join(escape(f"{name}: {text}") for name, text in totals(summary))
    title = escape(f"{network.name}: {network.input} -> {network.output}")
    return (
        f"<div><b>{title}</b><table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table><div>{sums}</div></div>"
    )


def diagnostics_html(diagnostics: Iterable[Diagnostic]) -> str:
    """Each message with its excerpt, as in a terminal."""
    return "".join(_fault(diagnostic) for diagnostic in diagnostics)


def checked_html(diagnostics: Iterable[Diagnostic], networks: Iterable[Network]) -> str:
    """What a check found: the faults, and a line for each network that is right."""
    right = "".join(f"<div>{escape(repr(network)[1:-1])}</div>" for network in networks)
    return diagnostics_html(diagnostics) + right


def _fault(diagnostic: Diagnostic) -> str:
    style = FAULT.format(color=COLORS[diagnostic.severity])
    head, _, rest = render(diagnostic).partition("\n")
    return f'<pre style="{style}"><b>{escape(head)}</b>\n{escape(rest)}</pre>'


def _row(tag: str, cells: Iterable[str], styles: Iterable[str]) -> str:
    shown = (f'<{tag} style="{style}">{escape(text)}</{tag}>' for text, style in zip(cells, styles, strict=True))
    return f"<tr>{''.join(shown)}</tr>"
