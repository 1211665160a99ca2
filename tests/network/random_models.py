"""Random specs, and what torch makes of them: the text, and for each model what it came to or why it is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from random_drawer import Drawer, Open
from random_plan import (
    Block,
    Chain,
    Combine,
    Group,
    If,
    Let,
    Loop,
    Statement,
    Step,
    Use,
    worth,
    write,
)
from random_runner import Model, Module, Place
from random_text import definition, statement
from torch_layers import Refusal
from torch_modules import Map


@dataclass
class Spec:
    """What was drawn. `files` are those that the text uses, by their paths."""

    seed: int
    rank: int
    text: str = ""
    files: dict[str, str] = field(default_factory=dict)
    models: dict[str, Model | str] = field(default_factory=dict)
    mix: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> bool:
        return any(isinstance(model, str) for model in self.models.values())


class Writer(Drawer):
    """Draws one spec."""

    def __init__(self, seed: int, wrong: float = 0.06) -> None:
        super().__init__(seed, wrong)
        rank = self.rng.choice([0, 1, 1, 2, 2, 2, 2, 3])
        sides = {0: [1, 4, 20, 64], 1: [8, 20, 33, 64], 2: [6, 8, 13, 28, 32], 3: [4, 6, 8]}[rank]
        channels = self.rng.choice([1, 3, 4, 8] if rank else sides)
        side = self.rng.choice(sides)
        self.input = (channels, *(side if self.chance(0.7) else self.rng.choice(sides) for _ in range(rank)))
        self.spec = Spec(seed, rank)
        self.left = self.rng.randint(3, 24)

    def write(self) -> Spec:
        lets = []
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            lets.append(self.let(Place(self.lets, Module(""), Map(()), [])))
            self.lets[lets[-1].name] = worth(lets[-1].value, self.lets, Map(()))
        model = self.new_block("Model", self.rng.randint(2, 9))
        presets = self.presets(model)
        self.fill([model.body, *(block.body for block in self.blocks.values())])
        self.print(model, lets, presets)
        self.spec.mix = self.mix
        return self.spec

    def presets(self, model: Block) -> dict[str, Use]:
        """Run the model with its defaults, and with other values."""
        if all(param.default is not None for param in model.params):
            self.instance(model.name, model, [])
        presets: dict[str, Use] = {}
        for number in range(self.rng.choice([0, 0, 1, 2]) if self.spec.models else 1):
            place = Place(dict(self.lets), Module(""), Map(()), [])
            presets[f"P{number}"] = Use(model.name, self.arguments(model, place))
            given = [(name, worth(value, self.lets, Map(()))) for name, value in presets[f"P{number}"].args]
            self.instance(f"P{number}", model, given)
        self.mix["preset"] += len(presets)
        return presets

    def instance(self, name: str, model: Block, given: list[tuple[str | None, Any]]) -> None:
        self.model = Model()
        self.looping.clear()
        try:
            place = Place(model.bind(given, self.lets), Module(""), Map(self.input), self.model.program)
            self.body(model.body, place)
            self.finish(model.body, place)
        except Refusal as refusal:
            self.spec.models[name] = str(refusal)
        else:
            self.spec.models[name] = self.model

    def fill(self, bodies: list[list[Statement]]) -> None:
        """What never ran says anything."""
        for body in bodies:
            if isinstance(body, Open) and not body.drawn:
                body.append(Chain([Step(self.calls.draw(Map((8, 9, 9))))]))
            for each in body:
                self.fill(list(inside(each)))

    def print(self, model: Block, lets: list[Let], presets: dict[str, Use]) -> None:
        """The text, now and then with some of it in another file."""
        head = [f"{statement(each, 0)}\n" for each in lets]
        texts = {block.name: definition("block", block) for block in self.blocks.values()}
        if self.chance(0.1) and (head or self.finished):
            self.mix["use"] += 1
            moved = needed([block.name for block in self.finished[: self.rng.randint(1, 3)]], texts)
            path = self.rng.choice(["parts.cnn", "parts/blocks.cnn"])
            self.spec.files[path] = "\n".join(head + [texts.pop(name) for name in moved])
            head = [f'use "{path}"\n']
        shape = f"  input {write(self.input) if self.input[1:] else self.input[0]}\n"
        last = [f"model {name} = {use.text()}\n" for name, use in presets.items()]
        self.spec.text = "\n".join([*head, *texts.values(), definition("model", model, shape), *last])


def needed(names: list[str], texts: dict[str, str]) -> list[str]:
    """Blocks, with all that they mention."""
    found: list[str] = []
    while names:
        name = names.pop()
        if name not in found:
            found.append(name)
            names += re.findall(r"\bBlock\d+", texts[name])
    return found


def inside(statement: Statement) -> Iterator[list[Statement]]:
    """The bodies in a statement."""
    match statement:
        case Loop():
            yield statement.body
        case If():
            yield from (body for _, body in statement.parts)
            yield from () if statement.other is None else (statement.other,)
        case Chain():
            for step in statement.steps:
                if isinstance(step.op, Group):
                    yield step.op.body
                elif isinstance(step.op, Combine):
                    yield from step.op.branches
