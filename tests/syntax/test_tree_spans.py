"""What is read, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import LONGEST_TEXT, parse

GOOD = sorted((Path(__file__).parent / "cases" / "good").glob("*.cnn"))


def read(text: str) -> tree.File:
    parsed = parse(Source("test.cnn", text))
    assert parsed.diagnostics == ()
    return parsed.file


def statement(text: str) -> Any:
    return read(f"model A {{\n  {text}\n}}\n").items[0].body.statements[0]


def value(text: str) -> Any:
    return read(f"let a = {text}\n").items[0].value


def nodes(value: Any) -> Iterator[tree.Node]:
    if isinstance(value, tuple):
        for part in value:
            yield from nodes(part)
    elif isinstance(value, tree.Node):
        yield value
        for name in value.__fields__:
            yield from nodes(value.__dict__[name])


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    file = read(text)
    assert len(list(nodes(file.items))) > 50
    assert len(file.comments) == text.count("#")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_spans_nest_and_have_no_blanks_around(path: Path) -> None:
    def check(node: tree.Node) -> None:
        assert node.span.start < node.span.end or (isinstance(node, tree.Body) and not node.statements)
        assert node.span.text == node.span.text.strip()
        for name in node.__fields__:
            parts = node.__dict__[name]
            for part in parts if isinstance(parts, tuple) else (parts,):
                if isinstance(part, tree.Node):
                    assert node.span.start <= part.span.start <= part.span.end <= node.span.end
                    check(part)

    for item in read(path.read_text(encoding="utf-8")).items:
        check(item)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_spelling_of_the_ends_of_lines_does_not_matter(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    file = read(text)
    assert read(text.replace("\n", "\r\n")) == file
    assert read("\ufeff" + text) == file
    assert read(text.rstrip("\n")) == file
    assert read(text + " \t") == file
    assert read(text.replace("  ", "\t")) == file
    assert read(text.replace("\n", "   \n\n\n")) == file


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_equal_whatever_the_place(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first, second = read(text), read("\n\n" + text)
    assert first == second
    assert hash(first) == hash(second)
    assert first.items[0].span.start != second.items[0].span.start


def test_spans_of_a_chain() -> None:
    chain = statement("a: conv(3 -> 8, 3), relu  -> 8x4x4   # comment")
    assert chain.span.text == "a: conv(3 -> 8, 3), relu  -> 8x4x4"
    assert [step.span.text for step in chain.steps] == ["a: conv(3 -> 8, 3)", "relu"]
    assert chain.prediction.span.text == "8x4x4"
    first = chain.steps[0]
    assert first.label.span.text == "a"
    assert first.op.span.text == "conv(3 -> 8, 3)"
    assert first.op.name.span.text == "conv"
    assert [argument.span.text for argument in first.op.arguments] == ["3 -> 8", "3"]
    assert first.op.arguments[0].incoming.span.text == "3"
    assert (chain.span.line, chain.span.column) == (2, 3)


def test_spans_of_bodies() -> None:
    file = read("model A(n=3) {\n  add {\n    | relu\n      tanh\n    | if n > 2 { relu } else { tanh }\n  }\n}\n")
    model = file.items[0]
    assert model.body.span.text.startswith("{\n  add")
    assert model.span.text.startswith("model A(n=3)")
    assert model.params[0].span.text == "n=3"
    branches = model.body.statements[0].steps[0].op.body.branches
    assert [branch.span.text for branch in branches] == ["| relu\n      tanh", "| if n > 2 { relu } else { tanh }"]
    assert branches[1].statements[0].otherwise.span.text == "{ tanh }"


def test_a_step_without_parentheses_is_a_call_and_a_value_is_a_name() -> None:
    chain = statement("relu, norm(relu, tanh(), act=relu)")
    assert isinstance(chain.steps[0].op, tree.Call)
    assert chain.steps[0].op.arguments == ()
    first, second, third = (argument.value for argument in chain.steps[1].op.arguments)
    assert isinstance(first, tree.Name)
    assert isinstance(second, tree.Call)
    assert isinstance(third, tree.Name)
    model = read("model a = B\nmodel c = B()\nblock B { relu }\n").items
    assert isinstance(model[0].value, tree.Name)
    assert isinstance(model[1].value, tree.Call)


@pytest.mark.parametrize(
    ("text", "number"), [("814_122", 814122), ("1e-3", 0.001), ("0.50", 0.5), ("007", 7), ("2.5E+2", 250.0)]
)
def test_numbers_keep_their_spelling(text: str, number: float) -> None:
    node = value(text)
    assert (node.value, node.text, type(node.value)) == (number, text, type(number))


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("3x5", (3, 5)),
        ("3xHxW", (3, "H", "W")),
        ("128x?x?", (128, None, None)),
        ("?x7x7", (None, 7, 7)),
        ("1x0", (1, 0)),
    ],
)
def test_dims(text: str, sizes: tuple[object, ...]) -> None:
    assert value(text) == tree.Dims(sizes, value(text).span)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("-a * b", "(-a) * b"),
        ("not a == b", "not (a == b)"),
        ("a or b and c", "a or (b and c)"),
        ("a if b else c if d else e", "a if b else (c if d else e)"),
        ("a + 1 < b * 2", "(a + 1) < (b * 2)"),
        ("-a[0][1:]", "-((a[0])[1:])"),
    ],
)
def test_precedence(text: str, same: str) -> None:
    assert value(text) == value(same)


def test_holes() -> None:
    chain = statement("linear(? -> 10)  -> ?")
    assert isinstance(chain.prediction, tree.Hole)
    assert isinstance(chain.steps[0].op.arguments[0].incoming, tree.Hole)


def test_labels_that_are_words_of_the_language() -> None:
    chain = statement('block: relu, model: relu, input: relu, train: relu, use: relu, "a{i}": relu')
    assert [step.label.text for step in chain.steps] == ["block", "model", "input", "train", "use", "a{i}"]
    assert [step.computed for step in chain.steps] == [False] * 5 + [True]


def test_comments_have_places() -> None:
    file = read("# one\nlet a = [1, # two\n  2]\n\n# three")
    assert [(comment.text, comment.span.line) for comment in file.comments] == [
        ("# one", 1),
        ("# two", 2),
        ("# three", 5),
    ]
    assert all(comment.span.text == comment.text for comment in file.comments)


@pytest.mark.parametrize("text", ["", "\n", "  \t\r\n", "# only a comment", "\ufeff", "\ufeff\n# a\n"])
def test_nothing_to_read(text: str) -> None:
    assert read(text).items == ()


@pytest.mark.parametrize(
    "line",
    [
        "relu,\n\n  # between\n  tanh",
        "conv(\n    8,\n    3,\n  )",
        "let a = [\n    1,\n    2\n  ]",
        "let a = (1\n    + 2)",
        "if a { relu }\n  else { tanh }",
        "if a { relu }\n\n  # between\n  else if b { tanh }\n  else { relu }",
        "add {\n    | relu\n\n    | tanh }",
        "for a, [b, c] in d {\n\n    relu\n  }",
    ],
)
def test_newlines_that_mean_nothing(line: str) -> None:
    assert len(read(f"model A {{\n  {line}\n}}\n").items[0].body.statements) == 1


def test_a_long_text_is_refused_before_it_is_read() -> None:
    parsed = parse(Source("test.cnn", "relu\n" * (LONGEST_TEXT // 5 + 1)))
    assert parsed.file.items == ()
    (fault,) = parsed.diagnostics
    assert "500,005 characters" in fault.message


NESTED = {
    "parentheses": "let a = " + "(" * 5000 + "1" + ")" * 5000,
    "lists": "let a = " + "[" * 5000,
    "sums": "let a = 1" + " + 1" * 5000,
    "signs": "let a = " + "-" * 5000 + "1",
    "nots": "let a = " + "not " * 5000 + "true",
    "indexes": "let a = b" + "[0]" * 5000,
    "choices": "let a = " + "1 if b else " * 5000 + "2",
    "braces": "model A {" + "a: {\n" * 5000,
    "else if": "model A { if a { }" + " else if a { }" * 5000 + "}",
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_deep_nesting_is_one_fault(text: str) -> None:
    parsed = parse(Source("test.cnn", text))
    assert [fault.label for fault in parsed.diagnostics] == ["nested too deeply"]
    repr(parsed.file)
    hash(parsed.file)


def test_much_side_by_side_is_no_nesting() -> None:
    rows = ",\n".join("[a * 2, -b, (c + 1) // 2, f(d)]" for _ in range(300))
    assert len(value(f"[{rows}]").items) == 300
    assert len(read("model A {\n" + "  conv(2 * 3 + 1, -1)\n" * 300 + "}\n").items[0].body.statements) == 300
