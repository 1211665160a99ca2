"""Several processes on one machine, started as torchrun would, by torch.multiprocessing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.multiprocessing.spawn import ProcessContext, ProcessExitedException, start_processes
from tqdm import tqdm  # type: ignore[import-untyped]

from cnnspec.training.interrupt import SIGNALS, unheard

GRACE = 10.0
"""Seconds that the others have to write what is to be written when one of them has ended; then they are ended."""

LOCALHOST = "127.0.0.1"


class Ended(NamedTuple):
    code: int
    """As of a program: 0 where all went well, 130 where they were interrupted."""
    killed: tuple[int, str] | None = None
    """Which of them was ended by which signal, where that was the cause."""


def launch(count: int, work: Callable[..., object], argument: Any) -> Ended:
    """Calls `work(argument)` in so many new processes, and waits for them. Where one fails, the others are ended."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // count)))
    store = TCPStore(LOCALHOST, 0, is_master=True, wait_for_workers=False)
    started = (count, store.port, work, argument)
    with unheard():
        running: ProcessContext = start_processes(_process, started, count, join=False)  # type: ignore[no-untyped-call]
    with _heard(running, store) as asked:
        try:
            while not running.join(grace_period=GRACE):
                pass
        except ProcessExitedException as ended:
            if ended.signal_name and not asked:
                return Ended(1, (ended.error_index, ended.signal_name))
    return Ended(130 if asked else max(process.exitcode or 0 for process in running.processes))


def _process(rank: int, count: int, port: int, work: Callable[..., object], argument: Any) -> None:
    """One of them. The names are those that torch.distributed reads, and torchrun sets."""
    ranks = dict.fromkeys(("RANK", "LOCAL_RANK"), str(rank))
    sizes = dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(count))
    where = {"MASTER_ADDR": LOCALHOST, "MASTER_PORT": str(port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    os.environ |= ranks | sizes | where
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tqdm.set_lock(RLock())  # by itself it makes one for several processes, which one that is killed leaves behind
    TCPStore(LOCALHOST, port).set(f"hears {rank}", "")
    work(argument)


@contextmanager
def _heard(running: ProcessContext, store: TCPStore) -> Iterator[list[int]]:
    """What asks this process to stop asks the others to; those that cannot hear yet are ended. Gives what was heard."""
    asked: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        for rank, process in enumerate(running.processes):
            if process.is_alive():
                os.kill(process.pid, number if store.check([f"hears {rank}"]) else signal.SIGKILL)

    heard = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, pass_on) for number in heard}
    try:
        yield asked
    finally:
        for number, old in before.items():
            signal.signal(number, old)
