"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

DEVICES = (Path("/dev"), Path("/dev/fd"))
"""Here also lie other names of open files: to replace one of these would leave who opened it with the old one."""


def write(path: Path, content: str | bytes, *, sync: bool = False) -> None:
    """Write a file through another one in the same folder, so that nobody ever reads half of it.

    A link goes on pointing where it does, and a file that exists keeps its mode. What is there and no file (a pipe,
    `/dev/stdout`) is written to as it is. With `sync` it also survives that the power fails. Raises OSError.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not (path.is_file() and path.absolute().parent not in DEVICES):
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{os.urandom(6).hex()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
