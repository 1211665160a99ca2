"""Draws the statements of random specs.

A spec is drawn statement by statement, and each is run on the way (`random_runner`), so that the shape that arrives is
always known and most arguments can suit it; wrong ones are mixed in. Loops, blocks and models are drawn where they
run for the first time; after that they are run as they are, whatever comes of it. What torch refuses ends the model.
"""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from typing import Any

from random_calls import Calls
from random_kinds import Kinds
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
    Param,
    Statement,
    Step,
    Use,
    literal,
)
from random_runner import Place, Runner
from random_values import apply, name
from torch_modules import Map


class Open(list[Statement]):
    """A body that is drawn when it is first run. `goal` is the shape it should end with, `steps` its length."""

    def __init__(self, steps: int, goal: Map | None = None) -> None:
        super().__init__()
        self.steps, self.goal = steps, goal
        self.drawn = False
        self.fresh = True


class Drawer(Runner):
    """Runs statements, and draws those that are not drawn yet."""

    def __init__(self, seed: int, wrong: float) -> None:
        super().__init__({})
        self.rng = random.Random(seed)
        self.wrong = wrong
        self.calls, self.values = Calls(self.rng, wrong), Kinds(self.rng)
        self.finished: list[Block] = []
        self.kinds: dict[int, dict[str, str]] = {}
        self.looping: Counter[int] = Counter()
        self.left = 0
        self.mix: Counter[str] = Counter()

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    # ----------------------------------------------------------------------------------------- bodies as they run

    def body(self, body: list[Statement], place: Place) -> None:
        if not isinstance(body, Open) or body.drawn:
            super().body(body, place)
            return
        body.drawn = True
        for _ in range(body.steps):
            if self.left <= 0:
                break
            self.drawn(body, self.statement(place), place)
        for statement in self.projection(place.x, body.goal):
            self.drawn(body, statement, place)

    def drawn(self, body: list[Statement], statement: Statement, place: Place) -> None:
        body.append(statement)
        self.run(statement, place)

    def run(self, statement: Statement, place: Place) -> None:
        if isinstance(statement, OpenChain) and statement.count:
            self.draw_chain(statement, place)
            return
        loop = isinstance(statement, Loop)
        self.looping[id(place.module)] += loop
        super().run(statement, place)
        self.looping[id(place.module)] -= loop

    def draw_chain(self, chain: OpenChain, place: Place) -> None:
        count, chain.count = chain.count, 0
        for _ in range(count):
            chain.steps.append(self.draw_step(place, self.depth(place)))
            self.step(chain.steps[-1], place)
        if self.chance(0.12):
            chain.prediction = self.prediction(place)
            self.predict(chain.prediction, place)

    def prediction(self, place: Place) -> Any:
        if self.chance(0.15):
            return "?"
        sizes: list[Any] = list(place.x)
        if self.chance(self.wrong / 2):
            sizes[self.rng.randrange(len(sizes))] += 1
        if self.chance(0.3):
            return tuple(self.values.number(each, place.env, place.x) for each in sizes)
        if self.looping[id(place.module)] or self.chance(0.3):
            sizes = [each if self.chance(0.4) else "?" for each in sizes]
        return tuple(sizes) if len(sizes) > 1 else literal(place.x[0])

    def depth(self, place: Place) -> int:
        return place.module.depth + self.looping[id(place.module)]

    def branch(self, op: Combine, at: int, places: list[Place], place: Place) -> None:
        body = op.branches[at]
        if isinstance(body, Open) and not body.drawn and not self.chance(self.wrong):
            if op.kind in ("add", "concat", "multiply") and at:
                body.goal = places[0].x
                if op.kind == "concat" and self.chance(0.7):
                    body.goal = body.goal.with_channels(places[at].x.channels)
            if op.kind == "residual":
                body.goal = place.x
        super().branch(op, at, places, place)

    def projection(self, x: Map, goal: Map | None) -> list[Statement]:
        """Layers that lead to a shape."""
        words: list[Call] = []
        if goal is None or (x.last, tuple(x)) == (goal.last, tuple(goal)):
            return []
        if x.last:
            words.append(Call("channels_first", {}))
            x = Map((x.channels, *x.spatial))
        spatial, channels = goal.spatial, goal.channels
        if x.rank != goal.rank:
            size = channels
            for each in spatial:
                size *= each
            words += [Call("flatten", {}), Call("linear", {"out": size})]
            words += [Call("unflatten", {"shape": (channels, *spatial)})] if goal.rank else []
        elif x.rank == 0:
            words.append(Call("linear", {"out": channels}))
        else:
            words += [Call("conv", {"out": channels, "kernel": 1}, 2)] if x.channels != channels else []
            words += [Call("adaptive_avgpool", {"size": spatial})] if x.spatial != spatial else []
        words += [Call("channels_last", {})] if goal.last else []
        return [Chain([Step(call) for call in words])]

    # ------------------------------------------------------------------------------------------------- statements

    def statement(self, place: Place) -> Statement:
        kind = self.rng.random()
        depth = self.depth(place)
        if kind < 0.06:
            return self.let(place)
        if kind < 0.13 and depth < 3:
            return self.loop(place)
        if kind < 0.20 and depth < 3:
            return self.choice(place)
        if kind < 0.22:
            wrong = self.chance(self.wrong)
            return Assert(None, self.values.condition(not wrong, place.env, place.x))
        return OpenChain([], self.rng.choice([1, 1, 1, 2, 3]))

    def let(self, place: Place) -> Let:
        self.mix["let"] += 1
        kind = self.rng.choice(["width", "widths", "flag", "act", "rate", "kernel"])
        value = self.values.value(kind)
        return Let(self.fresh(kind, place.env), self.values.express(value, place.env, place.x))

    def loop(self, place: Place) -> Loop:
        count = self.rng.choice([0, 1, 2, 2, 3])
        body = Open(self.rng.randint(1, 2))
        if self.chance(0.3):
            self.mix["repeat"] += 1
            times = self.values.number(count, place.env, place.x)
            if self.chance(self.wrong / 2):
                times = self.rng.choice([literal(-1), literal(Fraction(1, 2)), literal(True)])
            return Loop(None, times, body)
        self.mix["for"] += 1
        names, items = self.items(count, place)
        return Loop(names, items, body)

    def items(self, count: int, place: Place) -> tuple[Any, Expr]:
        """The names of a loop, and its list."""
        env, x = place.env, place.x
        one, other = self.fresh("i", env), self.fresh("w", env)
        widths = tuple(self.rng.choice([4, 8, 8, 12]) for _ in range(count))
        listed = self.values.express(widths, env, x)
        start = self.rng.randint(0, 2)
        counting = apply(
            "range({0}, {1})", range, literal(start), self.values.number(start + count, env, x), tight=True
        )
        match self.rng.randrange(6):
            case 0:
                return one, apply("range({0})", range, self.values.number(count, env, x), tight=True)
            case 1:
                return other, listed
            case 2:
                numbered = apply("enumerate({0}, start={1})", _numbered, listed, literal(start), tight=True)
                return (one, other), numbered
            case 3:
                wrong = (one, other, self.fresh("k", env)) if self.chance(self.wrong) else (one, other)
                return wrong, apply("zip({0}, {1})", _zipped, counting, listed, tight=True)
            case 4:
                pairs = apply("zip({0}, {1})", _zipped, counting, listed, tight=True)
                return (self.fresh("k", env), (one, other)), apply("enumerate({0})", _numbered, pairs, tight=True)
            case _:
                return one, counting

    def choice(self, place: Place) -> If:
        self.mix["if"] += 1
        count = self.rng.choice([1, 1, 2])
        taken = self.rng.randint(0, count)
        parts: list[tuple[Expr, list[Statement]]] = [
            (self.values.condition(at == taken, place.env, place.x), Open(self.rng.randint(1, 2)))
            for at in range(count)
        ]
        if self.chance(self.wrong / 3):
            parts[0] = (literal(1), parts[0][1])
        return If(parts, Open(1) if self.chance(0.6) else None)

    # ------------------------------------------------------------------------------------------------------ steps

    def draw_step(self, place: Place, depth: int) -> Step:
        self.left -= 1
        kind = self.rng.random()
        if kind < 0.05 and depth < 3:
            self.mix["group"] += 1
            return Step(Group(Open(self.rng.randint(1, 3))), self.label(place))
        if kind < 0.21 and depth < 3:
            return Step(self.combinator(place))
        if kind < 0.34:
            use = self.block(place, depth)
            if use:
                return Step(use, self.label(place))
        held = [key for key, value in place.env.items() if isinstance(value, Layer)]
        if held and kind < 0.5:
            self.mix["layer as value"] += 1
            return Step(self.held(self.rng.choice(held), place), self.label(place))
        call = self.calls.draw(place.x)
        self.mix[call.word] += 1
        return Step(self.lifted(call, place), self.label(place))

    def combinator(self, place: Place) -> Combine:
        kind = self.rng.choice(["add", "concat", "multiply", "residual", "residual", "aux"])
        options: dict[str, Any] = {}
        count = self.rng.choice([2, 2, 2, 3])
        if kind in ("residual", "aux"):
            count = 1
        if kind == "residual" and self.chance(0.4):
            options["when"] = self.values.condition(self.chance(0.7), place.env, place.x)
        shared = place.x.channels % count == 0 or self.chance(self.wrong)
        if kind in ("concat", "multiply") and shared and self.chance(0.4):
            options["split"] = True if self.chance(0.7) else self.values.condition(True, place.env, place.x)
        if kind == "aux" and self.chance(0.5):
            options["weight"] = literal(Fraction(2, 5))
        self.mix[kind] += 1
        branches: list[list[Statement]] = [Open(self.rng.choice([0, 1, 1, 2])) for _ in range(count)]
        return Combine(kind, options, branches)

    def held(self, key: str, place: Place) -> Use:
        """A use of a layer that a name holds, perhaps with another argument."""
        word = place.env[key].word
        more: list[tuple[str | None, Any]] = []
        if self.chance(0.3):
            if word == "batchnorm":
                more = [("eps", literal(Fraction(1, 100)))]
            elif word == "dropout":
                more = [("p", self.values.share(Fraction(1, 4), place.env))]
            elif word == "conv":
                more = [("stride", self.values.number(2, place.env, place.x))]
            elif self.chance(self.wrong):
                more = [("eps", literal(Fraction(1, 100)))]
        return Use(key, more)

    def lifted(self, call: Call, place: Place) -> Call:
        """The same call, with some values computed."""
        for key, value in call.args.items():
            if not self.chance(0.35):
                continue
            if isinstance(value, bool):
                call.args[key] = self.values.condition(value, place.env, place.x)
            elif isinstance(value, int):
                call.args[key] = self.values.number(value, place.env, place.x)
            elif isinstance(value, Fraction):
                call.args[key] = self.values.share(value, place.env)
            elif isinstance(value, tuple) and key != "amount":
                call.args[key] = tuple(self.values.number(each, place.env, place.x) for each in value)
            elif isinstance(value, str):
                held = [name(each) for each, known in place.env.items() if known == value]
                call.args[key] = self.rng.choice(held) if held else value
        if isinstance(call.claim, int) and self.chance(0.4):
            call.claim = self.values.number(call.claim, place.env, place.x)
        return call

    def label(self, place: Place) -> list[Any]:
        if self.chance(0.75):
            return []
        env = place.env
        plain = self.rng.choice(["stem", "head", "body", "a1", "block", "conv2", "model"])
        numbers = [key for key, value in env.items() if type(value) is int]
        if numbers and self.chance(0.4):
            parts = [plain, self.values_of_label(self.rng.choice(numbers))]
            return [*parts, "-", name(self.rng.choice(numbers))] if self.chance(0.3) else parts
        if self.looping[id(place.module)] and not self.chance(self.wrong):
            return []
        free = plain not in place.module.taken or self.chance(self.wrong)
        return [plain] if free else []

    def values_of_label(self, key: str) -> Expr:
        if self.chance(0.3):
            return apply("{0} + {1}", lambda a, b: a + b, name(key), literal(1))
        return name(key)

    # ----------------------------------------------------------------------------------------------------- blocks

    def block(self, place: Place, depth: int) -> Use | None:
        """A use of a block: one drawn before, that which a name holds, or a new one."""
        env = place.env
        held = [key for key, value in env.items() if isinstance(value, Block)]
        if held and self.chance(0.7):
            key = self.rng.choice(held)
            self.mix["block as value"] += 1
            return Use(key, self.arguments(env[key], place))
        if self.finished and self.chance(0.55):
            block = self.rng.choice(self.finished)
            self.mix["block again"] += 1
        elif len(self.blocks) < 4 and depth < 3:
            block = self.new_block("Block", self.rng.randint(1, 4))
            self.mix["block"] += 1
        else:
            return None
        return Use(block.name, self.arguments(block, place))

    def fresh(self, stem: str, env: Env) -> str:
        for number in range(100):
            text = stem if not number else f"{stem}{number}"
            if text not in env and text not in self.lets:
                return text
        raise AssertionError(stem)

    def value(self, kind: str) -> Any:
        if kind != "unit":
            return self.values.value(kind)
        known = self.finished and self.chance(0.6)
        return self.rng.choice(self.finished) if known else self.new_block("Block", self.rng.randint(1, 3))

    def new_block(self, word: str, steps: int, most: int = 4) -> Block:
        kinds: dict[str, str] = {}
        params: list[Param] = []
        env: Env = {}
        choices = ["width", "kernel", "stride", "widths", "flag", "rate", "act", "act", "mode"]
        choices += ["unit"] if len(self.blocks) < 4 else []
        for kind in dict.fromkeys(self.rng.sample(choices, self.rng.randint(0, most))):
            stem = "dropout" if kind == "rate" and self.chance(0.3) else kind
            key = stem if self.chance(self.wrong / 10) else self.fresh(stem, kinds)
            default = None
            if self.chance(0.5) or (params and params[-1].default is not None):
                value = self.value(kind)
                default = self.values.express(value, env, Map(()))
                env[key] = value
            params.append(Param(key, default))
            kinds[key] = kind
        block = Block(f"{word}{len(self.blocks) + 1}" if word == "Block" else word, params, Open(steps))
        self.kinds[id(block)] = kinds
        if word == "Block":
            self.blocks[block.name] = block
        return block

    def arguments(self, block: Block, place: Place) -> list[tuple[str | None, Any]]:
        given: list[tuple[str | None, Any]] = []
        in_order = True
        for param in block.params:
            if param.default is not None and self.chance(0.6):
                in_order = False
                continue
            value = self.values.express(self.value(self.kinds[id(block)][param.name]), place.env, place.x)
            in_order = in_order and self.chance(0.6)
            given.append((None if in_order else param.name, value))
        if self.chance(self.wrong / 15):
            given.append(("nothing", literal(1)))
        return given

    def finish(self, body: list[Statement], place: Place) -> None:
        """The end of a module: what was drawn may say how many parameters it has."""
        if isinstance(body, Open) and body.fresh:
            body.fresh = False
            if self.chance(0.12):
                body.append(Assert(place.module.parameters + self.chance(self.wrong)))
            self.finished += [block for block in self.blocks.values() if block.body is body]
        super().finish(body, place)


class OpenChain(Chain):
    """A chain whose steps are drawn as they run."""

    def __init__(self, steps: list[Step], count: int) -> None:
        super().__init__(steps)
        self.count = count


def _numbered(items: Any, start: int = 0) -> tuple[Any, ...]:
    return tuple(enumerate(items, start))


def _zipped(*lists: Any) -> tuple[Any, ...]:
    return tuple(zip(*lists, strict=False))
