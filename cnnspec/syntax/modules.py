"""Layers by the names they have elsewhere: `nn.Conv2d(3, 32, 3)`, `self.fc = nn.Linear(8, 2)`, `Dense`, `bn`."""

from __future__ import annotations

import re

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.syntax.lexer import Token
from cnnspec.syntax.place import Place

WORDS = {
    "conv": "conv",
    "convolution": "conv",
    "convtranspose": "conv_transpose",
    "conv2dtranspose": "conv_transpose",
    "deconv": "conv_transpose",
    "dense": "linear",
    "fc": "linear",
    "fully_connected": "linear",
    "maxpooling": "maxpool",
    "max_pool": "maxpool",
    "pool": "maxpool",
    "averagepooling": "avgpool",
    "avg_pool": "avgpool",
    "globalaveragepooling": "adaptive_avgpool",
    "global_avg_pool": "adaptive_avgpool",
    "gap": "adaptive_avgpool",
    "adaptiveavgpool": "adaptive_avgpool",
    "adaptivemaxpool": "adaptive_maxpool",
    "batchnormalization": "batchnorm",
    "batch_norm": "batchnorm",
    "bn": "batchnorm",
    "layernormalization": "layernorm",
    "layer_norm": "layernorm",
    "rms_norm": "rmsnorm",
    "syncbatchnorm": "batchnorm",
    "lrn": "local_response_norm",
    "localresponsenorm": "local_response_norm",
    "layerscale": "scale",
    "layer_scale": "scale",
    "spatialdropout": "channel_dropout",
    "alphadropout": "alpha_dropout",
    "featurealphadropout": "feature_alpha_dropout",
    "stochasticdepth": "stochastic_depth",
    "droppath": "stochastic_depth",
    "drop_path": "stochastic_depth",
    "lppool": "lp_pool",
    "leakyrelu": "leaky_relu",
    "logsoftmax": "log_softmax",
    "hsigmoid": "hardsigmoid",
    "hswish": "hardswish",
    "swish": "silu",
    "zeropad": "pad",
    "constantpad": "pad",
    "reflectionpad": "pad",
    "replicationpad": "pad",
    "circularpad": "pad",
    "upsamplingnearest": "upsample",
    "upsamplingbilinear": "upsample",
    "channelshuffle": "channel_shuffle",
    "pixelshuffle": "pixel_shuffle",
    "pixelunshuffle": "pixel_unshuffle",
    "permute": "channels_last",
    "view": "flatten",
    "reshape": "flatten",
    "activation": "relu",
}
"""From the name of a class, in lower case and without its rank, or from what the layer is called in speech."""

SAME = """batchnorm dropout elu celu selu flatten unflatten gelu glu groupnorm hardshrink hardsigmoid hardswish hardtanh
identity instancenorm layernorm linear logsigmoid maxpool avgpool mish prelu relu relu6 rmsnorm rrelu sigmoid silu
softmax softmin softplus softshrink softsign tanh tanhshrink threshold upsample""".split()  # noqa: SIM905
"""Classes that are called what the layer is called."""

IMPLIED = {
    "reflectionpad": "mode=reflect",
    "replicationpad": "mode=replicate",
    "circularpad": "mode=circular",
    "upsamplingbilinear": "mode=bilinear, align_corners=true",
}
"""Arguments that the name of a class stands for."""

TAKES_INCOMING = ("conv", "conv_transpose", "linear")


def layer_word(name: str) -> str | None:
    """The layer that a name from elsewhere means: `conv` for `Conv2d`; None if there is none."""
    if re.fullmatch(r"Dropout[123]d", name):
        return "channel_dropout"
    plain = _plain(name)
    return plain if plain in SAME else WORDS.get(plain)


def _plain(name: str) -> str:
    return re.sub(r"^Lazy|[123][dD]$", "", name).lower()


def module_path(place: Place) -> Diagnostic | None:
    """The parser has stopped at the first dot."""
    tokens, at = place.tokens, place.at
    if place.token.kind != "DOT" or place.before is None or place.before.kind != "NAME":
        return None
    if place.before.text == "self" and place.peek(at + 2).kind == "EQUAL":
        return _attribute(place)
    if _in_setting_of_names(place, place.before.start):
        return _unquoted(place, place.before.start)
    last = _path_end(place, at - 1)
    span = place.source.span(place.before.start, tokens[last].end)
    edits = _edits(place, at - 1)
    message = f"{span.text} is a name of Python"
    fix = Fix(_advice(edits), edits)
    return Diagnostic("E103", message, span, "not known here", fixes=(fix,))


def _in_setting_of_names(place: Place, start: int) -> bool:
    """Whether a setting of train { } that holds names is open there."""
    before = re.search(r"(\w+)[ \t]*:[^:{}]*$", place.source.text[:start])
    return bool(before) and before[1] in ("freeze", "groups", "init", "weights")  # type: ignore[index]


def _unquoted(place: Place, start: int) -> Diagnostic:
    """`freeze: [features.0]`"""
    found = re.match(r"[\w.]+", place.source.text[start:])
    span = place.source.span(start, start + len(found[0]) if found else start)
    fix = Fix("a name with a point in it stands in quotes", (Edit(span, f'"{span.text}"'),))
    return Diagnostic("E103", f"{span.text} has no quotes around it", span, "a name with a point", fixes=(fix,))


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
    name = place.peek(last).text
    word = layer_word(name)
    if word is None:
        return ()
    edits = [Edit(place.source.span(tokens[first].start, tokens[last].end), word)]
    following = [token.kind for token in tokens[last + 1 : last + 5]]
    if (
        word in TAKES_INCOMING
        and name != word
        and not name.startswith("Lazy")
        and following[:3] == ["LPAR", "INT", "COMMA"]
        and following[3] == "INT"
    ):
        edits.append(Edit(place.span(tokens[last + 3]), " ->"))
    implied, close = IMPLIED.get(_plain(name)), _closing(place, last + 1)
    if implied and close:
        edits.append(Edit(place.source.span(close.start, close.start), f", {implied}"))
    return tuple(edits)


def layer_edits(place: Place, begin: int, end: int) -> tuple[Edit, ...]:
    """Edits that write the layers between two tokens in the language."""
    edits: list[Edit] = []
    at = begin
    while at < end:
        if place.tokens[at].kind == "NAME" and place.peek(at + 1).kind == "DOT":
            edits += _edits(place, at)
            at = _path_end(place, at)
        at += 1
    return tuple(edits)


def _closing(place: Place, at: int) -> Token | None:
    """The parenthesis that ends the arguments which begin there; None where there are none."""
    depth = 0
    for token in place.tokens[at + 1 :] if place.peek(at).kind == "LPAR" else ():
        depth += (token.kind == "LPAR") - (token.kind == "RPAR")
        if depth < 0:
            return token
    return None


def _advice(edits: tuple[Edit, ...]) -> str:
    return f"the layer is called {edits[0].text}" if edits else "layers are called by name alone, in lower case"
