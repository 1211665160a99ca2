"""The form of a spec says the same as the spec: same tree, same comments at the same places. It is its own form."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_layout import scattered
from random_trees import Trees

from cnnspec.source import Source
from cnnspec.syntax import tables, tree
from cnnspec.syntax.form import WIDTH, formatted
from cnnspec.syntax.lexer import NEWLINE, lex
from cnnspec.syntax.parser import parse
from cnnspec.syntax.printer import print_file

ROOT = Path(__file__).resolve().parents[2]
GOOD = sorted((ROOT / "tests" / "syntax" / "cases" / "good").glob("*.cnn"))
CANONICAL = sorted([*(ROOT / "examples").rglob("*.cnn"), ROOT / "cnnspec" / "cli" / "new.cnn"])


def read(text: str) -> tree.File:
    parsed = parse(Source("test.cnn", text))
    assert parsed.diagnostics == (), text
    return parsed.file


def form(text: str) -> str:
    return formatted(parse(Source("test.cnn", text)))


def comments(text: str) -> list[tuple[str, int]]:
    """Each comment and how many tokens stand in front of it, but for those that the form puts in or leaves out."""
    tokens, found = lex(Source("test.cnn", text), tables.load())
    kept = [token for token in tokens if token.kind not in (NEWLINE, "COMMA", "LPAR", "RPAR")]
    return [(each.text.rstrip(), sum(token.start < each.span.start for token in kept)) for each in found]


def check(text: str) -> str:
    """The form of a text, after a look at whether it is one."""
    written = form(text)
    assert read(written) == read(text), text
    assert comments(written) == comments(text), text
    assert form(written) == written, text
    assert not any(line != line.rstrip() for line in written.split("\n")), text
    assert "\n\n\n" not in written, text
    return written


@pytest.mark.parametrize("start", range(0, 300, 100))
def test_random_layouts_of_random_trees(start: int) -> None:
    for seed in range(start, start + 100):
        file = Trees(seed).file()
        text = scattered(print_file(file), seed)
        assert read(text) == file, f"seed {seed}"
        check(text)


@pytest.mark.parametrize("path", CANONICAL, ids=lambda path: path.stem)
def test_what_we_write_is_in_that_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert check(text) == text
    for seed in range(2):
        check(scattered(text, seed))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_files(path: Path) -> None:
    written = check(path.read_text(encoding="utf-8"))
    assert max(map(len, written.splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("let   a=1+2*3", "let a = 1 + 2 * 3\n"),
        ("let a = (1+2)*(3)", "let a = (1 + 2) * (3)\n"),
        ("let a = not(b)or-c", "let a = not (b) or -c\n"),
        ("let a=f ( 3 )[ 1 : -2 ] [:i+1]", "let a = f(3)[1:-2][:i + 1]\n"),
        ("let a = [\n1,2]\nlet b = [1,\n2,\n]", "let a = [\n  1, 2,\n]\nlet b = [1,\n    2]\n"),
        ("let a = (\n1 +\n2)", "let a = (\n  1 +\n  2\n)\n"),
        ("let a = [ # one\n1 # two\n# three\n]", "let a = [  # one\n  1,  # two\n  # three\n]\n"),
        ("let a = (b\n-c\n- -2)", "let a = (b\n    - c\n    - -2)\n"),
        ("model a = b ( )", "model a = b()\n"),
        ("let a = [\n[1,  2 ],\n[10, 20],\n]", "let a = [\n  [1,  2],\n  [10, 20],\n]\n"),
        ("let a = [\n[ 1, b],\n[10, 2],\n]", "let a = [\n  [ 1, b],\n  [10, 2],\n]\n"),
        ("let a = [\n[1,   2],\n[10, 2],\n]", "let a = [\n  [1, 2],\n  [10, 2],\n]\n"),
        ("#  one\nlet a=1# two\n\n\n# three", "#  one\nlet a = 1  # two\n\n# three\n"),
        (
            "block A{relu # one\n\n}\n# two\nblock B{#three\n}",
            "block A {\n  relu  # one\n}\n\n# two\nblock B {  #three\n}\n",
        ),
        ("block A{\nrelu   #one\nmish(2)#two\n}", "block A {\n  relu     #one\n  mish(2)  #two\n}\n"),
        ("block A{\nrelu   #one\ntanh  #two\n}", "block A {\n  relu  #one\n  tanh  #two\n}\n"),
        ("block A{\nrelu    ->?\nmish(2) ->?}", "block A {\n  relu     -> ?\n  mish(2)  -> ?\n}\n"),
        (
            "block A{\nif a {relu\n}else if b{tanh}\n}",
            "block A {\n  if a {\n    relu\n  } else if b {\n    tanh\n  }\n}\n",
        ),
        (
            "block A{\nadd{|\n# why\nrelu\n\n|tanh}\n}",
            "block A {\n  add {\n    |\n      # why\n      relu\n\n    | tanh\n  }\n}\n",
        ),
        ("block A{relu,\n\ntanh}", "block A {\n  relu,\n      tanh\n}\n"),
        ("let a = 1\r\nlet b = 2", "let a = 1\r\nlet b = 2\r\n"),
        ("train{a:1,b:2,}\ntrain{\na:1,b:2,}", "train { a: 1, b: 2 }\n\ntrain {\n  a: 1\n  b: 2\n}\n"),
        ("let a = 1 - (2 - 3)", "let a = 1 - (2 - 3)\n"),
        ("let a = (b if c else d) if e else f", "let a = (b if c else d) if e else f\n"),
        ("let a = (b < c) == d", "let a = (b < c) == d\n"),
        ("let a = (-b)[0]", "let a = (-b)[0]\n"),
        ("model A(){}", "model A {}\n"),
        ("train{}", "train {}\n"),
        ("train { a:1,b :2 }", "train { a: 1, b: 2 }\n"),
        ("train { a:1\nb :2 }", "train {\n  a: 1\n  b: 2\n}\n"),
        ('use   "a.cnn"', 'use "a.cnn"\n'),
        ("let a=1\n\n\n\nlet b=2\nlet c=3", "let a = 1\n\nlet b = 2\nlet c = 3\n"),
        ("block A{relu()}\nblock B{relu->?}", "block A {\n  relu\n}\n\nblock B {\n  relu  -> ?\n}\n"),
        ("block A{a:{relu\n}\n}", "block A {\n  a: {\n    relu\n  }\n}\n"),
        ("block A{a:{relu}}", "block A {\n  a: { relu }\n}\n"),
        ("block A{add{|relu|}}", "block A {\n  add { | relu | }\n}\n"),
        ("block A{add{|relu\n|}}", "block A {\n  add {\n    | relu\n    |\n  }\n}\n"),
        ("block A{if a{relu}else if b{tanh}else{}}", "block A {\n  if a { relu } else if b { tanh } else {}\n}\n"),
        (
            "block A{relu\n\n\n\ntanh\n# no blank line\nelu}",
            "block A {\n  relu\n\n  tanh\n  # no blank line\n  elu\n}\n",
        ),
    ],
)
def test_form(text: str, printed: str) -> None:
    assert form(text) == printed
    assert form(printed) == printed


def test_long_lines_go_on_behind_the_outermost_comma() -> None:
    call = "conv(width, 3, stride=stride, padding=1, bias=false)"
    text = form(f"block A {{\n{call}, {call}, {call}\n}}\n")
    assert text == f"block A {{\n  {call}, {call},\n      {call}\n}}\n"


def test_braces_that_do_not_fit_are_opened() -> None:
    call = "conv(width, 3, stride=stride, padding=1, bias=false)"
    text = form(f"block A {{\na: {{ {call}, {call}, relu }}\n}}\n")
    assert text == f"block A {{\n  a: {{\n    {call}, {call}, relu\n  }}\n}}\n"


def test_commas_in_quotes_are_no_place_to_break() -> None:
    name = "a, (b, " * 20
    assert form(f'let a = f("{name}", 1)\n') == f'let a = f("{name}",\n    1)\n'
