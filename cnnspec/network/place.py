"""Layers at their place: bound, claims checked, shapes inferred; and what the text predicts of shapes."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.linear import Linear
from cnnspec.network import faults
from cnnspec.network.calls import Meaning, misplaced_arrow
from cnnspec.network.evaluate import Scope, evaluate
from cnnspec.network.flow import Flow
from cnnspec.network.model import LayerNode
from cnnspec.network.trail import Site, run
from cnnspec.network.walk import Module, Walk
from cnnspec.record import REQUIRED
from cnnspec.syntax import tree
from cnnspec.words import Faults, bind


class Placer:
    """Places one layer: in a module, where a shape arrives."""

    def __init__(self, walk: Walk, module: Module, scope: Scope, flow: Flow) -> None:
        self.walk, self.module, self.scope, self.flow = walk, module, scope, flow
        self.exchanged: int | None = None
        """What a claim names that stands where the outgoing size belongs."""

    def layer(self, step: tree.Step, meaning: Meaning, key: str) -> LayerNode | None:
        word: type[Layer] = meaning.target  # type: ignore[assignment]
        call: tree.Call = step.op  # type: ignore[assignment]
        try:
            layer = bind(word, meaning.value)
        except Faults as wrong:
            from cnnspec.network.habits import activation

            found = [faults.two_sizes(call, word, diagnostic, self.flow.shape) for diagnostic in wrong.diagnostics]
            self.tell(*(activation(call, diagnostic) for diagnostic in found))
            if not _keeps_shape(word, self.flow.shape):
                self.flow.lose()
            return None
        return self.place(step, call, layer, meaning.direct, key)

    def place(self, step: tree.Step, call: tree.Call, layer: Layer, direct: bool, key: str) -> LayerNode | None:
        """The layer with the shape that arrives; checks what the call claims about it."""
        flow = self.flow
        shape = flow.shape
        if shape is None:
            flow.pass_unknown(layer, call.span)
            return None
        errors = self.walk.errors
        if not self.claims(step, call, layer):
            flow.restart(Shape((layer.out,)), call.span)  # type: ignore[attr-defined]
            return None
        shape = flow.shape
        assert shape is not None
        try:
            output = layer.output(shape)
        except Refused as refused:
            self.walk.ends(call.span, "map", refused)
            if self.walk.errors == errors:  # else it follows from a wrong claim
                self.tell(self.refused(self.site(step, call, layer), layer, refused))
            flow.lose()
            return None
        if direct and self.walk.guesses:
            self.doubts(step, call, layer, shape)
        node = LayerNode(key, step.label is not None, layer, shape, output, step)
        if flow.believed is shape or flow.believed == shape:
            flow.believed = output
        else:
            flow.believe(layer)
        if self.exchanged is not None:
            flow.believed = run([layer.replace(out=self.exchanged)], shape)
        flow.pass_through(node)
        self.walk.placed.append(node)
        return node

    def site(self, step: tree.Step, call: tree.Call, layer: Layer) -> Site:
        direct = call.name.text == layer.word
        return Site(step, call, direct and self.walk.uses.once(call), direct)

    def refused(self, site: Site, layer: Layer, refusal: Refused) -> Diagnostic:
        trail = self.walk.trail(self.flow)
        fault = faults.refused(site, layer, refusal, trail)
        if not self.walk.guesses:
            return fault
        from cnnspec.network.mends import guesses, habits

        doubt = (site, layer, refusal, trail, self.walk.model)
        return fault.replace(fixes=(*habits(*doubt), *fault.fixes, *guesses(*doubt)))

    def tell(self, *diagnostics: Diagnostic) -> None:
        self.walk.tell(self.module, *diagnostics)

    def doubts(self, step: tree.Step, call: tree.Call, layer: Layer, shape: Shape) -> None:
        """Warnings about what is accepted, and rarely meant."""
        if isinstance(layer, Linear) and shape.rank and not shape.channels_last:
            self.tell(faults.linear_on_map(self.site(step, call, layer), shape))
        if not call.arguments:
            return
        if swapped := faults.torch_order(call, layer, shape):
            self.tell(faults.read_in_torch_order(call, layer, shape.rank, swapped))
        if channels := faults.channels_as_eps(call, layer):
            self.tell(channels)

    def claims(self, step: tree.Step, call: tree.Call, layer: Layer) -> bool:
        """Check `incoming -> outgoing`. False where a map arrives at a linear layer that was written for features."""
        flow = self.flow
        assert flow.shape is not None
        for position, argument in enumerate(call.arguments):
            claim = argument.incoming
            if claim is None:
                continue
            name = argument.name.text if argument.name else next(iter(layer.parameters())) if position == 0 else None
            if layer.claims is None or name != layer.claims:
                self.walk.report(misplaced_arrow(layer.word, argument))
                continue
            arriving = layer.incoming(flow.shape)
            if isinstance(claim, tree.Hole):
                message = f"{arriving} {faults.unit(layer)} arrive here"
                self.walk.report(faults.answer(claim.span, message, str(arriving)))
                continue
            claimed = evaluate(claim, self.scope)
            if claimed == arriving or (flow.believed and claimed == layer.incoming(flow.believed)):
                continue
            self.walk.ends(call.span, "claim")
            flattened = isinstance(layer, Linear) and flow.shape.rank > 0 and not flow.shape.channels_last
            wrong = faults.unflattened if flattened else faults.wrong_claim
            site = self.site(step, call, layer)
            self.tell(wrong(site, argument, claimed, layer, self.walk.trail(flow)))
            if getattr(layer, layer.claims) == arriving and isinstance(claimed, int):
                self.exchanged = claimed
            meant = faults.meant_input(claimed, self.walk.trail(flow))
            if meant:
                flow.restart(meant, flow.span)
            return not flattened
        return True

    def predict(self, prediction: tree.Expr) -> None:
        """Compare what comes out with the shape behind the arrow."""
        flow = self.flow
        if isinstance(prediction, tree.Hole):
            if flow.shape:
                text = flow.shape.written
                self.walk.report(faults.answer(prediction.span, f"{flow.shape} comes out here", text))
            return
        try:
            sizes = faults.predicted_sizes(evaluate(prediction, self.scope), prediction.span)
        except Faults as wrong:
            self.tell(*wrong.diagnostics)
            return
        if flow.shape is None:
            known = [size for size in sizes if size is not None]
            if len(known) == len(sizes):
                flow.restart(Shape(tuple(known)), prediction.span)
        elif self.walk.as_stated and not _matches(sizes, flow.shape):
            self.walk.ends(prediction.span, "prediction")
            if flow.believed is None or not _matches(sizes, flow.believed):
                self.tell(faults.wrong_prediction(prediction, sizes, self.walk.trail(flow), self.walk.guesses))
            flow.believed = _filled(sizes, flow.shape)


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
    filled = tuple(a if s is None else s for s, a in zip(sizes, shape.sizes, strict=True))
    return Shape(filled, shape.channels_last)
