"""Signs of life of the processes that train together, so that one that hangs, or whose machine is gone, is noticed.

A process that has ended is noticed sooner: its connections close."""

from __future__ import annotations

import os
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

from torch.distributed import TCPStore  # type: ignore[attr-defined]

BEAT, SILENCE = 2.0, 20.0
"""Seconds between two signs of life, and without any."""


class Pulse:
    """Gives signs of life from a thread of its own, and keeps when each of the others gave its last."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self.store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))  # for nothing else to wait for
        self.heard = dict.fromkeys(range(size), monotonic())
        self.beats = [""] * size
        self.ended = Event()
        self.store.set(self._key(rank), "0")
        self.thread = Thread(target=self._beat, name="pulse", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.ended.set()

    def silent(self) -> list[int]:
        """Those that have given no sign of life for a while. None where this process was asleep itself."""
        now = monotonic()
        if now - self.heard[self.rank] > 2 * BEAT + 1:
            return []
        return [rank for rank, heard in self.heard.items() if now - heard > SILENCE]

    @staticmethod
    def _key(rank: int) -> str:
        """torchrun may have started the processes before, beside the same store."""
        return f"cnnspec pulse {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)} {rank}"

    def _beat(self) -> None:
        keys = [self._key(rank) for rank in range(self.size)]
        number = 0
        try:
            while not self.ended.wait(BEAT):
                number += 1
                self.store.set(keys[self.rank], str(number))
                if self.store.check(keys):
                    self._listen([beat.decode() for beat in self.store.multi_get(keys)])
        except RuntimeError:  # whoever keeps the signs of life is gone, and its connections with it
            pass

    def _listen(self, beats: list[str]) -> None:
        for rank, (beat, before) in enumerate(zip(beats, self.beats, strict=True)):
            if beat != before:
                self.heard[rank] = monotonic()
        self.beats = beats


def finish(work: Any, pulse: Pulse | None) -> None:
    """Waits for the others; raises RuntimeError where one of them is silent."""
    if pulse is None:
        work.wait()
        return
    while not work.is_completed():
        try:
            work.wait(timedelta(seconds=BEAT))
        except RuntimeError as error:
            if work.is_completed() or "timed out" not in str(error).lower():
                raise
            if silent := pulse.silent():
                raise RuntimeError(f"process {silent[0]} gave no sign of life for {SILENCE:.0f} seconds") from None
    work.wait()
