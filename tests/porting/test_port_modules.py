"""Modules as people write them: what is expressed, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import cnnspec
from cnnspec.porting import Ported
from cnnspec.porting.values import NotPortable


def body(result: Ported) -> list[str]:
    """The lines of the model, without its input and its count."""
    lines = [line.strip() for line in result.text.rpartition("\nmodel ")[2].splitlines()[1:-1]]
    return [line for line in lines if line and not line.startswith(("input", "assert"))]


class Written(nn.Module):
    """With functions in the place of modules."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn(self.conv1(x))), 2)
        x = F.leaky_relu(F.pad(x, (1, 1)), 0.2)
        x = F.interpolate(F.dropout(x, 0.1, self.training), scale_factor=2)
        x = F.avg_pool2d(x, 3, stride=2).mean((2, 3))
        return F.log_softmax(self.fc(x), dim=1)


def test_functions_become_layers() -> None:
    result = cnnspec.port(Written(), "3x16x16")
    assert result.whole, result.compared
    assert body(result) == [
        "conv1: conv(8, 3, padding=1), bn: batchnorm, relu, maxpool(2), pad([1, 1, 0, 0])",
        "leaky_relu(0.2), dropout(0.1), upsample(2), avgpool(3, stride=2), adaptive_avgpool(1)",
        "flatten",
        "fc: linear(5), log_softmax",
    ]


class Functional(nn.Module):
    """One function of tensors."""

    def __init__(self, function: Any, **children: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda m, x: x.view(x.size(0), -1), ["flatten"]),
        (lambda m, x: torch.flatten(x, 1).view(-1, 16, 2, 8), ["flatten, unflatten(16x2x8)"]),
        (
            lambda m, x: x.permute(0, 2, 3, 1).softmax(-1).permute(0, 3, 1, 2),
            ["channels_last, softmax, channels_first"],
        ),
        (lambda m, x: x.view(-1, 2, 2, 8, 8).transpose(1, 2).reshape(-1, 4, 8, 8), ["channel_shuffle(2)"]),
        (lambda m, x: x[:, :, 1:-1, 1:-1], ["pad(-1)"]),
        (lambda m, x: torch.cat(x.chunk(2, 1)[::-1], 1).contiguous(), None),
        (lambda m, x: x.add_(x.sigmoid()), ["residual { sigmoid }"]),
        (lambda m, x: sum([x, x.tanh(), x.relu()]), ["add { | identity | tanh | relu }"]),
        (lambda m, x: x * x.mean((2, 3), keepdim=True), ["multiply { | identity | adaptive_avgpool(1) }"]),
        (lambda m, x: torch.cat([x, x.relu(), x.relu().tanh()], 1), None),
        (lambda m, x: x.amax((-2, -1)), ["adaptive_maxpool(1), flatten"]),
    ],
)
def test_functions_of_tensors(function: Any, expected: list[str] | None) -> None:
    result = cnnspec.port(Functional(function), "4x8x8")
    if expected is None:
        assert result.verified is None or result.notes or result.whole
    else:
        assert body(result) == expected
        assert result.whole, result.compared


def test_a_long_concat_is_put_together_step_by_step() -> None:
    def function(module: Any, x: Tensor) -> Tensor:
        one = module.a(x)
        two = module.b(one)
        return torch.cat([x, one, two], 1)

    module = Functional(function, a=nn.Conv2d(4, 4, 1), b=nn.Conv2d(4, 4, 1))
    result = cnnspec.port(module, "4x8x8")
    assert result.whole, result.compared
    assert body(result) == [
        "concat {",
        "| identity",
        "| a: conv(4, 1)",
        "concat { | identity | b: conv(4, 1) }",
        "}",
    ]


def test_a_scale_keeps_its_first_value_and_its_name() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gamma = nn.Parameter(torch.full((4, 1, 1), 1e-6))
            self.conv = nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.gamma * self.conv(x)

    result = cnnspec.port(Scaled(), "4x8x8")
    assert result.whole
    assert "gamma: scale(1e-6)" in result.text


# --------------------------------------------------------------------------------------------------- what has no words


def noted(result: Ported) -> list[str]:
    return list(map(str, result.notes))


