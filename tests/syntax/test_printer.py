"""What is printed is read as the same tree, and printed the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_trees import Trees

from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.syntax.printer import WIDTH, print_file

GOOD = sorted((Path(__file__).parent / "cases" / "good").glob("*.cnn"))


def read(text: str) -> tree.File:
    parsed = parse(Source("test.cnn", text))
    assert parsed.diagnostics == (), text
    return parsed.file


def form(text: str) -> str:
    return print_file(read(text))


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_random_trees(start: int) -> None:
    for seed in range(start, start + 100):
        file = Trees(seed).file()
        text = print_file(file)
        again = read(text)
        assert again == file, f"seed {seed}"
        assert print_file(again) == text, f"seed {seed}"


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_files(path: Path) -> None:
    file = read(path.read_text(encoding="utf-8"))
    text = print_file(file)
    assert read(text) == file
    assert form(text) == text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_the_canonical_form_stays() -> None:
    text = (Path(__file__).parent / "cases" / "good" / "lesson.cnn").read_text(encoding="utf-8")
    expected = text.split("\n", 1)[1].replace("batch: 128, epochs: 15", "batch: 128\n  epochs: 15")
    assert form(text) == expected


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("let   a=1+2*3", "let a = 1 + 2 * 3\n"),
        ("let a = (1+2)*(3)", "let a = (1 + 2) * 3\n"),
        ("let a = not(b)or-c", "let a = not b or -c\n"),
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
        ("block A{relu\n\n\n\ntanh\n# no blank line\nelu}", "block A {\n  relu\n\n  tanh\n  elu\n}\n"),
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
