"""The words of the language: layers, data sets, optimizers and the like.

A word is a record whose fields are its signature: `class Dropout(Layer): p: Probability = 0.5` is callable in a spec
as `dropout(0.3)` or `dropout(p=0.3)`, and completion, docs and error messages are read from the same fields. An
annotation names a kind (`KINDS`), which says what values the argument takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.record import REQUIRED, Record
from cnnspec.source import Span

# What the annotations mean to a type checker.
Count = int
Natural = int
Kernel = int | tuple[int, ...]
Amounts = int | tuple[int, ...]
Padding = int | tuple[int, ...] | str
Sizes = int | tuple[int | None, ...]
Dims = tuple[int, ...]
Number = float
Positive = float
Probability = float
Share = float
NonNegative = float


class Like(Record):
    """A default that copies another argument of the same word: `stride: Kernel = like("kernel")`."""

    argument: str


def like(argument: str) -> Any:
    return Like(argument)


# Values of the language that are not numbers, strings, booleans or tuples of values.


class Symbol(Record):
    """A name that nothing in scope defines; a kind may know it (`same`, `zeros`, `cifar10`). `known` are the names
    that are defined there."""

    name: str
    span: Span
    known: tuple[str, ...] = ()


class CallValue(Record):
    """A call in the place of a value, not yet bound: `adamw(lr=1e-3)`."""

    name: str
    arguments: tuple[Argument, ...]
    span: Span
    name_span: Span


class Argument(Record):
    """An argument whose value is known. `name` is None for a positional one."""

    name: str | None
    value: Any
    span: Span
    name_span: Span | None = None


class Mismatch(Exception):
    """A value that a kind does not take. The text says what is wrong with it."""


class Kind(Record):
    """What values an argument takes: `takes` completes the sentence "... takes ..."; `read` gives the value to keep,
    or raises `Mismatch`."""

    takes: str
    read: Callable[[Any], Any]
    names: bool = False
    """Whether names of its own are among the values."""


class Word(Record):
    """Base of everything that is called by name in a spec.

    `word` is the name in the language. The docstring's first line says what it does; docs and completion show it.
    """

    word: ClassVar[str] = ""
    _parameters: ClassVar[dict[str, Parameter]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        values = self.__dict__
        for name, value in values.items():
            if type(value) is Like:
                values[name] = values[value.argument]

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """The arguments of the word, in order."""
        known: dict[str, Parameter] | None = cls.__dict__.get("_parameters")
        if known is None:
            annotations: dict[str, str] = {}
            for base in reversed(cls.__mro__):
                if issubclass(base, Record):
                    annotations |= base.__annotations__
            known = {
                name: Parameter(name, kind_of(annotations[name]), default) for name, default in cls.__fields__.items()
            }
            cls._parameters = known
        return known

    @classmethod
    def signature(cls) -> str:
        """As it is written in a spec: `conv(out, kernel, stride=1, ...)`."""
        return signature(cls.word, cls.parameters())


AnyWord = TypeVar("AnyWord", bound=Word)


def by_name(*words: type[AnyWord]) -> dict[str, type[AnyWord]]:
    """A registry: words by their names in the language."""
    return {word.word: word for word in words}


class Parameter(Record):
    """One argument of a word or a block."""

    name: str
    kind: Kind
    default: Any = REQUIRED


def signature(word: str, parameters: Mapping[str, Parameter]) -> str:
    inside = ", ".join(
        p.name if p.default is REQUIRED else f"{p.name}={show_default(p.default)}" for p in parameters.values()
    )
    return f"{word}({inside})" if inside else word


def show_default(value: Any) -> str:
    return value.argument if isinstance(value, Like) else show(value)


def show(value: Any) -> str:
    """A value as it is written in a spec."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case tuple():
            return "[" + ", ".join(show(item) for item in value) + "]"
        case float():
            return f"{value:.12g}"
        case Symbol():
            return value.name
        case CallValue():
            inside = ", ".join(f"{a.name}={show(a.value)}" if a.name else show(a.value) for a in value.arguments)
            return f"{value.name}({inside})" if inside else value.name
        case Word():
            given = [
                f"{name}={show(getattr(value, name))}"
                for name, default in value.__fields__.items()
                if getattr(value, name) != default
            ]
            return f"{value.word}({', '.join(given)})" if given else value.word
    return str(value)


# ---------------------------------------------------------------------------------------------------------- kinds


LARGEST = 2**31 - 1
"""No size or count of a network may be larger."""


