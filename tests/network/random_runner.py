"""Runs the plan of a random spec on shapes, with torch as the judge. An interpreter of its own, which knows nothing of
cnnspec."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from random_plan import (
    Assert,
    Block,
    Call,
    Chain,
    Combine,
    Env,
    Expr,
    Group,
    If,
    Layer,
    Let,
    Loop,
    Statement,
    Step,
    Use,
    worth,
)
from torch_layers import BATCH, Refusal, Verdict, judge
from torch_modules import Map, Sizes


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
