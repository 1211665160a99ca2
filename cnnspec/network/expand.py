"""From the tree of a model to a checked Network: one walk that expands blocks, evaluates what is computed, resolves
names and infers shapes.

They are one walk because what a spec says can depend on the shape at that point. The walk goes on after a fault, so
that one run reports all of them; what follows from a fault stays silent (see `Flow`). Equal uses of a block, which
receive equal shapes, are expanded once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.layers.base import Shape
from cnnspec.network import faults
from cnnspec.network.calls import Meaning, bind_block, meaning, misplaced_arrow
from cnnspec.network.evaluate import Scope, bind_target, canonical, evaluate, items, truth
from cnnspec.network.flow import Flow
from cnnspec.network.join import combine
from cnnspec.network.model import Binding, BlockUse, Choice, GroupNode, Item, Loop, Node
from cnnspec.network.place import Placer
from cnnspec.network.scope import HIDDEN
from cnnspec.network.walk import DEEPEST, MOST_MODULES, Module, Stopped, Walk
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import CallValue, Faults, Symbol, describe

STEPS_OF_A_PASS = 5
"""What a pass of a loop takes from the budget, whatever it does."""


class Expander:
    """Expands one model."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.nesting = 0
        self.top: tuple[tree.Statement, ...] = ()

    def root(self, model: tree.Model, scope: Scope, shape: Shape | None, span: Span) -> tuple[GroupNode | None, Flow]:
        """The whole model for one input, or for an unknown one. No node where a shape stayed unknown."""
        walk = self.walk
        self.top = model.body.statements
        flow = Flow(shape, span, whole=True)
        module = Module(walk, walk.homes.of(model.span), ())
        try:
            found = self.statements(model.body.statements, module, scope.inner(), flow)
        except Stopped as stopped:
            walk.take(*stopped.diagnostics)
            return None, Flow(None, span)
        if shape is None or flow.shape is None or walk.errors:
            return None, flow
        root = GroupNode("", False, found, None, shape, flow.shape, None, model.span)
        self.asserts(module, root)
        return root, flow

    # ------------------------------------------------------------------------------------------------ statements

    def body(self, body: tree.Body, module: Module, scope: Scope, flow: Flow) -> tuple[Item, ...]:
        """What stands in braces and makes no submodule: its names are its own, its layers those of the module."""
        return self.statements(body.statements, module, scope.inner(), flow)

    def statements(
        self, statements: tuple[tree.Statement, ...], module: Module, scope: Scope, flow: Flow
    ) -> tuple[Item, ...]:
        scope.flow = flow
        found: list[Item] = []
        self.nesting += 1
        if self.nesting > DEEPEST:
            place = statements[0].span.first_word if statements else flow.span
            raise Stopped(Diagnostic("E213", f"the nesting is deeper than {DEEPEST}", place, "too deep"))
        for statement in statements:
            if isinstance(statement, tree.Chain):
                found += self.chain(statement, module, scope, flow)
                continue
            try:
                item = _STATEMENTS[type(statement)](self, statement, module, scope, flow)
            except Faults as wrong:
                self.walk.tell(module, *wrong.diagnostics)
                if not isinstance(statement, tree.Assert):
                    flow.lose()
                continue
            if item is not None:
                found.append(item)
        self.nesting -= 1
        return tuple(found)

    def input(self, statement: tree.Input, module: Module, scope: Scope, flow: Flow) -> None:
        if not any(statement is own for own in self.top):
            note = "a model has one input, before its layers"
            self.walk.report(Diagnostic("E211", "input inside a block or braces", statement.span, notes=(note,)))

    def let(self, statement: tree.Let, module: Module, scope: Scope, flow: Flow) -> Binding:
        name = statement.name.text
        try:
            value = evaluate(statement.value, scope)
        except Faults as wrong:
            self.walk.tell(module, *wrong.diagnostics)
            scope[name] = value = HIDDEN
        else:
            if self.new(statement.name, module, scope):
                scope[name] = value
        return Binding(statement, value)

    def new(self, name: tree.Identifier, module: Module, scope: Scope) -> bool:
        """Whether a name has no value in its block or model yet; what the file defines may be hidden."""
        old = name.text in scope and name.text not in module.home.lets
        if old and scope[name.text] is not HIDDEN:
            message = f"{name.text} has a value already, {describe(scope[name.text])}"
            notes = ("a name keeps the value it was given",)
            from cnnspec.network.habits import renamed_from

            owner = module.uses[-1].definition if module.uses else self.walk.model
            fixes = renamed_from(name, owner, {*scope})
            self.walk.tell(module, Diagnostic("E207", message, name.span, "again here", notes=notes, fixes=fixes))
        return not old

    def repeat(self, statement: tree.Repeat, module: Module, scope: Scope, flow: Flow) -> Loop:
        times = evaluate(statement.count, scope)
        if not isinstance(times, int) or isinstance(times, bool) or times < 0:
            message = f"repeat takes a whole number from 0, and {describe(times)} is none"
            fixes: tuple[Fix, ...] = ()
            if isinstance(times, tuple):
                word = statement.span.first_word
                name = next(each for each in ("width", "item", "each", "each_item") if each not in scope)
                fixes = (Fix("for goes through a list", (Edit(word, f"for {name} in"),)),)
            raise Faults(Diagnostic("E208", message, statement.count.span, "how often?", fixes=fixes))
        if times > MOST_MODULES:
            message = f"{describe(times)} passes are more than the {MOST_MODULES:,} layers a network may have"
            raise Stopped(Diagnostic("E213", message, statement.count.span, "too many"))
        return self.loop(statement, [{}] * times, module, scope, flow)

    def for_(self, statement: tree.For, module: Module, scope: Scope, flow: Flow) -> Loop:
        found = items(statement.items, scope)
        bound = [bind_target(statement.target, item, statement.items.span) for item in found]
        for name in _names(statement.target):
            self.new(name, module, scope)
        return self.loop(statement, bound, module, scope, flow)

    def loop(
        self,
        statement: tree.Repeat | tree.For,
        values: list[dict[str, Any]],
        module: Module,
        scope: Scope,
        flow: Flow,
    ) -> Loop:
        passes, word = [], statement.span.first_word
        for names in values:
            scope.budget.spend(STEPS_OF_A_PASS, word)
            inside = scope.inner()
            inside.update(names)
            passes.append(self.statements(statement.body.statements, module, inside, flow))
            if flow.shape is None:
                break
        return Loop(statement, tuple(passes), tuple(values[: len(passes)]))

    def if_(self, statement: tree.If, module: Module, scope: Scope, flow: Flow) -> Choice:
        taken, body = 0, statement.body
        part: tree.If | tree.Body | None = statement
        while isinstance(part, tree.If):
            condition = evaluate(part.condition, scope)
            if truth(condition, part.condition.span, scope):
                body = part.body
                break
            taken, part = taken + 1, part.otherwise
        else:
            if part is None:
                return Choice(statement, None, ())
            body = part
        return Choice(statement, taken, self.body(body, module, scope, flow))

    def faulty(self, statement: tree.Faulty, module: Module, scope: Scope, flow: Flow) -> None:
        """What could not be read might have done anything to the shape, and to the count."""
        self.walk.errors += 1
        flow.lose()

    def claim(self, statement: tree.Assert, module: Module, scope: Scope, flow: Flow) -> None:
        """What is said of the count waits until the module is known; anything else is looked at here."""
        if faults.mentions_count(statement):
            module.asserts.append((statement, scope))
        elif (holds := evaluate(statement.condition, scope)) is not True:
            self.walk.ends(statement.span, "assertion")
            wrong = faults.wrong_assertion(statement, holds, None)
            sides = _sides(statement.condition, scope) if holds is False else ""
            self.walk.tell(module, wrong.replace(label=wrong.label + sides))

    def asserts(self, module: Module, group: GroupNode) -> None:
        """The assertions about the count of a module, once the whole of it is known."""
        for claim, scope in module.asserts:
            inside = scope.inner(parameters=group.parameters)
            try:
                holds = evaluate(claim.condition, inside)
                if holds is not True:
                    self.walk.ends(claim.span, "assertion")
                    self.walk.tell(module, faults.wrong_assertion(claim, holds, group))
            except Faults as wrong:
                self.walk.tell(module, *wrong.diagnostics)

    # ----------------------------------------------------------------------------------------------------- steps

    def chain(self, chain: tree.Chain, module: Module, scope: Scope, flow: Flow) -> list[Item]:
        made: list[Item] = []
        for step in chain.steps:
            try:
                node = self.step(step, module, scope, flow)
            except Faults as wrong:
                self.walk.tell(module, *wrong.diagnostics)
                flow.lose()
                continue
            if node:
                made.append(node)
        if chain.prediction is not None:
            Placer(self.walk, module, scope, flow).predict(chain.prediction)
        return made

    def step(self, step: tree.Step, module: Module, scope: Scope, flow: Flow) -> Node | None:
        op = step.op
        if isinstance(op, tree.Combine):
            return combine(self.walk, step, module, scope, flow, self.body)
        key = module.keys.take(step, scope)
        self.walk.count(1, op.span)
        if isinstance(op, tree.Group):
            inside = Module(self.walk, module.home, module.uses)
            return self.group(op.body, step, inside, key, scope.inner(), flow)
        placer, known = Placer(self.walk, module, scope, flow), self.walk.constant.get(id(op))
        if known:
            return placer.place(step, op, known, True, key)
        what = meaning(op, scope, module.home, self.walk.homes)
        if isinstance(what.target, tree.Block):
            return self.block(op, what, step, module, key, flow)
        node = placer.layer(step, what, key)
        if node and what.direct and not any(_varies(argument.value, scope) for argument in op.arguments):
            self.walk.constant[id(op)] = node.layer
        return node

    def group(
        self,
        body: tree.Body,
        step: tree.Step,
        inside: Module,
        key: str,
        scope: Scope,
        flow: Flow,
        use: BlockUse | None = None,
    ) -> GroupNode | None:
        before, errors = flow.shape, self.walk.errors
        found = self.statements(body.statements, inside, scope, flow)
        if before is None or flow.shape is None:
            return None
        node = GroupNode(key, step.label is not None, found, use, before, flow.shape, step, step.op.span)
        if self.walk.errors == errors:
            self.asserts(inside, node)
        self.walk.placed.append(node)
        return node

    def block(
        self, call: tree.Call, what: Meaning, step: tree.Step, module: Module, key: str, flow: Flow
    ) -> GroupNode | None:
        block: tree.Block = what.target  # type: ignore[assignment]
        name, walk = block.name.text, self.walk
        walk.used.add((block.span.source.name, name))
        if any(use.definition is block for use in module.uses):
            raise Faults(Diagnostic("E212", f"{name} contains itself", call.span, "used inside itself here"))
        for argument in call.arguments:
            if argument.incoming is not None:
                raise Faults(misplaced_arrow(name, argument))
        home = walk.homes.of(block.span)
        values = bind_block(block, what.value, home.lets)
        known = self.memo_key(block, values, flow)
        earlier = walk.memo.get(known) if known else None
        use = BlockUse(block, values, call.span)
        labelled = step.label is not None
        if earlier:
            walk.count(earlier.modules - 1, call.span)
            node = GroupNode(key, labelled, earlier.items, use, earlier.input, earlier.output, step, call.span)
            node.__dict__.update({name: earlier.__dict__[name] for name in _CACHED if name in earlier.__dict__})
            flow.believed = node.output
            flow.pass_through(node)
            walk.placed.append(node)
            return node
        inside = Module(walk, home, (*module.uses, use))
        told = walk.told
        scope = home.lets.inner()
        scope.update(values)
        made = self.group(block.body, step, inside, key, scope, flow, use)
        if made and known and walk.told == told:
            walk.memo[known] = made
        return made

    def memo_key(self, block: tree.Block, values: dict[str, Any], flow: Flow) -> Hashable:
        """What an expansion depends on; None where it is not to be remembered."""
        if flow.shape is None or flow.believed != flow.shape:
            return None
        homes = tuple(_sources(tuple(values.values()))) if len(self.walk.homes.known) > 1 else ()
        return (id(block), flow.shape, tuple([canonical(value) for value in values.values()]), homes)


