"""What a check of one file found, as the renderers take it."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic
from cnnspec.record import Record

FORMATS = {"human": "human", "concise": "concise", "json": "as_json", "sarif": "sarif", "github": "github"}
"""The modules of this folder that render, by the word of `check --format`. Each has a function `report` that makes
texts to print of what was found; where it yields them, what stands before is printed at once."""


class Right(Record):
    """A model without errors."""

    model: str
    input: str
    output: str
    parameters: int


class Found(Record):
    file: str
    diagnostics: tuple[Diagnostic, ...]
    right: tuple[Right, ...] = ()

    def count(self, severity: str) -> int:
        return sum(diagnostic.severity == severity for diagnostic in self.diagnostics)
