"""The PyTorch a layer becomes is what a teacher would write."""

from __future__ import annotations

import pytest
from cases import read_case

CALLS = """
conv(32, 3, padding=1) @ 3x32x32 -> nn.Conv2d(3, 32, 3, padding=1)
conv(32, 3x5, stride=[2, 1], bias=false) @ 3x32x32 -> nn.Conv2d(3, 32, (3, 5), stride=(2, 1), bias=False)
conv(32, 3, stride=1, padding=0, groups=1, bias=true) @ 3x32x32 -> nn.Conv2d(3, 32, 3)
conv(8, 3, padding=same, dilation=2) @ 8x9 -> nn.Conv1d(8, 8, 3, padding='same', dilation=2)
conv(8, 3, padding=1, padding_mode=reflect) @ 8x9 -> nn.Conv1d(8, 8, 3, padding=1, padding_mode='reflect')
conv(6, 1, groups=3) @ 3x4x4x4 -> nn.Conv3d(3, 6, 1, groups=3)
conv_transpose(8, 3, 2, output_padding=1) @ 16x4x4 -> nn.ConvTranspose2d(16, 8, 3, stride=2, output_padding=1)
maxpool(2) @ 8x8x8 -> nn.MaxPool2d(2)
maxpool(2, stride=2) @ 8x8x8 -> nn.MaxPool2d(2)
maxpool(3, 2, padding=1, ceil=true) @ 8x9 -> nn.MaxPool1d(3, stride=2, padding=1, ceil_mode=True)
avgpool(3, 1, count_include_pad=false) @ 8x9x9 -> nn.AvgPool2d(3, stride=1, count_include_pad=False)
lp_pool(2, 3) @ 8x9x9 -> nn.LPPool2d(2.0, 3)
lp_pool(2, [3], ceil=true) @ 8x9 -> nn.LPPool1d(2.0, 3, ceil_mode=True)
lp_pool(1.5, 3x2, stride=2) @ 8x9x9 -> nn.LPPool2d(1.5, (3, 2), stride=2)
adaptive_avgpool(1) @ 8x7x7 -> nn.AdaptiveAvgPool2d(1)
adaptive_maxpool(7x5) @ 8x14x14 -> nn.AdaptiveMaxPool2d((7, 5))
batchnorm @ 64 -> nn.BatchNorm1d(64)
batchnorm @ 64x9 -> nn.BatchNorm1d(64)
batchnorm(eps=0.001, momentum=0.01) @ 64x9x9 -> nn.BatchNorm2d(64, eps=0.001, momentum=0.01)
batchnorm(momentum=none) @ 64x9x9 -> nn.BatchNorm2d(64, momentum=None)
batchnorm(affine=false) @ 64x9x9x9 -> nn.BatchNorm3d(64, affine=False)
instancenorm(affine=true) @ 64x9x9 -> nn.InstanceNorm2d(64, affine=True)
groupnorm(8) @ 64x9x9 -> nn.GroupNorm(8, 64)
layernorm @ 64 -> nn.LayerNorm(64)
layernorm(over=last, eps=1e-6) @ 64x9x7 -> nn.LayerNorm(7, eps=1e-06)
layernorm(over=all) @ 64x9x7 -> nn.LayerNorm((64, 9, 7))
layernorm(over=channels, eps=1e-6) @ 64x9x7 -> LayerNorm2d(64, eps=1e-06)
layernorm(over=channels) @ 64x9 -> LayerNorm1d(64)
layernorm(over=channels) @ 64 -> nn.LayerNorm(64)
channels_last, layernorm(over=channels) @ 64x9x7 -> nn.LayerNorm(64)
channels_last, layernorm(over=last) @ 64x9x7 -> nn.LayerNorm(64)
channels_last, layernorm(over=all) @ 64x9x7 -> nn.LayerNorm((9, 7, 64))
layernorm(over=last, bias=false) @ 64x9x7 -> nn.LayerNorm(7, bias=False)
layernorm(over=channels, affine=false) @ 64x9x7 -> LayerNorm2d(64, elementwise_affine=False)
rmsnorm @ 64 -> nn.RMSNorm(64)
channels_last, rmsnorm(over=channels, eps=1e-6) @ 64x9 -> nn.RMSNorm(64, eps=1e-06)
rmsnorm(over=all, affine=false) @ 64x9 -> nn.RMSNorm((64, 9), elementwise_affine=False)
scale @ 64x9x7 -> nn.Parameter(torch.full((64, 1, 1), 1.0))
scale(1e-6) @ 64 -> nn.Parameter(torch.full((64,), 1e-06))
channels_last, scale @ 64x9x7 -> nn.Parameter(torch.full((64,), 1.0))
stochastic_depth(0.2) @ 64x9x7 -> StochasticDepth(0.2)
stochastic_depth(0.2, mode=batch) @ 64x9x7 -> StochasticDepth(0.2, mode='batch')
channels_last @ 3x8x9 -> Permute((0, 2, 3, 1))
channels_last @ 3x8 -> Permute((0, 2, 1))
channels_last, channels_first @ 3x8x9x7 -> Permute((0, 4, 1, 2, 3))
local_response_norm(5, k=2) @ 64x9x9 -> nn.LocalResponseNorm(5, k=2.0)
linear(10) @ 256 -> nn.Linear(256, 10)
linear(10, bias=false) @ 3x256 -> nn.Linear(256, 10, bias=False)
channels_last, linear(10) @ 64x9x7 -> nn.Linear(64, 10)
channels_last, softmax @ 8x4x5 -> nn.Softmax(dim=-1)
channels_last, glu @ 8x4x5 -> nn.GLU(dim=-1)
flatten @ 3x4x4 -> nn.Flatten()
unflatten(3x4x4) @ 48 -> nn.Unflatten(1, (3, 4, 4))
dropout @ 256 -> nn.Dropout(0.5)
channel_dropout(0.1) @ 8x4x4 -> nn.Dropout2d(0.1)
alpha_dropout(0.1) @ 8 -> nn.AlphaDropout(0.1)
feature_alpha_dropout(0.1) @ 8x4x4 -> nn.FeatureAlphaDropout(0.1)
relu @ 8 -> nn.ReLU()
leaky_relu(0.2) @ 8 -> nn.LeakyReLU(negative_slope=0.2)
prelu(8) @ 8x4x4 -> nn.PReLU(num_parameters=8)
prelu(init=0.1) @ 8x4x4 -> nn.PReLU(init=0.1)
rrelu @ 8x4x4 -> nn.RReLU()
rrelu(0.2, 0.4) @ 8x4x4 -> nn.RReLU(lower=0.2, upper=0.4)
gelu @ 8 -> nn.GELU()
gelu(approximate=tanh) @ 8 -> nn.GELU(approximate='tanh')
hardtanh(0, 6) @ 8 -> nn.Hardtanh(min_val=0.0, max_val=6.0)
softmax @ 8x4x4 -> nn.Softmax(dim=1)
softmin(axis=last) @ 8x4x4 -> nn.Softmin(dim=-1)
log_softmax(axis=last) @ 8x4x4 -> nn.LogSoftmax(dim=-1)
pad(1) @ 8x4x4 -> nn.ZeroPad2d(1)
pad([1, 2], value=0.5) @ 8x4 -> nn.ConstantPad1d((1, 2), 0.5)
pad(1, mode=replicate) @ 8x4x4 -> nn.ReplicationPad2d(1)
upsample(2) @ 8x4x4 -> nn.Upsample(scale_factor=2)
upsample(1.5) @ 8x4x4 -> nn.Upsample(scale_factor=1.5)
upsample([2.0, 0.5], mode=bilinear) @ 8x4x4 -> nn.Upsample(mode='bilinear', scale_factor=(2, 0.5))
upsample(size=7, mode=bilinear, align_corners=true) @ 8x4x4 -> nn.Upsample(size=7, mode='bilinear', align_corners=True)
"""


