"""A bias that the normalisation behind it takes out again.

`batchnorm` subtracts the mean of every channel. A bias adds the same number to all of a channel, so it changes the
mean and nothing else: it is subtracted again at once, and its gradient is zero. It does no harm, but it is counted,
stored and updated for nothing; `batchnorm` brings a bias of its own.

```cnn bad
model Net {
  input 3x8x8
  conv(16, 3, padding=1), batchnorm, relu
  adaptive_avgpool(1), flatten, linear(10)
}
```

```cnn good
model Net {
  input 3x8x8
  conv(16, 3, padding=1, bias=false), batchnorm, relu
  adaptive_avgpool(1), flatten, linear(10)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Fix, Label
from cnnspec.lint.graph import Graph
from cnnspec.lint.rule import Finding, Rule
from cnnspec.network.edits import set_argument
from cnnspec.syntax import tree


class BiasBeforeNorm(Rule):
    code, name, meaning = "W101", "bias-before-norm", "a bias that the norm behind it takes out again"

    def find(self, graph: Graph) -> Iterator[Finding]:
        for vertex in graph.layers:
            norm = vertex.behind[0] if len(vertex.behind) == 1 else None
            layer = vertex.layer
            if norm is None or not getattr(layer, "bias", False) or not takes_mean_out(norm.word, vertex.output.rank):
                continue
            call = vertex.step.node.step.op  # type: ignore[union-attr]
            assert layer
            assert isinstance(call, tree.Call)
            direct = call.name.text == layer.word
            edits = (set_argument(call, layer.parameters(), "bias", "false"),) if direct else ()
            yield (
                vertex,
                Diagnostic(
                    self.code,
                    f"the bias of {layer.word} has no effect: {norm.word} subtracts the mean of each channel",
                    vertex.span,
                    f"{vertex.output.channels:,} parameters for nothing",
                    (Label(norm.span, "subtracts it again"),),
                    fixes=(Fix("leave the bias out", edits),),
                ),
            )


def takes_mean_out(word: str, rank: int) -> bool:
    return word == "batchnorm" or (word == "instancenorm" and rank > 0)
