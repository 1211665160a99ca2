"""All 68 have the published numbers of parameters and operations, counted where there is no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from published import of_torchvision, table

import cnnspec
from cnnspec import zoo
from cnnspec.network import read_source
from cnnspec.syntax.form import formatted
from cnnspec.syntax.parser import parse

PUBLISHED = table()

COUNT = """
import json, sys
import cnnspec
from cnnspec.analysis.macs import total_macs

found = {}
for name in json.loads(sys.argv[1]):
    network = cnnspec.load("zoo:" + name)
    macs = {network.input.sizes[1]: total_macs(network)}
    if "y_" in name:  # some weights of these are for 384x384
        macs[384] = total_macs(cnnspec.load("zoo:" + name, input="3x384x384"))
    found[name] = [network.parameters, macs]
assert "torch" not in sys.modules
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    """Parameters, and operations by the size of the input, counted in a process of their own."""
    command = [sys.executable, "-c", COUNT, json.dumps(list(PUBLISHED))]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name: str, counted: dict[str, Any]) -> None:
    parameters, macs = counted[name]
    assert parameters == PUBLISHED[name]["parameters"]
    assert {size: round(macs[size] / 1e9, 3) for size in PUBLISHED[name]["macs"]} == PUBLISHED[name]["macs"]
    assert next(iter(macs)) == next(iter(PUBLISHED[name]["macs"])), "the input is not the published one"


def test_the_table_is_torchvisions() -> None:
    assert of_torchvision() == PUBLISHED, "out of date: run python tests/zoo/published.py"
    assert len(PUBLISHED) == 68


def test_the_zoo_is_the_table() -> None:
    """Every model of the zoo's files is there, and every network of the files is one of torchvision's."""
    assert zoo.names() == sorted(PUBLISHED)
    networks = [n.name for path in zoo.files() for n in cnnspec.check(path).networks]
    assert sorted(networks) == zoo.names()


SMALLER = [name for name in PUBLISHED if PUBLISHED[name]["min_size"] > 1 and "efficientnet_v2" not in name]
"""Of efficientnet_v2 torchvision says 33, although 1x1 runs too."""


@pytest.mark.parametrize("name", SMALLER)
def test_the_smallest_input(name: str) -> None:
    """Runs at the published smallest size of the eval path, and is refused below."""
    without = {"aux_logits": False} if name == "inception_v3" else {}
    source, size = read_source(f"zoo:{name}"), PUBLISHED[name]["min_size"]
    assert not cnnspec.check(source, input=[3, size, size], set=without).errors
    faults = cnnspec.check(source, input=[3, size - 1, size - 1], set=without).errors
    assert {fault.code for fault in faults} == {"E303"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_warning(name: str) -> None:
    """What is odd as it was published is allowed by a comment that says so."""
    assert cnnspec.check(f"zoo:{name}").diagnostics == ()


@pytest.mark.parametrize("path", zoo.files(), ids=lambda path: Path(path).stem)
def test_files_are_clean(path: str) -> None:
    """In form, with a comment in front that names the paper."""
    source = read_source(path)
    assert formatted(parse(source)) == source.text
    lines = source.text.splitlines()
    comment = lines[: next(at for at, line in enumerate(lines) if not line.startswith("#"))]
    assert "https://arxiv.org/" in "".join(comment)
