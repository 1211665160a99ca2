"""The one form of a spec: what `cnnspec fmt` writes.

Two blanks indent, blanks inside a line follow from what stands there, definitions are set apart by a blank line, lines
longer than `WIDTH` go on behind a comma. The author decides what the form leaves open: whether braces stand on one
line, where lines break inside brackets and behind commas, single blank lines, and columns (predictions, comments and
rows of tables that stood below one another go on doing so). Comments stay where they are.

    words      the tokens with their comments, and the breaks between them
    spacing    the blanks between two words of a line
    lines      words into indented lines, and those that are too long broken
    columns    what stood below one another
"""

from __future__ import annotations

from cnnspec.source import Source
from cnnspec.syntax.form.columns import align
from cnnspec.syntax.form.lines import WIDTH, arrange
from cnnspec.syntax.form.words import words_of
from cnnspec.syntax.parser import Parsed

__all__ = ["WIDTH", "formatted"]


def formatted(parsed: Parsed) -> str:
    """The text of a spec without syntax errors, in its one form. It keeps the ends of lines that Windows writes."""
    assert not parsed.diagnostics, "a text with syntax errors has no form"
    source = parsed.file.span.source
    lines = arrange(words_of(source, parsed.file))
    align(lines, source)
    text = "".join(f"{line.text()}\n" for line in lines)
    return text.replace("\n", "\r\n") if _ends_as_on_windows(source) else text


def _ends_as_on_windows(source: Source) -> bool:
    return source.text[: source.text.find("\n") + 1].endswith("\r\n")
