"""Augmentation that changes what is to be recognised.

Augmentation shows images that could have been taken too. A mirrored photograph of a cat is one; a mirrored 3 is no
digit, and a 6 turned upside down is a 9. A crop that moves the image by a large part of its size shows what is not
there. The network learns to answer what cannot be answered.

```cnn bad
model Net {
  input 1x8x8
  flatten, linear(10)
}

train {
  data: digits
  augment: flip
}
```

```cnn good
model Net {
  input 1x8x8
  flatten, linear(10)
}

train {
  data: digits
  augment: crop(padding=1)
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.lint.graph import Graph
from cnnspec.lint.rule import Finding, Rule
from cnnspec.recipe import Augmentation, Crop, Flip, Recipe, Rotation

FARTHEST = 4
"""A crop should move the image by at most this part of its side: a quarter."""


class UnsuitableAugmentation(Rule):
    code, name, meaning = "W111", "unsuitable-augmentation", "augmentation that changes what is to be recognised"
    every = False

    def find(self, graph: Graph) -> Iterator[Finding]:
        recipe = graph.network.recipe
        for augmentation in recipe.augment if recipe else ():
            assert recipe
            wrong = self.wrong(augmentation, recipe, graph.network.input.sizes)
            if wrong:
                span = graph.network.places.get("augment", graph.network.root.span)
                fix = Fix(f"leave {augmentation.word} out, or make it smaller")
                yield graph.start, Diagnostic(self.code, wrong, span, "changes the answer", fixes=(fix,))

    def wrong(self, augmentation: Augmentation, recipe: Recipe, sizes: tuple[int, ...]) -> str:
        written = recipe.data.word in ("mnist", "digits")
        if written and isinstance(augmentation, Flip):
            return f"{recipe.data.word} holds digits, and a mirrored digit is none"
        if written and isinstance(augmentation, Rotation) and augmentation.degrees > 45:
            return f"{recipe.data.word} holds digits, and turned by {augmentation.degrees:g} degrees a 6 is a 9"
        side = min(sizes[1:], default=0)
        if isinstance(augmentation, Crop) and side and augmentation.padding * FARTHEST > side:
            return f"crop moves images of {side} pixels by up to {augmentation.padding}"
        return ""
