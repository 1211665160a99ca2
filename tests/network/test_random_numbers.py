"""Random specs on real numbers: the module that is built, the emitted one in both styles, and a plain run of the plan
give the same outputs with the same weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from random_models import Spec, Writer
from random_runner import Join, Model
from test_random_specs import checked
from torch import nn
from torch_layers import Huge

import cnnspec
from cnnspec.network import Network

COUNT = int(os.environ.get("CNNSPEC_RANDOM_SPECS", "2000")) // 8
PARTS = 2
MOST_NUMBERS = 200_000
DRAWN = {"dropout", "channel_dropout", "alpha_dropout", "feature_alpha_dropout", "stochastic_depth", "rrelu"}
"""Layers that are random while training."""


class Plan:
    """A model as the plan has it, with random weights."""

    def __init__(self, model: Model, seed: int) -> None:
        torch.manual_seed(seed)
        self.program = model.program
        self.modules = {path: verdict.make() for path, verdict in model.layers.items()}
        self.state: dict[str, torch.Tensor] = {}
        for path, module in self.modules.items():
            for name, value in module.state_dict().items():
                if value.is_floating_point():
                    with torch.no_grad():
                        value.copy_(torch.rand_like(value) + 0.5 if "var" in name else torch.randn_like(value) / 2)
                self.state[f"{path}.{name}" if name else path] = value
        self.sides: list[torch.Tensor] = []

    def run(self, x: torch.Tensor, training: bool) -> Any:
        for module in self.modules.values():
            module.train(training)
        self.sides = []
        output = self.steps(self.program, x, training)
        return (output, *reversed(self.sides)) if self.sides else output

    def steps(self, program: list[Any], x: torch.Tensor, training: bool) -> torch.Tensor:
        for each in program:
            x = self.join(each, x, training) if isinstance(each, Join) else self.modules[each](x)
        return x

    def join(self, join: Join, x: torch.Tensor, training: bool) -> torch.Tensor:
        if join.kind == "aux":
            if training:
                self.sides.append(self.steps(join.branches[0], x, training))
            return x
        count = len(join.branches)
        parts = [x] * count if join.split is None else x.chunk(count, dim=join.split)
        outputs = [self.steps(branch, part, training) for branch, part in zip(join.branches, parts, strict=True)]
        if join.kind == "concat":
            return torch.cat(outputs, dim=join.axis)
        found = outputs[0]
        for other in outputs[1:]:
            found = found * other if join.kind == "multiply" else found + other
        return x + found if join.whole else found


def small(model: Model) -> bool:
    numbers = sum(torch.Size(sizes).numel() for sizes, _ in model.outputs)
    return numbers + model.parameters < MOST_NUMBERS


def nested(program: list[Any], inside: bool = False) -> bool:
    """Whether a side output has another, whose order is nowhere laid down."""
    return any(
        (inside and join.kind == "aux") or any(nested(branch, inside or join.kind == "aux") for branch in join.branches)
        for join in program
        if isinstance(join, Join)
    )


def pairs(spec: Spec, folder: Path) -> Iterator[tuple[Network, Model]]:
    for network in checked(spec, folder).networks:
        model = spec.models[network.name]
        if isinstance(model, Model) and small(model):
            yield network, model


def emitted(network: Network, style: Any) -> nn.Module:
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(cnnspec.emit(network, style=style), "<emitted>", "exec"), names)
    module: nn.Module = names[network.name]()
    return module


def compare(network: Network, model: Model, seed: int) -> None:
    plan = Plan(model, seed)
    built = cnnspec.build(network)
    modules = [built, emitted(network, "sequential"), emitted(network, "forward")]
    x = torch.randn(2, *network.input.sizes)
    for module in modules:
        assert list(module.state_dict()) == list(built.state_dict())
    for training in (False, True):
        words = {placed.layer.word for placed in network.layers}
        if training and (words & DRAWN or nested(model.program)):
            continue
        outputs = []
        for module in modules:
            module.load_state_dict(plan.state, strict=True)
            outputs.append(module.train(training)(x))
        equal(outputs[1], outputs[0], exact=True)
        equal(outputs[2], outputs[0], exact=True)
        equal(outputs[0], plan.run(x, training), exact=False)


def equal(one: Any, other: Any, exact: bool) -> None:
    assert isinstance(one, tuple) == isinstance(other, tuple)
    ones, others = (one, other) if isinstance(one, tuple) else ((one,), (other,))
    assert len(ones) == len(others)
    for a, b in zip(ones, others, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, rtol=0 if exact else 1e-4, atol=0 if exact else 1e-5, equal_nan=True)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks_give_the_same_numbers(part: int, tmp_path: Path) -> None:
    compared, faults = 0, []
    for seed in range(part, COUNT, PARTS):
        try:
            spec = Writer(seed).write()
        except Huge:
            continue
        folder = tmp_path / str(seed)
        folder.mkdir()
        for network, model in pairs(spec, folder):
            compared += 1
            try:
                compare(network, model, seed)
            except Exception as fault:
                faults.append(
                    f"=== seed {seed}, {network.name}\n{spec.text}\n{spec.files}\n{type(fault).__name__}: {fault}"
                )
    assert not faults, f"{len(faults)} of {compared} differ\n" + "\n".join(faults[:5])
    assert compared > COUNT / PARTS / 3
