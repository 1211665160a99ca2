"""A setting that is never heard.

A step of a schedule that comes after the last epoch never comes, and what is to be unfrozen then stays frozen: the
recipe is that of a longer run. A group of parameters that stay frozen to the end has a learning rate at which nothing
learns.

```cnn bad
model Net {
  input 1x8x8
  flatten, linear(10)
}

train {
  data: digits
  schedule: multistep([30, 60])
  epochs: 50
}
```

```cnn bad
model Net {
  input 1x8x8
  features: { conv(8, 3, padding=1), relu }
  flatten
  head: linear(10)
}

train {
  data: digits
  freeze: features
  groups: [group(features, lr=1e-4), group(head, lr=0.01)]
}
```

```cnn good
model Net {
  input 1x8x8
  features: { conv(8, 3, padding=1), relu }
  flatten
  head: linear(10)
}

train {
  data: digits
  freeze: features
  unfreeze_after: 5
  groups: [group(features, lr=1e-4), group(head, lr=0.01)]
  schedule: multistep([25, 40])
  epochs: 50
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.lint.graph import Graph
from cnnspec.lint.rule import Finding, Rule


class IdleSetting(Rule):
    code, name, meaning = "W112", "idle-setting", "a setting that is never heard"
    every = False

    def find(self, graph: Graph) -> Iterator[Finding]:
        recipe = graph.network.recipe
        if not recipe or not (recipe.freeze or recipe.schedule.word in ("step", "multistep", "plateau")):
            return
        from cnnspec.lint.idle import idle, within  # most specs are checked without

        for one in idle(graph.network):
            span = graph.network.places.get(one.setting, graph.network.root.span)
            fix = Fix(one.help, (Edit(span, one.without),) if one.without else ())
            yield graph.start, Diagnostic(self.code, one.message, within(span, one.at), "never heard", fixes=(fix,))
