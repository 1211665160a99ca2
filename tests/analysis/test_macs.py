from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnspec.analysis.macs import macs, total_macs
from cnnspec.layers.activation import ReLU
from cnnspec.layers.conv import Conv, ConvTranspose
from cnnspec.layers.linear import Linear
from cnnspec.layers.norm import BatchNorm
from cnnspec.layers.pool import MaxPool
from cnnspec.layers.shape import Flatten


def torch_macs(node):
    """Half of what torch counts, for one sample: it counts the addition of each multiply-accumulate as well."""
    call = node.torch
    with torch.device("meta"):
        module = getattr(nn, call.name.removeprefix("nn."))(*call.args, **call.kwargs)
        with FlopCounterMode(display=False) as counter:
            module(torch.zeros(1, *node.input.sizes))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((3, 32, 32), Conv(16, 3, padding=1)),
        ((8, 30, 17), Conv(16, (3, 5), stride=(2, 1), groups=4, dilation=2, bias=False)),
        ((8, 40), Conv(6, 7, stride=3)),
        ((4, 6, 7, 8), Conv(6, 3, padding="same")),
        ((8, 7, 5), ConvTranspose(6, 4, stride=2, padding=1, groups=2)),
        ((8, 7), ConvTranspose(6, 4, stride=3, output_padding=1)),
        ((784,), Linear(100)),
        ((3, 5, 16), Linear(100, bias=False)),
    ],
    ids=lambda value: str(value) if isinstance(value, tuple) else value.word,
)
def test_agrees_with_the_counter_of_torch(chain, shape, layer):
    network = chain(shape, layer)
    (ours,) = macs(network)
    assert ours == torch_macs(network.layers[0]) > 0


def test_lenet(chain):
    layers = [Conv(6, 5), ReLU(), MaxPool(2), Conv(16, 5), BatchNorm(), ReLU(), MaxPool(2), Flatten()]
    network = chain((1, 32, 32), *layers, Linear(120), ReLU(), Linear(84), ReLU(), Linear(10))
    assert [n for n in macs(network) if n] == [117_600, 240_000, 48_000, 10_080, 840]


def test_alexnet_as_torchvision_publishes_it(chain):
    """The numbers are `num_params` and `_ops` of `AlexNet_Weights.IMAGENET1K_V1.meta`."""
    convs = [(64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1)]
    layers = []
    for index, arguments in enumerate(convs):
        layers += [Conv(*arguments), ReLU()] + [MaxPool(3, 2)] * (index in (0, 1, 4))
    head = [Flatten(), Linear(4096), ReLU(), Linear(4096), ReLU(), Linear(1000)]
    network = chain((3, 224, 224), *layers, *head)
    assert network.parameters == 61_100_840
    assert round(sum(macs(network)) / 1e9, 3) == 0.714


def test_the_total_counts_shared_blocks_as_often_as_they_are_used(steps):
    blocks = "block Unit(width) { residual { conv(width, 3, padding=1), { conv(width, 1) } } }"
    body = "conv(8, 1), Unit(8)\n repeat 3 { Unit(8) }\n Unit(8), aux { Unit(8), flatten, linear(2) }"
    network = steps("3x4x4", body, blocks)
    unit = 16 * (8 * 8 * 9 + 8 * 8)
    assert total_macs(network) == sum(macs(network)) == 16 * 3 * 8 + 5 * unit


def test_side_outputs_do_not_count(steps):
    network = steps("3x4x4", "conv(2, 1), aux { conv(2, 1), { flatten, linear(10) } }, conv(1, 1)")
    assert macs(network) == (16 * 6, 0, 0, 0, 16 * 2)
