"""What a lint is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from cnnspec.diagnostics import Diagnostic
from cnnspec.lint.graph import Graph, Vertex

Finding = tuple[Vertex, Diagnostic]


class Rule:
    """Looks for one thing that is accepted and rarely meant. The docstring of its module is the page that
    `cnnspec explain` shows, with an example that is found fault with (```cnn bad) and one that is not (```cnn good).
    """

    code: ClassVar[str]
    name: ClassVar[str]
    meaning: ClassVar[str]

    every: ClassVar[bool] = True
    """Whether a call is reported only where all layers that are expanded from it show the fault: what is right in one
    use of a block cannot be mended in the block."""

    of_size: ClassVar[bool] = False
    """Whether it is about the size of the input, and says nothing where the spec leaves that open."""

    def find(self, graph: Graph) -> Iterator[Finding]:
        """What is found, each at the vertex it belongs to."""
        raise NotImplementedError
