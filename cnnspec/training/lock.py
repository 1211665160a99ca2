"""One process at a time in the folder of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnspec.training.distributed import ALONE, Team
from cnnspec.training.error import BadRun


@contextmanager
def alone_in(folder: Path, team: Team = ALONE) -> Iterator[None]:
    """Raises `BadRun` where another process trains in the folder; of a team the first holds it for all. The system
    lets go of it however a process ends; where it has no such locks (Windows, some network drives) nothing is held."""
    if sys.platform == "win32" or not team.leads:
        yield
        return
    from fcntl import LOCK_EX, LOCK_NB, flock

    handle = os.open(folder, os.O_RDONLY)
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise BadRun(f"another process is training in {folder}", "interrupt it first, or let it finish") from None
    except OSError:
        pass
    try:
        yield
    finally:
        os.close(handle)
