"""Words and their signatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from cnnspec.record import REQUIRED, Record
from cnnspec.words.kinds import Kind, kind_of
from cnnspec.words.values import Like, show


class Word(Record):
    """Base of everything that is called by name in a spec.

    `word` is the name in the language. The docstring's first line says what it does; docs and completion show it.
    """

    word: ClassVar[str] = ""
    _parameters: ClassVar[dict[str, Parameter]]
    _signature: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        values = self.__dict__
        for name, value in values.items():
            if type(value) is Like:
                values[name] = values[value.argument]

    def __str__(self) -> str:
        """As it is written in a spec, without what is left to its default."""
        given = [
            f"{name}={show(getattr(self, name))}"
            for name, default in self.__fields__.items()
            if getattr(self, name) != default
        ]
        return f"{self.word}({', '.join(given)})" if given else self.word

    def contradiction(self) -> tuple[str, Word] | None:
        """Why these arguments cannot stand together, and the word with those that were probably meant."""
        return None

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
        known: str | None = cls.__dict__.get("_signature")
        if known is None:
            known = cls._signature = signature(cls.word, cls.parameters())
        return known


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
