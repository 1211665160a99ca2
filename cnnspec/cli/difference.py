"""What would change in a file, as `diff -u` shows it."""

from __future__ import annotations

from difflib import unified_diff

from cnnspec.cli.color import BOLD, CYAN, GREEN, RED, painted

STYLES = {"---": BOLD, "+++": BOLD, "@@": CYAN, "-": RED, "+": GREEN}
NO_END = "\\ No newline at end of file"


def difference(name: str, before: str, after: str, *, color: bool) -> str:
    """Nothing where nothing would change."""
    lines: list[str] = []
    for line in unified_diff(_lines(before), _lines(after), name, name):
        lines += [line.rstrip("\n")] if line.endswith("\n") else [line, NO_END]
    return "\n".join(_colored(line) if color else line for line in lines)


def _lines(text: str) -> list[str]:
    """Lines end where files do, not at every mark that Unicode knows."""
    return [line + "\n" for line in text.split("\n")[:-1]] + [last for last in [text.split("\n")[-1]] if last]


def _colored(line: str) -> str:
    style = next((style for start, style in STYLES.items() if line.startswith(start)), "")
    return painted(line, style) if style else line
