"""The losses of side outputs (`aux`), which help the layers before them to learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from cnnspec.layers.base import Shape
from cnnspec.network.model import CombineNode, Item, LayerNode, Network, nodes
from cnnspec.training.error import TrainError
from cnnspec.training.mixing import Mixed
from cnnspec.training.objective import Objective, loss_of, objective_behind


@dataclass(frozen=True)
class Side:
    """A side output: what its numbers mean, and how much its loss counts beside that of the output."""

    weight: float
    objective: Objective


def sides_of(network: Network) -> tuple[Side, ...]:
    """In the order in which the module returns them in training, the deepest first.

    Raises `TrainError` where one does not end as the network does: both are compared with the same labels."""
    found = list(_auxes(network.root.items))
    for aux in found:
        output = _output(aux)
        if output != network.output:
            raise TrainError(
                f"the side output on line {aux.span.line} ends in {output}, and the network in {network.output}",
                "let aux end in one output per class, as the network does",
            )
    return tuple(
        Side(float(aux.options["weight"]), objective_behind(aux.branches[0], network.output)) for aux in found[::-1]
    )


def _auxes(items: tuple[Item, ...]) -> Iterator[CombineNode]:
    """In the order they run: one inside the head of another before it."""
    for node in nodes(items):
        if isinstance(node, LayerNode):
            continue
        for inside in node.branches if isinstance(node, CombineNode) else (node.items,):
            yield from _auxes(inside)
        if isinstance(node, CombineNode) and node.kind == "aux":
            yield node


def _output(aux: CombineNode) -> Shape:
    """What the head of a side output ends in."""
    *_, output = (aux.input, *(node.output for node in nodes(aux.branches[0])))
    return output


def parted(returned: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, Sequence[Tensor]]:
    """The output and the side outputs of a module in training, as float32."""
    output, *sides = returned if isinstance(returned, tuple) else (returned,)
    return output.float(), [side.float() for side in sides]


def loss_of_sides(sides: Sequence[Side], outputs: Sequence[Tensor], y: Tensor | Mixed) -> Tensor | float:
    """What comes to the loss of the output."""
    pairs = zip(sides, outputs, strict=True)
    return sum((side.weight * loss_of(side.objective, output, y) for side, output in pairs), start=0.0)


def about_sides(sides: Sequence[Side]) -> str:
    """In words, to be put behind those of the loss; empty without side outputs."""
    if not sides:
        return ""
    weights = ", ".join(f"{side.weight:g}" for side in sides)
    return f"; plus {weights} times that of the side output{'s' if len(sides) > 1 else ''}"
