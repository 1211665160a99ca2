"""Immutable records: what `dataclasses` would give, at a twentieth of its start-up cost.

`check` runs on every keystroke, and making one dataclass costs about 0.4 ms because its methods are compiled from
text; a hundred of them would cost more than everything else `check` does. A `Record` subclass costs a few
microseconds: its fields are read from its annotations and one shared `__init__` serves all of them. Type checkers
see a frozen dataclass (PEP 681).
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Any = _Required()
"""The default of a field that has none."""


@dataclass_transform(frozen_default=True)
class Record:
    """A frozen value with named fields, compared by them.

    Subclasses list their fields as annotations, with defaults (immutable ones) as in a dataclass. Annotations that
    begin with `ClassVar` are not fields.
    """

    __fields__: ClassVar[dict[str, Any]] = {}
    """Each field's default, in order; `REQUIRED` where there is none."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        fields = dict(cls.__fields__)
        for name, annotation in cls.__annotations__.items():
            if not str(annotation).startswith(("ClassVar", "typing.ClassVar")):
                fields[name] = cls.__dict__.get(name, REQUIRED)
        cls.__fields__ = fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fields = self.__fields__
        if len(args) != len(fields) or kwargs:
            self.__dict__.update(_bind(type(self).__name__, fields, args, kwargs))
        else:
            self.__dict__.update(zip(fields, args, strict=True))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(self.__dict__[name] == other.__dict__[name] for name in self.__fields__)

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self.__fields__)))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.__fields__)
        return f"{type(self).__name__}({values})"

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{name: self.__dict__[name] for name in self.__fields__} | changes)


def _bind(name: str, fields: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if len(args) > len(fields):
        raise TypeError(f"{name} takes {len(fields)} values, {len(args)} were given")
    values = dict(zip(fields, args, strict=False))
    for key in kwargs:
        if key in values:
            raise TypeError(f"{name} got {key} twice")
        if key not in fields:
            raise TypeError(f"{name} has no field {key}")
    values |= kwargs
    for key, default in fields.items():
        if key not in values:
            if default is REQUIRED:
                raise TypeError(f"{name} needs {key}")
            values[key] = default
    return values
