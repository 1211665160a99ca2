"""Network -> `torch.nn.Module`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING

from cnnspec.layers.base import TorchCall
from cnnspec.network.model import LayerNode, Network, Node
from cnnspec.requires import require

if TYPE_CHECKING:
    from torch import nn


def build_module(network: Network) -> nn.Module:
    """The network as a module, with fresh weights.

    Parameters are named as the layers' paths say. Layers are made in reading order, so that after the same
    `torch.manual_seed` the weights are those of the emitted code. Raises ImportError, with what to install, where
    torch is missing.
    """
    require("torch")
    return _module(network.root)


def _module(node: Node) -> nn.Module:
    from torch import nn

    if isinstance(node, LayerNode):
        return _run(node.torch)
    return nn.Sequential(OrderedDict((child.key, _module(child)) for child in node.children))


def _run(call: TorchCall) -> nn.Module:
    import torch

    make: Callable[..., nn.Module] = reduce(getattr, call.name.split("."), torch)  # type: ignore[assignment]
    return make(*call.args, **call.kwargs)
