"""What the constructors of emitted classes take."""

from __future__ import annotations

import inspect

import pytest
import torch
from random_specs import networks
from running import run
from torch import nn

from cnnspec.building import build_module
from cnnspec.emission import emit
from cnnspec.network import Network, load
from cnnspec.source import Source


def lines(text: str) -> list[str]:
    """The lines of the emitted source without comments."""
    return [line.partition("  #")[0].strip() for line in emit(load(Source("net.cnn", text))).splitlines()]


def test_what_differs_between_uses_becomes_an_argument() -> None:
    found = lines("""
        block Pair(width, kernel=3) { conv(width, kernel, padding=kernel // 2), conv(2 * width, 1), batchnorm }
        model Net { input 3x32x32
          Pair(8)
          Pair(16, kernel=5)
        }""")
    assert "def __init__(self, in_channels: int, width: int, kernel: int = 3):" in found
    assert "nn.Conv2d(in_channels, width, kernel, padding=kernel // 2)," in found
    assert "nn.Conv2d(width, 2 * width, 1)," in found
    assert "nn.BatchNorm2d(2 * width)," in found
    assert "Pair(3, 8)," in found
    assert "Pair(16, 16, kernel=5)," in found


def test_a_sum_that_holds_by_chance_is_not_taken() -> None:
    """The padding is an eighth of the width here, but the spec says half of the kernel."""
    found = lines("""
        block B(width, kernel) { conv(width, kernel, padding=kernel // 2), conv(width + kernel, 1) }
        model Net { input 8x32x32
          B(8, 3)
          B(16, 5)
        }""")
    assert "nn.Conv2d(in_channels, width, kernel, padding=kernel // 2)," in found
    assert "nn.Conv2d(width, width + kernel, 1)," in found
    assert "B(11, 16, 5)," in found


def test_sums_keep_their_brackets() -> None:
    found = lines("""
        block B(w) { conv(2 * (w - 1), 1), conv(w - (w - 2), 1), conv(w - (9 - w), 1), batchnorm }
        model Net { input 3x4x4
          B(9), B(7)
        }""")
    assert "nn.Conv2d(in_channels, 2 * (w - 1), 1)," in found
    assert "nn.Conv2d(2 * (w - 1), 2, 1)," in found
    assert "nn.Conv2d(2, w - (9 - w), 1)," in found
    assert "nn.BatchNorm2d(w - (9 - w))," in found


def test_choices_are_made_in_the_constructor() -> None:
    found = lines("""
        block Reduce(width, wide=false) { conv(width * 2 if wide else width, 3), batchnorm, conv(width, 1) }
        model Reducer(width=16) { input 3x64x64
          Reduce(width), Reduce(2 * width, wide=true)
          conv(4, 1)
        }""")
    assert "def __init__(self, in_channels: int, width: int, wide: bool = False):" in found
    assert "nn.Conv2d(in_channels, width * 2 if wide else width, 3)," in found
    assert "nn.BatchNorm2d(width * 2 if wide else width)," in found
    assert "nn.Conv2d(width * 2 if wide else width, width, 1)," in found
    assert "Reduce(width, 2 * width, wide=True)," in found
    assert "nn.Conv2d(2 * width, 4, 1)," in found


def test_an_item_as_an_operand() -> None:
    found = lines("block B(w) { conv(w[0], 1), glu, batchnorm }\nmodel Net { input 3x8x8\n B([8, 1]), B([4, 2])\n}")
    assert "nn.BatchNorm2d(w[0] // 2)," in found


def test_a_choice_that_is_settled_is_not_shown() -> None:
    found = lines("""
        block Inner(w, wide=false) { conv(w * 2 if wide else w + 1, 1), batchnorm }
        block Outer(w, v) { Inner(w + v, true), batchnorm, Inner(v), batchnorm }
        model Net { input 3x8x8
          Outer(4, 5), Outer(6, 8)
        }""")
    assert "nn.BatchNorm2d((w + v) * 2)," in found
    assert "nn.BatchNorm2d(v + 1)," in found


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("w[0]", "w[0]"),
        ("w[0] + w[-1]", "w[0] + w[-1]"),
        ("[8, 16, 4][w[1]]", "(8, 16, 4)[w[1]]"),
        ("(w[0] + 4) / 2", "(w[0] + 4) // 2"),
        ("-(2 - w[0])", "-(2 - w[0])"),
        ("2 * 8 if w[0] > 4 and not w[1] == 2 else 3", "16 if w[0] > 4 and (not w[1] == 2) else 3"),
    ],
)
def test_expressions(expression: str, shown: str) -> None:
    found = lines(
        f"block B(w) {{ conv({expression}, 1), batchnorm }}\nmodel Net {{ input 3x8x8\n B([8, 1]), B([4, 2])\n}}"
    )
    assert f"nn.Conv2d(in_channels, {shown}, 1)," in found
    assert f"nn.BatchNorm2d({shown})," in found


