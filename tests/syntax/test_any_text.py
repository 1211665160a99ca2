"""Any text is answered: nothing is raised, and every place that is named lies inside the text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cnnspec.diagnostics import Diagnostic
from cnnspec.source import Source
from cnnspec.syntax.parser import parse
from cnnspec.syntax.printer import print_file

TEXTS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "cases").glob("*/*.cnn"))]
MARKS = "{ } ( ) [ ] , -> | : = . ; ' \" # ? % * ** // == <".split()  # noqa: SIM905
WORDS = "save x X if else for in not and or true let repeat assert model block train use input add".split()  # noqa: SIM905
NUMBERS = ["3x3", "0x3", "3x", "1e9", "1e999", "12_3", "width", "nn.", "self.", "conv("]
BLANKS = ["\n", "\n\n", "\r\n", "\n  ", "\r", "\t", "\u00a0", "\ufeff", "\x00", "§"]
LINES = ["model A {\n", "train {\n", "add {\n  | ", "}\n", "# comment\n", ",\n"]
PIECES = [*MARKS, *WORDS, *NUMBERS, *BLANKS, *LINES]


def made(rng: random.Random) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return " ".join(rng.choice(PIECES) for _ in range(rng.randrange(60)))
    if kind == 1:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(200))).decode("latin-1")
    text = rng.choice(TEXTS)
    for _ in range(rng.randint(1, 4)):
        text = edited(text, rng)
    return text


def edited(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    kind = rng.randrange(5)
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[at:]
    if kind == 2:
        return text[:at] + text[at + rng.randrange(1, 30) :]
    if kind == 3:
        return text[:at] + chr(rng.choice([rng.randrange(128), rng.randrange(0x3000)])) + text[at:]
    return text[:at] + rng.choice(PIECES) + text[at:]


def places(fault: Diagnostic) -> list[tuple[int, int]]:
    spans = [fault.span, *(label.span for label in fault.labels)]
    spans += [edit.span for fix in fault.fixes for edit in fix.edits]
    return [(span.start, span.end) for span in spans]


@pytest.mark.parametrize("start", range(0, 3000, 500))
def test_any_text(start: int) -> None:
    for seed in range(start, start + 500):
        text = made(random.Random(seed))
        parsed = parse(Source("test.cnn", text))
        for fault in parsed.diagnostics:
            assert all(0 <= first <= last <= len(text) for first, last in places(fault)), f"seed {seed}"
            assert fault.message
        again = parse(Source("test.cnn", print_file(parsed.file)))
        assert again.file == parsed.file, f"seed {seed}"
        assert again.diagnostics == (), f"seed {seed}"


@pytest.mark.parametrize("text", TEXTS)
def test_every_beginning_of_a_file(text: str) -> None:
    for end in range(0, len(text), 3):
        parse(Source("test.cnn", text[:end]))


MUCH = 60_000
LONG = ["(", "[", "{", "}", ")", '"', "'", "x ", "3 x ", "nn.", "(\n", "{\n", "}\n", "a {\n", "|", ",", "/", "1,", "§ "]


@pytest.mark.parametrize("piece", LONG)
def test_much_of_the_same(piece: str) -> None:
    assert parse(Source("test.cnn", piece * (MUCH // len(piece)))).diagnostics