_CACHED = ("children", "parameters", "modules")
"""What nodes with equal items have in common."""

_STATEMENTS: dict[type, Callable[..., Item | None]] = {
    tree.Input: Expander.input,
    tree.Let: Expander.let,
    tree.Repeat: Expander.repeat,
    tree.For: Expander.for_,
    tree.If: Expander.if_,
    tree.Assert: Expander.claim,
    tree.Faulty: Expander.faulty,
}


def _varies(value: tree.Expr, scope: Scope) -> bool:
    """Whether an expression may have another value when its place is expanded again. A place has the same names in
    scope each time."""
    if isinstance(value, tree.Name):
        return value.text in scope
    return not isinstance(value, tree.Number | tree.Boolean)


def _sides(condition: tree.Expr, scope: Scope) -> str:
    """What a comparison compares, in numbers."""
    if not isinstance(condition, tree.Binary) or condition.operator in ("and", "or"):
        return ""
    left, right = (describe(evaluate(side, scope)) for side in (condition.left, condition.right))
    text = f"{left} {condition.operator} {right}"
    return f": {text}" if text != condition.span.text else ""


def _names(target: tree.Target) -> list[tree.Identifier]:
    return [node for node in tree.walk(target) if isinstance(node, tree.Identifier)]


def _sources(values: tuple[Any, ...]) -> list[str]:
    """The files in which the names among some values stand: a name may be another block in another file."""
    found: list[str] = []
    for value in values:
        if isinstance(value, tuple):
            found += _sources(value)
        elif isinstance(value, Symbol | CallValue):
            found.append(value.span.source.name)
            if isinstance(value, CallValue):
                found += _sources(tuple(argument.value for argument in value.arguments))
    return found
