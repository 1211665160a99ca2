"""Ctrl-C and the like, heard between two steps."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic
from types import FrameType

from cnnspec.training.distributed import ALONE, Team

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, the end of a batch job, a closed terminal."""

ONCE_MORE = 2.0
"""Seconds within which the same request may arrive again."""


@contextmanager
def interruptible(team: Team = ALONE) -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether the run was asked to stop. Asked a second time, it stops at once, by
    `KeyboardInterrupt`. Only the main thread hears signals; one that is ignored, as under nohup, stays ignored.

    Processes of a team hear of a Ctrl-C from the terminal and once more from whoever started them."""
    asked, first = 0, 0.0

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal asked, first
        if asked and team.size > 1 and monotonic() - first < ONCE_MORE:
            return
        asked, first = asked + 1, monotonic()
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


@contextmanager
def unheard() -> Iterator[None]:
    """Processes that begin inside do not hear Ctrl-C until they say so: it would end them with a traceback."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def deaf() -> None:
    """From here on the end of a batch job is not heard: there is only to be written what came of it."""
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: None)
