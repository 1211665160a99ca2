from __future__ import annotations

import random
from fractions import Fraction

import pytest
from seen import Seen

from cnnspec.analysis.field import WHOLE, fields
from cnnspec.layers.activation import ReLU
from cnnspec.layers.base import Refused
from cnnspec.layers.conv import Conv, ConvTranspose
from cnnspec.layers.linear import Linear
from cnnspec.layers.norm import BatchNorm
from cnnspec.layers.pool import AdaptiveAvgPool, AvgPool, MaxPool
from cnnspec.layers.resize import Upsample
from cnnspec.layers.shape import Flatten, Unflatten


def layer_fields(network):
    return fields(network).layers


@pytest.mark.parametrize(("depth", "size"), [(1, 3), (10, 21), (50, 101)])
def test_stacked_convolutions(chain, depth, size):
    last = layer_fields(chain((1, 32, 32), *[Conv(1, 3, padding=1)] * depth))[-1]
    assert (last.size, last.stride) == ((size, size), (1, 1))


def test_pools_widen_the_steps(chain):
    conv, pool = Conv(4, 3, padding=1), MaxPool(2)
    found = layer_fields(chain((1, 32, 32), conv, ReLU(), pool, conv, BatchNorm(), pool, conv))
    assert [field.size[0] for field in found] == [3, 3, 4, 8, 8, 10, 18]
    assert found[-1].stride == (4, 4)


def test_axes_are_apart(chain):
    field = layer_fields(chain((1, 32, 32), Conv(4, (3, 5), stride=(1, 2), dilation=(4, 1)), Conv(4, 3)))[-1]
    assert (field.size, field.stride) == ((11, 9), (1, 2))


def test_enlarging_gives_fractions(chain):
    found = layer_fields(chain((4, 8, 8), ConvTranspose(4, 4, stride=2, padding=1), Conv(4, 3, padding=1), MaxPool(2)))
    assert [field.size[0] for field in found] == [2, 3, 3]
    assert [len(field.axes[0].spans) for field in found] == [2, 2, 1]
    assert [field.stride[0] for field in found] == [Fraction(1, 2), Fraction(1, 2), 1]


@pytest.mark.parametrize(
    "layers",
    [
        [Flatten()],
        [Flatten(), Linear(10), ReLU()],
        [Conv(4, 3), AdaptiveAvgPool(1)],
        [Flatten(), Unflatten((64, 2, 2)), Conv(1, 2)],
    ],
    ids=lambda layers: " ".join(layer.word for layer in layers),
)
def test_everything_is_seen(chain, layers):
    assert layer_fields(chain((4, 8, 8), *layers))[-1] is WHOLE


def test_adaptive_pools_with_equal_windows(chain):
    field = layer_fields(chain((4, 8, 8), AdaptiveAvgPool(4)))[-1]
    assert (field.size, field.stride) == ((2, 2), (2, 2))


def test_adaptive_pools_with_different_windows(chain):
    field = layer_fields(chain((4, 8, 8), AdaptiveAvgPool(3)))[-1]
    assert (field.size, field.stride) == ((4, 4), (Fraction(8, 3), Fraction(8, 3)))
    assert [field.axes[0].at(place) for place in range(4)] == [(0, 2), (2, 5), (5, 7), (8, 10)]


def test_linear_on_a_map_sees_all_of_its_last_axis(chain):
    rows, columns = layer_fields(chain((4, 8, 8), Conv(4, 3, padding=1), Linear(5)))[-1].axes
    assert (rows.width, rows.stride, rows.whole) == (3, 1, False)
    assert (columns.stride, columns.whole) == (0, True)


def draw(rng):
    k, s = rng.choice([1, 2, 3, 4]), rng.choice([1, 1, 2, 3])
    return rng.choice(
        [
            Conv(1, k, stride=s, dilation=rng.choice([1, 1, 2]), bias=False),
            AvgPool(k, stride=s),
            ConvTranspose(1, k, stride=s, dilation=rng.choice([1, 1, 2]), bias=False),
            Upsample(2),
            Upsample(rng.choice([2, 3]), mode="linear"),
            Upsample(size=rng.choice([80, 120]), mode="linear", align_corners=rng.random() < 0.5),
            AdaptiveAvgPool(rng.choice([40, 64])),
        ]
    )


