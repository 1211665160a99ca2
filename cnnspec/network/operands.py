"""What an operand must be, and what is said where it is not."""

from __future__ import annotations

from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.network.scope import Scope
from cnnspec.network.values import LONGEST, exact, has_meaning, is_number, meaningful
from cnnspec.source import Span
from cnnspec.words import Faults, Symbol, closest, describe, unknown_name


def number(value: Any, span: Span, scope: Scope | None = None) -> Any:
    """The value as an exact number, int or Fraction; raises `Faults` where it is none."""
    if not is_number(value):
        defined(value, span, scope)
        raise bad(f"{describe(value)} is not a number", span)
    return exact(value)


def whole(value: Any, span: Span, otherwise: str, scope: Scope | None = None) -> int:
    """The value, where it is a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    defined(value, span, scope)
    raise bad(f"{describe(value)} {otherwise}", span)


def listed(value: Any, span: Span, scope: Scope | None = None) -> tuple[Any, ...]:
    """The value, where it is a list."""
    if isinstance(value, tuple):
        return value
    defined(value, span, scope)
    raise bad(f"{describe(value)} is not a list", span)


def truth(value: Any, span: Span, scope: Scope | None = None) -> bool:
    """The value as true or false; raises `Faults` where it is neither."""
    if not isinstance(value, bool):
        defined(value, span, scope)
        raise bad(f"{describe(value)} is neither true nor false", span)
    return value


def defined(value: Any, span: Span, scope: Scope | None) -> None:
    """Refuse a name that means nothing; what is proposed in its place are the names that do."""
    blocks = None if scope is None else scope.blocks
    if isinstance(value, Symbol) and not has_meaning(value.name, blocks):
        fault = unknown_name(value)
        close = () if fault.fixes else closest(value.name, meaningful(blocks))
        fixes = tuple(Fix(f"did you mean {name}?", (Edit(value.span, name),)) for name in close)
        raise Faults(fault.replace(fixes=fault.fixes + fixes))


def bounded(value: Any, span: Span) -> Any:
    """A result of arithmetic: a fraction that is whole becomes whole, and nothing grows without end."""
    if isinstance(value, bool):
        return value
    if type(value) is not int and value.denominator == 1:
        value = value.numerator
    if value.numerator.bit_length() > LONGEST or value.denominator.bit_length() > LONGEST:
        raise bad("the number is too large", span)
    return value


def bad(message: str, span: Span) -> Faults:
    """An expression without a value, for a stated reason."""
    return Faults(Diagnostic("E208", message, span, "cannot be evaluated"))
