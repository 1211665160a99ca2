"""What `cnnspec train` does where several processes train together: it starts them, and only one of them speaks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import click

from cnnspec.cli.common import fail

Request = TypeVar("Request")

PER_CORE = 4
"""More processes would only wait for one another, and each takes the memory of PyTorch."""


def launched() -> bool:
    """Whether this process was started as one of several."""
    return "RANK" in os.environ


def start(devices: int, work: Callable[[Request], None], request: Request) -> NoReturn:
    """Does `work(request)` in so many processes of this machine, and exits as they do."""
    if launched():
        raise click.UsageError("this process is one of several already, and --devices starts them itself")
    cores = os.cpu_count() or 1
    most = PER_CORE * cores
    if devices > most:
        raise click.UsageError(
            f"--devices {devices} would be {devices} processes on {cores} cores of a processor: at most {most}"
        )
    from cnnspec.training.launch import launch

    ended = launch(devices, in_process, (work, request))
    if ended.killed:
        rank, name = ended.killed
        fail(f"process {rank} of {devices} was ended by {name}")
    sys.exit(ended.code)


def in_process(work: tuple[Callable[[Request], None], Request]) -> None:
    """With the messages and exit codes of a command."""
    do, request = work
    click.Command("train", callback=lambda: do(request)).main([], prog_name="cnnspec train")


@contextmanager
def at_once() -> Iterator[None]:
    """One of several that has failed ends without waiting for what it shares with those that are lost."""
    try:
        yield
    except SystemExit as end:
        if not launched():
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


@contextmanager
def one_voice() -> Iterator[bool]:
    """Joins the other processes where there are some; gives whether this is the one that speaks. A fault is told by
    the first that has one."""
    if not launched():
        yield True
        return
    from cnnspec.training.distributed import joined, team

    with joined():
        try:
            yield team().leads
        except KeyboardInterrupt:
            if team().speaks():
                raise
            sys.exit(130)
        except Exception:
            if team().speaks():
                raise
            sys.exit(1)
