"""The module that `build` makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from cnnspec.building import build_module
from cnnspec.network import load, read_source
from cnnspec.source import Source

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.cnn"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    network = load(read_source(path))
    module = build_module(network).eval()
    names = [f"{node.path}.{name}" for node in network.layers for name in node.weights.parameters]
    assert [name for name, _ in module.named_parameters()] == names
    assert sum(p.numel() for p in module.parameters()) == network.parameters
    assert module(torch.randn(2, *network.input.sizes)).shape == (2, *network.output.sizes)


def test_names_follow_labels_and_positions() -> None:
    text = 'model Net { input 3x8x8\n a: conv(4, 1), relu, { b: conv(4, 1), conv(4, 1) }\n "c-1": conv(4, 1)\n}'
    module = build_module(load(Source("net.cnn", text)))
    keys = [name for name in module.state_dict() if name.endswith("weight")]
    assert keys == ["a.weight", "2.b.weight", "2.1.weight", "c-1.weight"]


def test_the_same_seed_gives_the_same_weights() -> None:
    network = load(read_source(EXAMPLES[0]))
    modules = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        modules.append(build_module(network).state_dict())
    first, again, other = modules
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load(read_source(EXAMPLES[0]))
    monkeypatch.setattr("cnnspec.requires.import_module", missing)
    with pytest.raises(ImportError, match=r'pip install "cnnspec\[torch\]"'):
        build_module(network)


def missing(name: str) -> Any:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
