"""The Pygments lexer paints every spec, and changes none."""

from __future__ import annotations

from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Number, String, Text, _TokenType

from cnnspec.highlight import SpecLexer
from cnnspec.source import Source
from cnnspec.syntax import tables
from cnnspec.syntax.lexer import lex

ROOT = Path(__file__).parent.parent
SPECS = [*sorted((ROOT / "examples").rglob("*.cnn")), *sorted((ROOT / "tests").rglob("*.cnn"))]

KINDS: dict[str, _TokenType] = {"INT": Number, "FLOAT": Number, "DIMS": Number, "STRING": String}


def tokens(text: str) -> list[tuple[_TokenType, str]]:
    return list(SpecLexer(stripnl=False, ensurenl=False).get_tokens(text))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_nothing_is_lost_and_nothing_unknown(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = tokens(text)
    assert "".join(value for _, value in found) == text
    assert [value for kind, value in found if kind is Error] == []
    if "examples" in path.parts:
        assert [value for kind, value in found if kind is Text] == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_it_sees_what_the_parser_sees(path: Path) -> None:
    """Numbers, texts and comments lie where the lexer of the language finds them."""
    text = path.read_text(encoding="utf-8")
    painted = {at: kind for at, kind, _ in SpecLexer(stripnl=False).get_tokens_unprocessed(text)}
    words, comments = lex(Source("spec.cnn", text), tables.load())
    for word in words:
        if word.kind in KINDS:
            assert painted[word.start] in KINDS[word.kind], word
    assert all(painted[comment.span.start] in Comment for comment in comments)


def test_what_words_are() -> None:
    painted = {
        value: kind for kind, value in tokens('model A(n=2) { "l{n}": conv(8, 3), Pair(n) }\nlet k = x.channels\n')
    }
    assert painted["model"] in Keyword
    assert painted["A"] in Name.Class
    assert painted["Pair"] in Name.Class
    assert painted["conv"] in Name.Builtin
    assert painted["{n}"] in String.Interpol
    assert painted["channels"] in Name.Attribute


def test_pygments_finds_it() -> None:
    assert isinstance(get_lexer_by_name("cnn"), SpecLexer)
    assert isinstance(get_lexer_for_filename("net.cnn"), SpecLexer)
