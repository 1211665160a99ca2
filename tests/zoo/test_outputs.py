"""With torchvision's random weights the same bits come out, in evaluation and in training.

Most networks run by a command, see `reference.RUN`.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from reference import EXTRA_HEADS, NUMBERS, size_of, torchvision, zoo
from torch import Tensor, nn

import cnnspec

CASES = [pytest.param(name, {}, id=name) for name in NUMBERS]
CASES += [
    pytest.param(name, {"aux_logits": True}, id=f"{name}-with")
    for name, default in EXTRA_HEADS.items()
    if name in NUMBERS and not default
]

SIDE_OUTPUTS = {"googlenet": 2, "inception_v3": 1}


MADE = ("built", "sequential", "forward")
"""In memory, and by the emitted source in either style."""


def pair(name: str, options: dict[str, Any], made: str) -> tuple[nn.Module, nn.Module]:
    """torchvision's network and ours, with weights of their own that are the same."""
    torch.manual_seed(0)
    theirs = torchvision(name, **options)
    network = zoo(name, **options)
    with torch.device("meta"):
        ours = cnnspec.build(network) if made == "built" else emitted(cnnspec.emit(network, style=made))
    ours.load_state_dict({key: value.clone() for key, value in theirs.state_dict().items()}, strict=True, assign=True)
    return theirs, ours


def emitted(source: str) -> nn.Module:
    """The network of emitted source, which is the last class there."""
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "<emitted>", "exec"), names)
    *_, network = (each for each in names.values() if isinstance(each, type) and issubclass(each, nn.Module))
    module: nn.Module = network()
    return module


def outputs(module: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    torch.manual_seed(1)
    found: Tensor | tuple[Tensor, ...] = module(x)
    return (found,) if isinstance(found, Tensor) else tuple(found)


def assert_same(some: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        assert torch.equal(one, other), f"up to {(one - other).abs().max():g} apart"


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_same_bits(name: str, options: dict[str, Any], made: str) -> None:
    theirs, ours = pair(name, options, made)
    x = torch.rand(2, 3, size_of(name), size_of(name), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert_same(outputs(ours.eval(), x), outputs(theirs.eval(), x))

    # In training too, with the same draws for dropout and stochastic depth; and one step leaves the same weights
    # and statistics.
    steps = [torch.optim.SGD(each.train().parameters(), lr=0.01) for each in (ours, theirs)]
    results = [outputs(each, x) for each in (ours, theirs)]
    assert_same(*results)
    assert len(results[0]) == SIDE_OUTPUTS.get(name, 0) * options.get("aux_logits", EXTRA_HEADS.get(name, False)) + 1
    for step, result in zip(steps, results, strict=True):
        torch.stack([each.square().mean() for each in result]).sum().backward()
        step.step()
    after, expected = ours.state_dict(), theirs.state_dict()
    assert_same(*zip(*((after[key], expected[key]) for key in expected), strict=True))
