"""Every fault of a text in one run, each at its place, with the edit that mends it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.source import Source
from cnnspec.syntax.parser import MOST_DIAGNOSTICS, parse

FAULTY = sorted((Path(__file__).parent / "cases" / "faulty").glob("*.cnn"))
EXPECTED = re.compile(r"# (E\d+)$")

BODY = "model A {{\n  input 3x32x32\n  {}\n  relu\n}}\n"
TOP = "{}\n\nmodel A {{ input 3x32x32 }}\n"
TRAIN = "train {{\n  {}\n  seed: 1\n}}\n"

# Where the line stands, the line, the code, a part of the message, and the line after the fix (None: there is no edit).
HINTS = [
    (BODY, "input 3 x 32 x 32", "E103", "3 x 32 x 32 is not read as a shape", "input 3x32x32"),
    (BODY, "input 3×32×32", "E103", "not read as a shape", "input 3x32x32"),
    (BODY, "input 3x 32x32", "E103", "not read as a shape", "input 3x32x32"),
    (BODY, "input 3xhxw", "E103", "not read as a shape", "input [3, h, w]"),
    (BODY, "relu -> 4xwidthx4", "E103", "not read as a shape", "relu -> [4, width, 4]"),
    (BODY, "relu -> widthx4x4", "E103", "reads as one name", "relu -> [width, 4, 4]"),
    (BODY, "input: 3x32x32", "E103", "the shape follows input", "input 3x32x32"),
    (BODY, "input = 3x32x32", "E103", "the shape follows input", "input 3x32x32"),
    (BODY, "conv(32, 3, padding: 1)", "E103", "the argument padding has a colon", "conv(32, 3, padding=1)"),
    (BODY, "conv(32, 3, padding=0x3)", "E103", "hexadecimal", "conv(32, 3, padding=[0, 3])"),
    (BODY, "conv(2 ** 3, 3)", "E103", "no operator **", "conv(8, 3)"),
    (BODY, "conv(n ** 3, 3)", "E103", "no operator **", None),
    (BODY, "nn.Conv2d(3, 32, 3)", "E103", "nn.Conv2d is a name of Python", "conv(3 -> 32, 3)"),
    (BODY, "torch.nn.BatchNorm2d(32)", "E103", "is a name of Python", "batchnorm(32)"),
    (BODY, "tf.keras.layers.Dense(10)", "E103", "is a name of Python", "linear(10)"),
    (BODY, "nn.LazyConv2d(32, 3)", "E103", "is a name of Python", "conv(32, 3)"),
    (BODY, "nn.ReflectionPad2d((1, 2, 1, 2)), relu", "E103", "is a name of Python", None),
    (BODY, "nn.ReflectionPad2d(3), relu", "E103", "is a name of Python", "pad(3, mode=reflect), relu"),
    (
        BODY,
        "nn.UpsamplingBilinear2d(scale_factor=(2))",
        "E103",
        "is a name of Python",
        "upsample(scale_factor=(2), mode=bilinear, align_corners=true)",
    ),
    (BODY, "pad1: nn.CircularPad1d", "E103", "is a name of Python", "pad1: pad"),
    (BODY, "nn.Quantum(3)", "E103", "is a name of Python", None),
    (BODY, "self.conv1 = nn.Conv2d(3, 32, 3)", "E103", "self.conv1 is an attribute", "conv1: conv(3 -> 32, 3)"),
    (BODY, "bn: nn.BatchNorm2d(32)", "E103", "is a name of Python", "bn: batchnorm(32)"),
    (BODY, "conv(3, 3, norm=nn.BatchNorm2d)", "E103", "is a name of Python", "conv(3, 3, norm=batchnorm)"),
    (BODY, "x = self.conv1(x)", "E103", "what arrives is handed on", None),
    (BODY, "conv(32, 3)(x)", "E103", "a layer is not called on its input", None),
    (BODY, "conv(32, 3, bias=True)", "E103", "True is Python's spelling", "conv(32, 3, bias=true)"),
    (BODY, "conv(32, 3, bias=False)", "E103", "False is Python's spelling", "conv(32, 3, bias=false)"),
    (BODY, "conv(32, 3, padding=None)", "E103", "no None", None),
    (BODY, "conv1 = conv(32, 3)", "E103", "a layer's name has a colon", "conv1: conv(32, 3)"),
    (BODY, "width = 32", "E103", "width is given a value without let", "let width = 32"),
    (TOP, "width = 32", "E103", "width is given a value without let", "let width = 32"),
    (TRAIN, "batch = 128", "E103", "a setting has a colon", "batch: 128"),
    (TRAIN, "data = cifar10", "E103", "a setting has a colon", "data: cifar10"),
    (TRAIN, "batch 128", "E101", "without a colon", "batch: 128"),
    (BODY, "relu;", "E103", "a semicolon separates nothing", "relu"),
    (BODY, "relu; flatten", "E103", "a semicolon separates nothing", "relu, flatten"),
    (BODY, "relu // rectify it", "E103", "a comment does not begin with //", "relu # rectify it"),
    (BODY, "// rectify", "E103", "a comment does not begin with //", "# rectify"),
    (BODY, "/* rectify */", "E103", "a comment does not begin with /*", "# rectify */"),
    (BODY, "'stage': relu", "E103", "a text stands in double quotes", '"stage": relu'),
    (TOP, "use “blocks.cnn”", "E103", "a quotation mark is straight", None),
    (BODY, "relu → 3x32x32", "E103", "an arrow is written ->", "relu -> 3x32x32"),
    (BODY, "relu –> 3x32x32", "E103", "an arrow is written ->", "relu -> 3x32x32"),
    (BODY, "conv(8, 3, padding=−1)", "E103", "the minus sign", "conv(8, 3, padding=-1)"),
    (BODY, "conv(8,\u00a03)", "E103", "word processors", "conv(8, 3)"),
    (BODY, "if a && b { relu }", "E103", '"and" is written as a word', "if a and b { relu }"),
    (BODY, "if a || b { relu }", "E103", '"or" is written as a word', "if a or b { relu }"),
    (BODY, "if !a { relu }", "E103", '"not" is written as a word', "if not a { relu }"),
    (BODY, "if a = 3 { relu }", "E103", "does not compare", "if a == 3 { relu }"),
    (BODY, "if a { relu } elif b { tanh }", "E103", "elif", "if a { relu } else if b { tanh }"),
    (BODY, "if a == 3:", "E103", "a colon and indentation make no body", None),
    (BODY, "assert 1 < a < 3", "E103", "a comparison compares two values", None),
    (BODY, "conv(8, (3, 5))", "E103", "parentheses hold one value", "conv(8, [3, 5])"),
    (BODY, "dropout(.5)", "E103", "a number begins with a digit", "dropout(0.5)"),
    (BODY, "return x", "E103", "return is a statement of Python", None),
    (BODY, "def forward(self, x):", "E103", "def is a statement of Python", None),
    (TOP, "from torch import nn", "E103", "from is a statement of Python", None),
    (TOP, "class Net(nn.Module):", "E103", "class is a statement of Python", None),
    (BODY, "conv(32, 3) relu", "E101", "relu follows conv(32, 3) without a comma", "conv(32, 3), relu"),
    (BODY, "conv(32 3)", "E101", "3 follows 32 without a comma", "conv(32, 3)"),
    (BODY, "let a = [1 2]", "E101", "without a comma", "let a = [1, 2]"),
    (BODY, '"stage{i}" relu', "E101", "without a colon", '"stage{i}": relu'),
    (BODY, "conv(32, 3) 128x4x4", "E101", "without an arrow", "conv(32, 3) -> 128x4x4"),
    (BODY, "let a 3", "E101", "without an equals sign", "let a= 3"),
    (BODY, "relu,, relu", "E101", '"," has no place here', "relu, relu"),
    (TOP, "model B: { relu }", "E101", '":" has no place here', "model B { relu }"),
    (TOP, "modle B { relu }", "E101", "modle begins no definition", "model B { relu }"),
    (BODY, "block B { relu }", "E101", "block stands inside of a definition", None),
    (BODY, "let x = 3", "E104", "x is a word of the language", None),
    (BODY, "save: relu", "E104", "save is a word of the language", None),
    (BODY, "if: relu", "E104", "if is a word of the language", None),
    (BODY, "let from = 3", "E104", "from is a word of the language", None),
    (BODY, "conv(x, 3)", "E104", "x, which is what arrives, is not a value", None),
    (
        BODY,
        "relu, repeat 8 { tanh }",
        "E101",
        "repeat shares its line with the steps before",
        "relu\n  repeat 8 { tanh }",
    ),
    (BODY, "relu, repeat 8 {\n    tanh\n  }", "E101", "repeat shares", "relu\n  repeat 8 {\n    tanh\n  }"),
    (BODY, "relu, repeat 8 { tanh }, elu", "E101", "repeat shares", "relu\n  repeat 8 { tanh }\n  elu"),
    (BODY, "relu repeat 8 { tanh }", "E101", "repeat shares its line", "relu\n  repeat 8 { tanh }"),
    (BODY, "relu, for i in [1, 2] { tanh }", "E101", "for shares its line", "relu\n  for i in [1, 2] { tanh }"),
    (
        BODY,
        "relu, if a { tanh } else { elu }, selu",
        "E101",
        "if shares its line",
        "relu\n  if a { tanh } else { elu }\n  selu",
    ),
    (BODY, "relu, let a = [1, 2], tanh", "E101", "let shares its line", "relu\n  let a = [1, 2]\n  tanh"),
    (BODY, "relu, assert min(1, 2) == 1, tanh", "E101", "assert shares", "relu\n  assert min(1, 2) == 1\n  tanh"),
    (BODY, "a: { relu, repeat 2 { tanh } }", "E101", "repeat shares", "a: { relu\n  repeat 2 { tanh } }"),
    (
        BODY,
        "add { | relu, repeat 2 { tanh } | elu }",
        "E101",
        "repeat shares",
        "add { | relu\n  repeat 2 { tanh } | elu }",
    ),
    (BODY, "relu, repeat 8", "E101", "repeat shares its line", None),
    (BODY, "a: repeat 8 { relu }", "E101", "repeat has a name in front of it", "a: { repeat 8 { relu } }"),
    (BODY, "a: let b = 3", "E101", "let has a name in front of it", None),
    (BODY, "relu if a else tanh", "E101", "not between steps", "if a { relu } else { tanh }"),
    (BODY, "relu, tanh if a else elu", "E101", "not between steps", None),
    (BODY, "relu, else { tanh }", "E101", "else belongs to no if", None),
    (BODY, "if a { relu }, else { tanh }", "E101", '"," has no place here', "if a { relu } else { tanh }"),
    (BODY, "repeat 2 { relu }, tanh", "E101", 'a comma follows "}", where a line ends', "repeat 2 { relu }\n  tanh"),
    (BODY, "repeat 2 { relu } tanh", "E101", 'tanh follows "}" without a new line', "repeat 2 { relu }\n  tanh"),
    (BODY, "input 3x8x8, relu", "E101", "a comma follows 3x8x8, where a line ends", "input 3x8x8\n  relu"),
    (BODY, "input 3x8x8,\n  relu", "E101", "a comma follows 3x8x8, where a line ends", "input 3x8x8\n  relu"),
    (BODY, "let a = 3, relu", "E101", "a comma follows 3, where a line ends", "let a = 3\n  relu"),
    (BODY, "relu -> 8, repeat 2 { tanh }", "E101", "a comma follows 8", "relu -> 8\n  repeat 2 { tanh }"),
    (BODY, "relu,\n  repeat 8 { tanh }", "E101", 'the line ends after ","', "relu\n  repeat 8 { tanh }"),
    (BODY, "relu, x, tanh", "E104", "x is a word of the language", "relu, identity, tanh"),
    (BODY, "add { | x | relu }", "E104", "x is a word of the language", "add { | identity | relu }"),
    (BODY, "relu, repeat", "E104", "repeat is a word of the language", None),
    (BODY, "relu, block, tanh", "E104", "block is a word of the language", None),
    (BODY, "relu, not, tanh", "E104", "not is a word of the language", None),
    (BODY, "linear(?)", "E101", "a question mark cannot stand here", None),
    (BODY, "for in widths { relu }", "E101", "a name is missing before in", None),
    (BODY, "größe: relu", "E105", "ö has no meaning", None),
    (BODY, "relu @ 3", "E105", "@ has no meaning", None),
    (BODY, "relu \x07", "E105", "the character U+0007", None),
    (BODY, "linear(12345678901234567890)", "E101", "this number is too long", None),
    (BODY, "linear(1e999)", "E101", "this number is too large", None),
    (BODY, "repeat 3", "E101", "the line ends after 3", None),
    (TOP, 'use "blocks.cnn', "E102", "a text in quotes is not closed", None),
    (BODY, "conv(32, 3", "E102", '"(" is never closed', None),
    (BODY, "let a = [1, 2", "E102", '"[" is never closed', None),
    (BODY, "conv(32, 3]", "E102", '"(" is closed by "]"', None),
    (BODY, "relu)", "E101", '")" has no place here', "relu"),
]


def faults(text: str) -> tuple[Diagnostic, ...]:
    return parse(Source("test.cnn", text)).diagnostics


def mended(text: str, fix: Fix) -> str:
    for edit in sorted(fix.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


@pytest.mark.parametrize(("frame", "line", "code", "message", "fixed"), HINTS, ids=[hint[1] for hint in HINTS])
def test_hint(frame: str, line: str, code: str, message: str, fixed: str | None) -> None:
    text = frame.format(line)
    found = faults(text)
    assert len(found) == 1, found
    assert found[0].code == code
    assert message in found[0].message
    assert found[0].span.line == text[: text.index(line)].count("\n") + 1
    assert found[0].span.text
    edits = [fix for fix in found[0].fixes if fix.edits]
    if fixed is None and not edits:
        return
    result = mended(text, edits[0])
    if fixed is not None:
        assert result == frame.format(fixed)
        assert not faults(result)


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_one_diagnostic_for_each_faulty_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = enumerate(text.split("\n"), 1)
    expected = [(number, match[1]) for number, line in lines if (match := EXPECTED.search(line))]
    assert expected
    assert [(fault.span.line, fault.code) for fault in faults(text)] == expected


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_as_many_diagnostics_as_faulty_lines(count: int) -> None:
    lines = ["  relu relu" if at % 2 else "  conv(8, 3)" for at in range(2 * count)]
    parsed = parse(Source("test.cnn", "\n".join(["model A {", *lines, "}", ""])))
    assert [fault.span.line for fault in parsed.diagnostics] == list(range(3, 3 + 2 * count, 2))
    good = parse(Source("test.cnn", "\n".join(["model A {", *lines[::2], "}", ""])))
    assert parsed.file == good.file


def test_the_rest_is_still_read() -> None:
    text = "model A {\n  input 3x8x8\n  conv(8 3)\n  a: {\n    relu relu\n    tanh\n  }\n}\nlet b = = 3\nlet c = 4\n"
    file = parse(Source("test.cnn", text)).file
    assert [type(item).__name__ for item in file.items] == ["Model", "Let"]
    assert [type(statement).__name__ for statement in file.items[0].body.statements] == ["Input", "Faulty", "Chain"]
    inside = file.items[0].body.statements[2].steps[0].op.body.statements
    assert [type(statement).__name__ for statement in inside] == ["Faulty", "Chain"]


def test_a_faulty_header_leaves_its_body_out() -> None:
    parsed = parse(Source("test.cnn", "model A {\n  repeat {\n    relu relu\n    tanh\n  }\n  flatten\n}\n"))
    assert [fault.span.line for fault in parsed.diagnostics] == [2, 3]
    statements = parsed.file.items[0].body.statements
    assert [type(statement).__name__ for statement in statements] == ["Faulty", "Chain"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("model A\n{\n  relu\n}\n", (2, 1)),
        ("model A {\n  a:\n  {\n    relu\n  }\n}\n", (3, 3)),
        ("model A {\n  repeat 3\n  {\n    relu\n  }\n}\n", (3, 3)),
        ("model A {\n  add\n  {\n    | relu\n  }\n}\n", (3, 3)),
    ],
)
def test_brace_on_a_line_of_its_own(text: str, place: tuple[int, int]) -> None:
    (fault,) = faults(text)
    assert (fault.code, fault.message) == ("E103", "the opening brace stands on a line of its own")
    assert (fault.span.line, fault.span.column) == place
    assert not faults(mended(text, fault.fixes[0]))


def test_missing_brace_is_reported_where_the_indentation_tells() -> None:
    text = "model A {\n  a: {\n    relu\n\n  b: {\n    tanh\n  }\n}\n\ntrain {\n  batch: 1\n}\n"
    parsed = parse(Source("test.cnn", text))
    (fault,) = parsed.diagnostics
    assert (fault.code, fault.span.line, fault.labels[0].span.text) == ("E102", 2, "train")
    assert [type(item).__name__ for item in parsed.file.items] == ["Model", "Train"]


def test_words_at_the_beginning_of_a_line_may_be_labels() -> None:
    assert not faults("model A {\nblock: relu\ntrain: relu\nmodel: relu\nuse: relu\ninput: relu\nlet a = 1\n}\n")


@pytest.mark.parametrize("line", ["input 3x8x8", "let a = 1", "assert true", "block: relu", '"a": relu', "}"])
def test_what_proves_that_a_bracket_was_left_open(line: str) -> None:
    text = f"model A {{\n  a: {{\n    conv(3,\n      3\n    {line}\n  }}\n}}\n"
    assert ("E102", 3) in [(fault.code, fault.span.line) for fault in faults(text)]


def test_messages_do_not_vary() -> None:
    text = "model A {\n  a b c\n  conv(3 -> )\n}\n"
    labels = [fault.label for fault in faults(text)]
    assert labels[0] == 'here belongs a comma, "(", a colon, "->", "{", "}" or the end of the line'
    assert labels[1] == "here belongs a value"


def test_number_of_diagnostics_is_bounded() -> None:
    assert len(faults("model A {\n" + "relu relu\n" * 500 + "}\n")) == MOST_DIAGNOSTICS
