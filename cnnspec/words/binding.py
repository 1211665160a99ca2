"""Calls meet signatures: arguments are checked and filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.record import REQUIRED
from cnnspec.source import Span
from cnnspec.words.edits import remove, whole
from cnnspec.words.kinds import Kind, Mismatch
from cnnspec.words.values import CallValue, Symbol, closest, describe
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
    contradiction = bound.contradiction()
    if contradiction:
        message, right = contradiction
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
    alone = _alone(parameters, call) if any(a.name not in parameters for a in call.arguments if a.name) else []
    for position, argument in enumerate(call.arguments):
        name = argument.name
        if name is None:
            if position >= len(names):
                if position == len(names):
                    faults.append(_wording().too_many(word, names, call, position, refers))
                continue
            name = names[position]
            before = call.arguments[position - 1].name if position else None
            if before:
                faults.append(_wording().after_name(argument, before, _lacking(parameters, call) or names[position:]))
            if before or displaced:
                displaced = True
                continue
        elif name not in parameters:
            meant = _wording().meant(name, parameters) or alone
            faults.append(_wording().unknown_argument(word, argument, meant, refers))
            misspelled += meant
            continue
        if name in places:
            message = f"{word} is given {name} twice"
            first = Label(places[name], "here first")
            again = "and here again" if argument.name else f"and here again: {name} is argument {position + 1}"
            fix = Fix("leave this one out", (remove(whole(argument)),))
            faults.append(Diagnostic("E205", message, argument.span, again, (first,), fixes=(fix,)))
            displaced = displaced or argument.name is None
            continue
        places[name] = argument.span
        try:
            values[name] = parameters[name].kind.read(argument.value)
        except Mismatch as mismatch:
            fault = _wording().mismatch(word, name, parameters[name].kind, argument, mismatch)
            unknown = isinstance(argument.value, Symbol) and not parameters[name].kind.names and not fault.fixes
            faults.append(unknown_name(argument.value) if unknown else fault)
        except Faults as nested:
            faults.extend(nested.diagnostics)
    missing = [p.name for p in parameters.values() if p.default is REQUIRED and p.name not in (*places, *misspelled)]
    if missing and not displaced:
        faults.append(_wording().missing(word, missing, names, call, refers))
    if faults:
        raise Faults(*faults)
    return values


def _wording() -> Any:
    """What words the faults; not loaded for a spec that has none."""
    from cnnspec.words import wrong

    return wrong


def _alone(parameters: Mapping[str, Parameter], call: CallValue) -> list[str]:
    """Where one argument is missing and one name not known, they are the same."""
    unknown = [a.name for a in call.arguments if a.name is not None and a.name not in parameters]
    lacking = _lacking(parameters, call)
    alone = len(unknown) == len(lacking) == 1 and unknown[0] not in _wording().ELSEWHERE
    return lacking if alone else []


def _lacking(parameters: Mapping[str, Parameter], call: CallValue) -> list[str]:
    """Arguments without a default that the call does not name, nor give by place before its first name."""
    first = next((at for at, argument in enumerate(call.arguments) if argument.name), len(call.arguments))
    given = {*list(parameters)[:first], *(argument.name for argument in call.arguments)}
    return [name for name, p in parameters.items() if p.default is REQUIRED and name not in given]


def unknown_name(symbol: Symbol) -> Diagnostic:
    """A name that nothing in reach defines."""
    close = closest(symbol.name, symbol.known)
    fixes = tuple(Fix(f"did you mean {name}?", (Edit(symbol.span, name),)) for name in close)
    notes = (f"known here: {', '.join(symbol.known)}",) if symbol.known else ()
    return Diagnostic(
        "E206", f"nothing here is called {symbol.name}", symbol.span, "not known", notes=notes, fixes=fixes
    )


def word_of(registry: Mapping[str, type[Word]], takes: str) -> Kind:
    """A call of one of the words of a registry."""

    def read(value: Any) -> Word:
        if isinstance(value, Symbol):
            value = CallValue(value.name, (), value.span, value.span)
        if not isinstance(value, CallValue):
            raise Mismatch(f"{describe(value)} is none")
        word = registry.get(value.name)
        if word is None:
            raise Faults(_wording().not_one(value.name, value.name_span, takes, list(registry)))
        return bind(word, value)

    return Kind(takes, read, names=True)
