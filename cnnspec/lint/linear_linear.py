"""Two linear layers with nothing between them.

A linear function of a linear function is a linear function. Two `linear` layers in a row compute nothing that one could
not, at the price of two; dropout between them changes that only in training. What makes depth worth while is an
activation in between.

```cnn bad
model Net {
  input 1x28x28
  flatten
  linear(256), linear(10)
}
```

```cnn good
model Net {
  input 1x28x28
  flatten
  linear(256), relu, linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.lint.graph import Graph, Vertex
from cnnspec.lint.rule import Finding, Rule
from cnnspec.source import Span


class LinearLinear(Rule):
    code, name, meaning = "W102", "linear-linear", "two linear layers with nothing between them"

    def find(self, graph: Graph) -> Iterator[Finding]:
        for vertex in graph.layers:
            first = vertex.back() if vertex.word == "linear" else None
            if first is None or first.word != "linear" or len(first.behind) > 1 or narrow(first, vertex):
                continue
            behind = Span(first.span.source, first.span.end, first.span.end)
            edits = (Edit(behind, ", relu"),) if graph.once(first) else ()
            yield (
                vertex,
                Diagnostic(
                    self.code,
                    "two linear layers in a row are one: there is no activation between them",
                    vertex.span,
                    "linear in what the other gives",
                    (Label(first.span, "linear in what arrives"),),
                    fixes=(Fix("put an activation between them", edits),),
                ),
            )


def narrow(first: Vertex, second: Vertex) -> bool:
    """Whether the first makes fewer features than arrive and leave: a bottleneck is a matrix of lower rank, which saves
    parameters."""
    return first.output.channels < min(first.input.elements, second.output.channels)
