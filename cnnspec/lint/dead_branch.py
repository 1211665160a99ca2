"""Branches that do nothing.

A sum of the input and the input is the input doubled, a product of it with itself is its square, and `concat` of it
with itself holds every channel twice. Two branches that both pass on what arrives are usually one forgotten body, or an
`if` that is false in both.

```cnn bad
model Net {
  input 16x8x8
  add {
    | identity
    | identity
  }
}
```

```cnn good
model Net {
  input 16x8x8
  add {
    | identity
    | conv(16, 3, padding=1), relu
  }
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic
from cnnspec.lint.graph import Graph, Vertex
from cnnspec.lint.rule import Finding, Rule


class DeadBranch(Rule):
    code, name, meaning = "W110", "dead-branch", "branches that do nothing"

    def find(self, graph: Graph) -> Iterator[Finding]:
        for vertex in graph.vertices:
            if vertex.layer or split(vertex):
                continue
            ends = [origin(end) for end in vertex.before]
            idle = [end for end in ends if ends.count(end) > 1]
            if idle and all(end is idle[0] for end in idle):
                kind = vertex.step.node.kind  # type: ignore[union-attr]
                message = f"{len(idle)} branches of this {kind} do nothing: each passes on the same values"
                yield vertex, Diagnostic(self.code, message, vertex.span.first_word, "is a body missing?")


def origin(vertex: Vertex) -> Vertex:
    """Where the values come from, layers that pass them on passed over."""
    while vertex.word == "identity":
        vertex = vertex.before[0]
    return vertex


def split(vertex: Vertex) -> bool:
    """Whether each branch receives a part of its own."""
    return bool(vertex.step.node.options.get("split"))  # type: ignore[union-attr]
