"""What is given from outside the text: overrides of parameters and settings, and the input to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnspec.network.evaluate import evaluate
from cnnspec.network.reading import UsageFault
from cnnspec.recipe import Recipe
from cnnspec.record import Record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.words import Argument, Faults


class Overrides(Record):
    """`parameters` of models and `settings` of `train { }`, by name; `input` is None where the spec's own counts.

    Settings of the data set that come from outside look for relative paths in the working directory."""

    parameters: dict[str, Argument]
    settings: dict[str, Argument]
    input: Argument | None


def overrides(given: Mapping[str, object], input: object | None) -> Overrides:
    """Values as text of the language (`"[1, 2]"`, `"sgd(lr=0.1)"`) or as Python values; raises `UsageFault`
    for text that has no value."""
    prefix = "train."
    parameters = {name: read(name, value) for name, value in given.items() if not name.startswith(prefix)}
    settings = {}
    for option, value in given.items():
        if option.startswith(prefix):
            name = option.removeprefix(prefix)
            if name not in Recipe.parameters():
                from cnnspec.network.likely import instead

                raise UsageFault(f"there is no training setting {name}; {instead(name)}")
            settings[name] = read(option, value).replace(name=name)
    return Overrides(parameters, settings, None if input is None else read("input", input))


LET = "let value = "


def read(name: str, value: object) -> Argument:
    """One value from outside. Messages about it show it under the name of its option."""
    text = written(value)
    expr, message = _parsed(name, text)
    if expr is None:
        from cnnspec.network.likely import likely

        meant = next((each for each in likely(text) if _parsed(name, each)[0]), None)
        raise UsageFault(f"{text!r} is not a value for {name}: {f'did you mean {meant!r}?' if meant else message}")
    shown = Source(f"<{name}>", text)
    whole = Span(shown, 0, len(text))
    try:
        return Argument(name, _move(evaluate(expr, {}), shown), whole, whole)
    except Faults as wrong:
        raise UsageFault(f"{text!r} is not a value for {name}: {wrong.diagnostics[0].message}") from None


def _parsed(name: str, text: str) -> tuple[tree.Expr | None, str]:
    """A value, or what is wrong with its text."""
    parsed = parse(Source(f"<{name}>", f"{LET}{text}\n"))
    items, faults = parsed.file.items, parsed.diagnostics
    if faults or len(items) != 1 or not isinstance(items[0], tree.Let):
        return None, faults[0].message if faults else "it is more than one"
    return items[0].value, ""


def alternatives(name: str, text: str) -> list[str]:
    """The items of a list, each as text of the language: those of `[sgd(lr=0.1), adamw]`. Raises `UsageFault` for what
    is no list, or an empty one."""
    if items := _items(name, text):
        return items
    from cnnspec.network.likely import likely

    meant = next((each for each in likely(text) if _items(name, each)), None)
    told = f"did you mean {meant}?" if meant else "write [1, 2], or [sgd(lr=0.1), adamw]"
    raise UsageFault(f"{text!r} is no list of values for {name}: {told}")


def _items(name: str, text: str) -> list[str]:
    value, _ = _parsed(name, text)
    return [item.span.text for item in value.items] if isinstance(value, tree.List) else []


def written(value: object) -> str:
    """A Python value in the language; a text is taken to be in it already."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return str(value)


def _move(value: Any, shown: Source) -> Any:
    """A value whose names and calls stand where `shown` has them, without what was put in front."""
    if isinstance(value, tuple):
        return tuple(_move(item, shown) for item in value)
    spans = {name: _back(getattr(value, name), shown) for name in ("span", "name_span") if getattr(value, name, None)}
    if isinstance(value, Argument):
        return value.replace(value=_move(value.value, shown), **spans)
    if hasattr(value, "arguments"):
        return value.replace(arguments=tuple(_move(argument, shown) for argument in value.arguments), **spans)
    return value.replace(**spans) if spans else value


def _back(span: Span, shown: Source) -> Span:
    return Span(shown, span.start - len(LET), span.end - len(LET))
