"""The module that `build` makes."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnspec.building import build_module
from cnnspec.network import load, read_source
from cnnspec.source import Source

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.cnn"))
SMALL = {"unet": "3x32x32"}
"""Inputs for examples that fit any size, where their own makes a test slow."""


def built(text: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_module(load(Source("net.cnn", text)))


def chain(steps: str, shape: str = "4x8x8") -> nn.Module:
    """The module of a model that consists of these steps."""
    return built(f"model Net {{\n  input {shape}\n  {steps}\n}}")


def images(channels: int = 4) -> Tensor:
    return torch.randn(2, channels, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    network = load(read_source(path), input=SMALL.get(path.stem))
    module = build_module(network).eval()
    names = [f"{placed.path}.{name}" for placed in network.layers for name in placed.weights.parameters]
    assert [name for name, _ in module.named_parameters()] == names
    assert sum(p.numel() for p in module.parameters()) == network.parameters
    assert module(torch.randn(2, *network.input.sizes)).shape == (2, *network.output.sizes)


def test_names_follow_labels_and_positions() -> None:
    module = chain('a: conv(4, 1), relu, { b: conv(4, 1), conv(4, 1) }\n "c-1": conv(4, 1)')
    keys = [name for name in module.state_dict() if name.endswith("weight")]
    assert keys == ["a.weight", "2.b.weight", "2.1.weight", "c-1.weight"]


def test_the_same_seed_gives_the_same_weights() -> None:
    text = EXAMPLES[0].read_text(encoding="utf-8")
    first, again, other = (built(text, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load(read_source(EXAMPLES[0]))
    monkeypatch.setattr("cnnspec.requires.import_module", missing)
    with pytest.raises(ImportError, match=r'pip install "cnnspec\[torch\]"'):
        build_module(network)


def missing(name: str) -> Any:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


# -------------------------------------------------------------------------------------------------------- branches


def test_what_runs_one_after_another_is_torchs_own() -> None:
    module = chain("a: conv(4, 1), { relu, add { | conv(4, 1) | } }, { relu, { relu } }")
    assert type(module) is nn.Sequential
    assert type(module[1]) is not nn.Sequential
    assert type(module[2]) is nn.Sequential


@pytest.mark.parametrize(
    ("steps", "by_hand"),
    [
        ("add { | a: conv(4, 1) | | b: conv(4, 1) }", lambda m, x: m.a(x) + x + m.b(x)),
        ("residual { a: conv(4, 1), relu }", lambda m, x: x + torch.relu(m.a(x))),
        ("residual(when=false) { a: conv(4, 1), relu }", lambda m, x: torch.relu(m.a(x))),
        (
            "multiply { | identity | adaptive_avgpool(1), a: conv(4, 1), sigmoid }",
            lambda m, x: x * m.a(F.adaptive_avg_pool2d(x, 1)).sigmoid(),
        ),
        ("concat { | a: conv(2, 1) | | b: conv(3, 1) }", lambda m, x: torch.cat([m.a(x), x, m.b(x)], 1)),
        (
            "concat(split=true) { | a: conv(3, 1) | | | b: conv(5, 1) }",
            lambda m, x: torch.cat([m.a(x[:, :1]), x[:, 1:3], m.b(x[:, 3:])], 1),
        ),
        (
            "multiply(split=true) { | a: conv(2, 1), tanh | b: conv(2, 1), sigmoid }",
            lambda m, x: m.a(x[:, :2]).tanh() * m.b(x[:, 2:]).sigmoid(),
        ),
        (
            "concat { | a: conv(4, 1), add { | b: conv(4, 1) | } | c: conv(4, 1) }",
            lambda m, x: torch.cat([m.b(m.a(x)) + m.a(x), m.c(x)], 1),
        ),
        ("a: conv(4, 1), factor: scale(0.5), relu", lambda m, x: torch.relu(m.factor * m.a(x))),
        ("flatten, concat { | a: linear(2) | }", lambda m, x: torch.cat([m.a(x.flatten(1)), x.flatten(1)], 1)),
        (
            "channels_last, concat(split=true) { | a: linear(3) | | | }",
            lambda m, x: torch.cat([m.a(x.movedim(1, -1)[..., :1]), x.movedim(1, -1)[..., 1:]], -1),
        ),
    ],
)
def test_branches_compute_what_one_writes_by_hand(steps: str, by_hand: Any) -> None:
    module, x = chain(steps), images()
    assert torch.equal(module(x), by_hand(module, x))


def test_sums_go_from_left_to_right() -> None:
    """Addition of floats depends on the order."""
    module = chain("add { | a: conv(4, 1) | b: conv(4, 1) | c: conv(4, 1) | d: conv(4, 1) }")
    x = images()
    a, b, c, d = module.a(x), module.b(x), module.c(x), module.d(x)
    assert torch.equal(module(x), a + b + c + d)
    assert not torch.equal(module(x), a + (b + (c + d)))


def test_names_and_weights_are_made_in_reading_order() -> None:
    module = chain("conv(4, 1), add { | identity | conv(4, 1), relu }, head: conv(2, 1), batchnorm, scale")
    assert [name for name, _ in module.named_children()] == ["0", "1", "2", "3", "head", "5"]
    assert next(iter(module.state_dict())) == "6"
    torch.manual_seed(0)
    expected = [nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 1)]
    found = [child for child in module.children() if isinstance(child, nn.Conv2d)]
    assert all(torch.equal(a.weight, b.weight) for a, b in zip(expected, found, strict=True))


# ---------------------------------------------------------------------------------------------------- side outputs

SIDES = """
block Head { flatten, fc: linear(3) }
block Inner { conv: conv(4, 1), aux { second: Head }, relu }
model Net {
  input 4x8x8
  aux { first: Head }
  { add { | inner: Inner | } }
  aux(weight=0.1) { third: Head }
  main: Head
}
"""


def test_side_outputs_come_the_deepest_first() -> None:
    module, x = built(SIDES), images()
    inner = module.get_submodule("1.inner")
    middle = inner.conv(x)
    joined = middle.relu() + x
    expected = (module.main(joined), module.third(joined), inner.second(middle), module.first(x))
    outputs = module(x)
    assert type(outputs) is tuple
    assert all(map(torch.equal, outputs, expected))
    assert len(outputs) == 4


def test_at_rest_there_are_no_side_outputs() -> None:
    module, x = built(SIDES), images()
    output = module(x)[0]
    calls: list[str] = []
    module.get_submodule("first").register_forward_hook(lambda *_: calls.append("first"))
    assert torch.equal(module.eval()(x), output)
    assert calls == []


def test_a_part_at_rest_keeps_its_side_outputs_to_itself() -> None:
    module = built(SIDES)
    module.get_submodule("1.inner").eval()
    assert len(module(images())) == 3


# ------------------------------------------------------------------------------------------------- as a module


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_copies_do_the_same(mode: str) -> None:
    module, x = getattr(built(SIDES), mode)(), images()
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert copied.state_dict().keys() == module.state_dict().keys()
        assert same(copied(x), module(x))


RESIDUAL = """
block Gate { multiply { | | adaptive_avgpool(1), conv(x.channels, 1), sigmoid } }
model Net {
  input 4x8x8
  residual { conv(4, 3, padding=1), batchnorm, relu, Gate, gamma: scale(1e-6) }
  concat(split=true) { | | conv(6, 1) }
  flatten, linear(3)
}
"""


@pytest.mark.parametrize("text", [RESIDUAL, SIDES])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_compiles_into_one_graph(text: str, mode: str) -> None:
    module, x = getattr(built(text), mode)(), images()
    expected = copy.deepcopy(module)(x)
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    assert same(compiled(x), expected)


def test_can_be_traced_and_exported() -> None:
    module, x = built(RESIDUAL).eval(), images()
    assert torch.equal(torch.fx.symbolic_trace(module)(x), module(x))
    assert torch.equal(torch.export.export(module, (x,)).module()(x), module(x))


def same(a: Any, b: Any) -> bool:
    pairs = zip(a, b, strict=True) if isinstance(a, tuple) else ((a, b),)
    return all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("label", ["_plan", "plan", "sides", "weight", "x1"])
def test_any_label_that_torch_takes_can_stand_beside_branches(label: str) -> None:
    module, x = chain(f"{label}: scale(2), add {{ | | a: {{ {label}: conv(4, 1), residual {{ relu }} }} }}"), images()
    conv = module.get_submodule(f"a.{label}")
    assert torch.equal(module(x), 2 * x + (conv(2 * x) + conv(2 * x).relu()))
