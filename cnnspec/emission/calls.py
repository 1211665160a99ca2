"""What stands in the place of one layer or block: the head of its call, and its arguments."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from cnnspec.emission.express import Maker, Values, bracketed, constant, plain, same
from cnnspec.emission.frames import Frame
from cnnspec.emission.names import Flow
from cnnspec.emission.written import arguments
from cnnspec.layers.base import TorchCall
from cnnspec.network.model import LayerNode
from cnnspec.syntax import tree

Layers = tuple[LayerNode, ...]


def regular(nodes: Layers) -> bool:
    """Whether layers are of one kind, with calls that differ in the values of their arguments only."""
    calls = [node.torch for node in nodes]
    first = nodes[0]
    if any(node.layer.word != first.layer.word or len(node.torch.args) != len(calls[0].args) for node in nodes):
        return False
    unnamed = {name for node in nodes for name in node.torch.kwargs if field_of(node, name) is None}
    return all(unnamed <= call.kwargs.keys() for call in calls)


def layer_call(frame: Frame, nodes: Layers) -> tuple[str, tuple[str, ...]]:
    """The head and the arguments of regular layers; the flow of the frame goes on behind them."""
    layer = nodes[0].layer
    if layer.bare:
        return "nn.Parameter", (filled(frame, nodes),)
    heads = tuple(Maker(node.torch.name) for node in nodes)
    head = frame.express(heads, {}, layer.word)
    expressions = written_arguments(nodes[0], list(layer.__fields__))
    texts = []
    written: dict[str, str] = {}
    for position, values in enumerate(zip(*(node.torch.args for node in nodes), strict=True)):
        name = _stands_for(nodes, position, values, written)
        wanted = _size_name(nodes, values, name) if name in (None, "out") else str(name)
        text = frame.written(values, expressions.get(name), wanted) if name else frame.incoming(values, wanted)
        texts.append(text)
        written |= {name: text} if name else {}
    for keyword, name, values in _keywords(nodes):
        text = frame.written(values, expressions.get(name), keyword) if name else frame.express(values, {}, keyword)
        texts.append(f"{keyword}={text}")
    if layer.claims in written:
        values = tuple(getattr(node.layer, layer.claims) for node in nodes)
        if same(values, [node.output.channels for node in nodes]):
            frame.flow = Flow(written[layer.claims], values)
    return head, tuple(texts)


def filled(frame: Frame, nodes: Layers) -> str:
    """The initial value of a bare parameter."""
    calls: list[TorchCall] = [node.torch.args[0] for node in nodes]
    shapes, values = zip(*(call.args for call in calls), strict=True)
    sizes = []
    for size in zip(*shapes, strict=True):
        sizes.append(str(size[0]) if constant(size) and size[0] == 1 else frame.incoming(size, "channels"))
    init = frame.written(values, written_arguments(nodes[0], ["init"]).get("init"), "init")
    return f"torch.full({bracketed(sizes)}, {init})"


def written_arguments(node: LayerNode, parameters: list[str]) -> dict[str, tree.Expr]:
    """What the spec says for the arguments of a layer, where it is called by its own name."""
    call = node.step.op
    assert isinstance(call, tree.Call)
    return arguments(call, parameters if call.name.text == node.layer.word else ())


def _stands_for(nodes: Layers, position: int, values: Values, taken: Container[str]) -> str | None:
    """The argument of the layer that a positional argument of its call is, of those that are not taken; None for a
    size that arrives."""
    incoming = tuple(node.layer.incoming(node.input) for node in nodes)
    if position == 0 and same(incoming, values):
        return None
    names = (name for name in nodes[0].layer.__fields__ if name not in taken)
    return next((name for name in names if same(tuple(getattr(n.layer, name) for n in nodes), values)), None)


def _size_name(nodes: Layers, values: Values, name: str | None) -> str:
    if isinstance(values[0], tuple):
        return "shape"
    of_map = nodes[0].input.rank and nodes[0].torch.name != "nn.Linear"
    return f"{name or 'in'}_{'channels' if of_map else 'features'}"


def _keywords(nodes: Layers) -> Iterator[tuple[str, str | None, Values]]:
    """The keywords of the calls, what they stand for, and their values, in the order of the layer's signature."""
    calls = [node.torch.kwargs for node in nodes]
    order = list(nodes[0].layer.__fields__)
    stands_for = {keyword: field_of(node, keyword) for node, call in zip(nodes, calls, strict=True) for keyword in call}
    for keyword, name in sorted(stands_for.items(), key=lambda pair: order.index(pair[1]) if pair[1] else len(order)):
        pairs = zip(nodes, calls, strict=True)
        yield keyword, name, tuple(c[keyword] if keyword in c else getattr(node.layer, str(name)) for node, c in pairs)


def field_of(node: LayerNode, keyword: str) -> str | None:
    """The argument of the layer that a keyword of its call stands for: a call that leaves the keyword out means the
    default of that argument."""
    value = node.torch.kwargs[keyword]
    changed = [name for name in node.layer.__fields__ if same([getattr(node.layer, name)], [value])]
    return keyword if keyword in changed else next((name for name in changed if node.layer.keywords(name)), None)


def layers_as_values(frame: Frame, nodes: Layers, wanted: str) -> tuple[str, tuple[str, ...]]:
    """Layers of different kinds in one place: a name that stands for each of them, called with the size that arrives
    where all of them take it last."""
    rest = all(node.torch.args and node.torch.args[-1] == node.layer.incoming(node.input) and not node.layer.claims
               for node in nodes if node.torch.name != "nn.Identity")  # fmt: skip
    makers = tuple(layer_maker(node, leave_last=rest) for node in nodes)
    sizes = tuple(node.layer.incoming(node.input) for node in nodes)
    given = (frame.incoming(sizes, "in_channels"),) if rest else ()
    return frame.express(makers, {}, wanted), given


def layer_maker(node: LayerNode, *, leave_last: bool) -> Maker:
    call = node.torch
    args = call.args[:-1] if leave_last else call.args
    return Maker(call.name, tuple(map(plain, args)), tuple((name, plain(value)) for name, value in call.kwargs.items()))


def value_name(nodes: tuple[Any, ...]) -> str:
    """What the spec calls a layer or block that differs from use to use."""
    op = nodes[0].step.op
    return str(op.name.text).lower() if isinstance(op, tree.Call) else "layer"
