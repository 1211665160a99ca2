"""Network -> `torch.nn.Module`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnnspec.layers.base import TorchCall
from cnnspec.network.model import CombineNode, GroupNode, LayerNode, Network, Node, nodes
from cnnspec.requires import require

if TYPE_CHECKING:
    from torch import nn

    from cnnspec.building.branches import Plan


def build_module(network: Network) -> nn.Module:
    """The network as a module, with fresh weights.

    Parameters are named as the layers' paths say. Layers are made in reading order, so that after the same
    `torch.manual_seed` the weights are those of the emitted code. A network with side outputs (`aux`) returns
    `(output, side outputs, the deepest first)` in training mode, all others a tensor. Raises ImportError, with what
    to install, where torch is missing.
    """
    require("torch")
    return _group(network.root)


def _group(group: GroupNode) -> nn.Module:
    """`nn.Sequential` where all children do is run one after another, handing on one tensor."""
    from torch import nn

    from cnnspec.building.branches import Branches, has_sides

    members = OrderedDict((child.key, _member(child)) for child in _registered(group.children))
    plan = tuple(step for child in group.children for step in _steps(child))
    chained = all(isinstance(step, str) and isinstance(members[step], nn.Module) for step in plan)
    if chained and not any(map(has_sides, members.values())):
        return nn.Sequential(members)  # type: ignore[arg-type]
    return Branches(members, plan)


def _registered(children: Iterable[Node]) -> Iterator[LayerNode | GroupNode]:
    """What is registered under its key: combinators add no level of names."""
    for child in children:
        if isinstance(child, CombineNode):
            for branch in child.branches:
                yield from _registered(nodes(branch))
        else:
            yield child


def _member(node: LayerNode | GroupNode) -> nn.Module | nn.Parameter:
    if isinstance(node, GroupNode):
        return _group(node)
    made: nn.Module | nn.Parameter = _run(node.torch)
    return made


HOMES = {"nn": "torch.nn", "torch": "torch", "": "cnnspec.modules"}
"""Where the names of calls live, by what stands before the point."""


def _run(call: TorchCall) -> Any:
    home, _, name = call.name.rpartition(".")
    make: Callable[..., Any] = getattr(import_module(HOMES[home]), name)
    return make(*(_run(value) if isinstance(value, TorchCall) else value for value in call.args), **call.kwargs)


def _steps(node: Node) -> Plan:
    from cnnspec.building.branches import Join

    if not isinstance(node, CombineNode):
        return (node.key,)
    branches = tuple(tuple(step for child in nodes(branch) for step in _steps(child)) for branch in node.branches)
    if node.kind == "residual":
        return (Join("add", ((), *branches)),) if node.options["when"] else branches[0]
    split = node.input.channel_axis if node.options.get("split") else None
    return (Join(node.kind, branches, node.output.channel_axis, split),)
