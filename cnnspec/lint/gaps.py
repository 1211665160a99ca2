"""A stride that is larger than the kernel.

The window jumps over what lies between: `conv(32, 1, stride=2)` looks at one pixel of four and throws three away,
whatever they hold. Where a map is to be made smaller, a kernel at least as large as the stride sees all of it. The
projection in a branch of a sum is left in peace: it is there to bring a shape to that of the other branch, and ResNets
are built with it.

```cnn bad
model Net {
  input 3x11x11
  conv(16, 3, stride=4), relu, conv(16, 3), relu
  adaptive_avgpool(1), flatten, linear(10)
}
```

```cnn good
model Net {
  input 3x12x12
  conv(16, 4, stride=4), relu, conv(16, 3), relu
  adaptive_avgpool(1), flatten, linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from cnnspec.diagnostics import Diagnostic
from cnnspec.lint.graph import Graph
from cnnspec.lint.rule import Finding, Rule


class Gaps(Rule):
    code, name, meaning = "W105", "gaps", "a stride that is larger than the kernel"

    def find(self, graph: Graph) -> Iterator[Finding]:
        for vertex in graph.layers:
            layer = vertex.layer
            window = layer.window(vertex.input) if layer and layer.reach == "window" else None
            if layer is None or window is None or window.upsamples or not vertex.output.rank:
                continue
            reach = [(k - 1) * d + 1 for k, d in zip(window.kernel, window.dilation, strict=True)]
            jumped = any(r < s and n > r for r, s, n in zip(reach, window.stride, vertex.input.spatial, strict=True))
            if not jumped or (vertex.summand and set(window.kernel) == {1}):
                continue
            seen = prod(min(r, s) for r, s in zip(reach, window.stride, strict=True))
            message = f"{layer.word} jumps over what lies between its windows: its stride is larger than its kernel"
            label = f"sees {seen} of {prod(window.stride)} values"
            yield vertex, Diagnostic(self.code, message, vertex.span, label)
