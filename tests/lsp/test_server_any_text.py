"""Whatever the text and wherever the cursor: every question is answered, with places inside the text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from cnnspec.lsp import (
    actions,
    completion,
    diagnostics,
    formatting,
    hints,
    hover,
    navigation,
    semantic,
    signatures,
    symbols,
)
from cnnspec.lsp.document import Document

ROOT = Path(__file__).parents[2]
TEXTS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").glob("*.cnn"))]
TEXTS += [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "cases" / "check").glob("*.cnn"))]
PIECES = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    "->",
    "|",
    '"',
    "#",
    "?",
    "x.",
    "let ",
    "for i in ",
    "\n",
    "𝔘",
    "\t",
    "\r\n",
]


def made(rng: random.Random) -> str:
    text = rng.choice(TEXTS)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:at]
        elif kind == 1:
            text = text[:at] + text[at + rng.randrange(1, 30) :]
        else:
            text = text[:at] + rng.choice(PIECES) + text[at:]
    return text


def ranges(found: object) -> Iterator[types.Range]:
    """All ranges in an answer."""
    if isinstance(found, types.Range):
        yield found
    elif isinstance(found, list | tuple):
        for each in found:
            yield from ranges(each)
    elif isinstance(found, dict):
        yield from ranges(list(found.values()))
    elif hasattr(type(found), "__attrs_attrs__"):
        yield from ranges([getattr(found, field.name) for field in type(found).__attrs_attrs__])


def renamed(document: Document, at: types.Position) -> types.WorkspaceEdit | None:
    try:
        return navigation.rename(document, at, "renamed")
    except navigation.CannotRename:
        return None


@pytest.mark.parametrize("start", range(0, 120, 30))
def test_any_text(start: int) -> None:
    for seed in range(start, start + 30):
        rng = random.Random(seed)
        text = made(rng)
        document = Document("untitled:1", text, 1, types.PositionEncodingKind.Utf16)
        whole = document.places.whole
        answers: list[object] = [
            diagnostics.diagnostics(document),
            hints.hints(document, whole),
            actions.actions(document, whole, []),
            actions.all_safe(document),
            symbols.symbols(document),
            symbols.folding(document),
            formatting.formatting(document),
        ]
        for _ in range(8):
            at = document.places.position(rng.randrange(len(text) + 1))
            answers += [
                hover.hover(document, at),
                completion.completion(document, at),
                signatures.signature_help(document, at),
                navigation.definition(document, at),
                navigation.references(document, at),
                navigation.highlights(document, at),
                renamed(document, at),
            ]
        lines = text.split("\n")
        for place in ranges(answers):
            for end in (place.start, place.end):
                assert 0 <= end.line < len(lines), f"seed {seed}"
                assert 0 <= end.character <= len(lines[end.line].encode("utf-16-le")) // 2, f"seed {seed}"
        data = semantic.semantic_tokens(document).data
        assert len(data) % 5 == 0
        assert all(each >= 0 for each in data), f"seed {seed}: colours in the order of the text"


def test_positions_and_offsets_agree() -> None:
    text = "a𝔘é\nß#\r\n𝔘"
    for encoding in types.PositionEncodingKind:
        places = Document("untitled:1", text, 1, encoding).places
        assert [places.offset(places.position(at)) for at in range(len(text) + 1)][:7] == list(range(7))
    utf8 = Document("untitled:1", text, 1, types.PositionEncodingKind.Utf8).places
    assert utf8.position(2) == types.Position(0, 5)
    utf16 = Document("untitled:1", text, 1, types.PositionEncodingKind.Utf16).places
    assert utf16.position(2) == types.Position(0, 3)
    assert utf16.offset(types.Position(99, 0)) == len(text)
