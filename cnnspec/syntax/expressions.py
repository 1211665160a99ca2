"""Expressions as text, with as few parentheses as they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cnnspec.syntax import tree

CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, POSTFIX = range(9)

LEVELS = (
    {"or": OR, "and": AND, "+": SUM, "-": SUM}
    | dict.fromkeys(("<", ">", "<=", ">=", "==", "!="), COMPARISON)
    | dict.fromkeys(("*", "/", "//", "%"), PRODUCT)
)


def show(node: tree.Expr, level: int = CONDITIONAL) -> str:
    """The expression where one that binds at least as tightly as `level` belongs."""
    text = SHOW[type(node)](node)
    return text if _level(node) >= level else f"({text})"


def listed(items: Iterable[str]) -> str:
    return ", ".join(items)


def call(node: tree.Call) -> str:
    """As a value; a layer without arguments has no parentheses."""
    return f"{node.name.text}({listed(map(argument, node.arguments))})"


def argument(node: tree.Argument) -> str:
    name = f"{node.name.text}=" if node.name else ""
    incoming = f"{show(node.incoming)} -> " if node.incoming else ""
    return f"{name}{incoming}{show(node.value)}"


def target(node: tree.Target) -> str:
    return ", ".join(_bound(name) for name in node.names)


def _bound(name: tree.Identifier | tuple[tree.Identifier, ...]) -> str:
    return f"[{', '.join(part.text for part in name)}]" if isinstance(name, tuple) else name.text


def _level(node: tree.Expr) -> int:
    if isinstance(node, tree.Binary):
        return LEVELS[node.operator]
    if isinstance(node, tree.Unary):
        return SIGN if node.operator == "-" else NOT
    return CONDITIONAL if isinstance(node, tree.Conditional) else POSTFIX


def _binary(node: tree.Binary) -> str:
    level = LEVELS[node.operator]
    left = level + 1 if level == COMPARISON else level
    return f"{show(node.left, left)} {node.operator} {show(node.right, level + 1)}"


def _unary(node: tree.Unary) -> str:
    blank = " " if node.operator == "not" else ""
    return f"{node.operator}{blank}{show(node.operand, _level(node))}"


def _conditional(node: tree.Conditional) -> str:
    return f"{show(node.value, OR)} if {show(node.condition, OR)} else {show(node.other)}"


def _slice(node: tree.Slice) -> str:
    start, stop = (show(bound) if bound else "" for bound in (node.start, node.stop))
    return f"{show(node.base, POSTFIX)}[{start}:{stop}]"


def _size(size: int | str | None) -> str:
    return "?" if size is None else str(size)


SHOW: dict[type, Callable[[Any], str]] = {
    tree.Number: lambda node: node.text,
    tree.Dims: lambda node: "x".join(map(_size, node.sizes)),
    tree.String: lambda node: f'"{node.text}"',
    tree.Boolean: lambda node: "true" if node.value else "false",
    tree.Hole: lambda node: "?",
    tree.Name: lambda node: node.text,
    tree.Attribute: lambda node: f"{node.base}.{node.name}",
    tree.Call: call,
    tree.List: lambda node: f"[{listed(map(show, node.items))}]",
    tree.Comprehension: lambda node: f"[{show(node.item)} for {target(node.target)} in {show(node.items)}]",
    tree.Index: lambda node: f"{show(node.base, POSTFIX)}[{show(node.index)}]",
    tree.Slice: _slice,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Conditional: _conditional,
}