@pytest.mark.parametrize("line", CALLS.strip().splitlines())
def test_call(line: str) -> None:
    case, _, expected = line.partition(" -> ")
    layer, x = read_case(case)
    call = layer.torch(x)
    assert str(call) == expected


def test_dilation_of_one_is_no_argument() -> None:
    layer, x = read_case("conv(8, 3, dilation=1) @ 3x8x8")
    assert not layer.torch(x).kwargs


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("conv(8, 5) @ 1x28x28", "28 - 5 + 1 = 24"),
        ("conv(8, 3, padding=1) @ 1x28x28", "28 + 2*1 - 3 + 1 = 28"),
        ("conv(8, 3, stride=2, padding=1) @ 1x28x28", "(28 + 2*1 - 3) // 2 + 1 = 14"),
        ("conv(8, 3, dilation=2) @ 1x28x20", "28 - (2*(3 - 1) + 1) + 1 = 24, 20 - (2*(3 - 1) + 1) + 1 = 16"),
        ("conv(8, 4, padding=same) @ 1x28x28", "28 + 1 + 2 - 4 + 1 = 28"),
        ("conv(8, 1) @ 1x28x28", ""),
        ("maxpool(2) @ 8x24x24", "(24 - 2) // 2 + 1 = 12"),
        ("maxpool(2, ceil=true) @ 8x7x7", "ceil((7 - 2) / 2) + 1 = 4"),
        (
            "maxpool(2, stride=3, padding=1, ceil=true) @ 8x5x5",
            "ceil((5 + 2*1 - 2) / 3) + 1 = 3, less 1 that begins beyond the input = 2",
        ),
        ("conv_transpose(8, 4, stride=2, padding=1) @ 1x7x7", "(7 - 1)*2 + 4 - 2*1 = 14"),
        ("conv_transpose(8, 3, stride=2, output_padding=1) @ 1x7", "(7 - 1)*2 + 3 + 1 = 16"),
        ("flatten @ 16x5x5", "16 * 5 * 5 = 400"),
        ("flatten @ 400", ""),
        ("relu @ 400", ""),
    ],
)
def test_arithmetic(case: str, expected: str) -> None:
    layer, x = read_case(case)
    assert layer.arithmetic(x) == expected
    if expected:
        assert expected.endswith(f"= {layer.output(x).sizes[-1]}")
