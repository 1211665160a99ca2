"""The arguments of one layer's call, in terms of the class it stands in."""

from __future__ import annotations

from collections.abc import Container, Iterator

from cnnspec.emission.classes import ClassPlan, Flow
from cnnspec.emission.express import Values, same
from cnnspec.emission.written import arguments
from cnnspec.network.model import LayerNode


def layer_arguments(plan: ClassPlan, nodes: tuple[LayerNode, ...]) -> tuple[str, ...]:
    """The arguments as Python; the plan's flow goes on behind the layer. `nodes` are the layer in all uses."""
    layer = nodes[0].layer
    expressions = arguments(nodes[0].span, list(layer.__fields__))
    texts = []
    written: dict[str, str] = {}
    for position, values in enumerate(zip(*(node.torch.args for node in nodes), strict=True)):
        name = _stands_for(nodes, position, values, written)
        wanted = _size_name(nodes, values, name) if name in (None, "out") else str(name)
        text = plan.written(values, expressions.get(name), wanted) if name else plan.incoming(values, wanted)
        texts.append(text)
        written |= {name: text} if name else {}
    for keyword, name, values in _keywords(nodes):
        text = plan.written(values, expressions.get(name), keyword) if name else plan.express(values, {}, keyword)
        texts.append(f"{keyword}={text}")
    if layer.claims in written:
        values = tuple(getattr(node.layer, layer.claims) for node in nodes)
        if same(values, [node.output.channels for node in nodes]):
            plan.flow = Flow(written[layer.claims], values)
    return tuple(texts)


def _stands_for(nodes: tuple[LayerNode, ...], position: int, values: Values, taken: Container[str]) -> str | None:
    """The argument of the layer that a positional argument of its call is, of those that are not taken; None for a
    size that arrives."""
    incoming = tuple(node.layer.incoming(node.input) for node in nodes)
    if position == 0 and same(incoming, values):
        return None
    names = (name for name in nodes[0].layer.__fields__ if name not in taken)
    return next((name for name in names if same(tuple(getattr(n.layer, name) for n in nodes), values)), None)


def _size_name(nodes: tuple[LayerNode, ...], values: Values, name: str | None) -> str:
    if isinstance(values[0], tuple):
        return "shape"
    of_map = nodes[0].input.rank and nodes[0].torch.name != "nn.Linear"
    return f"{name or 'in'}_{'channels' if of_map else 'features'}"


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
