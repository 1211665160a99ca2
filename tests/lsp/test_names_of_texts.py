"""What names mean, judged by the text alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from marked import names, unmarked

from cnnspec.lsp.names import Names, used_path
from cnnspec.network import check
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

ROOT = Path(__file__).parents[2]

TEXT = """let widths = [16, 32]

block Unit(width, act=relu) {
  let inner = width // 2
  conv(inner, 3), act
  for i, w in widths {
    "layer{i + inner}": conv(w * width, 3)
  }
}

model Net(classes=10, unit=Unit) {
  input 3x32x32
  head: Unit(8, act=silu), unit(16, act=tanh)
  linear(classes)
}

model small = Net(classes=2)
let twice = [2 * w for w in widths]

train Net { epochs: 3 }
"""


def uses(text: str) -> list[str]:
    """The lines and words where the thing at the mark is named."""
    text, offset = unmarked(text)
    known = names(text)
    found = known.at(offset)
    assert found
    spans = [found.span, *known.uses(found)]
    assert all(span.text.strip('"') == found.name for span in spans)
    return [f"{span.line}:{span.column}" for span in spans]


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("let §widths", ["1:5", "6:15", "18:29"]),
        ("Unit(§width", ["3:12", "4:15", "7:34"]),
        ("let §inner", ["4:7", "5:8", "7:16"]),
        ("for §i", ["6:7", "7:12"]),
        ("for i, §w in", ["6:10", "7:30"]),
        ('"layer{§i +', ["6:7", "7:12"]),
        ("(width, §act", ["3:19", "5:19", "13:17"]),
        ("block §Unit", ["3:7", "11:28", "13:9"]),
        ("Net(§classes=10", ["11:11", "14:10", "17:19"]),
        ("classes=10, §unit", ["11:23", "13:28"]),
        ("§head", ["13:3"]),
        ("model §Net", ["11:7", "17:15", "20:7"]),
        ("model §small", ["17:7"]),
        ("w for §w in", ["18:24", "18:18"]),
    ],
)
def test_uses(mark: str, expected: list[str]) -> None:
    bare = mark.replace("§", "")
    assert TEXT.count(bare) == 1
    assert uses(TEXT.replace(bare, mark)) == expected


def test_layers_have_no_definition() -> None:
    text, offset = unmarked(TEXT.replace("  conv(inner", "  §conv(inner"))
    assert names(text).at(offset) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("model A(dropout=0.5) { input 3\n §dropout(0.1) }", None),
        ("model A(dropout=0.5) { input 3\n linear(§dropout) }", "parameter"),
        ("model A(norm=batchnorm) { input 3\n §norm }", "parameter"),
        ("model A(relu=silu) { input 3\n §relu }", "parameter"),
    ],
)
def test_a_name_that_is_also_a_layer(text: str, kind: str | None) -> None:
    text, offset = unmarked(text)
    found = names(text).at(offset)
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("mark", "there", "absent"),
    [
        ("conv(§inner", {"width", "act", "inner", "widths", "Unit"}, {"i", "w", "classes"}),
        ("conv(w§", {"i", "w", "inner", "width"}, {"classes"}),
        ("linear(§classes", {"classes", "unit", "widths", "twice"}, {"width", "inner", "i", "head", "Net"}),
        ("let inner = §width", {"width", "act"}, {"inner"}),
    ],
)
def test_in_reach(mark: str, there: set[str], absent: set[str]) -> None:
    text, offset = unmarked(TEXT.replace(mark.replace("§", ""), mark))
    found = set(names(text).in_reach(offset))
    assert there <= found
    assert not absent & found


def test_inner_names_hide_outer_ones() -> None:
    text, offset = unmarked("let n = 1\nmodel A(n=2) {\n  input 3\n  linear(§n)\n}\n")
    assert names(text).in_reach(offset)["n"].kind == "parameter"


def test_a_faulty_line_hides_nothing_else() -> None:
    text, offset = unmarked("model A(n=2) {\n  input 3\n  linear(n, ,)\n  let k = n\n  linear(§\n}\n")
    assert {"n", "k"} <= set(names(text).in_reach(offset))


def test_names_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "parts.cnn").write_text("let wide = 64\nblock Part(width) { conv(width, 3) }\nmodel Own { input 3 }\n")
    text = 'use "parts.cnn"\nmodel A {\n  input 3x8x8\n  Part(width=wide)\n}\n'
    file = parse(Source(str(tmp_path / "net.cnn"), text)).file
    known = Names(file, lambda path: parse(Source(path, Path(path).read_text())).file)
    found = {text[r.span.start : r.span.end]: r.definition for r in known.references}
    assert {name: (d.kind, d.span.source.name, d.span.line) for name, d in found.items()} == {
        "Part": ("block", str(tmp_path / "parts.cnn"), 2),
        "width": ("parameter", str(tmp_path / "parts.cnn"), 2),
        "wide": ("let", str(tmp_path / "parts.cnn"), 1),
    }
    assert "Own" not in known.models


def test_the_path_of_a_used_file() -> None:
    (item,) = parse(Source("specs/net.cnn", 'use "parts/blocks.cnn"\n')).file.items
    assert isinstance(item, tree.Use)
    assert Path(used_path(item)) == Path("specs/parts/blocks.cnn")


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.cnn")), ids=lambda path: path.stem)
def test_every_name_of_the_examples_is_known(path: Path) -> None:
    """Each name in an expression is defined in reach, or one of the language; and what is in reach agrees."""
    source = Source(str(path), path.read_text(encoding="utf-8"))
    known = Names(check(source).file)
    meant = {reference.span.start: reference.definition for reference in known.references}
    for node in tree.walk(known.file.items):
        if isinstance(node, tree.Name) and node.span.start not in meant:
            assert node.text not in known.in_reach(node.span.start), node
    for start, definition in meant.items():
        if definition.kind not in ("model", "label") and not _names_argument(source.text, start):
            assert known.in_reach(start)[definition.name] == definition


def _names_argument(text: str, start: int) -> bool:
    """Whether the name stands before `=` in a call: it belongs to what is called."""
    rest = text[start:].lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789").lstrip()
    return rest.startswith("=") and not rest.startswith("==")
