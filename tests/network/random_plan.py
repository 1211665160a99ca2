"""The plan of a random spec: statements that can be written as .cnn text (`random_text`) and run (`random_runner`).

A statement can be run many times: in every pass of a loop, at every use of its block, for every preset of its model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from torch_layers import Refusal
from torch_modules import Map

Env = dict[str, Any]


@dataclass(frozen=True)
class Expr:
    """An expression: as it is written, and what it is worth where names have values and a shape arrives. `tight`
    needs no brackets."""

    text: str
    value: Callable[[Env, Map], Any]
    tight: bool = True

    @property
    def inner(self) -> str:
        return self.text if self.tight else f"({self.text})"


def literal(value: Any) -> Expr:
    return Expr(write(value), lambda env, x: value, not str(value).startswith("-"))


def write(value: Any) -> str:
    if isinstance(value, Expr):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        if "?" in value:
            return "x".join(map(str, value))
        if len(value) > 1 and all(type(v) is int and v > 0 for v in value):
            return "x".join(map(str, value))
        return "[" + ", ".join(map(write, value)) + "]"
    if isinstance(value, Fraction):
        return str(float(value))
    if isinstance(value, Layer):
        inside = ", ".join(f"{name}={write(each)}" for name, each in value.args.items())
        return f"{value.word}({inside})" if inside else value.word
    return value.name if isinstance(value, Block) else str(value)


def worth(value: Any, env: Env, x: Map) -> Any:
    """The value of an argument that may hold expressions; raises `Refusal` where it has none."""
    if isinstance(value, tuple):
        return tuple(worth(each, env, x) for each in value)
    if not isinstance(value, Expr):
        return value
    try:
        return whole(value.value(env, x))
    except (IndexError, ZeroDivisionError, TypeError, KeyError) as error:
        raise Refusal(f"{value.text}: {error}") from None


def whole(value: Any) -> Any:
    """Whole results of arithmetic are whole numbers."""
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value


@dataclass(frozen=True)
class Layer:
    """A layer as a value."""

    word: str
    args: dict[str, Any]


# ------------------------------------------------------------------------------------------------------ statements


@dataclass
class Call:
    """A layer as it is written: the first `positional` arguments without names. `claim` stands before the arrow."""

    word: str
    args: dict[str, Any]
    positional: int = 1
    claim: Any = None

    def text(self) -> str:
        parts = []
        for at, (name, value) in enumerate(self.args.items()):
            shown = write(value)
            if at == 0 and self.claim is not None:
                shown = f"{write(self.claim)} -> {shown}"
            parts.append(shown if at < self.positional else f"{name}={shown}")
        return f"{self.word}({', '.join(parts)})" if parts else self.word


@dataclass
class Use:
    """A block, or the layer or block that a name holds. Arguments without a name come first."""

    name: str
    args: list[tuple[str | None, Any]]

    def text(self) -> str:
        parts = [f"{name}={write(value)}" if name else write(value) for name, value in self.args]
        return f"{self.name}({', '.join(parts)})" if parts else self.name


@dataclass
class Group:
    body: list[Statement]


@dataclass
class Combine:
    kind: str
    options: dict[str, Any]
    branches: list[list[Statement]]


@dataclass
class Step:
    """`label` are texts and expressions, joined."""

    op: Call | Use | Group | Combine
    label: list[Any] = field(default_factory=list)


@dataclass
class Chain:
    steps: list[Step]
    prediction: Any = None


@dataclass
class Let:
    name: str
    value: Expr


@dataclass
class Loop:
    """`repeat` where there are no names; `names` may be nested."""

    names: Any
    items: Expr
    body: list[Statement]


@dataclass
class If:
    parts: list[tuple[Expr, list[Statement]]]
    other: list[Statement] | None


@dataclass
class Assert:
    """`count` is the claimed number of parameters of the module; otherwise `claim` is checked."""

    count: int | None
    claim: Expr | None = None


Statement = Chain | Let | Loop | If | Assert


@dataclass
class Param:
    name: str
    default: Expr | None


@dataclass(eq=False)
class Block:
    """A block, or a model."""

    name: str
    params: list[Param]
    body: list[Statement]

    def bind(self, given: list[tuple[str | None, Any]], outer: Env) -> Env:
        """Values of the parameters; raises `Refusal`."""
        if len({param.name for param in self.params}) < len(self.params):
            raise Refusal("two parameters of one name")
        bound: Env = {}
        for at, (name, value) in enumerate(given):
            name = self.params[at].name if name is None and at < len(self.params) else name
            if name in bound or name not in {param.name for param in self.params}:
                raise Refusal(f"{self.name} takes no {name} here")
            bound[name] = value
        env = dict(outer)
        for param in self.params:
            if param.name not in bound:
                if param.default is None:
                    raise Refusal(f"{param.name} is missing")
                bound[param.name] = worth(param.default, env, Map(()))
            env[param.name] = bound[param.name]
        return env
