"""A checked network, run with other sizes of input than the one it was checked with.

Its layers stay what they are: they have the arguments and the weights of the input that the spec states. So what is
found is what the PyTorch module made of it takes.
"""

from __future__ import annotations

from collections.abc import Iterable

from cnnspec.layers.base import Refused, Shape
from cnnspec.layers.combine import COMBINATORS
from cnnspec.network.anysize.runs import AXES, Fit, Misfit, Refusal, Visit, call_of, is_open
from cnnspec.network.model import CombineNode, GroupNode, LayerNode, Network, Node, nodes
from cnnspec.network.trail import written
from cnnspec.sizes.cases import Case, Found, cases
from cnnspec.sizes.number import open_size
from cnnspec.sizes.sets import ALL, Sizes


def run(network: Network, sizes: Sizes = ALL, *, training: bool = False) -> list[Found[Fit | Refusal]]:
    """What becomes of a map of any of some sizes; side outputs run in `training` alone. Raises `Undecided`."""
    axes = AXES[network.input.rank]
    return list(cases(axes, lambda case: _Run(network, case, training).outcome(axes), sizes))


class _Run:
    def __init__(self, network: Network, case: Case, training: bool) -> None:
        self.network, self.case, self.training = network, case, training
        self.visits: list[Visit] = []

    def outcome(self, axes: tuple[str, ...]) -> Fit | Refusal:
        shape = Shape((self.network.input.channels, *(open_size(self.case, axis) for axis in axes)))  # type: ignore[arg-type]
        try:
            return Fit(self.chain(self.network.root.children, shape), tuple(self.visits))
        except Misfit as end:
            why = end.refused.message if end.refused else ""
            return Refusal(len(self.visits), end.span, end.name, end.kind, why)

    def chain(self, chain: Iterable[Node], shape: Shape) -> Shape:
        for node in chain:
            if isinstance(node, GroupNode):
                shape = self.chain(node.children, shape)
            elif isinstance(node, CombineNode):
                shape = self.branches(node, shape)
            else:
                shape = self.layer(node, shape)
        return shape

    def layer(self, node: LayerNode, shape: Shape) -> Shape:
        call = call_of(node)
        try:
            output = node.layer.output(shape)
        except Refused as refused:
            raise Misfit(call.span, written(call), "map", refused) from None
        if is_open(shape) and node.layer.torch(shape) != node.torch:
            raise Misfit(call.span, written(call), "weights")
        self.visits.append(Visit(call, node.layer, shape, output))
        return output

    def branches(self, node: CombineNode, shape: Shape) -> Shape:
        if node.kind == "aux" and not self.training:
            return shape
        call, word = call_of(node), COMBINATORS[node.kind](**node.options)
        shapes = word.inputs(shape, len(node.branches))
        outputs = [self.chain(nodes(items), each) for items, each in zip(node.branches, shapes, strict=True)]
        try:
            return word.output(shape, outputs)
        except Refused as refused:
            raise Misfit(call.span, call.name.text, "branches", refused) from None
