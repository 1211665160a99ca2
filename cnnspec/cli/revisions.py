"""Specs as git knows them: `REV:PATH` in place of a file, with the files it uses as they were then."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnnspec.network import UsageFault
from cnnspec.network.reading import LONGEST_FILE
from cnnspec.source import Source


class AtRevision(Mapping[str, str]):
    """Texts by names like `HEAD~1:examples/lenet.cnn`, as `INSTEAD` takes them: asked of git when they are read."""

    def __getitem__(self, name: str) -> str:
        if ":" not in name or Path(name).exists():
            raise KeyError(name)
        try:
            return shown(name)
        except UsageFault:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def shown(name: str) -> str:
    """The text of `REV:PATH`, or of `:PATH`, which is what is staged; raises `UsageFault` with what git says."""
    data = _git("show", "--end-of-options", name, about=name)
    if len(data) > LONGEST_FILE:
        raise UsageFault(f"{name} has more than {LONGEST_FILE:,} bytes: it is no spec")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageFault(f"{name} is not text in UTF-8") from None


def source(revision: str, path: str) -> Source:
    """A file of the working tree as it is in a revision; the empty one is what is staged."""
    relative = os.path.relpath(path).replace(os.sep, "/")
    name = f"{revision}:{relative if relative.startswith('../') else f'./{relative}'}"
    return Source(name, shown(name))


def is_revision(text: str) -> bool:
    try:
        _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}", about=text)
    except UsageFault:
        return False
    return True


def _git(*arguments: str, about: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise UsageFault(f"{about} asks git for a revision, and git is not installed") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise UsageFault(f"git has no {about}: {said}" if said else f"git has no {about}")
    return done.stdout
