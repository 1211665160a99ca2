from __future__ import annotations

import random
from fractions import Fraction

import pytest
import torch
from torch import nn

from cnnspec.analysis.field import WHOLE, fields
from cnnspec.layers.activation import ReLU
from cnnspec.layers.base import Refused
from cnnspec.layers.conv import Conv, ConvTranspose
from cnnspec.layers.linear import Linear
from cnnspec.layers.norm import BatchNorm
from cnnspec.layers.pool import AdaptiveAvgPool, AvgPool, MaxPool
from cnnspec.layers.resize import Upsample
from cnnspec.layers.shape import Flatten, Unflatten


@pytest.mark.parametrize(("depth", "size"), [(1, 3), (10, 21), (50, 101)])
def test_stacked_convolutions(chain, depth, size):
    last = fields(chain((1, 32, 32), *[Conv(1, 3, padding=1)] * depth))[-1]
    assert (last.size, last.stride) == ((size, size), (1, 1))


def test_pools_widen_the_steps(chain):
    conv, pool = Conv(4, 3, padding=1), MaxPool(2)
    found = fields(chain((1, 32, 32), conv, ReLU(), pool, conv, BatchNorm(), pool, conv))
    assert [field.size[0] for field in found] == [3, 3, 4, 8, 8, 10, 18]
    assert found[-1].stride == (4, 4)


def test_axes_are_apart(chain):
    field = fields(chain((1, 32, 32), Conv(4, (3, 5), stride=(1, 2), dilation=(4, 1)), Conv(4, 3)))[-1]
    assert (field.size, field.stride) == ((11, 9), (1, 2))


def test_enlarging_gives_fractions(chain):
    found = fields(chain((4, 8, 8), ConvTranspose(4, 4, stride=2, padding=1), Conv(4, 3, padding=1), MaxPool(2)))
    assert [field.size[0] for field in found] == [2, 3, 4]
    assert [field.stride[0] for field in found] == [Fraction(1, 2), Fraction(1, 2), 1]


@pytest.mark.parametrize(
    "layers",
    [
        [Flatten()],
        [Flatten(), Linear(10), ReLU()],
        [Conv(4, 3), AdaptiveAvgPool(1)],
        [AdaptiveAvgPool(3)],
        [Linear(5)],
        [Flatten(), Unflatten((64, 2, 2)), Conv(1, 2)],
    ],
    ids=lambda layers: " ".join(layer.word for layer in layers),
)
def test_everything_is_seen(chain, layers):
    assert fields(chain((4, 8, 8), *layers))[-1] is WHOLE


def test_adaptive_pools_with_equal_windows(chain):
    field = fields(chain((4, 8, 8), AdaptiveAvgPool(4)))[-1]
    assert (field.size, field.stride) == ((2, 2), (2, 2))


def draw(rng):
    k, s = rng.choice([1, 2, 3, 4]), rng.choice([1, 1, 2, 3])
    return rng.choice(
        [
            Conv(1, k, stride=s, dilation=rng.choice([1, 1, 2]), bias=False),
            AvgPool(k, stride=s),
            ConvTranspose(1, max(k, s), stride=s, bias=False),
            Upsample(2),
            Upsample(2, mode="linear"),
        ]
    )


def measured(network):
    """The widest stretch of the input that one output depends on, by its gradient: all weights are positive."""
    modules = []
    for node in network.layers:
        module = getattr(nn, node.torch.name.removeprefix("nn."))(*node.torch.args, **node.torch.kwargs)
        for parameter in module.parameters():
            nn.init.constant_(parameter, 0.5)
        modules.append(module.double())
    x = torch.ones(1, *network.input.sizes, dtype=torch.double, requires_grad=True)
    outputs = nn.Sequential(*modules)(x).flatten()
    middle = range(len(outputs) // 2 - 12, len(outputs) // 2 + 12)
    seen = [torch.autograd.grad(outputs[at], x, retain_graph=True)[0].flatten().nonzero() for at in middle]
    return max(int(places.max() - places.min()) + 1 for places in seen)


def is_exact(network):
    """Strides on an enlarged map may skip the places that see most: there the field is an upper bound."""
    windows = [node.layer.window(node.input) for node in network.layers]
    enlarging = [window.upsamples for window in windows]
    return not any(enlarging) or (sum(enlarging) == 1 and all(w.upsamples or w.stride == (1,) for w in windows))


def test_agrees_with_gradients(chain):
    rng, compared = random.Random(5), 0
    while compared < 60:
        layers = [draw(rng) for _ in range(rng.choice([1, 2, 3, 4]))]
        try:
            network = chain((1, 90), *layers)
        except Refused:
            continue
        if network.output.elements < 30:
            continue
        compared += 1
        (size,), exact = fields(network)[-1].size, measured(network)
        assert size == exact if is_exact(network) else size >= exact, layers
