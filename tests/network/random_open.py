"""Random specs whose input has open sizes, and what torch says of single ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

from random_kinds import Kinds
from random_models import Writer
from random_plan import Block, Env, Expr, Let, Use, worth
from random_runner import Module, Place, Runner
from torch_layers import Refusal
from torch_modules import Map, Sizes

LARGEST = 256
LINES = 3
"""How many lines along each axis are tried, the other sizes fixed."""

NAMES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


class OpenKinds(Kinds):
    """Asks for sizes in conditions as often as in other specs, elsewhere seldom: what is repeated as often as a map is
    high is no answer for all sizes."""

    def number(self, wanted: int, env: Env, x: Map, depth: int = 2) -> Expr:
        return super().number(wanted, env, x if self.chance(0.15) else Map(()), depth)


class OpenWriter(Writer):
    """Draws a spec for one size of input, and writes it with open sizes."""

    def __init__(self, seed: int) -> None:
        while True:
            super().__init__(seed, wrong=0.01)
            if len(self.input) > 1:
                break
            seed += 1_000_003
        self.values = OpenKinds(self.rng)
        self.pattern = self._pattern()

    def _pattern(self) -> tuple[int | str, ...]:
        channels, *sides = self.input
        names: list[int | str] = list(NAMES[len(sides)])
        kind = self.rng.random()
        if kind < 0.15 and len(set(sides)) == 1:
            names = ["N"] * len(sides)
        elif kind < 0.3 and len(sides) > 1:
            fixed = self.rng.randrange(len(sides))
            names[fixed] = sides[fixed]
        return (channels, *names)

    def print(self, model: Block, lets: list[Let], presets: dict[str, Use]) -> None:
        super().print(model, lets, presets)
        self.block = model
        self.given: dict[str, list[Any]] = {} if None in [p.default for p in model.params] else {model.name: []}
        for name, use in presets.items():
            self.given[name] = [(key, worth(value, self.lets, Map(()))) for key, value in use.args]
        shape = "x".join(map(str, self.input))
        assert self.spec.text.count(f"\n  input {shape}\n") == 1
        self.spec.text = self.spec.text.replace(f"  input {shape}\n", f"  input {'x'.join(map(str, self.pattern))}\n")

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(size for size in self.pattern if isinstance(size, str)))

    @property
    def sides(self) -> dict[str, int]:
        return {name: size for name, size in zip(self.pattern, self.input, strict=True) if isinstance(name, str)}

    def judged(self, name: str, point: dict[str, int]) -> Sizes | None:
        """What comes out of a model for some sizes, as torch says; None where it refuses."""
        runner = Runner(self.lets)
        runner.blocks = self.blocks
        shape = tuple(point[size] if isinstance(size, str) else size for size in self.pattern)
        try:
            env = self.block.bind(self.given[name], self.lets)
            place = Place(env, Module(""), Map(shape), runner.model.program)
            runner.body(self.block.body, place)
            runner.finish(self.block.body, place)
        except Refusal:
            return None
        return tuple(place.x)


def grid(writer: OpenWriter, length: int) -> Iterator[dict[str, int]]:
    """All sizes there are, up to a length."""
    axes = list(writer.axes)
    return (dict(zip(axes, sizes, strict=True)) for sizes in product(range(1, length + 1), repeat=len(axes)))


def points(writer: OpenWriter, length: int, pairs: int) -> Iterator[dict[str, int]]:
    """Sizes along lines, one of them through the size that the spec was drawn for, and `pairs` anywhere."""
    rng = random.Random(writer.spec.seed)
    axes, drawn = writer.axes, writer.sides
    for axis in axes:
        lines = [drawn] + [{each: rng.randint(1, length) for each in axes} for _ in range(LINES - 1)]
        for line in lines if len(axes) > 1 else lines[:1]:
            yield from ({**line, axis: size} for size in range(1, length + 1))
    if len(axes) > 1:
        yield from ({axis: rng.randint(1, length) for axis in axes} for _ in range(pairs))
