"""From operations to a graph of the language's layers, joins of branches and shares of channels."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cnnspec.layers.activation import Hardsigmoid
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.norm import Scale
from cnnspec.layers.pool import AdaptiveAvgPool, AdaptiveMaxPool
from cnnspec.layers.shape import ChannelsFirst, ChannelsLast, Flatten, Identity
from cnnspec.porting.functions import WEIGHTS, arguments, layer_of_function, short
from cnnspec.porting.inverse import is_known, layer_of
from cnnspec.porting.moves import MOVES, Move, Part, moved
from cnnspec.porting.nodes import Node, Note, common_start
from cnnspec.porting.values import Op, Run, Value, each


class Graph:
    """The nodes of a run. `outputs` are the network's output and its side outputs."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.notes: list[Note] = []
        self.count = 0
        self.source = self.add(Node("input", (), Shape(run.input.sizes[1:])))
        self.made: dict[Value, Node | Move] = {run.input: self.source}
        self.weights: dict[Value, tuple[str, list[Op]]] = {}
        self.paths: set[str] = set()
        for op, outputs in run.ops:
            self.take(op, outputs)
        self.outputs = tuple(self.settled(value) for value in run.outputs if value in self.made)

    def add(self, node: Node) -> Node:
        self.count += 1
        node.number = self.count
        return node

    def settled(self, value: Value) -> Node:
        """The node of a value; what was only moved until now becomes layers."""
        found = self.made[value]
        if isinstance(found, Move):
            found = self.made[value] = self.move(found)
        return found

    def unknown(self) -> set[str]:
        """The modules in which something could not be expressed and nothing with weights could."""
        return {
            note.path
            for note in self.notes
            if note.path and not any(f"{path}.".startswith(f"{note.path}.") for path in self.paths)
        }

    # ---------------------------------------------------------------------------------------------- operations

    def take(self, op: Op, outputs: tuple[Value, ...]) -> None:
        live = [leaf for leaf in each((op.args, op.kwargs)) if isinstance(leaf, Value) and leaf in self.made]
        if not live:
            return self.derived(op, outputs)
        name = short(op.name)
        if op.module is None and name in MOVES and len(live) == 1:
            return self.moves(op, live[0], outputs)
        if op.module is None and name in ("expand", "expand_as", "broadcast_to"):
            self.made[outputs[0]] = self.made[live[0]]
            return None
        if len(outputs) == 1:
            self.made[outputs[0]] = self.node(op, name, live, outputs[0])
            return None
        for output in outputs:
            self.made[output] = self.gap(op, live, output)
        return None

    def derived(self, op: Op, outputs: tuple[Value, ...]) -> None:
        """What is worked out from parameters alone."""
        names = {self.weights[leaf][0] if leaf in self.weights else leaf.parameter for leaf in _values(op)} - {""}
        if len(names) == 1:
            for output in outputs:
                before = next((self.weights[leaf][1] for leaf in _values(op) if leaf in self.weights), [])
                self.weights[output] = (next(iter(names)), [*before, op])

    def moves(self, op: Op, value: Value, outputs: tuple[Value, ...]) -> None:
        before = self.made[value]
        if isinstance(before, Move) and (before.owner != op.owner or len(outputs) > 1) and moved(before):
            before = self.settled(value)
        base = before if isinstance(before, Move) else Move(before, (), 0, op.owner, value.sizes)
        for output in outputs:
            self.made[output] = Move(base.node, (*base.steps, (op, base.number)), output.index, op.owner, output.sizes)

    def move(self, move: Move) -> Node:
        node = move.node
        found = moved(move)
        if found is None:
            names = " and ".join(dict.fromkeys(short(op.name) for op, _ in move.steps))
            return self.placeholder(node, move.owner, f"{names} to {_sizes(move.sizes)}", move.sizes)
        for step in found:
            node = self.part(node, step) if isinstance(step, Part) else self.layer(node, step, move.owner)
        return node

    def part(self, node: Node, part: Part) -> Node:
        made = self.add(Node("part", (node,), node.shape.with_channels(node.shape.channels // part.of), ""))
        made.index, made.count = part.number, part.of
        return made

    def node(self, op: Op, name: str, live: list[Value], output: Value) -> Node:
        if op.module is not None:
            return self.leaf(op, live, output)
        if name in JOINS:
            return self.joined(op, name, live, output)
        if name in MEANS and len(live) == 1:
            found = self.mean(op, name, live[0])
            return found or self.gap(op, live, output)
        if name in KEEP and len(live) == 1:
            return self.settled(live[0])
        return self.function(op, live, output)

    def leaf(self, op: Op, live: list[Value], output: Value) -> Node:
        assert op.module is not None
        x = self.settled(live[0])
        layer = layer_of(op.module, x.shape) if is_known(op.module) and len(live) == 1 else None
        if layer is None:
            return self.gap(op, live, output, f"{op.module!r}".split("\n")[0].removesuffix("("))
        made = self.layer(x, layer, op.owner, weighted=bool(op.module.state_dict()))
        made.owner, _, made.hint = op.owner.rpartition(".")
        return made

    def layer(self, x: Node, layer: Layer, path: str, *, weighted: bool = False) -> Node:
        made = self.add(Node("layer", (x,), layer.output(x.shape), path))
        made.layer, made.weighted = layer, weighted and path not in self.paths
        if weighted and path in self.paths:
            self.notes.append(Note(path, "its weights are used a second time, and here they are others"))
            made.note = f"the weights of {path}, used a second time"
        if weighted:
            self.paths.add(path)
        return made

    def function(self, op: Op, live: list[Value], output: Value) -> Node:
        x = self.settled(live[0])
        named = arguments(op)
        kept = {key: named[key] for key in WEIGHTS if isinstance(named.get(key), Value)}
        if len(live) > 1 or (named.get("input") is not None and named["input"] is not live[0]):
            return self.gap(op, live, output)
        try:
            layer = layer_of_function(op, x.shape)
        except Refused:
            layer = None
        if layer is None:
            return self.hard(op, x) or self.gap(op, live, output)
        if not kept:
            return self.layer(x, layer, op.owner)
        return self.with_weights(op, x, layer, kept) or self.gap(op, live, output)

    def with_weights(self, op: Op, x: Node, layer: Layer, kept: dict[str, Value]) -> Node | None:
        """A function that is given parameters: the layer has the name of the module that keeps them."""
        names = {key: value.parameter or self.weights.get(value, ("",))[0] for key, value in kept.items()}
        paths = {name.rpartition(".")[0] for key, name in names.items() if name.rpartition(".")[2] == key}
        if len(paths) != 1 or not all(name.rpartition(".")[2] == key for key, name in names.items()):
            return None
        path = paths.pop()
        made = self.layer(x, layer, path, weighted=True)
        computed = [key for key, value in kept.items() if not value.parameter]
        if computed:
            kind = type(self.run.modules[path]).__name__ if path in self.run.modules else "module"
            made.note = f"{kind}: its {' and '.join(computed)} is worked out from a parameter before each use"
            self.notes.append(Note(path, made.note))
        return made

    def hard(self, op: Op, x: Node) -> Node | None:
        """relu6(x + 3) / 6, written out."""
        if short(op.name) not in ("div", "truediv") or _number(op) != 6 or x.layer is None:
            return None
        before = x.inputs[0] if x.inputs else x
        if x.layer.word != "relu6" or before.note != "Tensor.add by 3":
            return None
        self.notes = [note for note in self.notes if note.text != before.note]
        return self.layer(before.inputs[0], Hardsigmoid(), op.owner)

    def mean(self, op: Op, name: str, value: Value) -> Node | None:
        """A mean or maximum over all axes of the map."""
        x = self.settled(value)
        named = arguments(op)
        axes = named.get("dim", named.get("axis"))
        keep = bool(named.get("keepdim", named.get("keepdims", False)))
        dims = {
            axis % (x.shape.rank + 2) for axis in (axes if isinstance(axes, tuple | list) else [axes] if axes else ())
        }
        first = 1 if x.shape.channels_last else 2
        if not x.shape.rank or dims != set(range(first, first + x.shape.rank)):
            return None
        if x.shape.channels_last:
            x = self.layer(x, ChannelsFirst(), op.owner)
            if keep:
                return None
        pool = AdaptiveAvgPool(1) if name == "mean" else AdaptiveMaxPool(1)
        x = self.layer(x, pool, op.owner)
        return x if keep else self.layer(x, Flatten(), op.owner)

    # --------------------------------------------------------------------------------------------------- joins

    def joined(self, op: Op, name: str, live: list[Value], output: Value) -> Node:
        kind = JOINS[name]
        operands = list(each((op.args, op.kwargs))) if kind != "concat" else list(arguments_of_cat(op))
        tensors = [leaf for leaf in operands if isinstance(leaf, Value)]
        if len(tensors) == 1 and _number(op) == (0 if kind == "add" else 1):
            return self.settled(live[0])
        if kind == "multiply" and len(tensors) == 2 and len(live) == 1:
            other = tensors[0] if tensors[1] is live[0] else tensors[1]
            return self.scale(op, self.settled(live[0]), other) or self.gap(op, live, output)
        if len(tensors) < 2 and kind != "concat":
            return self.gap(op, live, output, f"Tensor.{name} by {_number(op):g}" if _number(op) is not None else "")
        if any(leaf not in self.made for leaf in tensors) or op.kwargs.get("alpha", 1) != 1 or len(tensors) < 2:
            return self.gap(op, live, output)
        nodes = tuple(self.settled(leaf) for leaf in tensors)
        axis = arguments(op).get("dim", arguments(op).get("axis", 0)) if kind == "concat" else 0
        if kind == "concat" and axis % len(output.sizes) != nodes[0].shape.channel_axis % len(output.sizes):
            return self.gap(op, live, output, f"torch.cat along axis {axis}")
        return self.join(kind, nodes, op, output)

    def join(self, kind: str, nodes: tuple[Node, ...], op: Op, output: Value, note: str = "") -> Node:
        if kind == "concat":
            nodes = tuple(common_start(nodes, self.known_joins()))
            if len(nodes) == 1:
                return nodes[0]
        shape = Shape(output.sizes[1:], nodes[0].shape.channels_last)
        made = self.add(Node("join", nodes, shape, op.owner))
        made.join, made.note = kind, note
        self.known_joins().append(made)
        return made

    def known_joins(self) -> list[Node]:
        found: list[Node] = self.__dict__.setdefault("_joins", [])
        return found

    def scale(self, op: Op, x: Node, factor: Value) -> Node | None:
        """A parameter that multiplies: of the shape that meets the channels here, or on the other side of a permute."""
        name, steps = (factor.parameter, []) if factor.parameter else self.weights.get(factor, ("", []))
        if not name or any(short(each_op.name) not in MOVES for each_op in steps):
            return None
        sizes = _first_sizes(steps, name) or factor.sizes
        channels = x.shape.channels
        if sizes == (channels, *[1] * x.shape.rank) and not x.shape.channels_last:
            return self.scaled(x, name)
        if sizes == (channels,) and x.shape.rank and not x.shape.channels_last:
            return self.layer(self.scaled(self.layer(x, ChannelsLast(), ""), name), ChannelsFirst(), "")
        return self.scaled(x, name) if sizes == (channels,) else None

    def scaled(self, x: Node, name: str) -> Node:
        return self.layer(x, Scale(self.first_value(name)), name, weighted=True)

    def first_value(self, name: str) -> float:
        value = self.run.first.get(name, 1.0)
        return 1.0 if math.isnan(value) else float(f"{value:.7g}")

    # ---------------------------------------------------------------------------------------------------- gaps

    def gap(self, op: Op, live: list[Value], output: Value, text: str = "") -> Node:
        """A placeholder for what has no words: the input passes on, several inputs are added or put together."""
        name = op.name.removeprefix("torch.nn.functional.").removeprefix("torch._C._nn.")
        text = text or (f"{name}" if "." in name else f"torch function {name}")
        nodes = tuple(dict.fromkeys(self.settled(value) for value in live))
        if len(nodes) == 1:
            return self.placeholder(nodes[0], op.owner, text, output.sizes)
        self.notes.append(Note(op.owner, text))
        alike = {node.shape for node in nodes}
        return self.join("add" if len(alike) == 1 else "concat", nodes, op, output, note=text)

    def placeholder_for(self, x: Node, wanted: Node, text: str) -> Node:
        """Stands for a node that is computed elsewhere."""
        made = self.add(Node("layer", (x,), wanted.shape, ""))
        made.layer, made.note = Identity(), text
        return made

    def placeholder(self, x: Node, path: str, text: str, sizes: tuple[int, ...]) -> Node:
        self.notes.append(Note(path, text))
        made = self.add(Node("layer", (x,), x.shape, path))
        made.layer, made.note = Identity(), text
        if sizes[1:] != x.shape.sizes and len(sizes) > 1:
            made.shape = Shape(sizes[1:])
        return made


JOINS = {
    "add": "add",
    "mul": "multiply",
    "multiply": "multiply",
    "cat": "concat",
    "concat": "concat",
    "concatenate": "concat",
}
MEANS = ("mean", "amax")
KEEP = ("contiguous", "clone", "detach", "to", "float", "type", "type_as", "alias", "requires_grad")


def _values(op: Op) -> list[Value]:
    return [leaf for leaf in each((op.args, op.kwargs)) if isinstance(leaf, Value)]


def _number(op: Op) -> float | None:
    for leaf in each(op.args):
        if isinstance(leaf, int | float) and not isinstance(leaf, bool):
            return float(leaf)
    return None


def arguments_of_cat(op: Op) -> Iterator[Value]:
    tensors = op.args[0] if op.args else op.kwargs.get("tensors", ())
    yield from (leaf for leaf in each(tensors) if isinstance(leaf, Value))


def _first_sizes(steps: list[Op], name: str) -> tuple[int, ...] | None:
    return next((leaf.sizes for op in steps for leaf in _values(op) if leaf.parameter == name), None)


def _sizes(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes[1:]))
