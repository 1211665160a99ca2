"""Maps with the channels last: what a layer does to them is what it does with the channels first."""

from __future__ import annotations

import pytest
import torch
from cases import made, read_case

from cnnspec.layers.base import Layer, Refused, Shape

ACT_ON_CHANNELS = """
relu @ 6x4x5
scale(0.5) @ 6x4x5
glu @ 6x4x5
softmax @ 6x4x5
log_softmax @ 6x4
layernorm(over=channels) @ 6x4x5
layernorm(over=channels, eps=0.1) @ 6x4
layernorm(over=channels) @ 6x4x5x3
prelu @ 6x4x5
dropout @ 6x4x5
stochastic_depth(0.3) @ 6x4x5
identity @ 6x4x5
""".strip().splitlines()


def result(layer: Layer, x: Shape, values: torch.Tensor) -> torch.Tensor:
    module = made(layer.torch(x)).eval()
    with torch.no_grad():
        for number, weight in enumerate(module.parameters()):
            channels = torch.linspace(0.5, 1.5, weight.numel()) + number
            weight.copy_(channels.view(weight.shape))
        return module(values)  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", ACT_ON_CHANNELS)
def test_same_values_in_both_layouts(case: str) -> None:
    layer, first = read_case(case)
    last = read_case(f"channels_last, {case}")[1]
    assert last == Shape((*first.spatial, first.channels), channels_last=True)
    values = torch.randn(2, *first.sizes, generator=torch.Generator().manual_seed(0))
    expected = result(layer, first, values)
    assert torch.allclose(result(layer, last, values.movedim(1, -1)).movedim(-1, 1), expected)
    out = layer.output(last)
    assert out.channels_last
    assert (out.channels, *out.spatial) == layer.output(first).sizes == expected.shape[1:]


def test_back_and_forth_changes_nothing() -> None:
    for sizes in ((6, 4), (6, 4, 5), (6, 4, 5, 3)):
        case = f"channels_last, channels_first @ {'x'.join(map(str, sizes))}"
        back, there = read_case(case)
        forth = read_case(case.replace(", channels_first", ""))[0]
        values = torch.randn(2, *sizes)
        assert torch.equal(result(back, there, result(forth, Shape(sizes), values)), values)
        assert back.output(there) == Shape(sizes)


def test_shape_knows_its_layout() -> None:
    first, last = Shape((96, 56, 28)), Shape((56, 28, 96), channels_last=True)
    assert (last.channels, last.spatial, last.rank, last.elements) == (96, (56, 28), 2, first.elements)
    assert (str(first), str(last), last.written) == ("96x56x28", "56x28x96 (channels last)", "56x28x96")
    assert last != Shape((56, 28, 96))
    assert last.with_channels(8) == Shape((56, 28, 8), channels_last=True)
    assert first.with_channels(8) == Shape((8, 56, 28))
    assert first == Shape((96, 56, 28), False) == first.replace(channels_last=False)
    assert hash(first) == hash(Shape((96, 56, 28)))


def test_linear_acts_on_the_channels_of_each_position() -> None:
    layer, x = read_case("channels_last, linear(32) @ 8x5x7")
    assert layer.output(x) == Shape((5, 7, 32), channels_last=True)
    window = layer.window(x)
    assert window is not None
    assert window.kernel == (1, 1)
    assert layer.window(Shape((8, 5, 7))) is None


@pytest.mark.parametrize("call", ["conv(8, 3)", "maxpool(2)", "batchnorm", "groupnorm(2)", "channel_dropout", "pad(1)"])
def test_help_says_what_to_put_before(call: str) -> None:
    layer, x = read_case(f"channels_last, {call} @ 8x5x7")
    with pytest.raises(Refused) as caught:
        layer.output(x)
    assert caught.value.help == f"put channels_first before {layer.word}"
    layer, x = read_case(f"channels_last, channels_first, {call} @ 8x5x7")
    layer.output(x)


def test_layernorm_names_the_readings_there_are() -> None:
    for case, readings in (
        ("layernorm @ 8x5x7", ["channels", "last", "all"]),
        ("channels_last, layernorm @ 8x5x7", ["channels", "all"]),
    ):
        layer, x = read_case(case)
        with pytest.raises(Refused) as caught:
            layer.output(x)
        assert [name for name in ("channels", "last", "all") if f"over={name}" in caught.value.help] == readings
