"""What is wrong with a spec, as data. Renderers turn it into text; nothing else formats a message."""

from __future__ import annotations

from cnnspec.diagnostics.codes import CODES, Severity
from cnnspec.record import Record
from cnnspec.source import Span


class Label(Record):
    """A second place that explains the first, with a few words beside it."""

    span: Span
    text: str


class Edit(Record):
    """Replace the text of a span."""

    span: Span
    text: str


class Fix(Record):
    """A change that mends the fault. `safe`: it cannot change what a correct network would compute."""

    message: str
    edits: tuple[Edit, ...] = ()
    safe: bool = False


class Diagnostic(Record):
    """One fault, at its place.

    `message` states the fault in one line and proposes nothing; `label` stands under the excerpt; `why` is the chain
    of sizes and sums that led there; `notes` add facts; `fixes` propose, with or without an edit.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    labels: tuple[Label, ...] = ()
    why: str = ""
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def name(self) -> str:
        """The readable name of the code, `flatten-mismatch` for instance."""
        return CODES[self.code].name


class SpecError(Exception):
    """A spec that has errors, raised by the Python API. `diagnostics` holds all of them."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        super().__init__(diagnostics)

    def __str__(self) -> str:
        from cnnspec.diagnostics.human import render

        return "\n" + "\n\n".join(render(diagnostic) for diagnostic in self.diagnostics)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the fault lies in the spec, not in the code."""
        from cnnspec.diagnostics.human import render

        return "\n\n".join(render(diagnostic, color=True) for diagnostic in self.diagnostics).split("\n")
