"""Calls as they are written in a spec, as short as they can be."""

from __future__ import annotations

from cnnspec.analysis.steps import PlacedJoin, Step
from cnnspec.layers.base import Layer, Shape
from cnnspec.network.model import BlockUse
from cnnspec.record import REQUIRED
from cnnspec.words import Like, show


def layer_text(layer: Layer, arriving: Shape | None = None) -> str:
    """A layer as short as it can be written: `conv(64, 3, padding=1)`; with what arrives before the arrow where there
    may be one: `conv(3 -> 64, 3, padding=1)`."""
    given = []
    for name, default in layer.__fields__.items():
        value = getattr(layer, name)
        if arriving and name == layer.claims:
            given.append(f"{layer.incoming(arriving)} -> {show_value(value)}")
        elif default is REQUIRED:
            given.append(show_value(value))
        elif value != (getattr(layer, default.argument) if isinstance(default, Like) else default):
            given.append(show_value(value) if len(layer.__fields__) == 1 else f"{name}={show_value(value)}")
    return f"{layer.word}({', '.join(given)})" if given else layer.word


def step_text(step: Step) -> str:
    """A layer with what arrives, as it is written, or the word of a join."""
    return step.node.kind if isinstance(step, PlacedJoin) else layer_text(step.layer, step.input)


def block_text(use: BlockUse) -> str:
    """The call of a block without the arguments that are left to their defaults: `Basic(64, stride=2)`."""
    defaults = {parameter.name.text: parameter.default for parameter in use.definition.params}
    given = []
    for name, value in use.arguments.items():
        default = defaults.get(name)
        if default is None:
            given.append(show_value(value))
        elif default.span.text != show(value):
            given.append(f"{name}={show_value(value)}")
    return f"{use.name}({', '.join(given)})" if given else use.name


def show_value(value: object) -> str:
    """Sizes as 3x5, which is shorter than a list; with a zero they must be one."""
    sizes = isinstance(value, tuple) and len(value) > 1 and all(isinstance(size, int) and size > 0 for size in value)
    return "x".join(map(str, value)) if sizes and isinstance(value, tuple) else show(value)