def test_an_unknown_operation_is_told_and_the_rest_is_ported() -> None:
    module = Functional(
        lambda m, x: m.fc(torch.cumsum(m.conv(x), 1).flatten(1)), conv=nn.Conv2d(3, 4, 1), fc=nn.Linear(256, 2)
    )
    result = cnnspec.port(module, "3x8x8")
    assert noted(result) == ["the model itself: torch.cumsum"]
    assert not result.whole
    assert body(result) == ["conv: conv(4, 1)", "# not ported: torch.cumsum", "identity, flatten", "fc: linear(2)"]
    assert "#   the model itself: torch.cumsum" in result.text
    assert result.verified is not None
    assert result.verified.fits
    assert result.verified.largest


def test_a_small_module_is_told_as_such() -> None:
    class Norm(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x / (x.norm(dim=1, keepdim=True) + 1e-6)

    result = cnnspec.port(nn.Sequential(nn.Conv2d(3, 4, 1), Norm(), nn.ReLU()), "3x8x8")
    assert noted(result) == ["1: Norm()"]
    assert result.text.count("not ported: Norm()") == 1


def test_weights_that_are_used_twice() -> None:
    module = Functional(lambda m, x: m.conv(m.conv(x)), conv=nn.Conv2d(4, 4, 3, padding=1))
    result = cnnspec.port(module, "4x8x8")
    assert noted(result) == ["conv: its weights are used a second time, and here they are others"]
    assert not result.whole
    assert not result.errors
    assert body(result)[1] == "# not ported: the weights of conv, used a second time"


def test_what_never_runs() -> None:
    module = nn.Sequential(nn.Conv2d(4, 4, 1), Functional(lambda m, x: m.a(x), a=nn.ReLU(), b=nn.BatchNorm2d(4)))
    result = cnnspec.port(module, "4x8x8")
    assert noted(result) == ["1.b: it never runs, so its weights are not here"]
    assert not result.errors
    assert "assert" not in result.text


def test_each_gap_has_its_own_comment() -> None:
    module = Functional(lambda m, x: torch.fft.rfft2(m.conv(x).add(0.5)).abs(), conv=nn.Conv2d(4, 4, 1))
    comments = [line for line in body(cnnspec.port(module, "4x8x8")) if line.startswith("#")]
    assert comments == [
        "# not ported: Tensor.add by 0.5",
        "# not ported: torch.fft.rfft2",
        "# not ported: torch.Tensor.abs",
    ]


def test_what_draws_numbers_is_not_compared() -> None:
    result = cnnspec.port(Functional(lambda m, x: F.dropout(m.conv(x))[:], conv=nn.Conv2d(4, 4, 1)), "4x8x8")
    assert result.compared.endswith("outputs not compared: each time something else comes out of the original")
    assert not result.whole


def test_branches_that_cross() -> None:
    def function(module: Any, x: Tensor) -> Tensor:
        one, two = module.a(x), module.b(x)
        return torch.cat([one.relu() + two, one * two.tanh()], 1)

    module = Functional(function, a=nn.Conv2d(4, 4, 1), b=nn.Conv2d(4, 4, 1))
    result = cnnspec.port(module, "4x8x8")
    assert "its output is used where branches cross, which no nesting of branches tells" in "".join(noted(result))
    assert not result.whole
    assert result.verified is not None
    assert not result.verified.missing


def test_names_that_cannot_be_kept() -> None:
    class Apart(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList([nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)])
            self.norm = nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.convs[1](self.norm(self.convs[0](x)))

    result = cnnspec.port(Apart(), "4x8x8")
    assert noted(result) == ["convs: its layers stand in several places; here they are called convs_2"]
    assert "1 names" not in result.compared
    assert "2 names of the original missing (convs.1.weight)" in result.compared


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            Functional(lambda m, x: (x, x.relu())),
            "it returns 2 tensors, and a spec describes a network that returns one",
        ),
        (Functional(lambda m, x: 3), "it returns a int, and a spec describes a network that returns one tensor"),
        (nn.Linear(5, 3), "it does not run on an input of 3x8x8: RuntimeError"),
        (Functional(lambda m, x: x if x.mean() > 0 else x.relu()), "what it does in test_port_modules.py, line "),
        (Functional(lambda m, x: x.flatten()[5000]), "it does not run on an input of 3x8x8: IndexError"),
        (nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), "1 is a LazyLinear, which has no weights before it has run"),
    ],
)
def test_what_is_no_network(module: nn.Module, text: str) -> None:
    with pytest.raises(NotPortable) as raised:
        cnnspec.port(module, "3x8x8")
    assert str(raised.value).startswith(text)


def test_the_module_is_left_as_it_was() -> None:
    module = Written().train()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    cnnspec.port(module, (3, 16, 16))
    assert module.training
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    module(torch.randn(2, 3, 16, 16)).sum().backward()
