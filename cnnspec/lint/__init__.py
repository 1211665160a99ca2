"""Lints: what is accepted, and rarely meant. One file per rule and a line in `RULES`.

A comment `# allow W101: reason` silences a warning: at the end of its line, on a line of its own above it, or above the
block or model it stands in.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.codes import CODES, Code
from cnnspec.lint.bias_before_norm import BiasBeforeNorm
from cnnspec.lint.dead_branch import DeadBranch
from cnnspec.lint.dropout_before_norm import DropoutBeforeNorm
from cnnspec.lint.dropped_rows import DroppedRows
from cnnspec.lint.even_kernel import EvenKernel
from cnnspec.lint.gaps import Gaps
from cnnspec.lint.graph import Graph, place
from cnnspec.lint.heavy_head import HeavyHead
from cnnspec.lint.idle_setting import IdleSetting
from cnnspec.lint.linear_linear import LinearLinear
from cnnspec.lint.rule import Rule
from cnnspec.lint.small_field import SmallField
from cnnspec.lint.softmax_at_end import SoftmaxAtEnd
from cnnspec.lint.unsuitable_augmentation import UnsuitableAugmentation
from cnnspec.network import Checked, Network
from cnnspec.source import Source, Span

RULES: tuple[type[Rule], ...] = (
    BiasBeforeNorm,
    LinearLinear,
    SoftmaxAtEnd,
    DroppedRows,
    Gaps,
    EvenKernel,
    DropoutBeforeNorm,
    HeavyHead,
    SmallField,
    DeadBranch,
    UnsuitableAugmentation,
    IdleSetting,
)


def page(rule: type[Rule]) -> str:
    """What `cnnspec explain` shows: the docstring of the rule's module."""
    return f"# {rule.code}: {rule.name}\n\n{(sys.modules[rule.__module__].__doc__ or '').strip()}\n"


CODES.update({rule.code: Code(rule.name, "warning", rule.meaning, page(rule)) for rule in RULES})


def linted(checked: Checked) -> Checked:
    """What a check found, with the findings of all rules, and without the warnings that the text silences."""
    found = [*checked.diagnostics, *lints(checked.networks)]
    kept = [d for d in found if d.severity != "warning" or not silenced(d)]
    main = checked.source
    kept.sort(key=lambda d: (d.span.source is not main, d.span.source.name, d.span.line, d.code, d.span.start))
    return checked.replace(diagnostics=tuple(kept))


def lints(networks: tuple[Network, ...]) -> Iterator[Diagnostic]:
    """The findings of all rules, one for each place: networks of a file that share a block share its faults."""
    graphs = [Graph(network) for network in networks]
    expanded: Counter[tuple[str, int]] = sum((graph.expanded for graph in graphs), Counter())
    for rule in RULES:
        found: dict[tuple[str, int], list[Diagnostic]] = {}
        for graph in (each for each in graphs if not (rule.of_size and each.network.open)):
            for vertex, diagnostic in rule().find(graph):
                at = vertex.place if vertex.step else place(diagnostic.span)
                found.setdefault(at, []).append(diagnostic)
        for at, diagnostics in found.items():
            if not rule.every or len(diagnostics) == expanded[at]:
                yield diagnostics[0]


ALLOWED = re.compile(r"#\s*allow\s+([\w-]+)\s*:\s*\S")
ITEM = re.compile(r"(block|model|train)\b")


def silenced(diagnostic: Diagnostic) -> bool:
    """Whether a comment with a reason allows what is found."""
    if "allow" not in diagnostic.span.source.text:
        return False
    names = (diagnostic.code, diagnostic.name)
    return any(match[1] in names for text in _comments(diagnostic.span) for match in ALLOWED.finditer(text))


def _comments(span: Span) -> Iterator[str]:
    """The line, the comments right above it, and those above its block or model."""
    source, line = span.source, span.line
    yield source.line(line)
    yield from _above(source, line)
    while line > 1 and not ITEM.match(source.line(line)):
        line -= 1
    yield from _above(source, line)


def _above(source: Source, line: int) -> Iterator[str]:
    while line > 1 and source.line(line - 1).lstrip().startswith("#"):
        line -= 1
        yield source.line(line)
