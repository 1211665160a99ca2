"""The syntax tree. Every node knows its place; two nodes are equal when they say the same, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from cnnspec.record import REQUIRED, Record
from cnnspec.source import Span


class Node(Record):
    """Base of all nodes. `span` is always the last field and does not count in comparisons."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(self.__dict__[name] == other.__dict__[name] for name in self.__fields__ if name != "span")

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self.__fields__ if name != "span")))


class Identifier(Node):
    """A name where it is defined or used: a label, a parameter, the name of a call."""

    text: str
    span: Span = REQUIRED


# ---------------------------------------------------------------------------------------------------- expressions


class Number(Node):
    """A literal number. `text` keeps how it was written (`814_122`, `1e-3`)."""

    value: int | float
    text: str
    span: Span = REQUIRED


class Dims(Node):
    """`3x5`, `128x?x?`, `3xHxW`: None for `?`, a str for an open size."""

    sizes: tuple[int | str | None, ...]
    span: Span = REQUIRED


class String(Node):
    text: str
    span: Span = REQUIRED


class Boolean(Node):
    value: bool
    span: Span = REQUIRED


class Hole(Node):
    """`?`"""

    span: Span = REQUIRED


class Name(Node):
    text: str
    span: Span = REQUIRED


class Attribute(Node):
    """`x.channels`"""

    base: str
    name: str
    span: Span = REQUIRED


class Argument(Node):
    """`3`, `padding=1`, `2048 -> 256`. `incoming` is what stands before the arrow, an expression or a `Hole`."""

    name: Identifier | None
    value: Expr
    incoming: Expr | None
    span: Span = REQUIRED


class Call(Node):
    """A call, in the place of a layer or of a value. Without parentheses `arguments` is empty (a layer) or it is a
    `Name` (a value)."""

    name: Identifier
    arguments: tuple[Argument, ...]
    span: Span = REQUIRED


class List(Node):
    items: tuple[Expr, ...]
    span: Span = REQUIRED


class Comprehension(Node):
    """`[item for target in items]`"""

    item: Expr
    target: Target
    items: Expr
    span: Span = REQUIRED


class Index(Node):
    base: Expr
    index: Expr
    span: Span = REQUIRED


class Slice(Node):
    base: Expr
    start: Expr | None
    stop: Expr | None
    span: Span = REQUIRED


class Unary(Node):
    operator: Literal["-", "not"]
    operand: Expr
    span: Span = REQUIRED


class Binary(Node):
    """Arithmetic (+ - * / // %), comparison (< > <= >= == !=) or logic (and or)."""

    operator: str
    left: Expr
    right: Expr
    span: Span = REQUIRED


class Conditional(Node):
    """`value if condition else other`"""

    value: Expr
    condition: Expr
    other: Expr
    span: Span = REQUIRED


Expr = (
    Number
    | Dims
    | String
    | Boolean
    | Hole
    | Name
    | Attribute
    | Call
    | List
    | Comprehension
    | Index
    | Slice
    | Unary
    | Binary
    | Conditional
)


class Target(Node):
    """What a `for` binds: names, or names to unpack into (`a, [b, c]`)."""

    names: tuple[Identifier | tuple[Identifier, ...], ...]
    span: Span = REQUIRED


# ----------------------------------------------------------------------------------------------------- statements


class Body(Node):
    """`{ ... }`: steps one after another. Bodies that differ in what could not be read of them are equal."""

    statements: tuple[Statement, ...]
    span: Span = REQUIRED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self._read == other._read

    def __hash__(self) -> int:
        return hash(self._read)

    @property
    def _read(self) -> tuple[Statement, ...]:
        return tuple(statement for statement in self.statements if not isinstance(statement, Faulty))


class Branches(Node):
    """`{ | ... | ... }`: each branch receives the incoming tensor."""

    branches: tuple[Body, ...]
    span: Span = REQUIRED


class Combine(Node):
    """`add { | ... }`, `residual(when=...) { ... }`, `aux { ... }`: a call with braces."""

    call: Call
    body: Body | Branches
    span: Span = REQUIRED


class Group(Node):
    """Braces with a label or alone: a submodule."""

    body: Body
    span: Span = REQUIRED


class Step(Node):
    """One layer, block, group or combinator, with or without a label. `computed` tells a label in quotes."""

    label: Identifier | None
    computed: bool
    op: Call | Combine | Group
    span: Span = REQUIRED


class Chain(Node):
    """`step, step, step -> prediction`. The prediction is an expression, a `Hole` or None."""

    steps: tuple[Step, ...]
    prediction: Expr | None
    span: Span = REQUIRED


class Input(Node):
    shape: Expr
    span: Span = REQUIRED


class Let(Node):
    name: Identifier
    value: Expr
    span: Span = REQUIRED


class Repeat(Node):
    count: Expr
    body: Body
    span: Span = REQUIRED


class For(Node):
    target: Target
    items: Expr
    body: Body
    span: Span = REQUIRED


class If(Node):
    condition: Expr
    body: Body
    otherwise: Body | If | None
    span: Span = REQUIRED


class Assert(Node):
    condition: Expr
    span: Span = REQUIRED


class Faulty(Node):
    """Stands where a statement was left out because of a syntax error: nobody knows what it would have done."""

    span: Span = REQUIRED


Statement = Input | Let | Repeat | For | If | Assert | Chain | Faulty


# ---------------------------------------------------------------------------------------------------------- items


class Param(Node):
    name: Identifier
    default: Expr | None
    span: Span = REQUIRED


class Model(Node):
    name: Identifier
    params: tuple[Param, ...]
    body: Body
    span: Span = REQUIRED


class Preset(Node):
    """`model resnet50 = ResNet(Bottleneck, [3, 4, 6, 3])`"""

    name: Identifier
    value: Call | Name
    span: Span = REQUIRED


class Block(Node):
    name: Identifier
    params: tuple[Param, ...]
    body: Body
    span: Span = REQUIRED


class Setting(Node):
    name: Identifier
    value: Expr
    span: Span = REQUIRED


class Train(Node):
    """`train { }` for all models of the file, `train NAME { }` for one."""

    model: Identifier | None
    settings: tuple[Setting, ...]
    span: Span = REQUIRED


class Use(Node):
    path: String
    span: Span = REQUIRED


Item = Model | Preset | Block | Train | Use | Let


class Comment(Node):
    """`# ...` from the hash to the end of the line. Comments are no part of the tree: `File.comments` lists them."""

    text: str
    span: Span = REQUIRED


class File(Node):
    """A parsed spec. Comments do not count when two files are compared."""

    items: tuple[Item, ...]
    comments: tuple[Comment, ...]
    span: Span = REQUIRED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, File) and self.items == other.items

    def __hash__(self) -> int:
        return hash(self.items)


def walk(node: Any) -> Iterator[Node]:
    """A node and all below it; a tuple stands for its members."""
    if isinstance(node, tuple):
        for each in node:
            yield from walk(each)
    elif isinstance(node, Record) and not isinstance(node, Span):
        if isinstance(node, Node):
            yield node
        yield from walk(tuple(node.__dict__.values()))
