"""Calls meet signatures: arguments are checked and filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.record import REQUIRED
from cnnspec.source import Span
from cnnspec.words.kinds import Kind, Mismatch
from cnnspec.words.values import Argument, CallValue, Symbol, closest, describe
from cnnspec.words.word import AnyWord, Parameter, Word


class Faults(Exception):
    """One or more diagnostics, on their way to whoever collects them."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__(diagnostics)


def bind(word: type[AnyWord], call: CallValue) -> AnyWord:
    """The word with its arguments checked and filled in.

    Raises `Faults` with everything that is wrong with the call.
    """
    bound = word(**bind_arguments(word.word, word.parameters(), call, refers=word.signature()))
    wrong = bound.contradiction()
    if wrong:
        message, right = wrong
        fix = Fix(f"write {right}", (Edit(call.span, str(right)),))
        raise Faults(Diagnostic("E504", message, call.span, "these do not go together", fixes=(fix,)))
    return bound


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
    misspelled: list[str] = []
    displaced = False
    names = list(parameters)
    for position, argument in enumerate(call.arguments):
        name = argument.name
        if name is None:
            if position >= len(names):
                if position == len(names):
                    faults.append(_too_many(word, names, argument, refers))
                continue
            name = names[position]
        elif name not in parameters:
            meant = _meant(name, parameters)
            faults.append(_unknown_argument(word, argument, meant, refers))
            misspelled += meant
            continue
        if name in places:
            message = f"{word} is given {name} twice"
            first = Label(places[name], "here first")
            again = "and here again" if argument.name else f"and here again: {name} is argument {position + 1}"
            faults.append(Diagnostic("E205", message, argument.span, again, (first,)))
            displaced = displaced or argument.name is None
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
            text = argument.value
            bare = isinstance(text, str) and text.isidentifier() and parameters[name].kind.names
            fixes = (Fix("names stand without quotes", (Edit(argument.span, str(argument.value)),)),) if bare else ()
            faults.append(Diagnostic("E204", message, argument.span, str(mismatch), notes=(takes,), fixes=fixes))
        except Faults as nested:
            faults.extend(nested.diagnostics)
    missing = [p.name for p in parameters.values() if p.default is REQUIRED and p.name not in (*places, *misspelled)]
    if missing and not displaced:
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


FAMILIAR = {
    "kernel_size": "kernel",
    "pool_size": "kernel",
    "strides": "stride",
    "filters": "out",
    "out_channels": "out",
    "out_features": "out",
    "units": "out",
    "num_groups": "groups",
    "use_bias": "bias",
    "dilation_rate": "dilation",
    "rate": "p",
    "ceil_mode": "ceil",
    "negative_slope": "slope",
    "output_size": "size",
    "scale_factor": "factor",
    "learning_rate": "lr",
    "batch_size": "batch",
    "dataset": "data",
    "augmentation": "augment",
    "scheduler": "schedule",
    "lr_scheduler": "schedule",
}
"""Arguments by the names they have in PyTorch, Keras or speech."""


def _too_many(word: str, names: list[str], argument: Argument, refers: str) -> Diagnostic:
    count = {0: "no arguments", 1: "one argument"}.get(len(names), f"{len(names)} arguments")
    notes = (f"it is {refers}",) if names else ()
    return Diagnostic("E205", f"{word} takes {count}", argument.span, "one too many", notes=notes)


def _meant(name: str, parameters: Mapping[str, Parameter]) -> list[str]:
    """The argument that a wrong name stands for, or none."""
    familiar = FAMILIAR.get(name, "")
    return [familiar] if familiar in parameters else closest(name, parameters)


def _unknown_argument(word: str, argument: Argument, meant: list[str], refers: str) -> Diagnostic:
    span = argument.name_span or argument.span
    fixes = tuple(Fix(f"did you mean {name}?", (Edit(span, name),)) for name in meant)
    message = f"{word} has no argument {argument.name}"
    return Diagnostic("E202", message, span, "not known here", notes=(f"it is {refers}",), fixes=fixes)


def word_of(registry: Mapping[str, type[Word]], takes: str) -> Kind:
    """A call of one of the words of a registry."""

    def read(value: Any) -> Word:
        if isinstance(value, Symbol):
            value = CallValue(value.name, (), value.span, value.span)
        if not isinstance(value, CallValue):
            raise Mismatch(f"{describe(value)} is none")
        word = registry.get(value.name)
        if word is None:
            meant = closest(value.name.lower(), registry)
            fixes = tuple(Fix(f"did you mean {name}?", (Edit(value.name_span, name),)) for name in meant)
            notes = () if meant else (f"there are {', '.join(registry)}",)
            message = f"{value.name} is not {takes}"
            raise Faults(Diagnostic("E204", message, value.name_span, "not known", notes=notes, fixes=fixes))
        return bind(word, value)

    return Kind(takes, read, names=True)
