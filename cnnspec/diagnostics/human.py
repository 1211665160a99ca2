"""Diagnostics as a person reads them in a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.diagnostics.found import Found
from cnnspec.source import Source, Span

COLORS = {"error": "1;31", "warning": "1;33", "note": "1;36", "help": "1;32", "gutter": "1;34", "second": "1;34"}
WIDEST = 120
"""Lines of source longer than this are cut around the marked place."""

CONTROLS = dict.fromkeys(
    (*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x2029, *range(0xD800, 0xE000)), "\N{REPLACEMENT CHARACTER}"
)
"""What a terminal would obey and not show, and halves of characters, which cannot be written."""


MOST_SHOWN = 50
"""Diagnostics of one file that are shown; whoever has more begins with these."""


def report(found: Iterable[Found], *, color: bool) -> Iterator[str]:
    """With an empty line behind each."""
    for file in found:
        for diagnostic in file.diagnostics[:MOST_SHOWN]:
            yield render(diagnostic, color=color) + "\n"
        if len(file.diagnostics) > MOST_SHOWN:
            yield f"... and {len(file.diagnostics) - MOST_SHOWN:,} more\n"


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """The message, the excerpt, the reasons and the proposals; without a newline at the end."""
    paint = painted if color else _plain
    severity = diagnostic.severity
    head = paint(f"{severity}[{diagnostic.code}]", severity) + paint(f": {visible(diagnostic.message)}", "bold")
    spans = [(diagnostic.span, diagnostic.label, True)]
    spans += [(label.span, label.text, False) for label in diagnostic.labels]
    lines = [span.source.position(span.start)[0] for span, _, _ in spans]
    lines += [edit.span.line for fix in diagnostic.fixes for edit in fix.edits]
    margin = len(str(max(lines)))
    excerpt = _Excerpt(margin, severity, color)
    parts = [head, *excerpt.show(diagnostic.span, spans)]
    reasons = ([f"why: {diagnostic.why}"] if diagnostic.why else []) + [f"note: {note}" for note in diagnostic.notes]
    if reasons or diagnostic.fixes:
        parts.append(excerpt.bar())
    for reason in reasons:
        first, *more = visible(reason).split("\n")
        indent = " " * (margin + 3 + first.index(":") + 2)
        parts.append(" " * (margin + 1) + paint("=", "gutter") + f" {first}")
        parts += [indent + line for line in more]
    for fix in diagnostic.fixes:
        parts += excerpt.propose(fix)
    return "\n".join(parts)


class _Excerpt:
    def __init__(self, margin: int, severity: str, color: bool) -> None:
        self.margin, self.severity = margin, severity
        self.paint = painted if color else _plain

    def bar(self, number: int | str = "") -> str:
        return self.paint(f"{number:>{self.margin}} |", "gutter")

    def show(self, main: Span, spans: list[tuple[Span, str, bool]]) -> Iterator[str]:
        arrow = self.paint(" " * self.margin + "-->", "gutter")
        yield f"{arrow} {main.source.name}:{main.line}:{main.column}"
        yield self.bar()
        yield from self.lines(main.source, [mark for mark in spans if mark[0].source is main.source])
        for other in {id(span.source): span.source for span, _, _ in spans if span.source is not main.source}.values():
            marks = [mark for mark in spans if mark[0].source is other]
            colons = self.paint(" " * self.margin + ":::", "gutter")
            yield f"{colons} {other.name}:{marks[0][0].line}:{marks[0][0].column}"
            yield self.bar()
            yield from self.lines(other, marks)

    def lines(self, source: Source, marks: list[tuple[Span, str, bool]]) -> Iterator[str]:
        previous = None
        for number in sorted({span.line for span, _, _ in marks}):
            if previous is not None and number > previous + 1:
                yield self.paint(" " * self.margin + "...", "gutter")
            previous = number
            here = [mark for mark in marks if mark[0].line == number]
            text, cut = _cut(visible(source.line(number)), min(span.column for span, _, _ in here))
            yield f"{self.bar(number)} {text.expandtabs(4)}".rstrip()
            for span, label, is_main in sorted(here, key=lambda mark: mark[0].start):
                yield f"{self.bar()} {self.underline(text, span, label, is_main, cut)}".rstrip()

    def underline(self, text: str, span: Span, label: str, is_main: bool, cut: int) -> str:
        begin = max(0, span.column - 1 - cut)
        length = min(span.end - span.start, max(0, len(text) - begin))
        left = _width(text[:begin].expandtabs(4))
        marks = ("^" if is_main else "-") * max(1, _width(text[: begin + length].expandtabs(4)) - left)
        return " " * left + self.paint(f"{marks} {visible(label)}".rstrip(), self.severity if is_main else "second")

    def propose(self, fix: Fix) -> Iterator[str]:
        yield self.paint("help", "help") + f": {visible(fix.message)}"
        if not fix.edits:
            return
        yield self.bar()
        for source, start, end, new in _rewrites(fix.edits):
            old = [source.line(number) for number in range(start, end + 1)]
            first = min(e.span.column for e in fix.edits if e.span.source is source and e.span.line == start)
            left = max(0, first - WIDEST // 3) if len(old) == len(new) == 1 else 0
            for offset, line in enumerate(old):
                yield self.paint(f"{start + offset:>{self.margin}} - {_clipped(line, left)}", "error")
            for offset, line in enumerate(new):
                yield self.paint(f"{start + offset:>{self.margin}} + {_clipped(line, left)}", "help")


def _rewrites(edits: Iterable[Edit]) -> Iterator[tuple[Source, int, int, list[str]]]:
    """Source, first and last line, and the new lines, for each stretch of lines that edits touch."""
    ordered = sorted(edits, key=lambda edit: edit.span.start)
    while ordered:
        source = ordered[0].span.source
        start, end = ordered[0].span.line, _last_line(ordered[0].span)
        same = [edit for edit in ordered if edit.span.source is source and edit.span.line <= end]
        end = max(_last_line(edit.span) for edit in same)
        ordered = [edit for edit in ordered if edit not in same]
        begin = source.starts[start - 1]
        stop = source.starts[end - 1] + len(source.line(end))
        text, at = "", begin
        for edit in same:
            text += source.text[at : edit.span.start] + edit.text
            at = edit.span.end
        yield source, start, end, (text + source.text[at:stop]).split("\n")


def _last_line(span: Span) -> int:
    """The last line an edit touches: where it takes away the end of a line, the next one moves up."""
    return span.source.position(span.end)[0]


def _cut(text: str, column: int) -> tuple[str, int]:
    """The part of a long line around a column, and how much was cut from its left."""
    if len(text) <= WIDEST:
        return text, 0
    left = max(0, min(column - 1 - WIDEST // 3, len(text) - WIDEST))
    return text[left : left + WIDEST], left


def _clipped(text: str, left: int) -> str:
    """A line that is changed; of one that is too long the part from `left` on, where the change is to be seen."""
    text = text if left + WIDEST // 3 < WIDEST else "..." + text[left:]
    return visible(text if len(text) <= WIDEST else text[: WIDEST - 3] + "...")


def visible(text: str) -> str:
    return text.translate(CONTROLS)


def _width(text: str) -> int:
    """Columns a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _plain(text: str, style: str) -> str:
    return text


def painted(text: str, style: str) -> str:
    return f"\x1b[{COLORS.get(style, '1')}m{text}\x1b[0m"
