"""What is refused, and in which words."""

from __future__ import annotations

import pytest
from cases import read_case

from cnnspec.diagnostics.codes import CODES
from cnnspec.layers import LAYERS
from cnnspec.layers.base import Refused, Shape

REFUSED = [
    ("conv(16, 5) @ 3x3x3", "E303", "kernel", "conv slides a 5x5 window over a map of only 3x3", "3 - 5 + 1 = -1"),
    ("conv(16, 7, padding=1) @ 3x4x4", "E303", "kernel", "of only 4x4 (6x6 with its padding)", "4 + 2*1 - 7 + 1 = 0"),
    ("conv(16, 3) @ 2048", "E302", None, "conv needs a map, but 2048 features arrive", ""),
    ("conv(16, 3) @ 3x4x4x4x4", "E302", None, "has 4", ""),
    ("conv(16, 3x3x3) @ 3x8x8", "E302", "kernel", "has 3 numbers, but the map 3x8x8 has 2 axes", ""),
    ("conv(16, [3]) @ 3x8x8", "E302", "kernel", "has 1 number, but the map 3x8x8 has 2 axes", ""),
    ("conv(16, 3, groups=2) @ 3x8x8", "E304", "groups", "3 incoming channels into 2 equal groups", "3 = 2*1 + 1"),
    ("conv(16, 3, groups=3) @ 3x8x8", "E304", "out", "16 outgoing channels into 3 equal groups", "16 = 3*5 + 1"),
    ("conv(16, 3, stride=2, padding=same) @ 3x8x8", "E307", "stride", "only at stride 1", ""),
    ("conv(16, 3, padding=8, padding_mode=reflect) @ 3x8x8", "E307", "padding", "only a size of 8", ""),
    ("conv_transpose(8, 3, output_padding=1) @ 3x4x4", "E307", "output_padding", "not smaller than its stride 1", ""),
    ("conv_transpose(8, 3, padding=3) @ 3x2x2", "E303", "padding", "leaves nothing", "2 - 1 + 3 - 2*3 = -2"),
    ("maxpool(2) @ 128x1x1", "E303", "kernel", "2x2 window over a map of only 1x1", "(1 - 2) // 2 + 1 = 0"),
    ("maxpool(2, padding=2) @ 8x8x8", "E307", "padding", "more than half of its kernel", "2 // 2 = 1"),
    ("avgpool(5, padding=2) @ 4x3x9x9", "E303", "kernel", "before its padding", ""),
    ("instancenorm @ 3x1x1", "E307", None, "one value per channel", ""),
    ("groupnorm(3) @ 8x4x4", "E304", "groups", "8 channels into 3", "8 = 3*2 + 2"),
    ("groupnorm(8) @ 8", "E307", "groups", "have one value each", "8 / 8 = 1"),
    ("layernorm @ 8x4x4", "E203", None, "is not told what to normalise over", ""),
    ("layernorm(over=channels) @ 8x4x4x4x4", "E302", None, "has 4", ""),
    ("channels_last @ 8", "E302", None, "needs a map, but 8 features arrive", ""),
    ("channels_first @ 8", "E302", None, "needs a map, but 8 features arrive", ""),
    ("channels_last, channels_last @ 8x4x4", "E307", None, "4x4x8 (channels last) already stand last", ""),
    ("channels_first @ 8x4x4", "E307", None, "the channels of 8x4x4 already stand first", ""),
    ("channels_last, conv(8, 3) @ 8x4x5", "E307", None, "channels first, but 4x5x8 (channels last) arrives", ""),
    ("channels_last, batchnorm @ 8x4x4", "E307", None, "needs the channels first", ""),
    ("channels_last, prelu(8) @ 8x8x8", "E307", None, "needs the channels first", ""),
    ("channels_last, glu @ 7x4x4", "E304", None, "7 channels into 2", "7 = 2*3 + 1"),
    ("channel_dropout @ 10", "E302", None, "needs a map", ""),
    ("unflatten(128x4x4) @ 2000", "E307", "shape", "2048 values into 128x4x4, but 2000 arrive", "128 * 4 * 4 = 2048"),
    ("unflatten(3x1) @ 3x3x3", "E302", None, "is a map", ""),
    ("prelu(8) @ 16x3x3", "E307", "count", "8 slopes for 16 channels", ""),
    ("glu @ 7x3x3", "E304", None, "7 channels into 2", "7 = 2*3 + 1"),
    ("pad(-4) @ 3x8x8", "E303", "amount", "crops away all of a size of 8", "8 - 8 = 0"),
    ("pad([1, 2]) @ 3x8x8", "E302", "amount", "2 amounts, but the map 3x8x8 has 4 sides", ""),
    ("pad(1, mode=reflect, value=2) @ 3x8x8", "E307", "value", "at the same time", ""),
    ("upsample @ 3x8x8", "E203", None, "neither a factor nor a size", ""),
    ("upsample(2, 4) @ 3x8x8", "E205", None, "a factor and a size", ""),
    ("upsample(1.5) @ 3x8x7", "E307", "factor", "by a factor of 1.5 makes no whole size of 7", "7 * 1.5 = 10.5"),
    ("upsample(0.1) @ 3x8x8", "E307", "factor", "no whole size of 8", "8 * 0.1 = 0.8"),
    ("upsample([2, 2, 2]) @ 3x8x8", "E302", "factor", "has 3 numbers", ""),
    ("lp_pool(2, 3) @ 4x2x2", "E303", "kernel", "3x3 window over a map of only 2x2", "(2 - 3) // 3 + 1 = 0"),
    ("lp_pool(2, 3, ceil=true) @ 4x2x2x2", "E303", "kernel", "lp_pool has a 3x3x3 kernel", ""),
    ("rrelu(0.5, 0.1) @ 3x8x8", "E307", "upper", "an upper slope of 0.1, below its lower of 0.5", ""),
    ("rmsnorm @ 3x8x8", "E203", None, "is not told what to normalise over", ""),
    ("rmsnorm(over=channels) @ 3x8x8", "E307", "over", "the channels of 3x8x8 stand first", ""),
    ("feature_alpha_dropout @ 3", "E302", None, "needs a map", ""),
    ("upsample(2, mode=linear) @ 3x8x8", "E302", "mode", "has 2 axes", ""),
    ("pixel_shuffle(2) @ 8x8", "E302", None, "takes maps of two axes", ""),
]


