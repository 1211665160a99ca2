"""Branches, conditions, loops and values: one class for each block, equal to the network in memory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from running import assert_identical, classes, make

import cnnspec
from cnnspec import zoo
from cnnspec.building import build_module
from cnnspec.emission import Style, emit
from cnnspec.network import Network, load
from cnnspec.network.model import GroupNode, Node
from cnnspec.source import Source

STYLES: tuple[Style, ...] = ("sequential", "forward")

SPECS = {
    "add": "model Net { input 3x8x8\n add { | conv(4, 3, padding=1), relu | skip: conv(4, 1) }\n relu\n}",
    "identity branches": "model Net { input 4x8x8\n add { | identity | | a: conv(4, 1) }, add { | | }, conv(2, 1)\n}",
    "concat in concat": """
        model Net { input 4x8x8
          a: conv(4, 1)
          concat { | identity | maxpool(2), b: conv(6, 1), concat { | | c: conv(3, 1) }, d: upsample(2) }
          e: conv(2, 1)
        }""",
    "split": """
        block Half(w) { concat(split=true) { | identity | a: conv(w, 3, padding=1), batchnorm }, channel_shuffle(2) }
        model Net { input 8x8x8
          Half(4), Half(6), multiply(split=true) { | identity | sigmoid }
        }""",
    "channels last": """
        block Mix { concat(split=true) { | gelu | identity } }
        model Net { input 4x6x6
          Mix, channels_last, Mix, linear(8), concat { | | relu }, channels_first, Mix
        }""",
    "gates": """
        block Gate(inner) {
          let width = x.channels
          multiply { | identity | adaptive_avgpool(1), fc1: conv(inner, 1), relu, fc2: conv(width, 1), sigmoid }
        }
        model Net { input 4x8x8\n Gate(2), conv(6, 1), Gate(3)\n}""",
    "residual when": """
        block Unit(out, stride=1) {
          residual(when=stride == 1 and x.channels == out) { body: { conv(out, 1, stride=stride), batchnorm } }
        }
        model Net { input 4x8x8\n Unit(4), Unit(4, stride=2), Unit(6), Unit(6)\n}""",
    "long residual when": """
        block Unit(out) {
          residual(when=x.channels == out) { conv(out, 3, padding=1), relu, conv(out, 3, padding=1), dropout(0.3) }
        }
        model Net { input 4x8x8\n Unit(4), Unit(6), Unit(6)\n}""",
    "projection": """
        block Unit(width, stride=1) {
          add {
            | conv1: conv(width, 3, stride=stride, padding=1), relu
            | if stride != 1 or x.channels != width { down: { conv(width, 1, stride=stride), batchnorm } }
          }
        }
        model Net { input 4x8x8\n Unit(4), Unit(8, 2), Unit(8)\n}""",
    "else if": """
        block Unit(kind, width) {
          if kind == 0 { conv(width, 1) } else if kind == 1 { relu } else { batchnorm, conv(width, 3, padding=1) }
          residual { if kind == 2 { conv(width, 1) } else { if kind == 0 { relu6 } } }
          norm: batchnorm
        }
        model Net { input 4x8x8\n Unit(0, 6), Unit(1, 6), Unit(2, 5)\n}""",
    "side outputs": """
        block Head(classes) { adaptive_avgpool(1), flatten, fc: linear(classes) }
        block Stage(width, side) {
          conv: conv(width, 3, padding=1)
          if side { aux { head: Head(5) } }
          relu
        }
        model Net(classes=5) { input 3x8x8
          Stage(4, true), { Stage(6, false), Stage(8, true) }
          aux { extra: Head(classes) }
          last: Head(classes)
        }""",
    "side outputs of a loop": """
        block Deep(n) { repeat n { conv(4, 3, padding=1), aux { dropout(0.5), conv(2, 1) } } }
        model Net { input 3x8x8\n Deep(1), Deep(3), relu\n}""",
    "loops of different lengths": """
        block Dense(depth, growth) {
          for i in range(1, depth + 1) { "layer{i}": conv(growth, 3, padding=1), relu }
        }
        block Deep(depth, width) {
          repeat depth { residual { conv(width, 1), relu }, dropout(0.1) }
          conv(width, 1)
        }
        model Net { input 4x8x8\n Dense(1, 4), Dense(3, 5), Deep(2, 5), Deep(4, 5)\n}""",
    "choices of passes": """
        block Deep(rows) {
          for i, [wide, on] in enumerate(rows) {
            if on { residual { conv(x.channels, 1), relu } }
            residual(when=x.channels == wide) { conv(wide, 3, padding=1) }
            repeat i { add { | relu | tanh } }
          }
        }
        model Net { input 4x8x8\n Deep([[4, true], [6, false]]), Deep([[6, true], [6, true], [8, false]])\n}""",
    "long loops": """
        block B(w, p) { conv(w, 1), dropout(p) }
        model Net { input 4x4x4
          for i, [w, n] in enumerate([[4, 5], [6, 7], [8, 9]]) { { for j in range(n) { B(w, 0.3 * (i + j) / 20) } } }
          repeat 20 { conv(8, 1), relu, { conv(6, 1), conv(8, 1) } }
          for i in range(18) { "name{i * i}": conv(8, 1), scale }
        }""",
    "lists": """
        let steps = [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]
        block B(ws) { for w, s in zip(ws, steps) { conv(w, 3, stride=s, padding=1), relu } }
        model Net { input 4x33x33
          B([4, 5, 6]), B([8, 9])
          let widths = [v + 2 for v in range(18)]
          for i in range(18) { conv(widths[i], 1), dropout(sum(widths[:i]) / 200) }
        }""",
    "layers as values": """
        block Unit(out, norm=batchnorm, act=relu) { conv(out, 1), norm, act }
        model Net { input 4x8x8
          Unit(8), Unit(8, norm=batchnorm(eps=0.001)), Unit(6, norm=identity, act=leaky_relu(0.2))
          Unit(8, norm=groupnorm(2), act=gelu), Unit(4, norm=dropout(0.1), act=batchnorm), Unit(4, act=conv(3, 1))
        }""",
    "blocks as values": """
        block Small(width) { conv(width, 1), relu }
        block Large(width, kernel=3) { conv(width, kernel, padding=kernel // 2), batchnorm, conv(width, 1) }
        block Stage(unit, width) { unit(width), unit(width) }
        model Net { input 4x8x8
          Stage(Small, 4), Stage(Large, 6), Stage(Large(kernel=5), 6), Stage(conv(kernel=1), 3)
          for unit, w in [[Small, 4], [Large, 5], [Small, 6]] { unit(w) }
        }""",
    "blocks in each other": """
        block One(inner, w) { conv(w, 1), inner }
        block Two(inner, w) { inner, conv(w, 1) }
        model Net { input 4x8x8\n One(Two(relu, 5), 4), Two(One(tanh, 3), 6)\n}""",
    "bare parameters": """
        block Unit { add { | identity | body: conv(x.channels, 1), gamma: scale(0.1) } }
        block Plain { conv(4, 1), scale, relu, scale(0.5), conv(3, 1) }
        model Net { input 4x8x8
          Unit, conv(6, 1), Unit, Plain, flatten, scale, linear(4), { linear(3), "a-b": scale }
        }""",
    "groups with branches": """
        block Unit(w) { inner: { conv(w, 1), add { | relu | conv(w, 1) } }, { residual { conv(w, 3, padding=1) } } }
        model Net { input 4x8x8
          Unit(3), Unit(5)
          stem: { "0x": conv(4, 1), concat { | | identity } }
        }""",
    "names that change": """
        block Unit(n) { let half = n // 2\n "a{n}": conv(half, 1), "b{half + 1}": { conv(n, 1), relu } }
        model Net { input 3x8x8\n Unit(4), Unit(6)\n}""",
    "rounded widths": """
        block B(w) { conv(round_to(w * 1.3, 8), 1), relu }
        model Net { input 3x8x8\n B(10), B(24), B(30)\n}""",
    "arguments that few uses ask for": """
        block B(w, squeeze=false) {
          conv(w, 1)
          if squeeze { conv(round(w * w / 7), 1), conv([4, 9, 5][w % 3], 1) }
          relu
        }
        model Net { input 3x8x8\n B(10), B(24, squeeze=true), B(31, squeeze=true)\n}""",
    "flat and not": """
        block B(w) { residual(when=x.features == w) { linear(w), relu } }
        model Net { input 3x2x2\n flatten, B(12), B(5), B(5)\n}""",
}


def spec(text: str) -> Network:
    return load(Source("net.cnn", text))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", SPECS)
def test_it_is_the_network_in_memory(name: str, style: Style) -> None:
    network = spec(SPECS[name])
    torch.manual_seed(0)
    built = build_module(network)
    assert_identical(make(emit(network, style=style)), built, network.input.sizes)


def blocks(node: Node) -> set[str]:
    """The blocks that are used below."""
    if not hasattr(node, "inside"):
        return set()
    found = {node.block.name} if isinstance(node, GroupNode) and node.block else set()
    return found.union(*map(blocks, node.inside))


@pytest.mark.parametrize("name", [name for name in SPECS if name != "blocks in each other"])
def test_a_block_is_one_class(name: str) -> None:
    """Braces with branches get classes too; those have other names."""
    network = spec(SPECS[name])
    used, found = blocks(network.root), classes(emit(network))
    assert sorted(each for each in found if each.rstrip("0123456789") in used) == sorted(used)
    assert len(set(found)) == len(found)


MODULES = {"LayerNorm1d", "LayerNorm2d", "LayerNorm3d", "Permute", "StochasticDepth"}
FAMILIES = {Path(path).stem: name for name, path in zoo.models().items()}


@pytest.mark.parametrize("name", FAMILIES.values())
def test_a_block_of_the_zoo_is_one_class(name: str) -> None:
    network = cnnspec.load(f"zoo:{name}")
    found = [each for each in classes(emit(network)) if each not in MODULES]
    assert sorted(found[:-1]) == sorted(blocks(network.root))


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("resnet50", ["if stride != 1 or in_channels != out:", "if self.downsample is not None:", "relu(out + x)"]),
        ("densenet121", ['layers[f"denselayer{i}"] = DenseLayer(channels)', "return torch.cat((x, out), dim=1)"]),
        ("vgg16", ["for width, depth in", "features.append(nn.MaxPool2d(2))", "channels = width"]),
        ("mobilenet_v2", ["return x + self.conv(x) if self.skip else self.conv(x)"]),
        ("convnext_tiny", ["self.layer_scale = nn.Parameter(torch.full((in_channels, 1, 1), 1e-6))"]),
        ("shufflenet_v2_x1_0", ["part1, part2 = x.chunk(2, dim=1)", "self.shuffle = nn.ChannelShuffle(2)"]),
    ],
)  # fmt: skip
def test_what_is_read_in_the_zoo(name: str, lines: list[str]) -> None:
    source = cnnspec.emit(f"zoo:{name}")
    for line in lines:
        assert line in source


WEIGHS = "adaptive_avgpool(1), conv(2, 1), relu, conv(4, 1), sigmoid"
MAPS = "conv(4, 3, padding=1), batchnorm"


@pytest.mark.parametrize(
    ("branches", "made", "result"),
    [
        (f"identity | {WEIGHS}", "AdaptiveAvgPool2d", "branch1 * gate"),
        (f"{WEIGHS} | {MAPS}", "AdaptiveAvgPool2d", "gate * x"),
        (f"{MAPS} | {MAPS}, relu, {{ sigmoid }}", "", "branch1 * gate"),
        (f"{MAPS}, hardsigmoid | {MAPS}", "Conv2d", "gate * x"),
        (f"{MAPS} | {MAPS}, tanh", "", "branch1 * x"),
        (f"{MAPS}, sigmoid | {MAPS}, sigmoid", "", "branch1 * x"),
    ],
)  # fmt: skip
def test_the_gate_is_what_weighs_the_rest(branches: str, made: str, result: str) -> None:
    """Wherever it stands: the order of the product is that of the branches."""
    network = spec(f"model Net {{ input 4x8x8\n multiply {{ | {branches} }}, conv(2, 1)\n}}")
    source = emit(network, style="forward")
    assert f"({result})" in source
    begun = [line for line in source.splitlines() if line.strip().startswith("gate = ")]
    assert bool(begun) == ("gate" in result)
    assert made in (begun or [""])[0]
    torch.manual_seed(0)
    built = build_module(network)
    assert_identical(make(source), built, network.input.sizes)


CONDITIONAL = """
    block Unit(width, stride=1) {
      add {
        | body: conv(width, 3, stride=stride, padding=1), batchnorm
        | if stride != 1 or x.channels != width { shortcut: conv(width, 1, stride) }
      }
      relu
      SWITCH
    }
    model Net { input 4x8x8\n Unit(4), Unit(8, 2), Unit(8)\n}"""


@pytest.mark.parametrize("style", STYLES)
def test_a_condition_is_written_once_and_called_like_what_depends_on_it(style: Style) -> None:
    """Where layers go by position: there `forward` asks for it too."""
    network = spec(CONDITIONAL.replace("SWITCH", "conv(width, 1)"))
    source = emit(network, style=style)
    assert source.count("stride != 1 or in_channels != width") == 1
    assert "        if has_shortcut:\n" in source
    assert "self.has_shortcut = has_shortcut" in source
    assert "        if self.has_shortcut:\n" in source
    torch.manual_seed(0)
    built = build_module(network)
    assert_identical(make(source), built, network.input.sizes)


def test_a_condition_with_two_sides_is_asked_as_it_is() -> None:
    network = spec(CONDITIONAL.replace("SWITCH", "if stride == 2 { conv(width, 1) } else { conv(width, 3), relu6 }"))
    source = emit(network)
    assert source.count("stride == 2") == 1
    assert "        if self.has_conv:\n" in source
    assert "chosen" not in source
    torch.manual_seed(0)
    built = build_module(network)
    assert_identical(make(source), built, network.input.sizes)


@pytest.mark.parametrize("style", STYLES)
def test_a_place_that_one_use_reaches_is_told_in_the_symbols_around_it(style: Style) -> None:
    """A fixed size among symbols would be read as that of every use."""
    pooled = "if stride == 2 { residual { adaptive_avgpool(1), conv(width, 1) } }"
    source = emit(spec(CONDITIONAL.replace("Unit(8)", "Unit(8, 1)").replace("SWITCH", pooled)), style=style)
    unit = source[source.index("class Unit") : source.index("class Net")]
    (made,) = [line for line in unit.splitlines() if "if self.has_shortcut:" in line]
    after = unit[unit.index(made) :].splitlines()[1]
    assert after.endswith("# width x H/stride x W/stride")
    assert not re.search(r"# .*\d+x\d+", unit)


def test_a_size_that_is_fixed_stays_a_number() -> None:
    network = spec(CONDITIONAL.replace("SWITCH", "").replace("Unit(8, 2), Unit(8)", "Unit(4)"))
    assert "# 4x8x8" in emit(network)


def test_side_outputs_are_handed_up_in_training() -> None:
    module = make(emit(spec(SPECS["side outputs"])))
    x = torch.randn(2, 3, 8, 8)
    assert [tuple(output.shape) for output in module.train()(x)] == [(2, 5)] * 4
    assert module.eval()(x).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("convmixer", {"depth": 3, "width": 24, "kernel": 5, "classes": 7}),
        ("deep_resnet_mlp", {"depth": 2, "width": 8}),
        ("unet", {"classes": 5}),
        ("zoo:resnet18", {"classes": 7}),
        ("zoo:vgg11", {"classes": 7}),
        ("zoo:densenet121", {"classes": 7}),
        ("zoo:efficientnet_b0", {"classes": 7, "dropout": 0.4}),
    ],
)
def test_other_arguments_give_the_network_of_these(name: str, changes: dict[str, float]) -> None:
    path = name if ":" in name else str(EXAMPLES / f"{name}.cnn")
    text = Path(zoo.models()[name.removeprefix("zoo:")] if ":" in name else path).read_text(encoding="utf-8")
    free = "".join(line for line in text.partition("\ntrain {")[0].splitlines(True) if "assert" not in line)
    network = cnnspec.load(path)
    other = load(Source("other.cnn", free), model=network.name, set=changes)
    with torch.device("meta"):
        made, built = make(emit(network), **changes), build_module(other)
    one, two = made.state_dict(), built.state_dict()
    assert {key: value.shape for key, value in one.items()} == {key: value.shape for key, value in two.items()}


EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_second_first_part_is_not_the_twelfth() -> None:
    halves = "concat(split=true) { | relu | tanh }"
    source = emit(spec(f"model Net {{ input 4x8x8\n {halves}, {halves}, conv(2, 1)\n}}"))
    assert "part1_2, part2_2 = " in source