def measured(network):
    """The first and the last value of the input that some places in the middle depend on, by their gradients."""
    seen = Seen(network)
    last = network.layers[-1]
    middle = last.output.spatial[0] // 2
    places = range(max(middle - 12, 0), min(middle + 12, last.output.spatial[0]))
    found = {at: seen.by(last, (at,)).nonzero().flatten() for at in places}
    return {at: (int(each.min()), int(each.max())) if len(each) else None for at, each in found.items()}


def test_agrees_with_gradients(chain):
    rng, compared, fractions = random.Random(5), 0, 0
    while compared < 60:
        layers = [draw(rng) for _ in range(rng.choice([1, 2, 3, 4]))]
        try:
            network = chain((1, 240), *layers)
        except Refused:
            continue
        if not 30 <= network.output.elements <= 2000:
            continue
        compared += 1
        (axis,) = layer_fields(network)[-1].axes
        exact = measured(network)
        assert {at: axis.at(at) for at in exact} == exact, layers
        fractions += isinstance(axis.stride, Fraction)
    assert fractions > 20


# -------------------------------------------------------------------------------------------------------- branches


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("residual { conv(1, 3, padding=1), relu, conv(1, 3, padding=1) }", 5),
        ("add { | conv(1, 3, padding=1) | conv(1, 7, padding=3) | }", 7),
        ("concat { | conv(1, 1) | maxpool(5, stride=1, padding=2) }", 5),
        ("residual(when=false) { conv(1, 3, padding=1) }", 3),
        ("add { | conv(1, 1, stride=2) | conv(1, 3, stride=2, padding=1) }", 3),
        ("add { | conv(1, 3) | conv(1, 1), maxpool(3, stride=1) }, conv(1, 3)", 5),
        ("concat(split=true) { | | conv(2, 3, padding=1) }", 3),
    ],
)
def test_branches_see_what_any_of_them_sees(steps, body, size):
    assert fields(steps("2x32x32", body + ", relu")).layers[-1].size == (size, size)


def test_windows_beside_each_other_add_up(steps):
    """Neither branch sees more than 2 values, and together they see 3."""
    found = fields(steps("1x33", "add { | conv(1, 2, padding=1), conv(1, 2) | conv(1, 3, padding=1) }"))
    assert found.joins[-1].size == (3,)
    found = fields(steps("1x32", "add { | conv(1, 3, stride=2, padding=1) | avgpool(2), conv(1, 3, padding=1) }"))
    assert (found.joins[-1].offset, found.joins[-1].size, found.joins[-1].stride) == ((-2,), (6,), (2,))
    assert found.joins[-1].apart == 0.5


@pytest.mark.parametrize(
    ("body", "apart"),
    [
        ("add { | conv(1, 1, stride=2) | conv(1, 3, stride=2, padding=1) }", 0),
        ("add { | avgpool(2) | conv(1, 3, stride=2, padding=1) }, conv(1, 3, padding=1)", 0.5),
        ("add { | | pad([2, 0]), conv(1, 3) }", 1),
        ("add { | | adaptive_avgpool(1) }", 0),
        ("maxpool(2), add { | avgpool(2) | conv(1, 3, stride=2, padding=1) }", 1),
        ("residual { maxpool(2), upsample(2) }", 0.5),
    ],
)
def test_it_is_told_how_far_branches_lie_apart(steps, body, apart):
    network = steps("1x32", f"{body}, relu")
    assert fields(network).layers[-1].apart == (0 if "adaptive" in body else apart)


@pytest.mark.parametrize(
    ("body", "off"),
    [
        ("conv(1, 3, padding=1)", 0),
        ("conv(1, 5)", 0),
        ("maxpool(2)", 0),
        ("conv(1, 3, stride=2, padding=1)", -0.5),
        ("conv(1, 4, padding=same)", 0.5),
        ("conv(1, 3, stride=2, padding=1), conv(1, 3, stride=2, padding=1)", -1.5),
        ("maxpool(5)", -1),
        ("pad([2, 0]), conv(1, 3)", -1),
        ("conv(1, 1, stride=2), conv_transpose(1, 2, stride=2)", -0.5),
    ],
)
def test_it_is_told_how_far_a_map_lies_off_the_middle(steps, body, off):
    network = steps("1x32", body)
    assert fields(network).layers[-1].off_centre(network.output) == (off,)