@pytest.mark.parametrize(("case", "code", "argument", "message", "why"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(case: str, code: str, argument: str | None, message: str, why: str) -> None:
    layer, x = read_case(case)
    with pytest.raises(Refused) as caught:
        layer.output(x)
    fault = caught.value
    assert (fault.code, fault.argument, fault.why) == (code, argument, why)
    assert message in fault.message
    assert code in CODES
    assert argument is None or argument in layer.parameters()


@pytest.mark.parametrize(
    ("case", "helps"),
    [
        ("conv(16, 5) @ 3x3x3", ["conv(16, 3) @ 3x3x3", "conv(16, 5, padding=1) @ 3x3x3"]),
        ("conv(16, 7, padding=1) @ 3x4x4", ["conv(16, 6, padding=1) @ 3x4x4", "conv(16, 7, padding=2) @ 3x4x4"]),
        (
            "conv(16, 3, dilation=4) @ 3x7x7",
            ["conv(16, 2, dilation=4) @ 3x7x7", "conv(16, 3, dilation=4, padding=1) @ 3x7x7"],
        ),
    ],
)
def test_what_help_proposes_is_accepted(case: str, helps: list[str]) -> None:
    layer, x = read_case(case)
    with pytest.raises(Refused) as caught:
        layer.output(x)
    for mended in helps:
        layer, x = read_case(mended)
        layer.output(x)
        assert (
            f"kernel of at most {layer.kernel} fits" in caught.value.help
            or f"padding={layer.padding}" in caught.value.help
        )


@pytest.mark.parametrize("word", ["conv", "maxpool", "avgpool", "adaptive_avgpool", "pad", "batchnorm", "upsample"])
def test_maps_have_at_most_three_axes(word: str) -> None:
    layer = read_case(LAYERS[word].example)[0]
    with pytest.raises(Refused, match="has 4"):
        layer.output(Shape((4, 8, 8, 8, 8)))


def test_claims_are_compared_with_what_arrives() -> None:
    assert LAYERS["linear"](10).incoming(Shape((3, 5, 7))) == 7
    assert LAYERS["conv"](10, 3).incoming(Shape((3, 5, 7))) == 3
    assert {word for word, layer in LAYERS.items() if layer.claims} == {"conv", "conv_transpose", "linear"}
