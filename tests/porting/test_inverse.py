"""Every layer of the registry is found again from the module that it becomes."""

from __future__ import annotations

import pytest
import torch
from cases import made, read_case
from torch import nn

from cnnspec.layers import LAYERS
from cnnspec.layers.base import Shape
from cnnspec.porting.inverse import is_known, layer_of, table

CALLS = """
conv(16, 3) @ 3x32x32; conv(16, 3x5, stride=2, padding=[0, 2], bias=false) @ 3x32x32; conv(12, 3, groups=3) @ 3x32x32
conv(8, 3, padding=same) @ 3x32; conv(8, 3, padding=1, padding_mode=circular) @ 2x8x8x8; conv(4, 3, dilation=2) @ 3x9x9
conv_transpose(8, 3, stride=2, padding=1, output_padding=1) @ 4x8x8; linear(10, bias=false) @ 512
maxpool(3, stride=2, padding=1, ceil=true) @ 4x9x9; maxpool(2, stride=1) @ 4x9; maxpool(2x3) @ 4x9x9
avgpool(3, stride=1, padding=1, count_include_pad=false) @ 4x9x9; lp_pool(2, 3, stride=2) @ 4x9x9
adaptive_avgpool(3x2) @ 4x9x9; adaptive_maxpool(1) @ 4x9
batchnorm(eps=0.001, momentum=0.01) @ 4x9x9; batchnorm(affine=false) @ 16; batchnorm(momentum=none) @ 4x9
instancenorm(affine=true) @ 4x9x9; groupnorm(2, eps=0.1) @ 4x9x9; layernorm @ 16; layernorm(over=all) @ 4x9x9
layernorm(over=channels, eps=1e-6) @ 4x9x9; layernorm(over=last, bias=false) @ 4x9x9; rmsnorm(over=last) @ 4x9
local_response_norm(5, alpha=0.1, k=2) @ 8x9x9; prelu(4, init=0.1) @ 4x9x9; prelu @ 16
leaky_relu(0.2) @ 4; elu(alpha=0.5) @ 4; softplus(beta=2, threshold=10) @ 4; hardtanh(0, 6) @ 4; threshold(0.1, 20) @ 4
gelu(approximate=tanh) @ 4; rrelu(0.1, 0.3) @ 4; softmax @ 4x9x9; softmax(axis=last) @ 4x9x9; log_softmax @ 10
dropout(0.2) @ 4; channel_dropout(0.2) @ 4x9x9; channel_dropout(0.2) @ 4x9; feature_alpha_dropout(0.3) @ 4x9x9
stochastic_depth(0.1, mode=batch) @ 4x9x9; unflatten(128x4x4) @ 2048; unflatten(1x1) @ 1
pad(1) @ 4x9x9; pad([1, 2, 0, 1], mode=reflect) @ 4x9x9; pad(1, value=3) @ 4x9; pad(2, mode=circular) @ 4x9x9
upsample(2) @ 4x9x9; upsample(size=12x7, mode=bilinear) @ 4x9x9; upsample(1.5, mode=linear) @ 4x8
upsample(2, mode=bicubic, align_corners=true) @ 4x9x9; pixel_shuffle(2) @ 8x9x9; channel_shuffle(4) @ 8x9x9
channels_last, channels_first @ 4x9x9; channels_last @ 4x9x9x9
"""
CASES = [call.strip() for line in CALLS.strip().splitlines() for call in line.split(";")]
EXAMPLES = [layer.example for layer in LAYERS.values() if not layer.bare]


@pytest.mark.parametrize("case", [*EXAMPLES, *CASES])
def test_found_again(case: str) -> None:
    layer, x = read_case(case)
    with torch.device("meta"):
        module = made(layer.torch(x))
    assert is_known(module)
    found = layer_of(module, x)
    assert found is not None
    assert found.output(x) == layer.output(x)
    assert str(found.torch(x)) == str(layer.torch(x))


def test_every_layer_that_is_a_module_has_an_entry() -> None:
    words = {entry.layer.word for entries in table().values() for entry in entries}
    assert words == {word for word, layer in LAYERS.items() if not layer.bare}


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (nn.Flatten(0), (4, 9, 9)),
        (nn.Flatten(2), (4, 9, 9)),
        (nn.BatchNorm2d(4, track_running_stats=False), (4, 9, 9)),
        (nn.InstanceNorm2d(4, track_running_stats=True), (4, 9, 9)),
        (nn.Softmax(dim=2), (4, 9, 9)),
        (nn.AdaptiveAvgPool2d((None, 3)), (4, 9, 9)),
        (nn.Conv2d(5, 8, 3), (4, 9, 9)),
        (nn.AvgPool2d(2, divisor_override=3), (4, 9, 9)),
        (nn.MaxPool2d(2, return_indices=True), (4, 9, 9)),
        (nn.LayerNorm((9, 9)), (4, 9, 9)),
    ],
    ids=str,
)
def test_what_says_something_else_is_not_taken_for_it(module: nn.Module, x: tuple[int, ...]) -> None:
    found = layer_of(module, Shape(x))
    if isinstance(module, nn.AdaptiveAvgPool2d):
        assert str(found) == "adaptive_avgpool(size=?x3)"
    else:
        assert found is None
