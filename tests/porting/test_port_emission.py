"""What was emitted or built of a spec gives the spec back.

The same layers with the same arguments, in the order they run, each with what arrives and what leaves it; the same
names of everything that has weights; the same joins; the same blocks at the same places, and uses with equal arguments
equal again. What Python does not keep cannot come back: comments, predictions, `train { }`, the parameters of a model,
labels of layers without weights, and whether an identity stood somewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from random_models import Writer
from random_specs import networks
from running import classes, make
from torch_layers import Huge

import cnnspec
from cnnspec.building import build_module
from cnnspec.emission import Style, emit
from cnnspec.network import Network, check
from cnnspec.network.model import BlockUse, CombineNode, GroupNode, Item, nodes
from cnnspec.porting import Ported, port_module
from cnnspec.porting.source import arguments_seen, facts_of, made, named
from cnnspec.source import Source

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.cnn"))
COUNT = int(os.environ.get("CNNSPEC_RANDOM_PORTS", "16"))


def layers(network: Network) -> list[Any]:
    """Each layer that does something: its path where it has weights, its arguments and its shapes."""
    return [
        (
            placed.path if placed.weights.parameters or placed.weights.buffers else "",
            placed.layer,
            placed.input,
            placed.output,
            placed.side,
        )
        for placed in network.layers
        if placed.layer.word != "identity"
    ]


def joins(items: tuple[Item, ...]) -> Iterator[Any]:
    """Kind, number of branches and shapes of every join that joins something, in reading order."""
    for node in nodes(items):
        if isinstance(node, GroupNode):
            yield from joins(node.items)
        elif isinstance(node, CombineNode):
            kind = "add" if node.kind == "residual" else node.kind
            count = 2 if node.kind == "residual" else len(node.branches)
            if node.options.get("when", True):
                yield kind, count, node.input, node.output
            for branch in node.branches:
                yield from joins(branch)


def blocks(items: tuple[Item, ...], prefix: str = "") -> Iterator[tuple[str, BlockUse]]:
    """The uses of blocks, by path."""
    for node in nodes(items):
        if isinstance(node, GroupNode):
            if node.block:
                yield prefix + node.key, node.block
            yield from blocks(node.items, f"{prefix}{node.key}.")
        elif isinstance(node, CombineNode):
            for branch in node.branches:
                yield from blocks(branch, prefix)


def alike(network: Network) -> dict[str, list[list[str]]]:
    """The uses of every block, those with equal arguments together."""
    found: dict[str, dict[str, list[str]]] = {}
    for path, use in blocks(network.root.items):
        found.setdefault(use.name, {}).setdefault(str(list(use.arguments.values())), []).append(path)
    return {name: sorted(uses.values()) for name, uses in found.items()}


def assert_given_back(network: Network, result: Ported, *, uses: bool = True) -> None:
    assert result.fits, [str(note) for note in result.notes] + [error.message for error in result.errors]
    assert result.verified is not None
    assert result.verified.largest in (0, None)
    assert result.network is not None
    assert layers(result.network) == layers(network)
    assert list(joins(result.network.root.items)) == list(joins(network.root.items))
    if uses:
        assert alike(result.network) == alike(network)


@pytest.mark.parametrize("style", ["sequential", "forward"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_comes_back_from_its_emission(example: Path, style: Style, tmp_path: Path) -> None:
    network = cnnspec.load(example)
    source = emit(network, style=style)
    (tmp_path / "model.py").write_text(source, encoding="utf-8")
    found = made(named(f"{tmp_path / 'model.py'}:{classes(source)[-1]}"))
    numbers = sum(placed.output.elements for placed in network.layers) < 3_000_000
    result = port_module(found.module, network.input.sizes, name=network.name, facts=found.facts, numbers=numbers)
    assert_given_back(network, result)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_comes_back_from_memory(example: Path) -> None:
    """A module in hand, whose groups have no names of classes."""
    network = cnnspec.load(example)
    numbers = sum(placed.output.elements for placed in network.layers) < 3_000_000
    result = port_module(build_module(network), network.input.sizes, name=network.name, numbers=numbers)
    assert_given_back(network, result, uses=False)


def test_the_names_of_parameters_come_back() -> None:
    network = cnnspec.load(ROOT / "examples" / "unet.cnn")
    source = emit(network)
    with torch.device("meta"), arguments_seen() as seen:
        module = make(source)
    result = port_module(module, network.input.sizes, facts=facts_of(module, seen), numbers=False)
    assert result.text.count("block Double(width) {") == 1


# ------------------------------------------------------------------------------------------------------- random specs


def ports(network: Network) -> Iterator[tuple[str, Ported]]:
    numbers = sum(placed.output.elements for placed in network.layers) < 1_000_000
    torch.manual_seed(0)
    yield "built", port_module(build_module(network), network.input.sizes, name=network.name, numbers=numbers)
    emitted = make(emit(network, style="forward"))
    yield "emitted", port_module(emitted, network.input.sizes, name=network.name, numbers=numbers)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_networks_without_branches_come_back() -> None:
    for network in networks(COUNT // 2):
        for how, result in ports(network):
            try:
                assert_given_back(network, result, uses=False)
            except AssertionError as error:
                raise AssertionError(f"{how}\n{network.source.text}\n{result.text}") from error


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_networks_port_whole(tmp_path: Path) -> None:
    """Networks of the whole language. Joins may come back in another form that computes the same."""
    tried = 0
    for seed in range(COUNT):
        for network in drawn(seed, tmp_path / str(seed)):
            for how, result in ports(network):
                tried += 1
                fine = result.whole or (result.fits and result.verified and result.verified.largest is None)
                told = [*map(str, result.notes), *(error.message for error in result.errors), result.compared]
                assert fine, f"seed {seed}, {how}: {told}\n{network.source.text}\n{result.text}"
    assert tried >= COUNT


def drawn(seed: int, folder: Path) -> tuple[Network, ...]:
    """The networks of one random spec without faults."""
    try:
        spec = Writer(seed, wrong=0).write()
    except Huge:
        return ()
    for path, text in spec.files.items():
        (folder / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / path).write_text(text)
    found = check(Source(str(folder / "random.cnn"), spec.text))
    small = (network for network in found.networks if network.parameters < 3_000_000)
    return () if found.errors else tuple(small)
