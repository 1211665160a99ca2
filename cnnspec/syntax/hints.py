"""What a line was meant to be that is written as in Python, PyTorch, Keras or mathematics."""

from __future__ import annotations

from collections.abc import Callable

from cnnspec.diagnostics import Diagnostic
from cnnspec.syntax.place import Place

HINTS: tuple[Callable[[Place], Diagnostic | None], ...] = ()
