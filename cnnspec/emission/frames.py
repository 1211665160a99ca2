"""What the text of a class can see at each place: names, and the value of each wherever the text runs.

A constructor runs once for each use of its block, a loop in it once for each pass, one side of an `if` only in some of
these. Each of them is a `Frame`: it knows how often its text runs, and the values of every name in each of these runs.
A place whose values no name explains makes a new name: an argument of the class, or one more variable of the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from keyword import kwlist
from typing import Any

from cnnspec.emission.express import (
    FUNCTIONS,
    Values,
    computed,
    constant,
    explain,
    holds,
    literal,
    plain,
    same,
    words,
)
from cnnspec.emission.names import ANY, LONGEST, Flow, Unexplained, free, has_literal, item_name, merged
from cnnspec.emission.written import Names, mentioned, readings
from cnnspec.syntax import tree


@dataclass
class Let:
    """A name the spec gives to a value. It is written only where something mentions it: as a variable of that name,
    or where that is as short as the name itself."""

    frame: Frame
    name: str
    python: str
    """Its name as a variable."""
    values: Values
    expression: tree.Expr
    flow: Flow
    text: str | None = None
    """What stands for it in Python, once something has asked."""
    statement: str | None = None
    """What the variable is set to, where it is one."""

    def resolve(self) -> str:
        if self.text is None:
            self.text = self.resolved()
        return self.text

    def resolved(self) -> str:
        frame = self.frame
        if constant(self.values):
            return literal(self.values[0])
        texts = list(frame.readings(self.values, self.expression, self.flow))
        known = [frame.names[name] for name in mentioned(self.expression) if name in frame.names]
        for name in filter(None, (self.flow.text, *(known for known in known if isinstance(known, str)))):
            texts.append(name) if frame.says(name, self.values) else None
        if not texts:
            return frame.express(self.values, {}, self.name)
        text = min(texts, key=len)
        if text.isidentifier():
            return frame.use(text)
        self.statement = text
        name = self.python
        frame.own[name] = self.values
        frame.lets[name] = self
        return name


class Frame:
    """A part of a class: all of it, one side of an `if`, or the body of a loop.

    `index` tells for each run of this text the run of the text around it. `own` are the names that are made here;
    `names` tells what the spec's names are called: a name in Python, a literal, or a `Let` that nobody asked for yet.
    """

    def __init__(self, parent: Frame | None, index: Sequence[int], flow: Flow) -> None:
        self.parent, self.index, self.flow = parent, list(index), flow
        self.own: dict[str, Values] = {}
        self.lets: dict[str, Let] = {}
        self.names: dict[str, str | Let] = dict(parent.names) if parent else {}
        self.used: set[str] = set()
        self.cache: dict[str, Values] = {}
        self.made: list[str] = []
        """Names of `own` that the spec does not have."""
        self.counter = ""
        """The variable that counts channels along loops, where there is one that may be used here."""
        self.running: Values | None = None
        """What that variable holds."""

    @property
    def root(self) -> ClassFrame:
        frame: Frame = self
        while frame.parent:
            frame = frame.parent
        assert isinstance(frame, ClassFrame)
        return frame

    def __len__(self) -> int:
        return len(self.index)

    # ------------------------------------------------------------------------------------------------------ names

    def values(self, name: str) -> Values | None:
        """The values of a name of Python in each run; None for one that is not known here."""
        if name in self.own:
            return self.own[name]
        if name not in self.cache:
            above = self.parent.values(name) if self.parent else None
            if above is None:
                return None
            self.cache[name] = tuple(above[at] for at in self.index)
        return self.cache[name]

    def declare(self, name: str, values: Sequence[Any]) -> None:
        """A name of the spec with its values here, as a name of Python where they are values that Python has too."""
        self.names.pop(name, None)
        shown = tuple(map(plain, values))
        if not all(map(has_literal, values)):
            return
        if constant(shown):
            self.names[name] = literal(shown[0])
        else:
            self.names[name] = chosen = self.root.free(name, self.visible())
            self.own[chosen] = shown

    def visible(self) -> set[str]:
        return set(self.own) | (self.parent.visible() if self.parent else set())

    def use(self, text: str) -> str:
        """The text; what it mentions is marked as used."""
        for name in words(text):
            self._use(name)
        return text

    def _use(self, name: str) -> None:
        if name in self.own:
            fresh = name not in self.used
            self.used.add(name)
            if fresh and name in self.lets:
                self.use(self.lets[name].statement or "")
        elif self.parent:
            self.parent._use(name)

    def scope(self, texts: Iterable[str]) -> dict[str, Values]:
        """The names that some texts mention, with their values."""
        found = {name: self.values(name) for text in texts for name in sorted(words(text))}
        return {name: values for name, values in found.items() if values is not None}

    def says(self, text: str, values: Values) -> bool:
        """Whether a text has these values here."""
        scope = self.scope([text])
        unknown = words(text) - scope.keys() - FUNCTIONS.keys() - set(kwlist)
        if unknown or any(value is ANY for name in words(text) for value in scope.get(name, ())):
            return False
        return holds(text, values, scope)

    def lookup(self, flow: Flow) -> Names:
        def known(name: str) -> str | None:
            found = self.names.get(name)
            return found.resolve() if isinstance(found, Let) else found

        return Names(known, flow.text, self.item)

    def item(self, text: str, wanted: str) -> str | None:
        """A name for something taken out of a list that is written out: rather than the list, `text`, in each of the
        places that take something else out of it."""
        scope = self.scope([text])
        if words(text) - scope.keys() - FUNCTIONS.keys() - set(kwlist) or any(ANY in each for each in scope.values()):
            return None
        values = computed(text, scope, len(self))
        if values is None:
            return None
        if constant(values):
            return literal(values[0])
        try:
            return explain(values, {}) or self.define(values, wanted)
        except Unexplained:
            return None

    def readings(self, values: Values, expression: tree.Expr, flow: Flow | None = None) -> Iterator[str]:
        """What the spec says at a place, in Python, where Python says the same."""
        for text in readings(expression, self.lookup(flow or self.flow)):
            if len(text) <= LONGEST and self.says(text, values):
                yield text

    # ----------------------------------------------------------------------------------------------------- places

    def known_only(self, values: Values) -> tuple[Frame, Values]:
        """The runs in which a place has a value, and the values."""
        if ANY not in values:
            return self, values
        at = [n for n, value in enumerate(values) if value is not ANY]
        return self.where(at), tuple(values[n] for n in at)

    def written(self, values: Values, expression: tree.Expr | None, wanted: str, flow: Flow | None = None) -> str:
        """Python for a place for which the spec has an expression, or None where it leaves out an argument."""
        values = tuple(map(plain, values))
        frame, values = self.known_only(values)
        if not values:
            return "None"
        if constant(values) and (expression is None or frame.settled):
            return literal(values[0])
        if expression is None:
            candidates = [text for text in frame.names.values() if isinstance(text, str)]
        else:
            text = next(frame.readings(values, expression, flow), None)
            if text is not None and not (constant(values) and text[0].isdigit()):
                return frame.use(text)
            if constant(values):
                return literal(values[0])
            wanted = item_name(expression) or wanted
            looked = frame.lookup(flow or frame.flow)
            candidates = list(filter(None, map(looked.known, mentioned(expression))))
        return frame.express(values, frame.scope(candidates), wanted)

    def incoming(self, values: Values, wanted: str) -> str:
        """Python for a size that arrives."""
        frame, values = self.known_only(tuple(map(plain, values)))
        if not values:
            return "None"
        flow = frame.flow
        if flow.text is not None:
            if same(values, flow.values):
                return frame.use(flow.text)
            if not constant(values) and (text := explain(values, {flow.text: flow.values})):
                return frame.use(text)
        return frame.express(values, {}, wanted)

    def express(self, values: Values, scope: dict[str, Values], wanted: str) -> str:
        """Python for a place with these values, in terms of `scope`; where that cannot be, a new name like
        `wanted`."""
        frame, values = self.known_only(tuple(map(plain, values)))
        if not values:
            return "None"
        scope = {name: found for name in scope if (found := frame.values(name)) and ANY not in found}
        text = explain(values, scope)
        if text is None:
            text = frame.define(values, wanted)
        return frame.use(text)

    def define(self, values: Values, wanted: str) -> str:
        """A new name with these values: made here, or around this where it changes only there."""
        assert self.parent
        lifted = [ANY] * len(self.parent)
        for at, value in zip(self.index, values, strict=True):
            lifted[at] = value
        return self.parent.define(tuple(lifted), wanted)

    # ----------------------------------------------------------------------------------------------------- inside

    @property
    def repeated(self) -> bool:
        """Whether this stands in a loop."""
        return self.parent is not None and self.parent.repeated

    @property
    def settled(self) -> bool:
        """Whether what is the same in all runs of this text is the same wherever the text could run."""
        return True

    def where(self, at: Sequence[int]) -> Frame:
        """The part of this text that runs only in some of its runs."""
        return Side(self, at, self.flow.at(at))


class Side(Frame):
    """One side of an `if`, or what is told of some runs only."""

    def __init__(self, parent: Frame, index: Sequence[int], flow: Flow) -> None:
        super().__init__(parent, index, flow)
        self.counter = parent.counter
        if parent.running is not None:
            self.running = tuple(parent.running[at] for at in index)

    @property
    def settled(self) -> bool:
        return False


class Passes(Frame):
    """The body of a loop. Names that are made here are variables of the loop."""

    @property
    def repeated(self) -> bool:
        return True

    @property
    def settled(self) -> bool:
        return self.parent is None or self.parent.settled

    def define(self, values: Values, wanted: str) -> str:
        assert self.parent
        first = dict(zip(reversed(self.index), reversed(values), strict=True))
        if same([first[at] for at in self.index], values):
            return self.parent.define(tuple(first.get(at, ANY) for at in range(len(self.parent))), wanted)
        for name in self.own:
            if name in self.made and (joined := merged(self.own[name], values)):
                self.own[name] = joined
                return name
        name = self.root.free(wanted, self.visible())
        self.own[name] = values
        self.made.append(name)
        return name

    @property
    def variables(self) -> dict[str, Values]:
        """The variables of the loop that something mentions."""
        return {
            name: values
            for name, values in self.own.items()
            if name in self.used and name not in self.lets and name not in self.root.counters
        }


class ClassFrame(Frame):
    """The whole of a class: its constructor's arguments are the names that are made here."""

    def __init__(self, uses: int, flow: Flow, *, block: bool, reserved: Iterable[str] = ()) -> None:
        super().__init__(None, range(uses), flow)
        self.block = block
        self.reserved = set(reserved)
        self.everything = set(reserved)
        self.flat = False
        """Whether features arrive, and no map."""
        self.counters: set[str] = set()

    def free(self, wanted: str, taken: Iterable[str] | None = None) -> str:
        """The name, or one like it: not in use in this class, or, where `taken` is given, not among these."""
        name = free(wanted, self.everything if taken is None else {*taken, *self.own, *self.reserved})
        self.everything.add(name)
        return name

    def define(self, values: Values, wanted: str) -> str:
        if not self.block:
            raise Unexplained(wanted)
        for name in self.made:
            if name.startswith(wanted) and (joined := merged(self.own[name], values)):
                self.own[name] = joined
                return name
        name = self.free(wanted)
        self.own[name] = values
        self.made.append(name)
        return name
