"""The nodes of a graph: values of the network and what makes them."""

from __future__ import annotations

from typing import Literal

from cnnspec.layers.base import Layer, Shape

Kind = Literal["input", "layer", "join", "part"]


class Node:
    """A value of the network and what makes it. `path` is that of the layer where it has weights (`weighted`), else of
    the module that ran it. `note` says what a placeholder stands for. `join` is the combinator's word; a `part` is
    share number `index` of `count`."""

    def __init__(self, kind: Kind, inputs: tuple[Node, ...], shape: Shape, path: str = "") -> None:
        self.kind, self.inputs, self.shape, self.path = kind, inputs, shape, path
        self.layer: Layer | None = None
        self.weighted = False
        self.note = ""
        self.join = ""
        self.index = self.count = 0
        self.number = 0
        self.hint = ""
        self.owner = path

    @property
    def place(self) -> tuple[str, ...]:
        """The path of the module that it is a step of."""
        path = self.path.rpartition(".")[0] if self.weighted else self.owner
        return tuple(path.split(".")) if path else ()


class Note:
    """Something that could not be expressed: where in the module, and what."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text

    def __str__(self) -> str:
        return f"{self.path or 'the model itself'}: {self.text}"


def common_start(nodes: tuple[Node, ...], joins: list[Node]) -> list[Node]:
    """Operands of a concat; those that were put together before, at its beginning or its end, are taken from there."""
    best = max(
        (join for join in joins if join.join == "concat" and not join.note and _begins(flat(nodes), flat(join.inputs))),
        key=lambda join: len(flat(join.inputs)),
        default=None,
    )
    if best is None:
        return list(nodes)
    covered = len(flat(best.inputs))
    ends = [at for at in range(1, len(nodes) + 1) if len(flat(nodes[:at])) == covered]
    return [best, *(nodes[ends[0] :] if ends else flat(nodes)[covered:])]


def flat(nodes: tuple[Node, ...]) -> list[Node]:
    """The operands with those of concats among them."""
    return [leaf for node in nodes for leaf in (flat(node.inputs) if _is_concat(node) else [node])]


def _is_concat(node: Node) -> bool:
    return node.kind == "join" and node.join == "concat" and not node.note


def _begins(nodes: list[Node], start: list[Node]) -> bool:
    return nodes[: len(start)] == start
