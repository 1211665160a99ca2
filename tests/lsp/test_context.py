"""What belongs at the cursor, in texts that are half written."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from marked import unmarked

from cnnspec.lsp.context import Context, context
from cnnspec.source import Source
from cnnspec.syntax import tables
from cnnspec.syntax.lexer import lex

ROOT = Path(__file__).parents[2]


def at(text: str) -> Context:
    text, offset = unmarked(text)
    return context(lex(Source("test.cnn", text), tables.load())[0], text, offset)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("§", "top"),
        ("mo§", "top"),
        ("block A { relu }\n§", "top"),
        ("model §", "nothing"),
        ("model a = §", "model"),
        ("model a = R§", "model"),
        ("train §", "model"),
        ("let a = §", "value"),
        ("let §", "nothing"),
        ("model A {\n  §", "step"),
        ("model A {\n  con§\n}\n", "step"),
        ("model A {\n  relu, §\n}\n", "step"),
        ("model A {\n  relu §\n}\n", "nothing"),
        ("model A {\n  head: §\n}\n", "step"),
        ('model A {\n  "l{i}": §\n}\n', "step"),
        ("model A {\n  add {\n    | §\n", "step"),
        ("model A {\n  add { | relu | §", "step"),
        ("model A {\n  if §", "value"),
        ("model A {\n  for w in §", "value"),
        ("model A {\n  for §", "nothing"),
        ("model A {\n  relu -> §", "value"),
        ("model A {\n  conv(§", "argument"),
        ("model A {\n  conv(8, §\n  relu\n}\n", "argument"),
        ("model A {\n  conv(8, stride=§)\n}\n", "argument"),
        ("model A {\n  conv(x.§, 3)\n}\n", "attribute"),
        ("model A {\n  conv([§\n", "value"),
        ("model A {\n  # rel§", "nothing"),
        ('model A {\n  "rel§', "text"),
        ("train {\n  §\n}\n", "setting"),
        ("train {\n  ep§\n}\n", "setting"),
        ("train {\n  data: §\n}\n", "value"),
        ("train {\n  data: cifar10, §}\n", "setting"),
        ("train {\n  optimizer: adamw(§\n}\n", "argument"),
        ("model A {\n  conv(8\n\nmodel B {\n  §", "step"),
    ],
)
def test_kind(text: str, kind: str) -> None:
    assert at(text).kind == kind


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("model A {\n  conv(§", ("conv", (), 0, None, True)),
        ("model A {\n  conv(8, §", ("conv", (), 1, None, True)),
        ("model A {\n  conv(8, 3, stride=2, pad§", ("conv", ("stride",), 3, None, True)),
        ("model A {\n  conv(8, 3, padding=§", ("conv", (), 2, "padding", False)),
        ("model A {\n  conv(max(8, 3), §", ("conv", (), 1, None, True)),
        ("model A {\n  conv(max(8, §", ("max", (), 1, None, True)),
        ("model A {\n  conv([1, §", ("conv", (), 0, None, False)),
        ("model A {\n  Unit(3, norm=batchnorm(§), act=relu)", ("batchnorm", (), 0, None, True)),
    ],
)
def test_call(text: str, call: tuple[object, ...]) -> None:
    found = at(text).call
    assert found
    assert (found.name, found.given, found.index, found.named, found.fresh) == call


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("train {\n  augment: [crop(§", "augment"),
        ("train {\n  augment: [crop, §", "augment"),
        ("train {\n  augment: crop\n  §", ""),
        ("train {\n  batch: 3, data: §", "data"),
        ("train A {\n  data: §", "data"),
        ("model A {\n  §", None),
    ],
)
def test_setting(text: str, setting: str | None) -> None:
    assert at(text).setting == setting


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("model A {\n  §", True),
        ("model A {\n  add { | §", True),
        ("model A {\n relu, §", False),
        ("model A {\n a: §", False),
    ],
)
def test_statements_begin_lines(text: str, starts: bool) -> None:
    assert at(text).starts is starts


def test_any_text_has_a_context() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("*.cnn"))]
    for seed in range(600):
        rng = random.Random(seed)
        text = rng.choice(texts)
        first, last = sorted(rng.randrange(len(text)) for _ in range(2))
        text = text[:first] + rng.choice(["", "(", ")", "}", "{", ",", '"', "x."]) + text[last:]
        tokens = lex(Source("test.cnn", text), tables.load())[0]
        for _ in range(5):
            assert context(tokens, text, rng.randrange(len(text) + 1)).kind
