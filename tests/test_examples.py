"""The examples: published parameter counts, canonical form, and the module that torch builds of each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import cnnspec
from cnnspec.syntax.parser import parse
from cnnspec.syntax.printer import print_file

EXAMPLES = Path(__file__).parent.parent / "examples"

PUBLISHED = {
    "tinycnn": 1_116_970,
    "tinycnn3": 814_122,
    "digits": 2_730,
    "oneconv": 31_530,
    "twoconv": 20_490,
    "twoconv_bn": 20_586,
    "mlp": 79_510,
    "mlp3": 535_818,
    "simplecnn_bn": 421_834,
    "simplecnn": 421_642,
    "lenet": 61_706,
    "cnn_batchnorm": 183_434,
    "threeblock_bn": 620_810,
}


def test_every_example_has_a_published_count() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.cnn")} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_example(name: str) -> None:
    """Counted without torch, counted by torch, and stated in the file; and what the spec says is what torch gives."""
    network = cnnspec.load(EXAMPLES / f"{name}.cnn")
    assert network.recipe is not None
    assert network.parameters == PUBLISHED[name]
    assert f"assert parameters == {PUBLISHED[name]:_}" in network.source.text
    with torch.device("meta"):
        module = cnnspec.build(network)
        output = module(torch.empty(2, *network.input.sizes))
    assert sum(p.numel() for p in module.parameters()) == PUBLISHED[name]
    assert tuple(output.shape) == (2, *network.output.sizes)
    state = {
        f"{node.path}.{key}": shape
        for node in network.layers
        for key, shape in (node.weights.parameters | node.weights.buffers).items()
    }
    assert state == {key: tuple(value.shape) for key, value in module.state_dict().items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_canonical_form(name: str) -> None:
    """Examples are as the printer prints them, but for the comment at the top."""
    source = cnnspec.text((EXAMPLES / f"{name}.cnn").read_text(encoding="utf-8"))
    lines = source.text.splitlines(keepends=True)
    assert print_file(parse(source).file) == "".join(line for line in lines if not line.startswith("#"))
