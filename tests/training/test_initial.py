from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import cnnspec  # noqa: E402
from cnnspec.network import Network  # noqa: E402
from cnnspec.network.grouping import last_norms  # noqa: E402
from cnnspec.recipe import INITS  # noqa: E402
from cnnspec.training.initial import SCHEMES, arriving  # noqa: E402
from cnnspec.training.plan import plan_run, ready  # noqa: E402

NET = """
model Net(classes=10) {
  input 1x8x8
  stem: conv(7, 2), batchnorm, relu
  body: { conv(12, 3, padding=1, groups=1), relu, conv(12, 3, groups=2) }
  flatten, head: linear(classes)
}
"""


def begun(network: Callable[..., Network], init: str, text: str = NET) -> nn.Module:
    model, _ = ready(plan_run(network(text, init=init), "cpu", None))
    return model


def plain(network: Callable[..., Network]) -> nn.Module:
    return begun(network, "none")


def test_every_scheme_of_the_language_is_there():
    assert {word for word, kind in INITS.items() if kind in SCHEMES} == set(INITS) - {"whitening"}


@pytest.mark.parametrize(
    ("written", "torchs"),
    [
        ("kaiming_normal(mode=fan_out)", lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")),
        ("kaiming_uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
        ("xavier_normal(gain=2)", lambda w: nn.init.xavier_normal_(w, 2.0)),
        ("xavier_uniform", nn.init.xavier_uniform_),
        ("orthogonal", nn.init.orthogonal_),
        ("normal(std=0.1, mean=1)", lambda w: nn.init.normal_(w, 1.0, 0.1)),
        ("trunc_normal(std=0.5)", lambda w: nn.init.trunc_normal_(w, 0.0, 0.5, -1.0, 1.0)),
        ("constant(value=0.25)", lambda w: nn.init.constant_(w, 0.25)),
    ],
)
def test_schemes_are_those_of_torch(network, written, torchs):
    found, before = begun(network, written), plain(network)
    torch.manual_seed(0)
    cnnspec.build(network(NET))  # draws what came before
    for name, parameter in found.named_parameters():
        expected = before.get_parameter(name).contiguous()
        if name.endswith("weight") and not name.startswith("1."):
            torchs(expected := torch.empty(parameter.shape))
        assert torch.equal(parameter, expected), name


def test_the_last_word_counts_and_names_and_kinds_choose(network):
    model = begun(network, '[constant(value=1), constant(body, value=2), constant("body.2", biases, value=3)]')
    values = {name: set(parameter.flatten().tolist()) for name, parameter in model.named_parameters()}
    assert (values["stem.weight"], values["body.0.weight"], values["head.weight"]) == ({1}, {2}, {1})
    assert (values["body.2.weight"], values["body.2.bias"]) == ({2}, {3})
    assert values["head.bias"] == set(plain(network).get_parameter("head.bias").flatten().tolist())


def test_dirac_passes_channels_on(network):
    model, before = begun(network, "dirac"), plain(network)
    expected = nn.init.dirac_(torch.empty(12, 6, 3, 3), 2)
    assert torch.equal(model.get_parameter("body.2.weight"), expected)
    assert torch.equal(model.get_parameter("head.weight"), before.get_parameter("head.weight"))
    rest = begun(network, "dirac(body, rest=random)").get_parameter("body.0.weight")
    assert torch.equal(rest[:7], nn.init.dirac_(torch.empty(7, 7, 3, 3)))
    assert torch.equal(rest[7:], before.get_parameter("body.0.weight")[7:])


@pytest.mark.parametrize("written", ["whitening(eps=1e-9)", "whitening(stem, eps=1e-9)"])
def test_whitening_makes_what_arrives_uncorrelated(network, written):
    """Four components of 2x2 patches: filters 5 to 7 are opposites of 1 to 3."""
    model = begun(network, written)
    data = plan_run(network(NET), "cpu", None).data
    conv = model.get_submodule("stem")
    x = torch.cat(list(arriving(model, conv, data)))
    out = F.conv2d(x, conv.weight).transpose(0, 1).flatten(1).double()
    torch.testing.assert_close(out[:4] @ out[:4].T / out.shape[1], torch.eye(4).double(), atol=1e-3, rtol=0)
    assert torch.equal(conv.weight[4:], -conv.weight[:3])
    assert conv.weight[0].norm() < conv.weight[3].norm(), "the component with the largest variance stands first"


def test_whitening_inside_a_network(network):
    model = begun(network, "whitening([stem, body], eps=1e-9)")
    data = plan_run(network(NET), "cpu", None).data
    conv = model.get_submodule("body.0")
    x = torch.cat(list(arriving(model, conv, data)))
    out = F.conv2d(x, conv.weight).transpose(0, 1).flatten(1).double()
    found = out @ out.T / out.shape[1]
    torch.testing.assert_close(found.diagonal(), torch.ones(12).double(), atol=0.05, rtol=0)
    assert (found - found.diag().diag()).abs().max() < 0.05


def test_residual_branches_begin_at_zero(network):
    names = last_norms(cnnspec.load("zoo:resnet18").root.items)
    assert names == [f"layer{layer}.{block}.bn2.weight" for layer in (1, 2, 3, 4) for block in (0, 1)]
    text = """
model R(classes=10) {
  input 1x8x8
  conv(4, 3, padding=1)
  residual { conv(4, 3, padding=1), batchnorm, relu, conv(4, 3, padding=1), last: batchnorm }
  relu, flatten, linear(classes)
}"""
    model = begun(network, "zero_residual", text)
    zero = [name for name, parameter in model.named_parameters() if not parameter.any() and "bias" not in name]
    assert zero == ["last.weight"]
