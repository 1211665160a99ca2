"""Network -> `torch.nn.Module`."""

from __future__ import annotations

from collections import OrderedDict
from functools import reduce
from typing import TYPE_CHECKING, Any

from cnnspec.layers.base import TorchCall
from cnnspec.network.model import LayerNode, Network, Node
from cnnspec.requires import require

if TYPE_CHECKING:
    from torch import nn


def build_module(network: Network) -> nn.Module:
    """The network as a module, with fresh weights.

    Parameters are named as the layers' paths say. Layers are made in reading order, so that after the same
    `torch.manual_seed` the weights are those of the emitted code. Raises ImportError where torch is missing.
    """
    module: nn.Module = _module(require("torch"), network.root)
    return module


def _module(torch: Any, node: Node) -> Any:
    if isinstance(node, LayerNode):
        return _run(torch, node.torch)
    return torch.nn.Sequential(OrderedDict((child.key, _module(torch, child)) for child in node.children))


def _run(torch: Any, call: TorchCall) -> Any:
    make = reduce(getattr, call.name.split("."), torch)
    return make(*call.args, **call.kwargs)
