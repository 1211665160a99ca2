"""From the tree of a model to a checked Network: one walk that expands blocks, resolves names and infers shapes.

They are one walk because what a spec says can depend on the shape at that point. The walk goes on after a fault, so
that one run reports all of them; what follows from a fault stays silent (see `Flow`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.layers import LAYERS
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.linear import Linear
from cnnspec.network import faults
from cnnspec.network.evaluate import Scope, arguments, evaluate, unsupported
from cnnspec.network.flow import Flow
from cnnspec.network.model import BlockUse, GroupNode, LayerNode, Node
from cnnspec.network.names import Keys, parameters_of
from cnnspec.network.trail import Site, Step
from cnnspec.record import REQUIRED, Record
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import CallValue, Faults, bind, bind_arguments, closest, signature

MOST_MODULES = 200_000
DEEPEST = 100


class TooLarge(Exception):
    """The end of a walk: no use in going on to look for other faults."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic)


class Module(Record):
    """Where the walk is: the path of the submodule, what its names mean, and the uses of blocks that led there."""

    path: str
    scope: Scope
    uses: tuple[BlockUse, ...]
    depth: int = 0

    def key(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


class Expander:
    """Walks the models of one file; `report` takes what is wrong with them."""

    def __init__(self, blocks: Mapping[str, tree.Block], report: Callable[..., None]) -> None:
        self.blocks, self.report = blocks, report
        self.used: set[str] = set()
        self.expanded: dict[int, int] = {}
        self.modules = 0

    def root(self, model: tree.Model, scope: Scope, shape: Shape | None, span: Span) -> tuple[GroupNode | None, Flow]:
        """The whole model for one input, or for an unknown one. No node where a shape stayed unknown."""
        self.modules = 0
        self._count_uses(model)
        flow = Flow(shape, span)
        try:
            children = self.body(model.body, Module("", scope, ()), flow)
        except TooLarge as reason:
            self.report(reason.diagnostic)
            return None, Flow(None, span)
        if children is None or shape is None or flow.shape is None:
            return None, flow
        root = GroupNode("", "", True, children, None, shape, flow.shape, model.span)
        self.asserts(model.body, scope, root.layers())
        return root, flow

    # ------------------------------------------------------------------------------------------------ statements

    def body(self, body: tree.Body, module: Module, flow: Flow) -> tuple[Node, ...] | None:
        """The children of a module; None where one of them could not be made."""
        if module.depth > DEEPEST:
            raise TooLarge(Diagnostic("E213", f"the nesting is deeper than {DEEPEST}", body.span, "too deep"))
        keys = Keys(self.report)
        children: list[Node] = []
        whole = True
        for statement in body.statements:
            if isinstance(statement, tree.Chain):
                made = self.chain(statement, module, keys, flow)
                children += made
                whole = whole and len(made) == len(statement.steps)
            elif isinstance(statement, tree.Input):
                if module.path or module.uses:
                    note = "a model has one input, before its layers"
                    self.report(Diagnostic("E211", "input inside a block or group", statement.span, notes=(note,)))
            elif not isinstance(statement, tree.Assert):
                self.report(unsupported(f"{_STATEMENTS[type(statement)]} is", statement.span.first_word).diagnostics[0])
                flow.lose()
                whole = False
        return tuple(children) if whole else None

    def chain(self, chain: tree.Chain, module: Module, keys: Keys, flow: Flow) -> list[Node]:
        made = []
        for step in chain.steps:
            try:
                node = self.step(step, module, keys, flow)
            except Faults as wrong:
                self.tell(module, *wrong.diagnostics)
                flow.lose()
                node = None
            if node:
                made.append(node)
        if chain.prediction is not None:
            self.predict(chain.prediction, module, flow)
        return made

    def step(self, step: tree.Step, module: Module, keys: Keys, flow: Flow) -> Node | None:
        key = keys.take(step)
        op = step.op
        self.modules += 1
        if self.modules > MOST_MODULES:
            message = f"the network has more than {MOST_MODULES:,} layers and groups"
            raise TooLarge(Diagnostic("E213", message, op.span, "too many"))
        if isinstance(op, tree.Combine):
            raise _combine(op)
        if isinstance(op, tree.Group):
            return self.group(op.body, step, module, key, flow)
        name = op.name.text
        site = Site(step, op, self.expanded.get(op.span.start, 0) < 2)
        if name in self.blocks:
            return self.block(site, self.blocks[name], module, key, flow)
        if name in LAYERS:
            return self.layer(site, LAYERS[name], module, key, flow)
        if name in module.scope:
            raise unsupported(f"a layer chosen by a parameter ({name}) is", op.name.span)
        raise Faults(self.unknown(op))

    def group(
        self, body: tree.Body, step: tree.Step, module: Module, key: str, flow: Flow, use: BlockUse | None = None
    ) -> GroupNode | None:
        before = flow.shape
        uses = (*module.uses, use) if use else module.uses
        scope = use.arguments if use else module.scope
        inside = Module(module.key(key), scope, uses, module.depth + 1)
        children = self.body(body, inside, flow)
        if children is None or before is None or flow.shape is None:
            return None
        labelled = step.label is not None
        node = GroupNode(inside.path, key, labelled, children, use, before, flow.shape, step.op.span)
        self.asserts(body, scope, node.layers())
        return node

    def block(self, site: Site, block: tree.Block, module: Module, key: str, flow: Flow) -> GroupNode | None:
        call, name = site.call, block.name.text
        self.used.add(name)
        if any(use.name == name for use in module.uses):
            raise Faults(Diagnostic("E212", f"{name} contains itself", call.span, "used inside itself here"))
        for argument in call.arguments:
            if argument.incoming is not None:
                raise Faults(_misplaced(name, argument))
        value = CallValue(name, arguments(call, module.scope), call.span, call.name.span)
        use = BlockUse(name, bind_block(block, value), call.span)
        return self.group(block.body, site.step, module, key, flow, use)

    # ---------------------------------------------------------------------------------------------------- layers

    def layer(self, site: Site, word: type[Layer], module: Module, key: str, flow: Flow) -> LayerNode | None:
        call = site.call
        value = CallValue(call.name.text, arguments(call, module.scope), call.span, call.name.span)
        try:
            layer = bind(word, value)
        except Faults as wrong:
            self.tell(module, *(faults.two_sizes(call, word, diagnostic) for diagnostic in wrong.diagnostics))
            if not _keeps_shape(word, flow.shape):
                flow.lose()
            return None
        node = self.place(site, layer, module, key, flow)
        if node:
            flow.steps.append(Step(node, site))
            flow.axes = node.output.rank + 1
        return node

    def place(self, site: Site, layer: Layer, module: Module, key: str, flow: Flow) -> LayerNode | None:
        """The layer with the shape that arrives; checks what the call claims about it."""
        shape, span = flow.shape, site.call.span
        if shape is None:
            flow.pass_unknown(layer, span)
            return None
        if not self.claims(site, layer, module, flow):
            flow.restart(Shape((layer.out,)), span)  # type: ignore[attr-defined]
            return None
        try:
            output = layer.output(shape)
        except Refused as refused:
            self.tell(module, faults.refused(site, layer, refused, flow.trail))
            flow.lose()
            return None
        if isinstance(layer, Linear) and shape.rank:
            self.tell(module, faults.linear_on_map(site, shape))
        if swapped := faults.torch_order(site.call, layer, shape):
            self.tell(module, faults.read_in_torch_order(site.call, layer, shape.rank, swapped))
        if channels := faults.channels_as_eps(site.call, layer):
            self.tell(module, channels)
        flow.believe(layer)
        flow.shape = output
        return LayerNode(module.key(key), key, site.step.label is not None, layer, shape, output, span)

    def claims(self, site: Site, layer: Layer, module: Module, flow: Flow) -> bool:
        """Check `incoming -> outgoing`. False where a map arrives at a linear layer that was written for features."""
        assert flow.shape is not None
        for position, argument in enumerate(site.call.arguments):
            claim = argument.incoming
            if claim is None:
                continue
            name = argument.name.text if argument.name else next(iter(layer.parameters())) if position == 0 else None
            if layer.claims is None or name != layer.claims:
                self.report(_misplaced(layer.word, argument))
                continue
            arriving = layer.incoming(flow.shape)
            if isinstance(claim, tree.Hole):
                self.report(faults.answer(claim.span, f"{arriving} {faults.unit(layer)} arrive here", str(arriving)))
                continue
            claimed = evaluate(claim, module.scope)
            if claimed == arriving or (flow.believed and claimed == layer.incoming(flow.believed)):
                continue
            flattened = isinstance(layer, Linear) and flow.shape.rank > 0
            wrong = faults.unflattened if flattened else faults.wrong_claim
            self.tell(module, wrong(site, argument, claimed, layer, flow.trail))
            return not flattened
        return True

    # ------------------------------------------------------------------------------------ predictions and asserts

    def predict(self, prediction: tree.Expr, module: Module, flow: Flow) -> None:
        if isinstance(prediction, tree.Hole):
            if flow.shape:
                self.report(faults.answer(prediction.span, f"{flow.shape} comes out here", str(flow.shape)))
            return
        try:
            sizes = faults.predicted_sizes(evaluate(prediction, module.scope), prediction.span)
        except Faults as wrong:
            self.report(*wrong.diagnostics)
            return
        if flow.shape is None:
            known = [size for size in sizes if size is not None]
            if len(known) == len(sizes):
                flow.restart(Shape(tuple(known)), prediction.span)
        elif not _matches(sizes, flow.shape):
            if flow.believed is None or not _matches(sizes, flow.believed):
                self.tell(module, faults.wrong_prediction(prediction, sizes, flow.trail))
            flow.believed = _filled(sizes, flow.shape)

    def asserts(self, body: tree.Body, scope: Scope, layers: Any) -> None:
        """The assertions of a module, once the whole of it is known. `parameters` is its count."""
        claims = [statement for statement in body.statements if isinstance(statement, tree.Assert)]
        if not claims:
            return
        nodes = tuple(layers)
        count = sum(node.weights.count for node in nodes)
        for claim in claims:
            try:
                holds = evaluate(claim.condition, {**scope, "parameters": count})
                if holds is not True:
                    self.report(faults.wrong_assertion(claim, holds, count, nodes))
            except Faults as wrong:
                self.report(*wrong.diagnostics)

    # ----------------------------------------------------------------------------------------------------- helpers

    def tell(self, module: Module, *diagnostics: Diagnostic) -> None:
        """Report faults; those inside a block with the uses of the block that they show in."""
        uses = tuple(Label(use.span, f"in {use.name}, used here") for use in reversed(module.uses))
        self.report(*(diagnostic.replace(labels=diagnostic.labels + uses) for diagnostic in diagnostics))

    def unknown(self, call: tree.Call) -> Diagnostic:
        """A name that is neither a layer nor a block."""
        from cnnspec.syntax.modules import layer_word

        name = call.name.text
        known = [*LAYERS, *self.blocks]
        same = next((word for word in known if word.lower() == name.lower()), None)
        meant = same or layer_word(name) or next(iter(closest(name, known)), None)
        fixes = (Fix(f"did you mean {meant}?", (Edit(call.name.span, meant),)),) if meant else ()
        notes = () if meant else ("`cnnspec layers` lists the layers",)
        what = "block" if name[:1].isupper() else "layer"
        return Diagnostic("E201", f"there is no {what} {name}", call.name.span, "not known", notes=notes, fixes=fixes)

    def _count_uses(self, model: tree.Model) -> None:
        """How often each call of the file is expanded, one and many told apart, so that a repair in a block which
        stands for several layers is not proposed for one of them."""
        self.expanded = {}
        self._count(model.body, 1, 0)

    def _count(self, body: tree.Body, times: int, depth: int) -> None:
        if depth > DEEPEST:
            return
        for statement in body.statements:
            for step in statement.steps if isinstance(statement, tree.Chain) else ():
                op = step.op
                if isinstance(op, tree.Group):
                    self._count(op.body, times, depth + 1)
                elif isinstance(op, tree.Call):
                    seen = self.expanded.get(op.span.start, 0)
                    self.expanded[op.span.start] = min(2, seen + times)
                    if op.name.text in self.blocks and seen < 2:
                        self._count(self.blocks[op.name.text].body, times, depth + 1)


_STATEMENTS = {tree.Let: "let", tree.Repeat: "repeat", tree.For: "for", tree.If: "if"}


def bind_block(block: tree.Block | tree.Model, call: CallValue, given: Scope | None = None) -> dict[str, Any]:
    """Values of all parameters of a block or model; defaults may refer to earlier parameters. `given` are values
    that stand in for those of the call."""
    parameters = parameters_of(block)
    shown = signature(block.name.text, parameters)
    needed = {name: p.replace(default=None) if name in (given or {}) else p for name, p in parameters.items()}
    values = bind_arguments(block.name.text, needed, call, refers=shown) | dict(given or {})
    scope: dict[str, Any] = {}
    for param in block.params:
        name = param.name.text
        if name in values:
            scope[name] = values[name]
        else:
            assert param.default is not None
            scope[name] = evaluate(param.default, scope)
    return scope


def _combine(op: tree.Combine) -> Faults:
    name = op.call.name.text
    if name in ("add", "multiply", "concat", "residual", "aux"):
        return unsupported(f"{name} (a network with branches) is", op.call.name.span)
    span = op.call.name.span
    if not op.call.arguments and isinstance(op.body, tree.Body):
        fix = Fix("write a colon behind the name of a group", (Edit(span, f"{name}:"),))
        return Faults(Diagnostic("E201", f"{name} has no colon behind it", span, "the name of a group?", fixes=(fix,)))
    note = "braces follow add, multiply, concat, residual and aux"
    return Faults(Diagnostic("E201", f"{name} does not combine branches", span, "not known", notes=(note,)))


def _misplaced(word: str, argument: tree.Argument) -> Diagnostic:
    note = "incoming -> outgoing can be written in the first argument of conv, conv_transpose and linear"
    return Diagnostic(
        "E209", f"{word} takes no arrow here", argument.span, "this claims an incoming size", notes=(note,)
    )


def _keeps_shape(word: type[Layer], shape: Shape | None) -> bool:
    """Whether a layer gives what it gets, whatever its arguments are: then a faulty argument hides nothing else."""
    if shape is None or REQUIRED in word.__fields__.values():
        return False
    try:
        return word().output(shape) == shape
    except Refused:
        return False


def _matches(sizes: tuple[int | None, ...], shape: Shape) -> bool:
    return len(sizes) == len(shape.sizes) and all(
        size is None or size == actual for size, actual in zip(sizes, shape.sizes, strict=True)
    )


def _filled(sizes: tuple[int | None, ...], shape: Shape) -> Shape | None:
    """A predicted shape, its question marks answered by the actual one where that has as many axes."""
    if len(sizes) != len(shape.sizes):
        return Shape(tuple(s for s in sizes if s is not None)) if None not in sizes else None
    return Shape(tuple(a if s is None else s for s, a in zip(sizes, shape.sizes, strict=True)))
