"""A softmax in front of a loss that has its own.

PyTorch's `nn.CrossEntropyLoss` takes scores and applies the logarithm of softmax itself. A network that ends in
`softmax` has it applied twice in such a loop: the gradient nearly vanishes, and training crawls. (`cnnspec train` sees
the softmax and takes the loss that suits it; the emitted code in a loop of your own does not.) Leave it out, and apply
softmax when you want to show probabilities.

```cnn bad
model Net {
  input 1x8x8
  flatten, linear(10), softmax
}

train {
  data: digits
}
```

```cnn good
model Net {
  input 1x8x8
  flatten, linear(10)
}

train {
  data: digits
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.lint.graph import TRANSPARENT, Graph
from cnnspec.lint.rule import Finding, Rule


class SoftmaxAtEnd(Rule):
    code, name, meaning = "W103", "softmax-at-end", "a softmax in front of a loss that has its own"

    def find(self, graph: Graph) -> Iterator[Finding]:
        last = graph.end
        while last.word in TRANSPARENT and len(last.before) == 1:
            last = last.before[0]
        if graph.network.recipe and not graph.network.output.rank and last.word in ("softmax", "softmin"):
            message = f"the network ends in {last.word}, and cross entropy applies softmax itself"
            fix = Fix(f"leave {last.word} out: the scores are what the loss takes")
            yield last, Diagnostic(self.code, message, last.span, "applied twice in a plain loop", fixes=(fix,))
