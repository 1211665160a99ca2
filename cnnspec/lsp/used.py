"""The files that a text uses, read again when they have changed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from cnnspec.network import UsageFault, read_source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse


def read(path: str) -> tree.File | None:
    """What could be read of a file; None where it cannot be opened."""
    try:
        return _parsed(path, Path(path).stat().st_mtime_ns)
    except (OSError, UsageFault):
        return None


@lru_cache(maxsize=100)
def _parsed(path: str, changed: int) -> tree.File:
    return parse(read_source(path)).file
