"""Ctrl-C and the like, heard between two steps."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, the end of a batch job, a closed terminal."""


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether the run was asked to stop. Asked a second time, it stops at once, by
    `KeyboardInterrupt`. Only the main thread hears signals; one that is ignored, as under nohup, stays ignored."""
    asked = 0

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise KeyboardInterrupt

    before = {}
    if current_thread() is main_thread():
        found = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in found}
        before = {number: old for number, old in before.items() if old is not None and old != signal.SIG_IGN}
    for number in before:
        signal.signal(number, hear)
    try:
        yield lambda: asked > 0
    finally:
        for number, old in before.items():
            signal.signal(number, old)