def test_a_size_that_is_long_to_say_gets_a_name() -> None:
    long = " + ".join(["w * w"] * 9)
    found = lines(f"block B(w) {{ conv({long}, 1), batchnorm }}\nmodel Net {{ input 3x8x8\n B(1), B(2)\n}}")
    assert "def __init__(self, in_channels: int, out_channels: int):" in found
    assert "nn.Conv2d(in_channels, out_channels, 1)," in found
    assert "nn.BatchNorm2d(out_channels)," in found
    assert "B(9, out_channels=36)," in found


def test_what_python_computes_otherwise_gets_a_name() -> None:
    """In Python 3 * 0.1 is not 0.3."""
    found = lines("block B(rate) { dropout(rate * 3) }\nmodel Net { input 8\n B(0.1), B(0.2)\n}")
    assert "def __init__(self, p: float):" in found
    assert "B(p=0.3)," in found


def test_names_that_layers_know_are_texts() -> None:
    found = lines("""
        block B(how, k) { conv(4, k, padding=same if k > 1 else 0, padding_mode=how) }
        model Net { input 3x8x8
          B(circular, 3), B(zeros, 1)
        }""")
    assert "nn.Conv2d(in_channels, 4, k, padding=padding, padding_mode=how)," in found
    assert 'B(3, "circular", 3, padding="same"),' in found


def test_what_agrees_stays_a_number() -> None:
    found = lines("block B(w, k=3) { conv(w, k, padding=1), relu }\nmodel Net { input 8x9x9\n B(8)\n B(8)\n}")
    assert "def __init__(self):" in found
    assert "nn.Conv2d(8, 8, 3, padding=1)," in found
    assert found.count("B(),") == 2


def test_the_size_that_arrives_is_not_read_into_the_width() -> None:
    """32 -> 64 -> 128: the incoming channels are half the width here, and only here."""
    found = lines("block B(w) { conv(w, 3, padding=1), relu }\nmodel Net { input 32x9x9\n B(64)\n B(128)\n}")
    assert "nn.Conv2d(in_channels, w, 3, padding=1)," in found


def test_a_size_that_no_parameter_gives_gets_a_name() -> None:
    found = lines(
        "block Head(w) { flatten, linear(w), unflatten(1x4x4) }\nmodel Net { input 3x5x5\n Head(16)\n Head(16)\n}"
    )
    assert "def __init__(self, in_features: int):" in found
    assert "Head(in_features=75)," in found


def test_features_that_arrive_are_called_features() -> None:
    found = lines("block B(w) { linear(w), relu }\nmodel Net { input 5\n B(8)\n B(3)\n}")
    assert "def __init__(self, in_features: int, w: int):" in found


def test_an_option_that_one_use_leaves_out() -> None:
    found = lines("""
        block B(w, stride=1, bias=true) { conv(w, 3, stride=stride, bias=bias), leaky_relu(0.1) }
        model Net { input 3x32x32
          B(8)
          B(8, stride=2, bias=false)
        }""")
    assert "nn.Conv2d(in_channels, 8, 3, stride=stride, bias=bias)," in found
    assert "def __init__(self, in_channels: int, stride: int = 1, bias: bool = True):" in found
    assert "B(3)," in found
    assert "B(8, stride=2, bias=False)," in found


def test_blocks_hand_arguments_on() -> None:
    found = lines("""
        block Inner(w) { conv(w, 1), relu }
        block Outer(w) { Inner(w), Inner(2 * w) }
        model Net { input 3x8x8
          Outer(4), Outer(5)
        }""")
    assert "Inner(in_channels, w)," in found
    assert "Inner(w, 2 * w)," in found
    assert "Outer(8, 5)," in found


def test_a_block_on_maps_and_on_sequences_is_one_class() -> None:
    found = lines("block B(w) { conv(w, 1) }\nmodel Net { input 3x4x4\n B(4)\n flatten, unflatten(4x16)\n B(5)\n}")
    assert [line for line in found if line.startswith("class ")] == [
        "class B(nn.Sequential):",
        "class Net(nn.Sequential):",
    ]
    assert "super().__init__(conv(in_channels, w, 1))" in found
    assert "B(4, 5, conv=nn.Conv1d)," in found


