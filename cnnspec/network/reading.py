"""Reads files as text, with bounds."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar

from cnnspec.source import Source

LONGEST_FILE = 5_000_000
"""Files with more bytes than this are not read: no spec is that long."""


ZOO = "zoo:"

INSTEAD: ContextVar[Mapping[str, str]] = ContextVar("INSTEAD", default={})  # noqa: B039
"""Texts that are read in place of files, by their normalised paths: edits that are not written yet."""


class UsageFault(Exception):
    """Something is wrong with what was asked, not with the spec."""


def read_source(path: str | os.PathLike[str]) -> Source:
    """A file as a Source, standard input for `-`, a network of the zoo for `zoo:resnet50`. Raises `UsageFault` where
    it cannot be read."""
    name = os.fspath(path)
    if name == "-":
        return _text("<stdin>", sys.stdin.buffer.read(LONGEST_FILE + 1))
    return _from_zoo(name.removeprefix(ZOO)) if name.startswith(ZOO) else read_file(name)


def _from_zoo(model: str) -> Source:
    from cnnspec import zoo

    path = zoo.models().get(model)
    if path is None:
        raise UsageFault(zoo.unknown(model))
    return read_file(path).replace(model=model)


def read_file(name: str) -> Source:
    """The file of this name, whatever it is called."""
    text = INSTEAD.get().get(os.path.normpath(name))
    if text is not None:
        return Source(name, text)
    try:
        with open(name, "rb") as file:
            data = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise UsageFault(f"{name} cannot be read: {error.strerror}") from None
    return _text(name, data)


def _text(name: str, data: bytes) -> Source:
    if len(data) > LONGEST_FILE:
        raise UsageFault(f"{name} has more than {LONGEST_FILE:,} bytes: it is no spec")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageFault(f"{name} is not text in UTF-8: line {line} has a byte that cannot be read") from None
    return Source(name, text)