def _integer(value: Any, least: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if value > LARGEST:
            raise Mismatch(f"{value} is more than {LARGEST}")
        if value < least:
            raise Mismatch(f"{value} is less than {least}")
        return value
    if type(value).__name__ == "Fraction":
        raise Mismatch(f"{value} is not a whole number")
    raise Mismatch(f"{describe(value)} is not a whole number")


def _per_axis(value: Any, least: int) -> int | tuple[int, ...]:
    if isinstance(value, tuple):
        if not value:
            raise Mismatch("the list is empty")
        return tuple(_integer(item, least) for item in value)
    return _integer(value, least)


def _sizes(value: Any) -> Sizes:
    if isinstance(value, tuple) and value:
        return tuple(None if item is None else _integer(item, 1) for item in value)
    return _integer(value, 1)


def _padding(value: Any) -> Padding:
    if isinstance(value, Symbol) and value.name in ("same", "valid"):
        return value.name
    return _per_axis(value, 0)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not (isinstance(value, int | float) or type(value).__name__ == "Fraction"):
        raise Mismatch(f"{describe(value)} is not a number")
    return float(value)


def _between(low: float, high: float, *, low_open: bool = False, high_open: bool = False) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        number = _number(value)
        if number < low or (low_open and number == low):
            raise Mismatch(f"{show(number)} is {'not more' if low_open else 'less'} than {show(low)}")
        if number > high or (high_open and number == high):
            raise Mismatch(f"{show(number)} is {'not less' if high_open else 'more'} than {show(high)}")
        return number

    return read


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch(f"{describe(value)} is neither true nor false")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise Mismatch(f"{describe(value)} is not a text in quotes")


def _dims(value: Any) -> tuple[int, ...]:
    sizes = _per_axis(value, 1)
    return sizes if isinstance(sizes, tuple) else (sizes,)


def describe(value: Any) -> str:
    """A value in a sentence."""
    return f'"{value}"' if isinstance(value, str) else show(value)


def closest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that was probably meant, or none."""
    from difflib import get_close_matches

    return get_close_matches(name, list(known), 1)


def choice(*names: str) -> Kind:
    takes = " or ".join(names) if len(names) < 3 else ", ".join(names[:-1]) + f" or {names[-1]}"

    def read(value: Any) -> str:
        if isinstance(value, Symbol) and value.name in names:
            return value.name
        close = closest(value.name, names) if isinstance(value, Symbol) else []
        raise Mismatch(f"{describe(value)} is not one of them" + (f", {close[0]} is" if close else ""))

    return Kind(takes, read, names=True)


def optional(kind: Kind) -> Kind:
    """Also takes `none`."""

    def read(value: Any) -> Any:
        return None if isinstance(value, Symbol) and value.name == "none" else kind.read(value)

    return Kind(f"{kind.takes}, or none", read, names=kind.names)


def list_of(kind: Kind, takes: str) -> Kind:
    """A list, or one value in its place."""

    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, Symbol) and value.name == "none":
            return ()
        return tuple(kind.read(item) for item in (value if isinstance(value, tuple) else (value,)))

    return Kind(takes, read, names=True)


def word_of(registry: Mapping[str, type[Word]], takes: str) -> Kind:
    """A call of one of the words of a registry."""

    def read(value: Any) -> Word:
        if isinstance(value, Symbol):
            value = CallValue(value.name, (), value.span, value.span)
        if not isinstance(value, CallValue):
            raise Mismatch(f"{describe(value)} is none")
        word = registry.get(value.name)
        if word is None:
            close = closest(value.name, registry)
            hint = f", {close[0]} is" if close else f"; there are {', '.join(registry)}"
            raise Mismatch(f"{value.name} is none{hint}")
        return bind(word, value)

    return Kind(takes, read, names=True)


KINDS: dict[str, Kind] = {
    "Count": Kind("a whole number from 1", lambda value: _integer(value, 1)),
    "Natural": Kind("a whole number from 0", lambda value: _integer(value, 0)),
    "Kernel": Kind("a whole number from 1, or one per axis (3x5)", lambda value: _per_axis(value, 1)),
    "Amounts": Kind("a whole number from 0, or one per axis ([0, 3])", lambda value: _per_axis(value, 0)),
    "Padding": Kind("a whole number from 0, one per axis ([0, 3]), same or valid", _padding, names=True),
    "Sizes": Kind("a whole number from 1, or one per axis (7x7; ? keeps an axis)", _sizes),
    "Dims": Kind("sizes (3x32x32)", _dims),
    "Number": Kind("a number", _number),
    "Positive": Kind("a number above 0", _between(0, float("inf"), low_open=True)),
    "NonNegative": Kind("a number from 0", _between(0, float("inf"))),
    "Probability": Kind("a number from 0 to 1", _between(0, 1)),
    "Share": Kind("a number from 0 to below 1", _between(0, 1, high_open=True)),
    "bool": Kind("true or false", _flag),
    "str": Kind("a text in quotes", _text),
}
"""Kinds by the annotation that names them. Modules that bring kinds of their own add them here."""


def kind_of(annotation: str) -> Kind:
    """The kind an annotation names: a key of `KINDS`, `Literal["a", "b"]`, or one of these with `| None`."""
    if annotation.endswith(" | None"):
        return optional(kind_of(annotation.removesuffix(" | None")))
    if annotation.startswith("Literal["):
        return choice(*re.findall(r"['\"](\w+)['\"]", annotation))
    return KINDS[annotation]


# -------------------------------------------------------------------------------------------------------- binding


class Faults(Exception):
    """One or more diagnostics, on their way to whoever collects them."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__(diagnostics)


def bind(word: type[AnyWord], call: CallValue) -> AnyWord:
    """The word with its arguments checked and filled in.

    Raises `Faults` with everything that is wrong with the call.
    """
    return word(**bind_arguments(word.word, word.parameters(), call, refers=word.signature()))


def bind_arguments(
    word: str,
    parameters: Mapping[str, Parameter],
    call: CallValue,
    *,
    refers: str,
    spans: dict[str, Span] | None = None,
) -> dict[str, Any]:
    """Values by parameter name, only for those that were given; raises `Faults` with everything that is wrong.

    `spans`, where given, is filled with the place of each value.
    """
    faults: list[Diagnostic] = []
    values: dict[str, Any] = {}
    places: dict[str, Span] = {} if spans is None else spans
    names = list(parameters)
    for position, argument in enumerate(call.arguments):
        name = argument.name
        if name is None:
            if position >= len(names):
                faults.append(_too_many(word, names, argument, refers))
                continue
            name = names[position]
        elif name not in parameters:
            faults.append(_unknown_argument(word, parameters, argument, refers))
            continue
        if name in places:
            message = f"{word} is given {name} twice"
            first = Label(places[name], "here first")
            faults.append(Diagnostic("E205", message, argument.span, "and here again", (first,)))
            continue
        places[name] = argument.span
        try:
            values[name] = parameters[name].kind.read(argument.value)
        except Mismatch as mismatch:
            if isinstance(argument.value, Symbol) and not parameters[name].kind.names:
                faults.append(unknown_name(argument.value))
                continue
            message = f"{word} cannot take {describe(argument.value)} for {name}"
            takes = f"{name} takes {parameters[name].kind.takes}"
            faults.append(Diagnostic("E204", message, argument.span, str(mismatch), notes=(takes,)))
        except Faults as nested:
            faults.extend(nested.diagnostics)
    missing = [p.name for p in parameters.values() if p.default is REQUIRED and p.name not in places]
    if missing:
        message = f"{word} is called without {' and '.join(missing)}"
        faults.append(
            Diagnostic("E203", message, call.name_span, f"{missing[0]} is missing", notes=(f"it is {refers}",))
        )
    if faults:
        raise Faults(*faults)
    return values


def unknown_name(symbol: Symbol) -> Diagnostic:
    """A name that nothing in reach defines."""
    close = closest(symbol.name, symbol.known)
    fixes = tuple(Fix(f"did you mean {name}?", (Edit(symbol.span, name),)) for name in close)
    notes = (f"known here: {', '.join(symbol.known)}",) if symbol.known else ()
    return Diagnostic(
        "E206", f"nothing here is called {symbol.name}", symbol.span, "not known", notes=notes, fixes=fixes
    )


def _too_many(word: str, names: list[str], argument: Argument, refers: str) -> Diagnostic:
    count = {0: "no arguments", 1: "one argument"}.get(len(names), f"{len(names)} arguments")
    return Diagnostic("E205", f"{word} takes {count}", argument.span, "one too many", notes=(f"it is {refers}",))


def _unknown_argument(word: str, parameters: Mapping[str, Parameter], argument: Argument, refers: str) -> Diagnostic:
    assert argument.name is not None
    span = argument.name_span or argument.span
    fixes = tuple(Fix(f"did you mean {close}?", (Edit(span, close),)) for close in closest(argument.name, parameters))
    message = f"{word} has no argument {argument.name}"
    return Diagnostic("E202", message, span, "not known here", notes=(f"it is {refers}",), fixes=fixes)
