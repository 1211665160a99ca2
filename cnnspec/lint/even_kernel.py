"""An even kernel with `padding=same`.

An even window has no middle. To keep the size, PyTorch adds one row more on one side than on the other, so everything
moves by half a pixel, layer after layer (and it copies the input to do so). Odd kernels are centred.

```cnn bad
model Net {
  input 3x12x12
  conv(16, 4, padding=same), relu
  adaptive_avgpool(1), flatten, linear(10)
}
```

```cnn good
model Net {
  input 3x12x12
  conv(16, 5, padding=same), relu
  adaptive_avgpool(1), flatten, linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.lint.graph import Graph
from cnnspec.lint.rule import Finding, Rule


class EvenKernel(Rule):
    code, name, meaning = "W106", "even-kernel", "an even kernel with padding=same"

    def find(self, graph: Graph) -> Iterator[Finding]:
        for vertex in graph.layers:
            layer = vertex.layer
            if layer is None or getattr(layer, "padding", None) != "same":
                continue
            window = layer.window(vertex.input)
            assert window
            total = [(k - 1) * d for k, d in zip(window.kernel, window.dilation, strict=True)]
            if any(amount % 2 for amount in total):
                message = f"{layer.word} with an even kernel is not centred: padding=same adds more at the end"
                fix = Fix("take an odd kernel")
                yield vertex, Diagnostic(self.code, message, vertex.span, "moves the map by half a pixel", fixes=(fix,))
