"""What editors are given by hand says the same as the program; node tests the rest (`make extension`)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cnnspec import __version__
from cnnspec.highlight import SpecLexer
from cnnspec.layers.combine import COMBINATORS
from cnnspec.syntax import tables

EXTENSION = Path(__file__).parent.parent / "editors" / "vscode"
WORDS = sorted({word for word in tables.load().words if word.isalpha() and word != "x"} | COMBINATORS.keys())


def read(name: str) -> Any:
    return json.loads((EXTENSION / name).read_text(encoding="utf-8"))


def test_the_extension_has_the_version_of_the_program() -> None:
    assert read("package.json")["version"] == __version__


@pytest.mark.parametrize("word", WORDS)
def test_highlighters_know_every_word_of_the_language(word: str) -> None:
    patterns = [each["match"] for each in read("syntaxes/cnnspec.tmLanguage.json")["repository"]["keyword"]["patterns"]]
    assert any(re.search(pattern, f" {word} ") for pattern in patterns)
    ((kind, _), *_) = SpecLexer(stripnl=False).get_tokens(f"{word} A")
    assert str(kind).startswith(("Token.Keyword", "Token.Operator"))


def test_brackets_and_comments() -> None:
    configuration = read("language-configuration.json")
    assert configuration["comments"] == {"lineComment": "#"}
    assert sorted("".join(pair) for pair in configuration["brackets"]) == ["()", "[]", "{}"]
