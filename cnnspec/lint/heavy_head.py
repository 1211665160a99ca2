"""A head that holds most of the parameters.

`flatten` hands a linear layer every value of every channel, and each gets weights of its own: a map of 128x4x4 in
front of `linear(256)` takes half a million. Where most of a network's parameters sit there, it is the head that
overfits, and the convolutions are a small preparation. Global average pooling, `adaptive_avgpool(1)`, hands over one
value per channel. What is learned then must not depend on where in the image it stands: usually that is wanted.

```cnn bad
model Net {
  input 3x64x64
  conv(32, 7, stride=2, padding=3), relu, maxpool(2), conv(64, 3, padding=1), relu, conv(64, 3, padding=1), relu
  flatten, linear(256), relu, linear(10)
}
```

```cnn good
model Net {
  input 3x64x64
  conv(32, 7, stride=2, padding=3), relu, maxpool(2), conv(64, 3, padding=1), relu, conv(64, 3, padding=1), relu
  adaptive_avgpool(1), flatten, linear(256), relu, linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.lint.graph import TRANSPARENT, Graph, Vertex
from cnnspec.lint.rule import Finding, Rule
from cnnspec.source import Span
from cnnspec.syntax import tree

SHARE = 0.8
LEAST = 1_000_000
"""Smaller heads are not worth a word."""


class HeavyHead(Rule):
    code, name, meaning = "W108", "heavy-head", "a head that holds most of the parameters"
    every = False

    def find(self, graph: Graph) -> Iterator[Finding]:
        network = graph.network
        flatten = last_flatten(graph)
        linear = next((v for v in graph.layers if flatten and v.word == "linear" and before(v) is flatten), None)
        convolved = any(vertex.word == "conv" for vertex in graph.layers)
        if not (flatten and linear and convolved):
            return
        count = linear.step.weights.count  # type: ignore[union-attr]
        positions = prod(flatten.input.spatial)
        if count < LEAST or count < SHARE * network.parameters or positions == 1:
            return
        saved = linear.output.channels * (flatten.input.elements - flatten.input.channels)
        step = flatten.step.node.step.span  # type: ignore[union-attr]
        edits = (Edit(Span(step.source, step.start, step.start), "adaptive_avgpool(1), "),)
        free = graph.once(flatten) and not claims(linear)
        fix = Fix(f"average each channel: {saved:,} parameters less", edits if free else ())
        share = f"{100 * count // network.parameters} %"
        message = f"this layer holds {share} of the network's parameters: {count:,} of {network.parameters:,}"
        why = f"{flatten.input} flattened is {flatten.input.elements:,}, times {linear.output.channels:,} outputs"
        yield linear, Diagnostic(self.code, message, linear.span, "the head", why=why, fixes=(fix,))


def claims(vertex: Vertex) -> bool:
    """Whether a call says what arrives, which would be wrong then."""
    call = vertex.step.node.step.op  # type: ignore[union-attr]
    return isinstance(call, tree.Call) and any(argument.incoming for argument in call.arguments)


def last_flatten(graph: Graph) -> Vertex | None:
    return next((v for v in reversed(graph.vertices) if v.word == "flatten" and v.input.rank), None)


def before(vertex: Vertex) -> Vertex | None:
    """The flatten right before a layer, dropout passed over."""
    while len(vertex.before) == 1 and vertex.before[0].word in TRANSPARENT:
        vertex = vertex.before[0]
        if vertex.word == "flatten" and vertex.input.rank:
            return vertex
    return None
