"""The examples: published parameter counts, canonical form, and the module that torch builds of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import cnnspec

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
    "mnist": 421_738,
    "simplecnn": 421_642,
    "lenet": 61_706,
    "cnn_batchnorm": 183_434,
    "threeblock_bn": 620_810,
    "gated_mlp": 4_449,
    "deep_resnet_mlp": 70_602,
    "convmixer": 594_186,
    "mobilenet_v1": 4_231_976,
    "unet": 31_037_698,
    "speedrun": 1_972_792,
}

UNTRAINED = {"mobilenet_v1": "wants ImageNet", "unet": "ends in a map"}
"""Examples without `train { }`, and why."""


def test_every_example_has_a_published_count() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.cnn")} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_example(name: str) -> None:
    """Counted without torch, counted by torch, and stated in the file; and what the spec says is what torch gives."""
    network = cnnspec.load(EXAMPLES / f"{name}.cnn")
    assert (network.recipe is None) == (name in UNTRAINED)
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
def test_an_example_runs(name: str) -> None:
    """Built and emitted, a small batch goes through, there and back."""
    network = cnnspec.load(EXAMPLES / f"{name}.cnn", input=[3, 32, 32] if name in UNTRAINED else None)
    torch.manual_seed(0)
    module = cnnspec.build(network)
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(cnnspec.emit(network), "<emitted>", "exec"), names)
    torch.manual_seed(0)
    emitted = names[network.name]()
    x = torch.rand(2, *network.input.sizes)
    assert torch.equal(module.eval()(x), emitted.eval()(x))
    module.train()(x).sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_gated_mlp_learns_circles(tmp_path: Path) -> None:
    run = cnnspec.train(EXAMPLES / "gated_mlp.cnn", out=tmp_path / "run", device="cpu")
    assert run.test is not None
    assert run.test.accuracy >= 0.95


def test_what_has_no_classifiers_output_cannot_be_trained() -> None:
    with pytest.raises(cnnspec.SpecError) as refused:
        cnnspec.train(EXAMPLES / "unet.cnn", set={"train.data": "random(shape=3x256x256, classes=2)"})
    (fault,) = refused.value.diagnostics
    assert (fault.code, fault.span.text) == ("E503", "conv(classes, 1)")
