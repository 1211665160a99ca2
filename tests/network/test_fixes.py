"""Every edit that a message proposes mends the fault it stands under; in files with a cause, it brings no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_models import Writer

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.network import check, read_source
from cnnspec.source import Source

CASES = sorted((Path(__file__).parent.parent / "cases" / "check").glob("*.cnn"))
SPELLING = {"E201", "E202", "E206"}
"""A corrected name may well be called with wrong arguments."""


def mended(source: Source, fix: Fix) -> Source:
    text = source.text
    for edit in sorted(fix.edits, key=lambda edit: -edit.span.start):
        assert edit.span.source is source
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return Source(source.name, text)


def check_fixes(source: Source, *, sensible: bool) -> int:
    """How many edits were tried. In a sensible file what follows a mended line must not break."""
    before = check(source).diagnostics
    tried = 0
    for diagnostic in before:
        for fix in diagnostic.fixes:
            if fix.edits and diagnostic.code not in SPELLING:
                after = check(mended(source, fix)).diagnostics
                assert not any(same(diagnostic, other) for other in after), (source.text, diagnostic.message, fix)
                assert not sensible or errors(after) <= errors(before), (source.text, diagnostic.message, fix, after)
                tried += 1
    return tried


def same(one: Diagnostic, other: Diagnostic) -> bool:
    return (one.code, one.message, one.span.line) == (other.code, other.message, other.span.line)


def errors(diagnostics: tuple[Diagnostic, ...]) -> int:
    return sum(diagnostic.severity == "error" for diagnostic in diagnostics)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_fixes_of_a_case(path: Path) -> None:
    check_fixes(read_source(str(path)), sensible=True)


def test_fixes_of_random_specs() -> None:
    texts = (Writer(seed, wrong=0.2).write().text for seed in range(300))
    assert sum(check_fixes(Source("random.cnn", text), sensible=False) for text in texts) > 40