@pytest.mark.parametrize(
    ("model", "signature", "line"),
    [
        ("(classes=10) { input 8\n linear(classes)\n}", "classes: int = 10", "super().__init__(nn.Linear(8, classes))"),
        ("(p=0.25) { input 8\n dropout(p)\n}", "p: float = 0.25", "super().__init__(nn.Dropout(p))"),
        ("(b=true) { input 8\n linear(3, bias=b)\n}", "b: bool = True", "super().__init__(nn.Linear(8, 3, bias=b))"),
        (
            "(width=4) { input 3x8x8\n conv(width, 3)\n flatten\n linear(144 -> 5)\n assert parameters == 837\n}",
            "width: int = 4",
            "nn.Linear(36 * width, 5),",
        ),
    ],
)
def test_a_parameter_of_the_model(model: str, signature: str, line: str) -> None:
    found = lines(f"model Net{model}")
    assert f"def __init__(self, {signature}):" in found
    assert line in found


@pytest.mark.parametrize(
    "model",
    [
        "(size=8) { input [3, size, size]\n conv(4, 3)\n flatten\n linear(5)\n}",
        "(width=8) { input 3x8x8\n conv(width, 3)\n groupnorm(4)\n}",
        "(kernel=3) { input 3x8x8\n conv(4, kernel)\n flatten\n linear(5)\n}",
        "(unused=3) { input 3x8x8\n conv(4, 1)\n}",
    ],
    ids=["of the input", "that only some values suit", "with consequences that no expression covers", "unused"],
)
def test_a_parameter_that_is_not_offered(model: str) -> None:
    assert "def __init__(self):" in lines(f"model Net{model}")


def test_a_parameter_reaches_into_a_block() -> None:
    found = lines("""
        block Head(classes, p=0.5) { flatten, dropout(p), linear(classes) }
        model Net(classes=10, drop=0.2) { input 3x8x8
          Head(classes, p=drop)
        }""")
    assert "def __init__(self, classes: int, p: float):" in found
    assert "def __init__(self, classes: int = 10, drop: float = 0.2):" in found
    assert "super().__init__(Head(classes, p=drop))" in found


def test_overridden_values_are_the_defaults() -> None:
    network = load(Source("net.cnn", "model Net(classes=10) { input 8\n linear(classes)\n}"), set={"classes": "100"})
    assert "classes: int = 100" in emit(network)


def test_another_input() -> None:
    text = "model Net(classes=10) { input 3x8x8\n flatten\n linear(classes)\n}"
    source = emit(load(Source("net.cnn", text), input="1x4x4"))
    assert "nn.Linear(16, classes)" in source
    assert "torch.randn(8, 1, 4, 4)" in source


def test_channels_are_followed_through_blocks() -> None:
    found = lines("""
        block Inner(w) { conv(2 * w, 1), relu }
        block Outer(w) { Inner(2 * w), batchnorm, glu, conv(w // 2, 1), Inner(w), batchnorm }
        model Net { input 3x8x8
          Outer(4), Outer(6)
        }""")
    assert "nn.BatchNorm2d(4 * w)," in found
    assert "nn.Conv2d(2 * w, w // 2, 1)," in found
    assert "Inner(w // 2, w)," in found
    assert "nn.BatchNorm2d(2 * w)," in found


@pytest.mark.parametrize("network", networks(12), ids=lambda network: network.source.name)
def test_every_argument_that_is_offered_gives_a_right_network(network: Network) -> None:
    model = run(emit(network))["Net"]
    offered = list(inspect.signature(model).parameters)
    assert "classes" in offered
    for name in offered:
        other = load(network.source, set={name: 24})
        with torch.device("meta"):
            emitted, built = model(**{name: 24}), build_module(other)
        assert shapes(emitted) == shapes(built)


def shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in module.state_dict().items()}


def test_a_choice_is_not_taken_for_settled() -> None:
    """The value at hand and larger ones fall on one side of the comparison; a smaller one must fall on the other."""
    found = lines("""
        model Net(width=4) { input 1x8x8
          conv(8 if width > 3 else 16, 3)
          conv(width, 3)
        }""")
    assert "nn.Conv2d(1, 8 if width > 3 else 16, 3)," in found
    assert "nn.Conv2d(8 if width > 3 else 16, width, 3)," in found
