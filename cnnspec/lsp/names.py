"""What every name in a text means: where it is defined, where it can be used and where it is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, Literal

from cnnspec.layers import LAYERS
from cnnspec.network.names import PLACE
from cnnspec.record import Record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

Kind = Literal["model", "block", "parameter", "let", "loop", "label"]


class Definition(Record):
    """A name where it gets its meaning. It can be used in `reach`; `node` is what is defined, for a parameter with the
    `owner` it belongs to."""

    kind: Kind
    name: str
    span: Span
    reach: Span
    node: tree.Node
    owner: Definition | None = None


class Reference(Record):
    """A name where it is used."""

    span: Span
    definition: Definition


Scope = dict[str, Definition]
Read = Callable[[str], "tree.File | None"]
VALUE = "let value = "


class Names:
    """The names of one file. `read` gives the files it uses, by their paths."""

    def __init__(self, file: tree.File, read: Read | None = None) -> None:
        self.file, self.read = file, read or (lambda path: None)
        self.definitions: list[Definition] = []
        self.references: list[Reference] = []
        self.loose: list[tree.Identifier] = []
        """Names of arguments where the thing that is called was given as a value: nobody knows whose they are."""
        self.given: set[str] = set()
        """Blocks that are handed over as values."""
        self.parameters: dict[Span, Scope] = {}
        self.models: Scope = {}
        self.top: Scope = {}
        self._define_all()
        for item in file.items:
            self._item(item)

    # ------------------------------------------------------------------------------------------------------ questions

    def at(self, offset: int) -> Definition | None:
        """What the name at a place means."""
        for reference in self.references:
            if reference.span.start <= offset <= reference.span.end:
                return reference.definition
        return next((d for d in self.definitions if d.span.start <= offset <= d.span.end), None)

    def uses(self, definition: Definition) -> list[Span]:
        """Where a definition is used in this file, in the order of the text."""
        found = [reference.span for reference in self.references if reference.definition == definition]
        return sorted(found, key=lambda span: span.start)

    def in_reach(self, offset: int) -> Scope:
        """What has a name at a place, by name."""
        near = [d for d in self.definitions if d.reach.start <= offset <= d.reach.end and d.kind != "label"]
        near.sort(key=lambda d: d.reach.start)
        return {**self.top, **{d.name: d for d in near if d.kind != "model"}}

    def parameters_of(self, definition: Definition) -> Scope:
        return self.parameters.get(definition.span, {})

    # ---------------------------------------------------------------------------------------------------- definitions

    def _define_all(self) -> None:
        for item in self.file.items:
            if isinstance(item, tree.Use):
                self._use(item)
        for item in self.file.items:
            if isinstance(item, tree.Block | tree.Model):
                self._owner(item)
            elif isinstance(item, tree.Preset):
                self.models[item.name.text] = self._define("model", item.name, self.file.span, item)
            elif isinstance(item, tree.Let):
                self.top[item.name.text] = self._define("let", item.name, self.file.span, item)

    def _define(
        self, kind: Kind, name: tree.Identifier, reach: Span, node: tree.Node, owner: Definition | None = None
    ) -> Definition:
        definition = Definition(kind, name.text, name.span, reach, node, owner)
        self.definitions.append(definition)
        return definition

    def _owner(self, item: tree.Block | tree.Model) -> None:
        block = isinstance(item, tree.Block)
        owner = self._define("block" if block else "model", item.name, self.file.span, item)
        (self.top if block else self.models)[item.name.text] = owner
        self.parameters[item.name.span] = {
            param.name.text: self._define("parameter", param.name, _from(param.span, item.span), param, owner)
            for param in item.params
        }

    def _use(self, item: tree.Use) -> None:
        """The blocks and lets of another file."""
        file = self.read(used_path(item))
        if file is None:
            return
        other = Names(file)
        self.parameters |= other.parameters
        self.top |= other.top

    # ---------------------------------------------------------------------------------------------------------- items

    def _item(self, item: tree.Item) -> None:
        if isinstance(item, tree.Block | tree.Model):
            scope = dict(self.top)
            for name, definition in self.parameters[item.name.span].items():
                param = definition.node
                assert isinstance(param, tree.Param)
                if param.default is not None:
                    self._expr(param.default, scope)
                scope[name] = definition
            self._body(item.body, scope)
        elif isinstance(item, tree.Preset):
            self._preset(item.value)
        elif isinstance(item, tree.Train):
            self._train(item)
        elif isinstance(item, tree.Let):
            self._expr(item.value, self.top)

    def _preset(self, value: tree.Call | tree.Name) -> None:
        name = value.name if isinstance(value, tree.Call) else tree.Identifier(value.text, value.span)
        model = self.models.get(name.text)
        self._refer(name, model)
        if isinstance(value, tree.Call):
            self._arguments(value, model, self.top)

    def _train(self, item: tree.Train) -> None:
        if item.model:
            self._refer(item.model, self.models.get(item.model.text))
        for setting in item.settings:
            self._expr(setting.value, self.top)

    # ----------------------------------------------------------------------------------------------------- statements

    def _body(self, body: tree.Body, scope: Scope) -> None:
        scope = dict(scope)
        for statement in body.statements:
            if isinstance(statement, tree.Let):
                self._expr(statement.value, scope)
                reach = _from(statement.span, body.span)
                scope[statement.name.text] = self._define("let", statement.name, reach, statement)
            elif isinstance(statement, tree.For):
                self._expr(statement.items, scope)
                self._body(statement.body, scope | self._loop(statement.target, statement.body.span, statement))
            elif isinstance(statement, tree.Chain):
                self._chain(statement, scope)
            else:
                self._other(statement, scope)

    def _other(self, statement: tree.Statement | tree.Body, scope: Scope) -> None:
        """A statement that brings no names: its expressions and bodies."""
        if isinstance(statement, tree.Body):
            self._body(statement, scope)
            return
        for part in statement.__dict__.values():
            if isinstance(part, tree.Body | tree.If):
                self._other(part, scope)
            elif isinstance(part, tree.Node):
                self._expr(part, scope)

    def _loop(self, target: tree.Target, reach: Span, node: tree.Node) -> Scope:
        names = [each for part in target.names for each in (part if isinstance(part, tuple) else (part,))]
        return {name.text: self._define("loop", name, reach, node) for name in names}

    def _chain(self, chain: tree.Chain, scope: Scope) -> None:
        for step in chain.steps:
            if step.label:
                self._define("label", step.label, step.label.span, step)
            if step.label and step.computed:
                self._computed(step.label, scope)
            op = step.op
            if isinstance(op, tree.Call):
                self._called(op, scope)
            elif isinstance(op, tree.Group):
                self._body(op.body, scope)
            else:
                self._arguments(op.call, None, scope)
                for body in op.body.branches if isinstance(op.body, tree.Branches) else (op.body,):
                    self._body(body, scope)
        if chain.prediction is not None:
            self._expr(chain.prediction, scope)

    def _computed(self, label: tree.Identifier, scope: Scope) -> None:
        """The names in `"layer{i + 1}"`."""
        for match in PLACE.finditer(label.text):
            for item in parse(Source(label.span.source.name, f"{VALUE}{match[1]}\n")).file.items:
                first = len(self.references)
                if isinstance(item, tree.Let):
                    self._expr(item.value, scope)
                by = label.span.start + 1 + match.start(1) - len(VALUE)
                moved = [_moved(reference, label.span.source, by) for reference in self.references[first:]]
                self.references[first:] = moved

    # ---------------------------------------------------------------------------------------------------- expressions

    def _expr(self, node: Any, scope: Scope) -> None:
        if isinstance(node, tree.Name):
            self._refer(tree.Identifier(node.text, node.span), scope.get(node.text))
            if node.text in scope and scope[node.text].kind == "block":
                self.given.add(node.text)
        elif isinstance(node, tree.Call):
            target = self._called(node, scope)
            if target is not None and target.kind == "block":
                self.given.add(target.name)
        elif isinstance(node, tree.Comprehension):
            self._expr(node.items, scope)
            self._expr(node.item, scope | self._loop(node.target, node.item.span, node))
        elif isinstance(node, tuple):
            for each in node:
                self._expr(each, scope)
        elif isinstance(node, tree.Node):
            for part in node.__dict__.values():
                if isinstance(part, tree.Node | tuple):
                    self._expr(part, scope)

    def _called(self, call: tree.Call, scope: Scope) -> Definition | None:
        """A call of a layer, a block, or of a name that holds one."""
        name = call.name.text
        target = scope.get(name)
        if target is not None and target.kind != "block" and name in LAYERS and not _holds_layer(target, scope):
            target = None
        self._refer(call.name, target)
        self._arguments(call, target, scope)
        return target

    def _arguments(self, call: tree.Call, target: Definition | None, scope: Scope) -> None:
        takes = self.parameters_of(target) if target else {}
        for argument in call.arguments:
            if argument.name and target and target.kind in ("block", "model"):
                self._refer(argument.name, takes.get(argument.name.text))
            elif argument.name and target:
                self.loose.append(argument.name)
            for value in (argument.incoming, argument.value):
                self._expr(value, scope)

    def _refer(self, name: tree.Identifier, definition: Definition | None) -> None:
        if definition is not None:
            self.references.append(Reference(name.span, definition))


def _holds_layer(definition: Definition, scope: Scope) -> bool:
    """Whether a name that is also a layer's was given a layer or block: a call of `dropout` where `dropout` is a number
    is one of the layer."""
    value = getattr(definition.node, "default", None) or getattr(definition.node, "value", None)
    called = value.name if isinstance(value, tree.Call) else value
    if not isinstance(called, tree.Name | tree.Identifier):
        return False
    return called.text in LAYERS or (called.text in scope and scope[called.text].kind == "block")


def _from(start: Span, end: Span) -> Span:
    """From the end of one to the end of the other."""
    return Span(end.source, start.end, end.end)


def _moved(reference: Reference, source: Source, by: int) -> Reference:
    span = reference.span
    return Reference(Span(source, span.start + by, span.end + by), reference.definition)


def used_path(item: tree.Use) -> str:
    """The file that `use` names."""
    return os.path.normpath(os.path.join(os.path.dirname(item.span.source.name), item.path.text))  # noqa: PTH118, PTH120


IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
