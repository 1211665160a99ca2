"""The long explanation of a code: what it means, a file that gets it, one that does not, and why."""

from __future__ import annotations

from importlib.resources import files

from cnnspec.diagnostics.codes import CODES


def page(code: str) -> str:
    """In Markdown. Files in it say ```cnn bad or ```cnn good."""
    return CODES[code].page or (files("cnnspec.diagnostics") / "pages" / f"{code}.md").read_text(encoding="utf-8")


def code_of(name: str) -> str | None:
    """The code that is meant by `E301`, `e301` or `size-mismatch`."""
    if name.upper() in CODES:
        return name.upper()
    return next((code for code, known in CODES.items() if known.name == name.lower()), None)
