"""Dropout in front of a batchnorm.

`batchnorm` learns how much its input varies. Dropout makes it vary more in training than afterwards, when it is
switched off, so that the variance that was learned is wrong exactly when it is used (Li et al., "Understanding the
disharmony between dropout and batch normalization by variance shift", 2018, arXiv:1801.05134). Put dropout behind the
last batchnorm.

```cnn bad
model Net {
  input 1x28x28
  flatten, linear(256, bias=false), dropout(0.5), batchnorm, relu
  linear(10)
}
```

```cnn good
model Net {
  input 1x28x28
  flatten, linear(256, bias=false), batchnorm, relu, dropout(0.5)
  linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Label
from cnnspec.lint.graph import Graph, Vertex
from cnnspec.lint.rule import Finding, Rule

BETWEEN = frozenset(("conv", "linear", "conv_transpose", "relu", "flatten", "identity", "relu6", "leaky_relu", "gelu"))
"""Layers through which the variance of dropout still reaches the norm."""

FARTHEST = 3


class DropoutBeforeNorm(Rule):
    code, name, meaning = "W107", "dropout-before-norm", "dropout in front of a batchnorm"

    def find(self, graph: Graph) -> Iterator[Finding]:
        for vertex in graph.layers:
            dropout = source(vertex) if vertex.word == "batchnorm" else None
            if dropout:
                message = f"batchnorm learns a variance that {dropout.word} before it makes too large"
                labels = (Label(dropout.span, "switched off after training"),)
                yield vertex, Diagnostic(self.code, message, vertex.span, "wrong when it is used", labels)


def source(norm: Vertex) -> Vertex | None:
    """The dropout shortly before a norm."""
    vertex = norm
    for _ in range(FARTHEST):
        if len(vertex.before) != 1:
            return None
        vertex = vertex.before[0]
        if vertex.word in ("dropout", "channel_dropout") and vertex.layer.p > 0:  # type: ignore[union-attr]
            return vertex
        if vertex.word not in BETWEEN:
            return None
    return None
