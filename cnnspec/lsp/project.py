"""The files around an open text. Those that are open themselves count as they are in the editor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from cnnspec.lsp.names import Names, used_path
from cnnspec.network import UsageFault, read_source
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

MOST_FILES = 200
"""Of one folder no more files are looked at."""


class Project:
    """`texts` gives the open texts by their paths; files above `root` are none of the project's."""

    def __init__(self, texts: Callable[[], Mapping[str, str]] | None = None, root: str | None = None) -> None:
        self.texts, self.root = texts or (dict), root

    def read(self, path: str) -> tree.File | None:
        """What could be read of a file; None where it cannot be opened."""
        text = self.texts().get(path)
        if text is not None:
            return _parsed(path, text)
        try:
            return _parsed_file(path, Path(path).stat().st_mtime_ns)
        except (OSError, UsageFault):
            return None

    def names(self, path: str) -> Names | None:
        file = self.read(path)
        return Names(file, self.read) if file else None

    def users(self, path: str) -> Iterator[str]:
        """The files that use one: `use` takes files beside the text or below it, so they lie beside it or above."""
        folder = Path(path).parent
        above = [each for each in folder.parents if self.root and each.is_relative_to(self.root)]
        for each in (folder, *above):
            for file in sorted(each.glob("*.cnn"))[:MOST_FILES]:
                if str(file) != path and self._uses(str(file), path):
                    yield str(file)

    def _uses(self, user: str, path: str) -> bool:
        file = self.read(user)
        items = file.items if file else ()
        return any(isinstance(item, tree.Use) and used_path(item) == path for item in items)


@lru_cache(maxsize=200)
def _parsed(path: str, text: str) -> tree.File:
    return parse(Source(path, text)).file


@lru_cache(maxsize=200)
def _parsed_file(path: str, changed: int) -> tree.File:
    return parse(read_source(path)).file
