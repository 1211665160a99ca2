"""What a call means at its place: a layer or a block, and its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.layers import LAYERS
from cnnspec.layers.base import Layer
from cnnspec.layers.combine import COMBINATORS
from cnnspec.network.evaluate import FUNCTIONS, Scope, arguments, called, evaluate
from cnnspec.network.home import Home, Homes
from cnnspec.network.names import signature_of
from cnnspec.record import Record
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import CallValue, Faults, Symbol, bind_arguments, closest, describe


class Meaning(Record):
    """A block or a kind of layer, with the arguments of the call and those of the value it was given as."""

    target: tree.Block | type[Layer]
    value: CallValue
    direct: bool


def meaning(call: tree.Call, scope: Scope, home: Home, homes: Homes) -> Meaning:
    """What a call in the place of a layer stands for; raises `Faults`. A name that holds a layer or a block is that
    one; any other is the block or layer of this name."""
    name = call.name.text
    given = scope.look_up(name)
    if isinstance(given, Symbol | CallValue):
        return _given(given, call, scope, homes)
    target = home.blocks.get(name) or LAYERS.get(name)
    if target is None:
        raise Faults(_no_layer(call, scope, home))
    return Meaning(target, CallValue(name, arguments(call, scope), call.span, call.name.span), True)


def _given(given: Symbol | CallValue, call: tree.Call, scope: Scope, homes: Homes) -> Meaning:
    target = homes.of(given.span).blocks.get(given.name) or LAYERS.get(given.name)
    if target is None:
        span = given.span if isinstance(given, Symbol) else given.name_span
        raise Faults(unknown(given.name, span, homes.of(span)))
    value = called(given, arguments(call, scope), call.span, call.name.span)
    return Meaning(target, value, False)


def bind_block(
    block: tree.Block | tree.Model, call: CallValue, outer: Scope, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Values of all parameters of a block or model; defaults may refer to earlier parameters. `given` are values
    from outside, which count for more. Raises `Faults`."""
    known = signature_of(block)
    needed = known.parameters
    if given:
        needed = {name: p.replace(default=None) if name in given else p for name, p in needed.items()}
    values = bind_arguments(block.name.text, needed, call, refers=known.shown)
    values |= given or {}
    scope = outer.inner()
    found: dict[str, Any] = {}
    for name, param in {param.name.text: param for param in block.params}.items():
        if name not in values:
            assert param.default is not None
            values[name] = evaluate(param.default, scope)
        found[name] = scope[name] = values[name]
    return found


def _no_layer(call: tree.Call, scope: Scope, home: Home) -> Diagnostic:
    name = call.name.text
    if name in scope:
        message = f"{name} is {describe(scope[name])}, which is no layer"
        return Diagnostic("E201", message, call.name.span, "not a layer")
    if name in FUNCTIONS or name in COMBINATORS:
        what = "joins branches, which stand in braces behind it" if name in COMBINATORS else "computes a value"
        from cnnspec.network.habits import branches

        fixes = branches(call) if name in COMBINATORS else ()
        return Diagnostic("E201", f"{name} {what}", call.name.span, "not a layer", fixes=fixes)
    from cnnspec.network.habits import several

    return several(call, unknown(name, call.name.span, home))


def unknown(name: str, span: Span, home: Home) -> Diagnostic:
    """A name that is neither a layer nor a block."""
    from cnnspec.syntax.modules import layer_word

    known = [*LAYERS, *home.blocks]
    same = next((word for word in known if word.lower() == name.lower()), None)
    meant = same or layer_word(name) or next(iter(closest(name, known)), None)
    fixes = (Fix(f"did you mean {meant}?", (Edit(span, meant),)),) if meant else ()
    notes = () if meant else ("`cnnspec layers` lists the layers",)
    what = "block" if name[:1].isupper() else "layer"
    return Diagnostic("E201", f"there is no {what} {name}", span, "not known", notes=notes, fixes=fixes)


def misplaced_arrow(word: str, argument: tree.Argument) -> Diagnostic:
    note = "incoming -> outgoing can be written in the first argument of conv, conv_transpose and linear"
    value, source = argument.value.span, argument.span.source
    fixes: tuple[Fix, ...] = ()
    if argument.incoming is not None:
        edit = Edit(source.span(argument.incoming.span.start, value.start), "")
        fixes = (Fix("leave the incoming size out", (edit,)),)
    return Diagnostic(
        "E209", f"{word} takes no arrow here", argument.span, "this claims an incoming size", notes=(note,), fixes=fixes
    )
