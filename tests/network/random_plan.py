"""The plan of a random spec: statements that can be written as .cnn text, and run on shapes with torch as the judge.

The runner is an interpreter of its own, which knows nothing of cnnspec. A statement can be run many times: in every
pass of a loop, at every use of its block, for every preset of its model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from torch_layers import BATCH, Map, Refusal, Sizes, Verdict, judge

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


# ---------------------------------------------------------------------------------------------------------- running


@dataclass
class Join:
    """A combinator of a program. `split` is the axis that is dealt out, `axis` the one along which outputs are put
    together; `whole` adds the input."""

    kind: str
    branches: list[list[Any]]
    split: int | None
    axis: int
    whole: bool


@dataclass
class Model:
    """What a model came to. `program` are paths of layers, and `Join`s."""

    outputs: list[tuple[Sizes, bool]] = field(default_factory=list)
    state: dict[str, Sizes] = field(default_factory=dict)
    parameters: int = 0
    layers: dict[str, Verdict] = field(default_factory=dict)
    program: list[Any] = field(default_factory=list)


class Module:
    """A submodule: the names of its children, and the blocks it is in."""

    def __init__(self, path: str, blocks: tuple[Block, ...] = (), depth: int = 0) -> None:
        self.path, self.blocks, self.depth = path, blocks, depth
        self.position = 0
        self.taken: set[str] = set()
        self.parameters = 0

    def take(self, label: str) -> str:
        key = label or str(self.position)
        self.position += 1
        if key in self.taken:
            raise Refusal(f"{key} is taken")
        self.taken.add(key)
        return f"{self.path}.{key}" if self.path else key


@dataclass
class Place:
    """Where a statement runs: what names mean, the module, the shape that arrives, and the program so far."""

    env: Env
    module: Module
    x: Map
    program: list[Any]

    def inside(self, env: Env | None = None) -> Place:
        """The same place, with names of its own."""
        return Place(dict(self.env if env is None else env), self.module, self.x, self.program)


class Runner:
    """Runs statements of one model on shapes. `lets` are the values of the file."""

    def __init__(self, lets: Env) -> None:
        self.lets, self.model = lets, Model()
        self.blocks: dict[str, Block] = {}

    def body(self, body: list[Statement], place: Place) -> None:
        for statement in body:
            self.run(statement, place)

    def run(self, statement: Statement, place: Place) -> None:
        match statement:
            case Chain():
                for step in statement.steps:
                    self.step(step, place)
                self.predict(statement.prediction, place)
            case Let():
                place.env[statement.name] = worth(statement.value, place.env, place.x)
            case Loop():
                for names in self.passes(statement, place):
                    inside = place.inside(place.env | names)
                    self.body(statement.body, inside)
                    place.x = inside.x
            case If():
                self.within(self.chosen(statement, place), place)
            case Assert():
                self.claim(statement, place)

    def within(self, body: list[Statement], place: Place) -> None:
        inside = place.inside()
        self.body(body, inside)
        place.x = inside.x

    def passes(self, loop: Loop, place: Place) -> list[Env]:
        items = worth(loop.items, place.env, place.x)
        if loop.names is None:
            if not isinstance(items, int) or isinstance(items, bool) or items < 0:
                raise Refusal(f"repeat {items}")
            return [{} for _ in range(items)]
        if not isinstance(items, tuple | list | range):
            raise Refusal(f"{items} is not a list")
        return [unpacked(loop.names, item) for item in items]

    def chosen(self, choice: If, place: Place) -> list[Statement]:
        for condition, body in choice.parts:
            if truth(condition, place):
                return body
        return [] if choice.other is None else choice.other

    def claim(self, statement: Assert, place: Place) -> None:
        if statement.claim and not truth(statement.claim, place):
            raise Refusal(f"{statement.claim.text} does not hold")

    def predict(self, prediction: Any, place: Place) -> None:
        if prediction in (None, "?"):
            return
        sizes = worth(prediction, place.env, place.x)
        sizes = sizes if isinstance(sizes, tuple) else (sizes,)
        if len(sizes) != len(place.x) or any(a not in (b, "?") for a, b in zip(sizes, place.x, strict=True)):
            raise Refusal(f"{tuple(place.x)} comes out, not {sizes}")

    # ------------------------------------------------------------------------------------------------------ steps

    def step(self, step: Step, place: Place) -> None:
        op = step.op
        if isinstance(op, Combine):
            self.combine(op, place)
            return
        parts = [worth(part, place.env, place.x) for part in step.label]
        if not all(isinstance(part, str | int) for part in parts):
            raise Refusal(f"{parts} is no name")
        path = place.module.take("".join(map(str, parts)))
        if isinstance(op, Group):
            self.module(op.body, path, place, dict(place.env))
        elif isinstance(op, Call):
            args = {name: worth(value, place.env, place.x) for name, value in op.args.items()}
            self.layer(op.word, args, worth(op.claim, place.env, place.x), path, place)
        else:
            self.use(op, path, place)

    def use(self, use: Use, path: str, place: Place) -> None:
        value = place.env.get(use.name) or self.blocks[use.name]
        args = [(name, worth(each, place.env, place.x)) for name, each in use.args]
        if isinstance(value, Block):
            if value in place.module.blocks:
                raise Refusal(f"{value.name} in itself")
            self.module(value.body, path, place, value.bind(args, self.lets), value)
        elif isinstance(value, Layer):
            self.layer(value.word, value.args | {str(name): each for name, each in args}, None, path, place)
        else:
            raise Refusal(f"{use.name} is no layer")

    def module(self, body: list[Statement], path: str, place: Place, env: Env, block: Block | None = None) -> None:
        blocks = (*place.module.blocks, block) if block else place.module.blocks
        inside = Place(env, Module(path, blocks, place.module.depth + 1), place.x, place.program)
        self.body(body, inside)
        self.finish(body, inside)
        place.module.parameters += inside.module.parameters
        place.x = inside.x

    def finish(self, body: list[Statement], place: Place) -> None:
        """The end of a module, whose parameters can be counted now."""
        for statement in body:
            count = statement.count if isinstance(statement, Assert) else None
            if count is not None and count != place.module.parameters:
                raise Refusal(f"{place.module.parameters} parameters, not {count}")

    def layer(self, word: str, args: dict[str, Any], claim: Any, path: str, place: Place) -> None:
        incoming = place.x[-1] if word == "linear" else place.x.channels
        if claim == "?":
            claim = None
        if claim is not None and claim != incoming:
            raise Refusal(f"{incoming} arrive, not {claim}")
        verdict = judge(word, args, claim, place.x)
        place.x = verdict.output
        place.module.parameters += verdict.parameters
        place.program.append(path)
        model = self.model
        model.layers[path] = verdict
        model.outputs.append((tuple(verdict.output), verdict.output.last))
        model.parameters += verdict.parameters
        model.state |= {f"{path}.{name}" if name else path: shape for name, shape in verdict.state.items()}

    # --------------------------------------------------------------------------------------------------- branches

    def combine(self, op: Combine, place: Place) -> None:
        options = {name: worth(value, place.env, place.x) for name, value in op.options.items()}
        if any(not isinstance(options.get(name, True), bool) for name in ("when", "split")):
            raise Refusal("neither true nor false")
        places = self.branches(op, options, place)
        for at in range(len(places)):
            self.branch(op, at, places, place)
        self.join(op, options, places, place)

    def branch(self, op: Combine, at: int, places: list[Place], place: Place) -> None:
        self.body(op.branches[at], places[at])

    def branches(self, op: Combine, options: dict[str, Any], place: Place) -> list[Place]:
        """Where each branch runs."""
        count = len(op.branches)
        if op.kind in ("add", "multiply", "concat") and count < 2:
            raise Refusal("one branch")
        share = place.x
        if options.get("split"):
            if place.x.channels % count:
                raise Refusal(f"{place.x.channels} channels in {count} shares")
            share = place.x.with_channels(place.x.channels // count)
        return [Place(dict(place.env), place.module, share, []) for _ in op.branches]

    def join(self, op: Combine, options: dict[str, Any], places: list[Place], place: Place) -> None:
        outputs = [branch.x for branch in places]
        split = place.x.axis if options.get("split") else None
        whole = op.kind == "residual" and options.get("when", True)
        place.program.append(Join(op.kind, [branch.program for branch in places], split, outputs[0].axis, whole))
        if whole:
            outputs = [*outputs, place.x]
        if op.kind != "aux":
            place.x = joined(op.kind, outputs)


def truth(condition: Expr, place: Place) -> bool:
    value = worth(condition, place.env, place.x)
    if not isinstance(value, bool):
        raise Refusal(f"{condition.text} is neither true nor false")
    return value


def joined(kind: str, outputs: list[Map]) -> Map:
    """What torch makes of the outputs of branches; layouts and ranks must agree."""
    first = outputs[0]
    if any((x.last, len(x)) != (first.last, len(first)) for x in outputs):
        raise Refusal(f"{kind} of {outputs}")
    tensors = [torch.empty(BATCH, *x, device="meta") for x in outputs]
    try:
        if kind == "concat":
            found = torch.cat(tensors, dim=first.axis)
        else:
            found = tensors[0]
            for other in tensors[1:]:
                found = found * other if kind == "multiply" else found + other
    except RuntimeError as error:
        raise Refusal(f"{kind}: {error}") from None
    return Map(tuple(found.shape[1:]), first.last)


def unpacked(names: Any, item: Any) -> Env:
    """What the names of a loop, which may be nested, are worth for one item."""
    if isinstance(names, str):
        return {names: item}
    if not isinstance(item, tuple | list) or len(item) != len(names):
        raise Refusal(f"{item} for {names}")
    found: Env = {}
    for name, each in zip(names, item, strict=True):
        found |= unpacked(name, each)
    return found
