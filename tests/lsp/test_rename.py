"""Renaming leaves the network as it is: every name of the examples, and some of each file of the zoo."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lsprotocol import types

from cnnspec.lsp.document import Document
from cnnspec.lsp.names import Definition
from cnnspec.lsp.navigation import rename
from cnnspec.network import Checked, check
from cnnspec.source import Source

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "examples").rglob("*.cnn"))
FROM_ZOO = 4
"""Names of a file of the zoo that are renamed: each time all its networks are checked anew."""

NEW = {"block": "Renamed", "model": "Renamed"}


def said(checked: Checked, *, keys: bool) -> list[object]:
    """What the networks of a text are, with or without the names of their modules."""
    assert checked.errors == ()
    return [
        [(layer.path if keys else "", layer.layer, layer.output) for layer in network.layers]
        for network in checked.networks
    ]


def after(document: Document, definition: Definition, name: str) -> str:
    edit = rename(document, document.places.position(definition.span.start + 1), name)
    assert edit
    assert edit.changes
    assert set(edit.changes) == {document.uri}
    text = document.source.text
    edits = [
        (document.places.offset(e.range.start), document.places.offset(e.range.end)) for e in edit.changes[document.uri]
    ]
    for start, end in sorted(edits, reverse=True):
        text = text[:start] + name + text[end:]
    return text


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    document = Document(path.as_uri(), text, 1, types.PositionEncodingKind.Utf16)
    before = document.checked
    named = [definition for definition in document.names.definitions if definition.kind != "label"]
    few = random.Random(path.stem).sample(named, min(FROM_ZOO, len(named)))
    for definition in few if path.parent.name == "zoo" else named:
        renamed = after(document, definition, NEW.get(definition.kind, "renamed"))
        assert definition.name in text
        now = check(Source(document.source.name, renamed))
        assert said(now, keys=True) == said(before, keys=True), f"{definition.kind} {definition.name}"
