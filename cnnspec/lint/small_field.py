"""A receptive field smaller than what is to be recognised.

Before global pooling, every value of the map has seen a square of the input and nothing else. If that square is much
smaller than the input, no value ever sees a whole object: the network averages over what small patches look like, a bag
of textures. More layers, a pool or stride early on, or a larger kernel widen the field.

```cnn bad
model Net {
  input 3x64x64
  conv(16, 3, padding=1), relu
  conv(32, 3, padding=1), relu
  adaptive_avgpool(1), flatten, linear(10)
}
```

```cnn good
model Net {
  input 3x64x64
  conv(16, 7, stride=2, padding=3), relu, maxpool(2)
  conv(32, 3, padding=1), relu, maxpool(2)
  conv(64, 3, padding=1), relu
  adaptive_avgpool(1), flatten, linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.pool import AdaptiveAvgPool, AdaptiveMaxPool
from cnnspec.lint.graph import Graph, Vertex
from cnnspec.lint.rule import Finding, Rule

SHARE = 3
"""The field should be at least this part of the input: a third of each side."""


class SmallField(Rule):
    code, name, meaning = "W109", "small-field", "a receptive field smaller than what is to be recognised"
    every, of_size = False, True

    def find(self, graph: Graph) -> Iterator[Finding]:
        pool = pooled(graph)
        field = graph.field(pool.before[0]) if pool else None
        if pool is None or field is None or field.whole or not field.size:
            return
        sides = graph.network.input.spatial
        if all(SHARE * size < side for size, side in zip(field.size, sides, strict=True)):
            seen, whole = "x".join(map(str, field.size)), "x".join(map(str, sides))
            message = f"what is averaged here has seen patches of {seen}, and the input is {whole}"
            yield pool, Diagnostic(self.code, message, pool.span, "no value has seen a whole object")


def pooled(graph: Graph) -> Vertex | None:
    """The layer that averages over the whole map, on the way to the output."""
    vertex = graph.end
    while len(vertex.before) == 1:
        if isinstance(vertex.layer, AdaptiveAvgPool | AdaptiveMaxPool):
            return vertex if set(vertex.output.spatial) == {1} != set(vertex.input.spatial) else None
        vertex = vertex.before[0]
    return None
