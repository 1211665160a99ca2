"""Fixes that are guesses: what a fault in the shapes could be mended by is tried before it is proposed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.diagnostics.fixing import edited
from cnnspec.source import Source

MOST_TRIED = 10
"""Texts that are checked in search of fixes for one text: an editor waits for the answer."""

MOST_LAYERS = 1_000
"""Layers that all of these checks may have together, as the first one counted them."""

MOST_PROPOSED = 3
"""Guesses that one message shows."""


class Guess(Fix):
    """A fix that is proposed only where it helps."""


Errors = Callable[[Source], Sequence[Diagnostic]]
"""The errors of another text under the same name, checked as this one was, without guesses."""


def proven(source: Source, found: Sequence[Diagnostic], layers: int, errors: Errors) -> list[Diagnostic]:
    """The diagnostics of a text with `layers` layers; guesses became fixes where they mend the fault, or are gone.

    Those that leave no error stand first, then the fixes that were none, then those that show the next fault."""
    before = [d for d in found if d.severity == "error"]
    left = min(MOST_TRIED, MOST_LAYERS // max(1, layers))
    results: dict[str, int | None] = {}

    def judge(diagnostic: Diagnostic, fix: Fix) -> int | None:
        """How many errors a fix leaves; None where it does not help, or nobody tried."""
        nonlocal left
        if any(edit.span.source is not source for edit in fix.edits):
            return None
        text = edited(source.text, fix.edits)
        if text not in results:
            if not left:
                return None
            left -= 1
            after = errors(source.replace(text=text))
            again = any(_same(diagnostic, other) for other in after)
            helps = len(after) < len(before) or (len(after) == len(before) and not again)
            results[text] = len(after) if helps else None
        return results[text]

    return [_judged(diagnostic, judge) for diagnostic in found]


def _same(one: Diagnostic, other: Diagnostic) -> bool:
    return one.code == other.code and one.span.line == other.span.line


def _judged(diagnostic: Diagnostic, judge: Callable[[Diagnostic, Fix], int | None]) -> Diagnostic:
    if not any(isinstance(fix, Guess) for fix in diagnostic.fixes):
        return diagnostic
    rights: list[Fix] = []
    plain: list[Fix] = []
    partly: list[Fix] = []
    for at, fix in enumerate(diagnostic.fixes):
        if any(fix.edits == other.edits != () for other in diagnostic.fixes[:at]):
            continue
        left = judge(diagnostic, fix) if fix.edits and len(rights) < MOST_PROPOSED else None
        if left == 0:
            rights.append(_fix(fix))
        elif not isinstance(fix, Guess):
            plain.append(fix)
        elif left is not None:
            partly.append(_fix(fix))
    if rights or partly:
        plain = [fix for fix in plain if fix.edits]
    return diagnostic.replace(fixes=(*rights, *plain, *partly[: MOST_PROPOSED - len(rights)]))


def _fix(fix: Fix) -> Fix:
    return Fix(fix.message, fix.edits, fix.safe)
