"""The arguments of one layer's call, in terms of the class it stands in."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.emission.classes import ClassPlan, Flow
from cnnspec.emission.express import Values, same
from cnnspec.emission.written import arguments
from cnnspec.network.model import LayerNode


def layer_arguments(plan: ClassPlan, nodes: tuple[LayerNode, ...]) -> tuple[str, ...]:
    """The arguments as Python; the plan's flow goes on behind the layer. `nodes` are the layer in all uses."""
    layer = nodes[0].layer
    expressions = arguments(nodes[0].span, list(layer.__fields__))
    texts = []
    for position, values in enumerate(zip(*(node.torch.args for node in nodes), strict=True)):
        name = _stands_for(nodes, position, values)
        wanted = _size_name(nodes, values) if name in (None, "out") else str(name)
        texts.append(plan.written(values, expressions.get(name), wanted) if name else plan.incoming(values, wanted))
    for keyword, name, values in _keywords(nodes):
        text = plan.written(values, expressions.get(name), keyword) if name else plan.express(values, {}, keyword)
        texts.append(f"{keyword}={text}")
    if layer.claims in expressions:
        values = tuple(getattr(node.layer, layer.claims) for node in nodes)
        plan.flow = Flow(plan.written(values, expressions[layer.claims], ""), values)
    return tuple(texts)


def _stands_for(nodes: tuple[LayerNode, ...], position: int, values: Values) -> str | None:
    """The argument of the layer that a positional argument of its call is; None for a size that arrives."""
    incoming = tuple(node.layer.incoming(node.input) for node in nodes)
    if position == 0 and same(incoming, values):
        return None
    fields = nodes[0].layer.__fields__
    return next((name for name in fields if same(tuple(getattr(n.layer, name) for n in nodes), values)), None)


def _size_name(nodes: tuple[LayerNode, ...], values: Values) -> str:
    if isinstance(values[0], tuple):
        return "shape"
    arrives = same(tuple(node.layer.incoming(node.input) for node in nodes), values)
    return ("in_" if arrives else "out_") + ("channels" if nodes[0].input.rank else "features")


def _keywords(nodes: tuple[LayerNode, ...]) -> Iterator[tuple[str, str | None, Values]]:
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
