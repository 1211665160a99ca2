"""The network of a file, its faults included: layers, groups and joins, with loops and blocks written out.

Sizes are followed by PyTorch itself, not by cnnspec, whose judgement this is compared with. Where a layer refuses what
arrives, the claim it makes is dropped to find out what would follow; the plan keeps the claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from cnnspec.layers import LAYERS
from cnnspec.network.evaluate import Scope, bind_target, called, evaluate, items, truth
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.words import Argument, CallValue, Faults, Symbol

Sizes = tuple[int, ...]


class OnlyHere(Exception):
    """The fault exists in .cnn alone."""


@dataclass
class Unit:
    """A layer as it was called. `arrived` are the sizes that really reach it, None where nobody knows."""

    word: str
    line: int
    label: str | None
    args: list[Any]
    kwargs: dict[str, Any]
    claim: int | None
    arrived: Sizes | None = None

    def get(self, name: str, otherwise: Any = None) -> Any:
        """An argument by its name in .cnn."""
        names = list(LAYERS[self.word].parameters())[: len(self.args)]
        return self.args[names.index(name)] if name in names else self.kwargs.get(name, otherwise)


@dataclass
class Group:
    label: str | None
    children: list[Part]


@dataclass
class Join:
    """`add`, `multiply`, `concat` or `residual`."""

    word: str
    line: int
    split: bool
    branches: list[list[Part]]
    label: str | None = None
    arrived: Sizes | None = None


Part = Unit | Group | Join


@dataclass
class Plan:
    name: str
    input: Sizes
    parts: list[Part]
    batch: Sizes | None = None
    """The sizes of one sample of the data set, where the file names one that is known."""
    classes: int | None = None


class Measure(Protocol):
    def __call__(self, part: Unit | Join, arrived: Any) -> Any: ...


def plans(source: Source, measure: Measure) -> list[Plan]:
    """The models of a file that have all their arguments; raises `OnlyHere`."""
    parsed = parse(source)
    if parsed.diagnostics:
        raise OnlyHere("the text does not follow the grammar")
    try:
        return list(_plans(parsed.file, measure))
    except (Faults, LookupError, TypeError, ValueError) as wrong:
        raise OnlyHere("its names or values mean nothing in .cnn") from wrong


def _plans(file: tree.File, measure: Measure) -> Iterator[Plan]:
    blocks = {item.name.text: item for item in file.items if isinstance(item, tree.Block)}
    lets = Scope()
    for item in file.items:
        if isinstance(item, tree.Let):
            lets[item.name.text] = evaluate(item.value, lets)
    shape, classes = _data(file)
    for item in file.items:
        if not isinstance(item, tree.Model):
            continue
        if any(param.default is None for param in item.params):
            raise OnlyHere("a model with arguments that are not given")
        scope = lets.inner()
        _bind(item, CallValue(item.name.text, (), item.span, item.span), scope)
        inputs = [each for each in item.body.statements if isinstance(each, tree.Input)]
        if len(inputs) != 1:
            raise OnlyHere("a model without exactly one input")
        sizes = evaluate(inputs[0].shape, scope)
        sizes = sizes if isinstance(sizes, tuple) else (sizes,)
        if not all(isinstance(size, int) for size in sizes):
            raise OnlyHere("an input without sizes")
        walk = _Walk(blocks, measure, sizes)
        yield Plan(item.name.text, sizes, walk.body(item.body, scope), shape, classes)


def _data(file: tree.File) -> tuple[Sizes | None, int | None]:
    from cnnspec.data.facts import DATASETS
    from cnnspec.words import bind

    for item in file.items:
        for setting in item.settings if isinstance(item, tree.Train) else ():
            if setting.name.text == "data":
                value = evaluate(setting.value, Scope())
                call = CallValue(value.name, (), value.span, value.span) if isinstance(value, Symbol) else value
                if call.name in ("folder", "csv", "npz"):
                    return None, None
                facts = bind(DATASETS[call.name], call).facts(".")
                return facts.shape, len(facts.classes or ()) or None
    return None, None


def _bind(definition: tree.Block | tree.Model, call: CallValue, scope: Scope) -> None:
    names = [param.name.text for param in definition.params]
    given = {argument.name or names[at]: argument.value for at, argument in enumerate(call.arguments)}
    for param in definition.params:
        name = param.name.text
        scope[name] = given[name] if name in given else evaluate(param.default, scope)  # type: ignore[arg-type]


@dataclass
class _Flow:
    """What `x.` refers to."""

    sizes: Sizes | None

    @property
    def shape(self) -> Any:
        from cnnspec.layers.base import Shape

        return Shape(self.sizes) if self.sizes else None


@dataclass
class _Walk:
    blocks: dict[str, tree.Block]
    measure: Measure
    sizes: Sizes | None
    lost: bool = field(default=False)
    """Whether nobody knows what arrives: then nothing more is written."""

    def body(self, body: tree.Body, scope: Scope) -> list[Part]:
        scope = scope.inner()
        found: list[Part] = []
        for statement in body.statements:
            if not self.lost:
                found += self.statement(statement, scope)
        return found

    def statement(self, statement: tree.Statement, scope: Scope) -> list[Part]:
        scope.flow = _Flow(self.sizes)
        match statement:
            case tree.Chain():
                return [part for step in statement.steps for part in self.step(step, scope)]
            case tree.Let():
                scope[statement.name.text] = evaluate(statement.value, scope)
            case tree.Repeat():
                return [
                    part for _ in range(evaluate(statement.count, scope)) for part in self.body(statement.body, scope)
                ]
            case tree.For():
                found: list[Part] = []
                for value in items(statement.items, scope):
                    names = bind_target(statement.target, value, statement.span)
                    found += self.body(statement.body, scope.inner(**names))
                return found
            case tree.If():
                if truth(evaluate(statement.condition, scope), statement.span, scope):
                    return self.body(statement.body, scope)
                other = statement.otherwise
                if isinstance(other, tree.If):
                    return self.statement(other, scope)
                return self.body(other, scope) if other else []
            case tree.Faulty():
                raise OnlyHere("a statement that cannot be read")
        return []

    def step(self, step: tree.Step, scope: Scope) -> list[Part]:
        if self.lost:
            return []
        scope.flow = _Flow(self.sizes)
        label = step.label.text if step.label else None
        op = step.op
        if isinstance(op, tree.Group):
            return [Group(label, self.body(op.body, scope))]
        if isinstance(op, tree.Combine):
            return self.combine(op, scope)
        call = _call(op, scope)
        block = self.blocks.get(call.name)
        if block:
            inside = Scope({}, scope.flow)
            _bind(block, call, inside)
            return [Group(label, self.body(block.body, inside))]
        if call.name not in LAYERS:
            raise OnlyHere("a name that nothing defines")
        return [self.unit(call, op, label, scope)]

    def unit(self, call: CallValue, op: tree.Call, label: str | None, scope: Scope) -> Unit:
        known = LAYERS[call.name].parameters()
        if any(argument.name and argument.name not in known for argument in call.arguments):
            raise OnlyHere("an argument of another name")
        claim = op.arguments[0].incoming if op.arguments else None
        if claim is not None and call.name not in ("conv", "conv_transpose", "linear"):
            raise OnlyHere("an arrow where none belongs")
        unit = Unit(
            call.name,
            op.span.line,
            label,
            [_plain(argument) for argument in call.arguments if not argument.name],
            {argument.name: _plain(argument) for argument in call.arguments if argument.name},
            None if claim is None or isinstance(claim, tree.Hole) else evaluate(claim, scope),
            self.sizes,
        )
        self.sizes = self.through(unit)
        self.lost = self.sizes is None
        return unit

    def through(self, unit: Unit) -> Sizes | None:
        sizes: Sizes | None = self.measure(unit, self.sizes)
        if sizes is None and unit.claim is not None:
            claim, unit.claim = unit.claim, None
            sizes = self.measure(unit, self.sizes)
            unit.claim = claim
        return sizes

    def combine(self, op: tree.Combine, scope: Scope) -> list[Part]:
        word = op.call.name.text
        options = {each.name.text: evaluate(each.value, scope) for each in op.call.arguments if each.name}
        if len(options) < len(op.call.arguments):
            raise OnlyHere("branches in brackets")
        bodies = op.body.branches if isinstance(op.body, tree.Branches) else (op.body,)
        if word == "aux" or (word == "residual" and not options.get("when", True)):
            before = self.sizes
            parts = self.body(bodies[0], scope)
            self.sizes = before if word == "aux" else self.sizes
            return [] if word == "aux" else parts
        join = Join(word, op.span.line, options.get("split", False), [], None, self.sizes)
        inputs = self.measure(join, None) if join.split else [self.sizes] * len(bodies)
        if join.split:
            inputs = (inputs + [inputs[-1]] * len(bodies))[: len(bodies)]
        outputs = []
        for body, arriving in zip(bodies, inputs, strict=True):
            if self.lost:
                return [join]
            self.sizes = arriving
            join.branches.append(self.body(body, scope))
            outputs.append(self.sizes)
        if self.lost:
            return [join]
        self.sizes = self.measure(join, outputs + ([join.arrived] if word == "residual" else []))
        self.lost = self.sizes is None
        return [join]


def _call(op: tree.Call, scope: Scope) -> CallValue:
    from cnnspec.network.evaluate import arguments

    given = arguments(op, scope)
    value = scope.get(op.name.text)
    if isinstance(value, Symbol | CallValue):
        return called(value, given, op.span, op.name.span)
    return CallValue(op.name.text, given, op.span, op.name.span)


WORDS = ("padding", "padding_mode", "mode", "over", "axis", "approximate")
"""Arguments whose value may be a word, which is text in Python."""


def _plain(argument: Argument) -> Any:
    """As it is written in Python."""
    value = argument.value
    if isinstance(value, Symbol):
        if value.name != "none" and argument.name not in WORDS:
            raise OnlyHere("a name that nothing defines")
        return None if value.name == "none" else value.name
    if isinstance(value, CallValue):
        raise OnlyHere("a call where a value belongs")
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value
