"""How weights begin, as a recipe says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnspec.data.parts import Data
from cnnspec.network.grouping import last_norms
from cnnspec.network.model import Network
from cnnspec.recipe import inits
from cnnspec.training.augment import normalise
from cnnspec.training.optim import sorts

SAMPLES, AT_ONCE = 5000, 100
"""How many training samples whitening looks at."""


def initialise(model: nn.Module, network: Network, wanted: inits.Inits, data: Data) -> None:
    """One after another; PyTorch's generator is drawn from. The model and the data are in the memory of the host."""
    sort = sorts(model)
    for init in wanted:
        if isinstance(init, inits.ZeroResidual):
            chosen = last_norms(network.root.items)
        else:
            chosen = [name for name in sort if init.holds(name, sort[name])]
        if isinstance(init, inits.Whitening):
            _whiten_all(model, init, chosen, data)
        else:
            for name in chosen:
                path, _, _ = name.rpartition(".")
                SCHEMES[type(init)](init, model.get_parameter(name), model.get_submodule(path))


def _dirac(init: inits.Dirac, weight: Tensor, module: nn.Module) -> None:
    if not isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return
    passing = nn.init.dirac_(torch.zeros_like(weight), module.groups)
    kept = passing.flatten(1).any(1) if init.rest == "random" else slice(None)
    with torch.no_grad():
        weight[kept] = passing[kept]


SCHEMES: dict[type[inits.Init], Callable[[Any, Tensor, nn.Module], object]] = {
    inits.KaimingNormal: lambda init, w, _: nn.init.kaiming_normal_(w, mode=init.mode, nonlinearity="relu"),
    inits.KaimingUniform: lambda init, w, _: nn.init.kaiming_uniform_(w, mode=init.mode, nonlinearity="relu"),
    inits.XavierNormal: lambda init, w, _: nn.init.xavier_normal_(w, init.gain),
    inits.XavierUniform: lambda init, w, _: nn.init.xavier_uniform_(w, init.gain),
    inits.Orthogonal: lambda init, w, _: nn.init.orthogonal_(w, init.gain),
    inits.Normal: lambda init, w, _: nn.init.normal_(w, init.mean, init.std),
    inits.TruncNormal: lambda init, w, _: nn.init.trunc_normal_(
        w, init.mean, init.std, init.mean - 2 * init.std, init.mean + 2 * init.std
    ),
    inits.Constant: lambda init, w, _: nn.init.constant_(w, init.value),
    inits.ZeroResidual: lambda init, w, _: nn.init.zeros_(w),
    inits.Dirac: _dirac,
}


# -------------------------------------------------------------------------------------------------------- whitening


def _whiten_all(model: nn.Module, init: inits.Whitening, chosen: list[str], data: Data) -> None:
    """In the order they run, because each changes what arrives at the next."""
    modules = [model.get_submodule(name.rpartition(".")[0]) for name in chosen]
    able = [module for module in modules if isinstance(module, nn.Conv2d) and module.groups == 1]
    for conv in able if init.names else able[:1]:
        whiten(conv, arriving(model, conv, data), init.eps)


class _Arrived(Exception):
    pass


@torch.no_grad()
def arriving(model: nn.Module, layer: nn.Module, data: Data) -> Iterator[Tensor]:
    """What a layer receives of the first training samples, piece by piece."""
    seen: list[Tensor] = []

    def stop(_: nn.Module, received: tuple[Tensor, ...]) -> None:
        seen.append(received[0])
        raise _Arrived

    hook = layer.register_forward_pre_hook(stop)
    model.eval()
    try:
        for x in torch.split(data.train.x[:SAMPLES], AT_ONCE):
            try:
                model(normalise(x, data.mean, data.std))
            except _Arrived:
                yield seen.pop()
    finally:
        hook.remove()
        model.train()


@torch.no_grad()
def whiten(conv: nn.Conv2d, arrived: Iterator[Tensor], eps: float) -> None:
    """The principal components of the patches over the root of their mean square, the largest first; then the same with
    the other sign. Filters beyond these stay as they are."""
    size = conv.weight[0].numel()
    products, count = torch.zeros(size, size, dtype=torch.float64), 0
    for x in arrived:
        patches = functional.unfold(x, conv.kernel_size, conv.dilation).transpose(0, 1).flatten(1)
        products += (patches @ patches.T).double()
        count += patches.shape[1]
    squares, components = torch.linalg.eigh(products / count)
    filters = (components / (squares + eps).sqrt()).T.flip(0)
    both = torch.cat([filters, -filters])[: len(conv.weight)]
    conv.weight[: len(both)] = both.view(-1, *conv.weight.shape[1:]).to(conv.weight.dtype)
