"""Rows or columns that no window reaches.

A window slides by its stride as often as it fits, and what is left over at the end is not looked at: `maxpool(2)` on
7x7 sees six rows and six columns. An odd size in the middle of a network is often a forgotten padding. Where it is
meant, `ceil=true` or a padding lets the last window reach over the edge.

```cnn bad
model Net {
  input 1x28x28
  conv(8, 3), relu, maxpool(2)
  conv(16, 3), relu, maxpool(2)
  flatten, linear(10)
}
```

```cnn good
model Net {
  input 1x28x28
  conv(8, 3, padding=1), relu, maxpool(2)
  conv(16, 3, padding=1), relu, maxpool(2)
  flatten, linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.layers.base import Window
from cnnspec.lint.graph import Graph, Vertex
from cnnspec.lint.rule import Finding, Rule


class DroppedRows(Rule):
    code, name, meaning = "W104", "dropped-rows", "rows or columns that no window reaches"
    every, of_size = False, True

    def find(self, graph: Graph) -> Iterator[Finding]:
        for vertex in graph.layers:
            layer = vertex.layer
            window = layer.window(vertex.input) if layer and layer.reach == "window" else None
            if window is None or window.upsamples or not vertex.output.rank:
                continue
            dropped = [n if covers(window) else 0 for n in unseen(window, vertex)]
            if any(dropped):
                yield vertex, self.diagnostic(vertex, dropped)

    def diagnostic(self, vertex: Vertex, dropped: list[int]) -> Diagnostic:
        assert vertex.layer
        names = {1: ("place",), 2: ("row", "column"), 3: ("slice", "row", "column")}[len(dropped)]
        parts = [f"{n} {name}s" if n > 1 else name for n, name in zip(dropped, names, strict=True) if n]
        message = f"{vertex.layer.word} never sees the last {' and '.join(parts)} of {vertex.input}"
        why = vertex.layer.arithmetic(vertex.input)
        ceil = "ceil" in vertex.layer.__fields__
        help = "ceil=true takes them in" if ceil else "a padding, or another size before it, takes them in"
        return Diagnostic(self.code, message, vertex.span, f"{vertex.output} comes out", why=why, fixes=(Fix(help),))


def covers(window: Window) -> bool:
    """Whether the windows leave no gaps between them: a stride larger than the kernel has a lint of its own."""
    reach = zip(window.kernel, window.dilation, window.stride, strict=True)
    return all((kernel - 1) * dilation + 1 >= stride for kernel, dilation, stride in reach)


def unseen(window: Window, vertex: Vertex) -> list[int]:
    """How many values at the end of each axis lie behind the last window."""
    axes = zip(
        vertex.input.spatial,
        vertex.output.spatial,
        window.kernel,
        window.stride,
        window.padding,
        window.dilation,
        strict=True,
    )
    return [
        max(0, size - 1 - ((out - 1) * stride + (kernel - 1) * dilation - padding))
        for size, out, kernel, stride, padding, dilation in axes
    ]
