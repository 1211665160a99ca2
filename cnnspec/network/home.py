"""What the names of a file mean: its blocks and lets, and those of the files it uses."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.network.evaluate import Budget, Scope, evaluate
from cnnspec.network.reading import UsageFault, read_file
from cnnspec.network.scope import HIDDEN
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.words import Faults, closest

Report = Callable[..., None]

DEFINITION = re.compile(r"\b(?:block|let|model|def|class)\s+(\w+)")

MOST_FILES = 100
"""How many files one check reads."""


class Home:
    """The names of one file. `blocks` and `lets` are its own and those it uses; `places` tell where each is defined."""

    def __init__(self, source: Source, lets: Scope) -> None:
        self.source, self.lets = source, lets
        self.blocks: dict[str, tree.Block] = {}
        self.places: dict[str, Span] = {}
        self.own: set[str] = set()
        lets.blocks = self.blocks


class Homes:
    """The file that is checked and all that it uses, each read once."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.known: dict[str, Home] = {}
        self.files: dict[str, tree.File] = {}
        self.budget = Budget()
        self.main: Home | None = None
        self.unread: set[str] = set()
        """Names that are defined where not all could be read."""
        self.incomplete = False
        """Whether a file could not be used: nobody knows what it defines."""

    def parse(self, source: Source) -> tree.File:
        """Reads a text; its faults are reported."""
        parsed = parse(source)
        self.report(*parsed.diagnostics)
        if parsed.diagnostics:
            self.unread.update(DEFINITION.findall(source.text))
        return parsed.file

    def explains(self, fault: Diagnostic) -> bool:
        """Whether a name is unknown because what defines it could not be read."""
        if fault.code not in ("E201", "E206", "E210"):
            return False
        return fault.span.text in self.unread or (self.incomplete and not fault.fixes)

    def of(self, span: Span) -> Home:
        """The home of what is written at a place; what was given from outside belongs to the file that is checked."""
        assert self.main
        return self.known.get(span.source.name, self.main)

    def open(self, source: Source, file: tree.File, chain: tuple[str, ...] = ()) -> Home:
        """A file's names. `chain` are the files that led there, for which this one is no news."""
        home = self.known[source.name] = Home(source, Scope({}, budget=self.budget))
        self.files[source.name] = file
        self.main = self.main or home
        for item in file.items:
            if isinstance(item, tree.Use):
                self.use(item, home, (*chain, source.name))
        for item in file.items:
            if isinstance(item, tree.Block) and self.define(home, item.name):
                home.blocks[item.name.text] = item
                home.own.add(item.name.text)
                self.check_block(item)
        for item in file.items:
            if isinstance(item, tree.Let) and self.define(home, item.name):
                try:
                    home.lets[item.name.text] = evaluate(item.value, home.lets)
                except Faults as wrong:
                    self.report(*wrong.diagnostics)
                    home.lets[item.name.text] = HIDDEN
        return home

    def define(self, home: Home, name: tree.Identifier) -> bool:
        """Whether a name is new in its file; reports one that is defined twice."""
        first = home.places.get(name.text)
        if first:
            message = f"{name.text} is defined twice"
            from cnnspec.network.habits import renamed

            fix = renamed(name.text, name.span, {*home.places})
            label = Label(first, "first defined here")
            self.report(Diagnostic("E207", message, name.span, "again here", (label,), fixes=(fix,)))
            return False
        home.places[name.text] = name.span
        return True

    def check_block(self, block: tree.Block) -> None:
        name = block.name.text
        if not name[:1].isupper():
            close = name[:1].upper() + name[1:]
            from cnnspec.network.habits import everywhere

            edits = everywhere(name, close, self.files[block.span.source.name].items)
            fix = Fix(f"call it {close}, here and where it is used", edits)
            message = f"the block {name} begins with a lower-case letter, as layers do"
            self.report(Diagnostic("E207", message, block.name.span, "a block's name", fixes=(fix,)))
        check_parameters(block, self.report)

    # ----------------------------------------------------------------------------------------------------------- use

    def use(self, item: tree.Use, home: Home, chain: tuple[str, ...]) -> None:
        """Bring in the blocks and lets of another file."""
        try:
            other = self.used(item, chain)
        except Faults as wrong:
            self.report(*wrong.diagnostics)
            self.incomplete = True
            return
        for name in other.own | other.lets.keys() & other.places.keys():
            if other.places[name].source is not other.source:
                continue
            first = home.places.get(name)
            if first and first != other.places[name]:
                labels = (Label(first, "first defined here"), Label(other.places[name], "and here"))
                self.report(Diagnostic("E207", f"{name} is defined twice", item.span, "brings it again", labels))
                continue
            home.places[name] = other.places[name]
            if name in other.blocks:
                home.blocks[name] = other.blocks[name]
            else:
                home.lets[name] = other.lets[name]

    def used(self, item: tree.Use, chain: tuple[str, ...]) -> Home:
        folder = os.path.dirname(item.span.source.name)
        name = os.path.normpath(os.path.join(folder, item.path.text))
        wrong = misplaced(item, folder, name)
        if wrong:
            raise Faults(wrong)
        if name in map(os.path.normpath, chain):
            way = " -> ".join(os.path.basename(each) for each in (*chain, name))
            message = f"{item.path.text} is used by itself"
            raise Faults(Diagnostic("E403", message, item.path.span, "leads back here", why=way))
        if name in self.known:
            return self.known[name]
        if len(self.known) >= MOST_FILES:
            message = f"more than {MOST_FILES} files are used"
            raise Faults(Diagnostic("E213", message, item.span, "too many"))
        try:
            source = read_file(name)
        except UsageFault as fault:
            raise Faults(unreadable(item, name, str(fault))) from None
        return self.open(source, self.parse(source), chain)


def misplaced(item: tree.Use, folder: str, name: str) -> Diagnostic | None:
    """A path that leads out of the folder, symbolic links followed."""
    path = item.path.text
    if not path.isprintable():
        return Diagnostic("E403", "the path holds a character that cannot be read", item.path.span, "names no file")
    base = os.path.realpath(folder or os.curdir)
    if not os.path.isabs(path) and os.path.realpath(name).startswith(base.rstrip(os.sep) + os.sep):
        return None
    note = "use takes files beside this one or in folders below it"
    message = f"{path or 'this'} is no file below this one's folder"
    return Diagnostic("E403", message, item.path.span, "leads elsewhere", notes=(note,))


def unreadable(item: tree.Use, name: str, fault: str) -> Diagnostic:
    path = item.path.text
    try:
        files = [each for each in os.listdir(os.path.dirname(name) or os.curdir) if each.endswith(".cnn")]
    except OSError:
        files = []
    known = {os.path.splitext(each)[0]: each for each in files}
    near = closest(os.path.splitext(os.path.basename(path))[0], known)
    meant = [os.path.join(os.path.dirname(path), known[each]) for each in near]
    fixes = tuple(Fix(f"did you mean {each}?", (Edit(item.path.span, f'"{each}"'),)) for each in meant)
    return Diagnostic("E403", fault.replace(name, path), item.path.span, "cannot be used", fixes=fixes)


def check_parameters(item: tree.Block | tree.Model, report: Report) -> None:
    """Two parameters of one name."""
    seen: dict[str, Span] = {}
    for param in item.params:
        if param.name.text in seen:
            label = Label(seen[param.name.text], "first here")
            message = f"{item.name.text} has two parameters called {param.name.text}"
            report(Diagnostic("E207", message, param.name.span, "again here", (label,)))
        seen.setdefault(param.name.text, param.name.span)
