"""The modules that PyTorch lacks against torchvision's, bit for bit."""

from __future__ import annotations

import ast
import builtins
import inspect
from typing import Any

import pytest
import torch
from torch import nn

from cnnspec import modules
from cnnspec.data.vision import import_torchvision

CLASSES = [
    member for _, member in inspect.getmembers(modules, inspect.isclass) if member.__module__ == modules.__name__
]


@pytest.fixture(scope="module")
def torchvision() -> Any:
    return import_torchvision()


@pytest.mark.parametrize("p", [0, 0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("mode", ["row", "batch"])
@pytest.mark.parametrize("sizes", [(7,), (3, 5, 4), (6, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_stochastic_depth(torchvision: Any, p: float, mode: str, sizes: tuple[int, ...], dtype: torch.dtype) -> None:
    ours, theirs = modules.StochasticDepth(p, mode), torchvision.ops.StochasticDepth(p, mode)
    assert (ours.p, ours.mode) == (theirs.p, theirs.mode)
    x = torch.randn(16, *sizes, dtype=dtype)
    for training in (True, False):
        results = []
        for module in (ours, theirs):
            torch.manual_seed(5)
            y = x.clone().requires_grad_()
            out = module.train(training)(y)
            (gradient,) = torch.autograd.grad(out.sum(), y)
            results.append((out, gradient, torch.rand(3)))
        assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
        assert torch.equal(results[0][0], x) == (not training or p == 0)


@pytest.mark.parametrize("eps", [1e-5, 1e-6])
@pytest.mark.parametrize("shape", [(2, 96, 14, 14), (1, 768, 1, 1), (3, 5, 7, 2)])
def test_layer_norm(torchvision: Any, eps: float, shape: tuple[int, ...]) -> None:
    ours, theirs = (which.LayerNorm2d(shape[1], eps=eps) for which in (modules, torchvision.models.convnext))
    nn.init.normal_(theirs.weight)
    nn.init.normal_(theirs.bias)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(shape)
    assert torch.equal(ours(x), theirs(x))
    assert ours(x).stride() == theirs(x).stride()
    assert (ours.eps, ours.normalized_shape) == (theirs.eps, theirs.normalized_shape)


def test_layer_norm_of_other_ranks() -> None:
    for name, sizes in (("LayerNorm1d", (5, 6)), ("LayerNorm3d", (5, 6, 2, 3))):
        module = getattr(modules, name)(5)
        nn.init.normal_(module.weight)
        x = torch.randn(2, *sizes)
        expected = nn.functional.layer_norm(x.movedim(1, -1), (5,), module.weight, module.bias).movedim(-1, 1)
        assert torch.equal(module(x), expected)


def test_permute(torchvision: Any) -> None:
    x = torch.randn(2, 3, 4, 5)
    ours, theirs = modules.Permute((0, 2, 3, 1))(x), torchvision.ops.Permute([0, 2, 3, 1])(x)
    assert torch.equal(ours, theirs)
    assert ours.stride() == theirs.stride()
    assert ours.data_ptr() == x.data_ptr()


@pytest.mark.parametrize("member", CLASSES, ids=lambda member: member.__name__)
def test_text_stands_for_itself(member: type[nn.Module]) -> None:
    """What is copied into an emitted file needs `torch` and `nn` and nothing else."""
    text = inspect.getsource(member)
    scope: dict[str, Any] = {"torch": torch, "nn": nn}
    exec(text, scope)
    assert issubclass(scope[member.__name__], nn.Module)
    tree = list(ast.walk(ast.parse(text)))
    own = {node.arg for node in tree if isinstance(node, ast.arg)}
    own |= {node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    used = {node.id for node in tree if isinstance(node, ast.Name)} - own - set(dir(builtins))
    assert used <= {"torch", "nn"}
    assert member.__doc__
    assert len(text.splitlines()) < 30


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    "module",
    [modules.Permute((0, 2, 3, 1)), modules.LayerNorm2d(3), modules.StochasticDepth(0.3)],
    ids=lambda module: type(module).__name__,
)
def test_can_be_exported(module: nn.Module) -> None:
    """As PyTorch's own modules can: by script, by tracing and by torch.export."""
    x = torch.randn(4, 3, 5, 6)
    module.eval()
    for exported in (
        torch.jit.script(module),
        torch.fx.symbolic_trace(module),
        torch.export.export(module, (x,)).module(),
    ):
        assert torch.equal(exported(x), module(x))
    assert torch.jit.script(module.train())(x).shape == module(x).shape
