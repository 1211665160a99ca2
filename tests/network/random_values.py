"""Draws expressions: ways to write a value that is wanted with the names that are in reach."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from random_plan import Block, Env, Expr, Layer, literal, whole, write
from torch_modules import Map

SIZES: dict[str, Callable[[Map], int]] = {
    "x.channels": lambda x: x.channels,
    "x.height": lambda x: x.spatial[-2],
    "x.width": lambda x: x.spatial[-1],
    "x.depth": lambda x: x.spatial[0],
    "x.length": lambda x: x.spatial[0],
    "x.features": lambda x: x[0],
}
BY_RANK = {
    0: ("x.features",),
    1: ("x.channels", "x.length"),
    2: ("x.channels", "x.height", "x.width"),
    3: ("x.channels", "x.depth", "x.height", "x.width"),
}


def name(text: str) -> Expr:
    return Expr(text, lambda env, x: env[text])


def size(text: str) -> Expr:
    def value(env: Env, x: Map) -> int:
        if text not in BY_RANK.get(x.rank, ()):
            raise KeyError(text)
        return SIZES[text](x)

    return Expr(text, value)


def apply(template: str, function: Callable[..., Any], *parts: Expr, tight: bool = False) -> Expr:
    """An expression made of others; `{0}` stands for the first."""
    text = template.format(*(part.text if tight else part.inner for part in parts))
    return Expr(text, lambda env, x: function(*(whole(part.value(env, x)) for part in parts)), tight)


def half(a: Any, b: Any) -> Any:
    return Fraction(a) / b


def rounded(value: Any, divisor: int) -> int:
    """torchvision's `_make_divisible`, with exact numbers."""
    near = max(divisor, int(Fraction(value) + Fraction(divisor, 2)) // divisor * divisor)
    return near + divisor if near < Fraction(9, 10) * value else near


class Values:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def number(self, wanted: int, env: Env, x: Map, depth: int = 2) -> Expr:
        """A way to write a whole number."""
        ways = list(self.ways(wanted, env, x))
        if not ways or self.chance(0.25):
            return self.made(wanted, env, x, depth) if depth and self.chance(0.5) else literal(wanted)
        return self.rng.choice(ways)

    def ways(self, wanted: int, env: Env, x: Map) -> Iterator[Expr]:
        """From a name or a size."""
        known = [(name(key), value) for key, value in env.items() if type(value) is int and 0 < value < 10_000]
        if x:
            known += [(size(key), SIZES[key](x)) for key in BY_RANK.get(x.rank, ())]
        for expr, value in known:
            if value == wanted:
                yield expr
                yield expr
            elif wanted and wanted % value == 0:
                yield apply("{0} * {1}", lambda a, b: a * b, *self.shuffled(expr, literal(wanted // value)))
            elif wanted and value % wanted == 0:
                yield apply("{0} // {1}", lambda a, b: a // b, expr, literal(value // wanted))
                yield apply("{0} / {1}", half, expr, literal(value // wanted))
            elif abs(wanted - value) < 9:
                sign, by = ("+", wanted - value) if wanted > value else ("-", value - wanted)
                both = (lambda a, b: a + b) if sign == "+" else (lambda a, b: a - b)
                yield apply(f"{{0}} {sign} {{1}}", both, expr, literal(by))
            elif wanted > 0 and value > wanted:
                yield (
                    apply("{0} % {1}", lambda a, b: a % b, expr, literal(value - wanted))
                    if value < 2 * wanted
                    else (apply("min({0}, {1})", min, expr, literal(wanted), tight=True))
                )
            elif value < wanted:
                yield apply("max({0}, {1})", max, expr, literal(wanted), tight=True)
        for key, value in env.items():
            if isinstance(value, tuple) and wanted in value and type(wanted) is int:
                yield self.item(name(key), value.index(wanted), len(value))
            if isinstance(value, tuple) and len(value) == wanted:
                yield apply("len({0})", len, name(key), tight=True)

    def shuffled(self, *parts: Expr) -> list[Expr]:
        return self.rng.sample(parts, len(parts))

    def item(self, items: Expr, at: int, count: int) -> Expr:
        at = at - count if self.chance(0.3) else at
        return Expr(f"{items.text}[{at}]", lambda env, x: items.value(env, x)[at])

    def made(self, wanted: int, env: Env, x: Map, depth: int) -> Expr:
        """From numbers, by a function or a choice."""
        one = self.number(wanted, env, x, depth - 1)
        match self.rng.randrange(8):
            case 0:
                other = literal(wanted + self.rng.randint(0, 3))
                return apply("min({0}, {1})", min, *self.shuffled(one, other), tight=True)
            case 1:
                other = self.number(self.rng.randint(1, 4), env, x, depth - 1)
                condition = self.condition(True, env, x, depth - 1)
                text = f"{one.inner} if {condition.inner} else {other.inner}"
                return Expr(text, lambda env, x: (one if condition.value(env, x) else other).value(env, x), False)
            case 2:
                parts = [literal(wanted - 1), literal(1)] if wanted > 1 else [one]
                inside = ", ".join(part.text for part in parts)
                return Expr(f"sum([{inside}])", lambda env, x: sum(part.value(env, x) for part in parts))
            case 3:
                low = (
                    literal(Fraction(2 * wanted - 1, 2)) if wanted % 2 == 0 else literal(Fraction(10 * wanted - 3, 10))
                )
                word, function = self.rng.choice([("ceil", lambda v: -(-v // 1)), ("round", round)])
                return apply(f"{word}({{0}})", function, low, tight=True)
            case 4 if wanted % 4 == 0 and wanted:
                near = literal(wanted + self.rng.choice([0, 1]))
                return apply("round_to({0}, {1})", rounded, near, literal(4), tight=True)
            case 5:
                return apply("-({0})", lambda v: -v, literal(-wanted)) if wanted else literal(0)
            case 6:
                items = [self.rng.randint(1, 9) for _ in range(self.rng.randint(0, 2))] + [wanted]
                return self.item(
                    Expr(f"[{', '.join(map(str, items))}]", lambda env, x: items), len(items) - 1, len(items)
                )
            case _:
                return apply("{0} - {1}", lambda a, b: a - b, literal(wanted + 3), literal(3))

    def share(self, wanted: Fraction, env: Env) -> Expr:
        """A way to write a number that is not whole."""
        names = [name(key) for key, value in env.items() if isinstance(value, Fraction) and value == wanted]
        if names and self.chance(0.6):
            return self.rng.choice(names)
        if self.chance(0.3):
            return apply(
                "{0} * {1} / {2}", lambda a, b, c: Fraction(a) * b / c, literal(wanted), literal(3), literal(3)
            )
        return literal(wanted)

    # ------------------------------------------------------------------------------------------------- conditions

    def condition(self, wanted: bool, env: Env, x: Map, depth: int = 2) -> Expr:
        """A condition that holds, or that does not."""
        if depth and self.chance(0.25):
            one = self.condition(wanted, env, x, depth - 1)
            if self.chance(0.3):
                return apply("not {0}", lambda a: not a, self.condition(not wanted, env, x, depth - 1))
            other = self.condition(self.chance(0.5), env, x, depth - 1)
            return _either(*self.shuffled(one, other)) if wanted else _both(*self.shuffled(one, other))
        found = [expr for expr in self.tests(env, x) if expr.value(env, x) is wanted]
        if found and self.chance(0.85):
            return self.rng.choice(found)
        return literal(wanted)

    def tests(self, env: Env, x: Map) -> Iterator[Expr]:
        numbers: list[tuple[Expr, int]] = [(name(key), v) for key, v in env.items() if type(v) is int]
        numbers += [(size(key), SIZES[key](x)) for key in BY_RANK.get(x.rank, ()) if x]
        for expr, value in numbers:
            other = literal(value + self.rng.choice([-1, 0, 0, 1, 2]))
            sign, test = self.rng.choice(list(COMPARISONS.items()))
            yield apply(f"{{0}} {sign} {{1}}", test, expr, other)
            yield Expr(f"{expr.inner} % 2 == 0", _even(expr), False)
        for key, value in env.items():
            if isinstance(value, bool):
                yield name(key)
                yield apply("not {0}", lambda a: not a, name(key))
            elif isinstance(value, Layer):
                other = self.rng.choice(["relu", "identity", "batchnorm", value.word])
                yield Expr(f"{key} != {other}", _differs(key, other), False)
            elif isinstance(value, Block):
                yield Expr(f"{value.name} == {key}", _is(key, value), False)
            elif isinstance(value, tuple):
                yield Expr(f"len({key}) > 2", _longer(key), False)
                yield Expr(f"{key} == {write_list(value)}", _equals(key, value), False)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
}


def write_list(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(write_list, value)) + "]"
    return write(value)


def _even(expr: Expr) -> Callable[[Env, Map], bool]:
    return lambda env, x: expr.value(env, x) % 2 == 0


def _either(one: Expr, other: Expr) -> Expr:
    """The second is not looked at where the first decides: it may ask for a size that is not there."""
    return Expr(f"{one.inner} or {other.inner}", lambda env, x: one.value(env, x) or other.value(env, x), False)


def _both(one: Expr, other: Expr) -> Expr:
    return Expr(f"{one.inner} and {other.inner}", lambda env, x: one.value(env, x) and other.value(env, x), False)


def _differs(key: str, word: str) -> Callable[[Env, Map], bool]:
    """A parameter of the name of the layer hides it."""
    return lambda env, x: env[key] != env.get(word, Layer(word, {}))


def _is(key: str, block: Block) -> Callable[[Env, Map], bool]:
    return lambda env, x: env[key] is block


def _longer(key: str) -> Callable[[Env, Map], bool]:
    return lambda env, x: len(env[key]) > 2


def _equals(key: str, value: Any) -> Callable[[Env, Map], bool]:
    return lambda env, x: env[key] == value
