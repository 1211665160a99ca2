"""What the spec says at a place, as Python: `4 * width` rather than the number it comes to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from cnnspec.emission.express import FUNCTIONS, bracketed, literal, quoted, tidy
from cnnspec.syntax import tree

CHANNELS = ("channels", "features")
"""The sizes of `x` that are followed."""


@dataclass(frozen=True)
class Names:
    """What the names of the spec are called in Python, and how many channels arrive."""

    known: Callable[[str], str | None]
    channels: str | None
    item: Callable[[str, str], str | None]
    """A name for what is taken out of a list that is written out."""
    rounded: bool = True
    """Whether widths are rounded. They are often round already: that is tried."""


def arguments(call: tree.Call, parameters: Sequence[str]) -> dict[str, tree.Expr]:
    """The expressions of a call in the spec, by the parameter each is for; defaults are left out."""
    found = {}
    for position, argument in enumerate(call.arguments):
        if argument.name:
            found[argument.name.text] = argument.value
        elif position < len(parameters):
            found[parameters[position]] = argument.value
    return found


def mentioned(expression: tree.Expr) -> list[str]:
    """The names an expression mentions."""
    return list(dict.fromkeys(node.text for node in tree.walk(expression) if isinstance(node, tree.Name)))


def readings(expression: tree.Expr, names: Names) -> Iterator[str]:
    """The expression in Python. The language divides exactly and computes with decimal numbers, so these are to be
    tried: as it stands, with whole quotients, and with all quotients taken at the end."""
    rounds = any(isinstance(node, tree.Call) and node.name.text == "round_to" for node in tree.walk(expression))
    for slash, rounded in product(("//", "/"), (False, True) if rounds else (False,)):
        try:
            yield tidy(_python(expression, replace(names, rounded=rounded), slash))
        except Untranslatable:
            return
    try:
        yield tidy(str(_ratio(expression, names)))
    except (Untranslatable, ZeroDivisionError):
        return


class Untranslatable(Exception):
    """Python has no such expression."""


def _python(expression: tree.Expr, names: Names, slash: str) -> str:
    def inner(part: tree.Expr) -> str:
        return f"({_python(part, names, slash)})"

    match expression:
        case tree.Name(text=name) if (text := names.known(name)) is not None:
            return text
        case tree.Attribute(base="x", name=size) if size in CHANNELS and names.channels:
            return names.channels
        case tree.Number(value=value) | tree.Boolean(value=value) | tree.String(text=value):
            return literal(value)
        case tree.Dims(sizes=sizes) if all(isinstance(size, int) for size in sizes):
            return literal(sizes)
        case tree.List(items=items):
            return bracketed(map(inner, items))
        case tree.Index(base=base, index=index):
            return _of_list(base, f"{inner(base)}[{inner(index)}]", names, "item")
        case tree.Slice(base=base, start=start, stop=stop):
            return f"{inner(base)}[{inner(start) if start else ''}:{inner(stop) if stop else ''}]"
        case tree.Unary(operator=operator, operand=operand):
            return f"{operator} {inner(operand)}"
        case tree.Binary(operator=operator, left=left, right=right):
            return f"{inner(left)} {slash if operator == '/' else operator} {inner(right)}"
        case tree.Conditional(value=value, condition=condition, other=other):
            return f"{inner(value)} if {inner(condition)} else {inner(other)}"
        case tree.Call(name=tree.Identifier(text=function)):
            texts = [inner(argument.value) for argument in expression.arguments]
            first = expression.arguments[0].value if expression.arguments else None
            if function in ("sum", "len") and isinstance(first, tree.Slice):
                return _of_list(first.base, _function(function, texts, names), names, "before")
            return _function(function, texts, names)
    raise Untranslatable


def _of_list(base: tree.Expr, text: str, names: Names, wanted: str) -> str:
    """What is taken out of a list. Where the list has a name in the spec and is written out here, that gets a name."""
    if not isinstance(base, tree.Name) or not (names.known(base.text) or "").startswith("("):
        return text
    singular = base.text[:-1] if wanted == "item" and len(base.text) > 2 and base.text.endswith("s") else wanted
    known = names.item(tidy(text), singular)
    if known is None:
        raise Untranslatable
    return known


def _function(name: str, arguments: list[str], names: Names) -> str:
    """A function of the language."""
    if name == "round_to" and arguments and not names.rounded:
        return arguments[0]
    if name not in FUNCTIONS:
        raise Untranslatable
    return f"{name}({', '.join(arguments)})"


@dataclass(frozen=True)
class _Ratio:
    """`factor * over / under`: numbers gathered in one fraction, so that Python divides once and exactly."""

    factor: Fraction
    over: str = "1"
    under: str = "1"

    def __str__(self) -> str:
        top = f"{self.factor.numerator} * ({self.over})"
        bottom = f"{self.factor.denominator} * ({self.under})"
        return _product(top, bottom, self.factor, self.over, self.under)


def _product(top: str, bottom: str, factor: Fraction, over: str, under: str) -> str:
    if over == "1":
        top = str(factor.numerator)
    elif factor.numerator == 1:
        top = f"({over})"
    if under == "1":
        bottom = str(factor.denominator)
    elif factor.denominator == 1:
        bottom = f"({under})"
    return top if bottom == "1" else f"({top}) / ({bottom})"


def _ratio(expression: tree.Expr, names: Names) -> _Ratio:
    match expression:
        case tree.Number(value=value):
            return _Ratio(Fraction(repr(value)))
        case tree.Unary(operator="-", operand=operand):
            part = _ratio(operand, names)
            return _Ratio(-part.factor, part.over, part.under)
        case tree.Binary(operator=operator, left=left, right=right) if operator in "+-*/":
            return _joined(operator, _ratio(left, names), _ratio(right, names))
    text = tidy(_python(expression, names, "//"))
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return _Ratio(Fraction(text))
    return _Ratio(Fraction(1), text)


def _joined(operator: str, left: _Ratio, right: _Ratio) -> _Ratio:
    if operator == "*":
        return _Ratio(left.factor * right.factor, _times(left.over, right.over), _times(left.under, right.under))
    if operator == "/":
        return _Ratio(left.factor / right.factor, _times(left.over, right.under), _times(left.under, right.over))
    if left.under != right.under:
        raise Untranslatable
    shared = left.factor.denominator * right.factor.denominator
    parts = [_whole(each, shared) for each in (left, right)]
    return _Ratio(Fraction(1, shared), tidy(f"{parts[0]} {operator} {parts[1]}"), left.under)


def _whole(part: _Ratio, shared: int) -> str:
    number = int(part.factor * shared)
    if part.over == "1":
        return f"({number})"
    return f"({part.over})" if number == 1 else f"({number} * ({part.over}))"


def _times(one: str, other: str) -> str:
    if "1" in (one, other):
        return other if one == "1" else one
    return tidy(f"({one}) * ({other})")


LABEL = re.compile(r"\{([^{}]*)\}")
"""An expression inside a computed label."""


def label(text: str, parsed: Callable[[str], str | None]) -> str | None:
    """A computed label as an f-string; `parsed` gives the Python for an expression in it."""
    parts = [parsed(inside) for inside in LABEL.findall(text)]
    if any(part is None or '"' in part for part in parts):
        return None
    texts = iter(parts)
    return "f" + quoted(LABEL.sub(lambda _: f"{{{next(texts)}}}", text))
