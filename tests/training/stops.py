"""Runs that are asked to stop at a moment that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def stopping_after(calls: int) -> Callable[..., Any]:
    """In the place of `interruptible`: the run is asked to stop when it looks for the nth time."""

    @contextmanager
    def stop(*_: object) -> Iterator[Callable[[], bool]]:
        left = iter(range(calls))
        yield lambda: next(left, None) is None

    return stop