@pytest.mark.parametrize(
    ("other", "size"),
    [
        ("pad([2, 0]), conv(1, 3)", 4),
        ("pad([-2, 2]), relu", 4),
        ("pad(2, mode=replicate), conv(1, 5)", 5),
        ("avgpool(2), upsample(2)", 3),
        ("avgpool(2), upsample(2, mode=linear)", 4),
        ("avgpool(4), upsample(4, mode=linear)", 8),
    ],
)
def test_places_count(steps, other, size):
    network = steps("1x96", f"add {{ | conv(1, 3, padding=1) | {other} }}")
    (axis,) = fields(network).joins[-1].axes
    assert axis.width == size
    exact = measured(steps("1x96", f"add {{ | conv(1, 3, padding=1) | {other} }}, relu"))
    assert {at: axis.at(at) for at in exact} == exact


@pytest.mark.parametrize(
    "body",
    [
        "multiply { | | adaptive_avgpool(1), conv(4, 1), sigmoid }",
        "add { | | adaptive_avgpool(1) }",
        "add { | | flatten, linear(256), unflatten([4, 8, 8]) }",
    ],
)
def test_everything_is_seen_where_one_branch_sees_it(steps, body):
    assert fields(steps("4x8x8", body)).joins[-1] is WHOLE


def test_steps_that_differ_are_listed(steps):
    network = steps("1x8", "add { | avgpool(2) | maxpool(3, stride=1), conv(1, 3) }, conv(1, 2)")
    (axis,) = fields(network).joins[0].axes
    assert axis.spans == ((0, 4), (1, 5), (2, 6), (3, 7))
    (axis,) = fields(network).layers[-1].axes
    assert (axis.stride, axis.width, axis.at(2), axis.at(3)) == (None, 6, (2, 7), None)


def test_steps_that_come_together_again(steps):
    """As in a U-Net: down and up again beside a path that stays."""
    found = fields(steps("1x32", "add { | conv(1, 3, padding=1) | maxpool(2), conv_transpose(1, 2, stride=2) }"))
    assert (found.joins[0].size, found.joins[0].stride) == ((3,), (1,))


def test_side_outputs_do_not_change_what_comes_behind_them(steps):
    found = fields(steps("1x8x8", "conv(1, 3), aux { flatten, linear(2) }, conv(1, 3)"))
    assert [field.whole for field in found.layers] == [False, True, True, False]
    assert found.layers[-1].size == (5, 5)


SAME = ["", "conv(1, 3, padding=1)", "conv(1, 5, padding=2)", "conv(1, 3, dilation=2, padding=2)", "conv(1, 1)"]
HALF = [
    "conv(1, 3, stride=2, padding=1)",
    "conv(1, 1, stride=2)",
    "avgpool(2)",
    "conv(1, 4, stride=2, padding=1)",
    "conv(1, 2, stride=2)",
]


def draw_branch(rng, halved):
    steps = [rng.choice(SAME) for _ in range(rng.choice([0, 1, 2]))]
    if halved:
        steps.insert(rng.randrange(len(steps) + 1), rng.choice(HALF))
    if rng.random() < 0.3:
        steps.append(draw_join(rng, halved=False))
    return ", ".join(filter(None, steps))


def draw_join(rng, halved):
    branches = [draw_branch(rng, halved) for _ in range(rng.choice([2, 2, 3]))]
    if not halved and rng.random() < 0.3 and branches[0]:
        return f"residual {{ {branches[0]} }}"
    return f"add {{ {' '.join('| ' + branch for branch in branches)} }}"


def test_branches_agree_with_gradients(steps):
    rng, sizes = random.Random(7), set()
    for _ in range(60):
        body = ", ".join(draw_join(rng, halved=rng.random() < 0.5) for _ in range(rng.choice([1, 2, 3])))
        network = steps("1x640", body + ", conv(1, 1)")
        (axis,) = fields(network).layers[-1].axes
        exact = measured(network)
        assert {at: axis.at(at) for at in exact} == exact, body
        sizes.add(axis.width)
    assert len(sizes) > 15
