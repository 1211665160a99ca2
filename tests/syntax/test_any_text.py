"""Any text is answered, soon: nothing is raised, and every place that is named lies inside a text.

`CNNSPEC_RANDOM_TEXTS=50000 pytest tests/syntax/test_any_text.py` tries more of them.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from random_texts import WRONG, made

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.diagnostics.fixing import edited
from cnnspec.diagnostics.human import render
from cnnspec.lint import linted
from cnnspec.network import check
from cnnspec.source import Source, Span
from cnnspec.syntax.form import formatted
from cnnspec.syntax.parser import parse
from cnnspec.syntax.printer import print_file

COUNT = int(os.environ.get("CNNSPEC_RANDOM_TEXTS", "1500"))
PARTS = 8
"""The texts are spread over workers in this many parts."""

SECONDS = 10
"""The time of the processor that one text may take; most take a few thousandths of one."""


def all_of(text: Source) -> None:
    """All that is done with a text before there are tensors."""
    parsed = parse(text)
    printed = print_file(parsed.file)
    again = parse(text.replace(text=printed))
    assert again.diagnostics == ()
    if not parsed.diagnostics:
        assert again.file == parsed.file
        assert parse(text.replace(text=formatted(parsed))).file == parsed.file
    checked = linted(check(text))
    assert checked.errors or not parsed.diagnostics
    for diagnostic in checked.diagnostics:
        sound(diagnostic)
        for fix in diagnostic.fixes:
            changed = mended(text, fix)
            assert parsed.diagnostics or not parse(text.replace(text=changed)).diagnostics, fix


def sound(diagnostic: Diagnostic) -> None:
    spans = [diagnostic.span, *(label.span for label in diagnostic.labels)]
    spans += [edit.span for fix in diagnostic.fixes for edit in fix.edits]
    assert all(map(inside, spans)), diagnostic
    assert diagnostic.message
    assert "\n" not in diagnostic.message
    assert render(diagnostic)
    assert render(diagnostic, color=True)


def inside(span: Span) -> bool:
    return 0 <= span.start <= span.end <= len(span.source.text)


def mended(text: Source, fix: Fix) -> str:
    """The text with a fix, as far as it belongs to this text."""
    edits = sorted((e for e in fix.edits if e.span.source.name == text.name), key=lambda e: (e.span.start, e.span.end))
    assert all(before.span.end <= behind.span.start for before, behind in pairwise(edits)), fix
    return edited(text.text, edits)


@contextmanager
def limited() -> Iterator[None]:
    """Ends what takes too long; where there are no such signals, nothing does."""
    if not hasattr(signal, "SIGVTALRM"):
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} seconds")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("part", range(PARTS))
def test_any_text(part: int) -> None:
    for seed in range(part, COUNT, PARTS):
        text = made(random.Random(seed))
        try:
            with limited():
                all_of(text)
        except Exception as wrong:
            wrong.add_note(f"seed {seed}: {text.name}\n{text.text}")
            raise


def test_texts_are_of_all_kinds() -> None:
    """Some can be checked, some cannot be read, and most are wrong in between."""
    texts = [made(random.Random(seed)) for seed in range(300)]
    read = [text for text in texts if not parse(text).diagnostics]
    right = [text for text in read if not check(text).errors]
    assert 2 < len(right) < len(read) - 50 < 200


@pytest.mark.parametrize("text", [source.text for source in WRONG if "syntax" in source.name])
def test_every_beginning_of_a_file(text: str) -> None:
    for end in range(0, len(text), 3):
        parse(Source("test.cnn", text[:end]))


MUCH = 60_000
LONG = ["(", "[", "{", "}", ")", '"', "'", "x ", "3 x ", "nn.", "(\n", "{\n", "}\n", "a {\n", "|", ",", "/", "1,", "§ "]
AROUND: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: f"model M {{\n  input 3x8x8\n  {text}\n}}\n",
    lambda text: f"let a = {text}\n",
]


@pytest.mark.parametrize("around", range(len(AROUND)))
@pytest.mark.parametrize("piece", LONG)
def test_much_of_the_same(piece: str, around: int) -> None:
    with limited():
        assert check(Source("test.cnn", AROUND[around](piece * (MUCH // len(piece))))).errors


@pytest.mark.parametrize(("opened", "closed"), [("{ ", " }"), ("if 1 == 1 { ", " }"), ("add { | ", " | }"), ("(", ")")])
def test_what_is_nested(opened: str, closed: str) -> None:
    for depth in (25, 45, 200):
        body = f"{opened * depth}relu{closed * depth}"
        text = f"let a = {body}\n" if opened == "(" else f"model M {{\n  input 8\n  {body}\n}}\n"
        with limited():
            all_of(Source("test.cnn", text))
