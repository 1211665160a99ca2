"""Layers by the names they have elsewhere: `nn.Conv2d(3, 32, 3)`, `self.fc = nn.Linear(8, 2)`, `Dense`, `bn`."""

from __future__ import annotations

import re

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.syntax.place import Place

WORDS = {
    "conv": "conv",
    "convolution": "conv",
    "convtranspose": "conv_transpose",
    "conv2dtranspose": "conv_transpose",
    "deconv": "conv_transpose",
    "linear": "linear",
    "dense": "linear",
    "fc": "linear",
    "fully_connected": "linear",
    "maxpool": "maxpool",
    "maxpooling": "maxpool",
    "max_pool": "maxpool",
    "pool": "maxpool",
    "avgpool": "avgpool",
    "averagepooling": "avgpool",
    "avg_pool": "avgpool",
    "globalaveragepooling": "adaptive_avgpool",
    "global_avg_pool": "adaptive_avgpool",
    "gap": "adaptive_avgpool",
    "adaptiveavgpool": "adaptive_avgpool",
    "adaptivemaxpool": "adaptive_maxpool",
    "batchnorm": "batchnorm",
    "batchnormalization": "batchnorm",
    "batch_norm": "batchnorm",
    "bn": "batchnorm",
    "instancenorm": "instancenorm",
    "groupnorm": "groupnorm",
    "layernorm": "layernorm",
    "layernormalization": "layernorm",
    "layer_norm": "layernorm",
    "lrn": "local_response_norm",
    "dropout": "dropout",
    "spatialdropout": "channel_dropout",
    "leakyrelu": "leaky_relu",
    "logsoftmax": "log_softmax",
    "hsigmoid": "hardsigmoid",
    "hswish": "hardswish",
    "swish": "silu",
    "view": "flatten",
    "reshape": "flatten",
    "activation": "relu",
} | {word: word for word in "relu relu6 silu sigmoid tanh gelu elu prelu selu mish softmax flatten identity".split()}  # noqa: SIM905
"""From the name of a class, in lower case and without its rank, or from what the layer is called in speech."""

TAKES_INCOMING = ("conv", "conv_transpose", "linear")


def layer_word(name: str) -> str | None:
    """The layer that a name from elsewhere means: `conv` for `Conv2d`; None if there is none."""
    rank = re.search(r"([123])[dD]$", name)
    if rank and name.startswith("Dropout"):
        return "channel_dropout"
    return WORDS.get((name[: rank.start()] if rank else name).lower())


def module_path(place: Place) -> Diagnostic | None:
    """The parser has stopped at the first dot."""
    tokens, at = place.tokens, place.at
    if place.token.kind != "DOT" or place.before is None or place.before.kind != "NAME":
        return None
    if place.before.text == "self" and place.peek(at + 2).kind == "EQUAL":
        return _attribute(place)
    last = _path_end(place, at - 1)
    span = place.source.span(place.before.start, tokens[last].end)
    edits = _edits(place, at - 1)
    message = f"{span.text} is a name of Python"
    fix = Fix(_advice(edits), edits)
    return Diagnostic("E103", message, span, "not known here", fixes=(fix,))


def _attribute(place: Place) -> Diagnostic:
    """`self.conv1 = ...`"""
    assert place.before is not None
    name, equal = place.peek(place.at + 1), place.peek(place.at + 2)
    span = place.source.span(place.before.start, name.end)
    label = Edit(place.source.span(place.before.start, equal.end), f"{name.text}:")
    edits = (label, *_edits(place, place.at + 3))
    fix = Fix(f"write {name.text} and a colon in front of the layer", edits)
    return Diagnostic("E103", f"{span.text} is an attribute of a Python class", span, "not known here", fixes=(fix,))


def _path_end(place: Place, at: int) -> int:
    tokens = place.tokens
    while at + 2 < len(tokens) and tokens[at + 1].kind == "DOT" and tokens[at + 2].kind in ("NAME", "X"):
        at += 2
    return at


def _edits(place: Place, first: int) -> tuple[Edit, ...]:
    """The path that begins there becomes a layer's word, its number of incoming channels a claim."""
    tokens, last = place.tokens, _path_end(place, first)
    word = layer_word(place.peek(last).text)
    if word is None:
        return ()
    edits = [Edit(place.source.span(tokens[first].start, tokens[last].end), word)]
    following = [token.kind for token in tokens[last + 1 : last + 5]]
    if word in TAKES_INCOMING and following[:3] == ["LPAR", "INT", "COMMA"] and following[3] == "INT":
        edits.append(Edit(place.span(tokens[last + 3]), " ->"))
    return tuple(edits)


def _advice(edits: tuple[Edit, ...]) -> str:
    return f"the layer is called {edits[0].text}" if edits else "layers are called by name alone, in lower case"
