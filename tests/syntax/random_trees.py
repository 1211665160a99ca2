"""Random trees of the language, from a seed."""

from __future__ import annotations

import random
from typing import Any

from cnnspec.source import Source
from cnnspec.syntax import tree

HERE = Source("random", "").span(0, 0)
NAMES = ["a", "width", "Pair", "conv", "relu", "n2", "_", "True_"]


class Trees:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def file(self) -> tree.File:
        kinds = [self.model, self.model, self.block, self.preset, self.train, self.use, self.let]
        return tree.File(tuple(self.random.choice(kinds)() for _ in range(self.random.randrange(6))), (), HERE)

    def some(self, make: Any, most: int, *args: Any, least: int = 0) -> tuple[Any, ...]:
        return tuple(make(*args) for _ in range(self.random.randint(least, most)))

    def maybe(self, make: Any, *args: Any) -> Any:
        return make(*args) if self.random.random() < 0.4 else None

    def name(self) -> tree.Identifier:
        return tree.Identifier(self.random.choice(NAMES), HERE)

    def model(self) -> tree.Model:
        return tree.Model(self.name(), self.some(self.param, 3), self.body(3), HERE)

    def block(self) -> tree.Block:
        return tree.Block(self.name(), self.some(self.param, 12), self.body(2), HERE)

    def param(self) -> tree.Param:
        return tree.Param(self.name(), self.maybe(self.expression, 2), HERE)

    def preset(self) -> tree.Preset:
        value = self.call(2) if self.random.random() < 0.8 else tree.Name("Net", HERE)
        return tree.Preset(self.name(), value, HERE)

    def train(self) -> tree.Train:
        settings = self.some(lambda: tree.Setting(self.name(), self.expression(2), HERE), 5)
        return tree.Train(self.maybe(self.name), settings, HERE)

    def use(self) -> tree.Use:
        return tree.Use(tree.String("blocks.cnn", HERE), HERE)

    def let(self) -> tree.Let:
        return tree.Let(self.name(), self.expression(4), HERE)

    def body(self, depth: int) -> tree.Body:
        return tree.Body(self.some(self.statement, 3, depth - 1), HERE)

    def statement(self, depth: int) -> tree.Statement:
        kinds: list[Any] = [self.chain] * 4 + [lambda depth: self.let()]
        kinds += [
            lambda depth: tree.Input(self.expression(1), HERE),
            lambda depth: tree.Assert(self.expression(3), HERE),
        ]
        if depth > 0:
            kinds += [self.repeat, self.loop, self.condition, self.chain]
        return self.random.choice(kinds)(depth)

    def repeat(self, depth: int) -> tree.Repeat:
        return tree.Repeat(self.expression(2), self.body(depth), HERE)

    def loop(self, depth: int) -> tree.For:
        return tree.For(self.target(), self.expression(2), self.body(depth), HERE)

    def target(self) -> tree.Target:
        def bound() -> Any:
            return self.name() if self.random.random() < 0.7 else self.some(self.name, 3, least=1)

        return tree.Target(self.some(bound, 3, least=1), HERE)

    def condition(self, depth: int) -> tree.If:
        otherwise: Any = self.maybe(self.body, depth)
        if depth > 0 and self.random.random() < 0.3:
            otherwise = self.condition(depth - 1)
        return tree.If(self.expression(2), self.body(depth), otherwise, HERE)

    def chain(self, depth: int) -> tree.Chain:
        prediction = self.maybe(lambda: self.random.choice([tree.Hole(HERE), self.expression(1)]))
        return tree.Chain(self.some(self.step, 5, depth, least=1), prediction, HERE)

    def step(self, depth: int) -> tree.Step:
        label = self.maybe(self.name)
        computed = label is not None and self.random.random() < 0.3
        op: Any = self.call(2)
        if depth > 0 and self.random.random() < 0.3:
            op = tree.Group(self.body(depth), HERE)
        elif depth > 0 and self.random.random() < 0.4:
            branches = tree.Branches(self.some(self.body, 3, depth, least=1), HERE)
            op = tree.Combine(op, self.random.choice([branches, self.body(depth)]), HERE)
        return tree.Step(label, computed, op, HERE)

    def call(self, depth: int) -> tree.Call:
        return tree.Call(self.name(), self.some(self.argument, 4, depth - 1), HERE)

    def argument(self, depth: int) -> tree.Argument:
        incoming = self.maybe(lambda: self.random.choice([tree.Hole(HERE), self.expression(depth)]))
        return tree.Argument(self.maybe(self.name), self.expression(depth), incoming, HERE)

    def expression(self, depth: int) -> tree.Expr:
        kinds = self.leaves()
        if depth > 0:
            kinds = [*kinds, *self.branches(depth - 1)]
        return self.random.choice(kinds)()

    def leaves(self) -> list[Any]:
        return [
            lambda: tree.Number(814122, "814_122", HERE),
            lambda: tree.Number(0.001, "1e-3", HERE),
            lambda: tree.Dims((3, "H", None), HERE),
            lambda: tree.String("a (text, with {marks}: [", HERE),
            lambda: tree.Boolean(self.random.random() < 0.5, HERE),
            lambda: tree.Name(self.random.choice(NAMES), HERE),
            lambda: tree.Attribute("x", "channels", HERE),
        ]

    def branches(self, depth: int) -> list[Any]:
        def inner() -> tree.Expr:
            return self.expression(depth)

        operators = ["+", "-", "*", "/", "//", "%", "<", ">", "<=", ">=", "==", "!=", "and", "or"]
        return [
            lambda: self.call(depth),
            lambda: tree.List(self.some(inner, 4), HERE),
            lambda: tree.Comprehension(inner(), self.target(), inner(), HERE),
            lambda: tree.Index(inner(), inner(), HERE),
            lambda: tree.Slice(inner(), self.maybe(inner), self.maybe(inner), HERE),
            lambda: tree.Unary(self.random.choice(["-", "not"]), inner(), HERE),
            lambda: tree.Binary(self.random.choice(operators), inner(), inner(), HERE),
            lambda: tree.Binary(self.random.choice(operators), inner(), inner(), HERE),
            lambda: tree.Conditional(inner(), inner(), inner(), HERE),
        ]
