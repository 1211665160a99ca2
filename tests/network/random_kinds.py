"""Draws values of parameters, and ways to write them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from random_plan import Env, Expr, Layer, write
from random_values import Values, name, write_list
from torch_modules import Map

NO_ARGUMENTS = ("relu", "silu", "identity", "tanh", "hardswish", "gelu", "batchnorm", "dropout", "flatten", "glu")


class Kinds(Values):
    """What a name may hold: a size, a list of them, a condition, a share, a layer."""

    def value(self, kind: str) -> Any:
        match kind:
            case "width":
                return self.rng.choice([2, 4, 8, 8, 12])
            case "kernel":
                return self.rng.choice([1, 3, 3])
            case "stride":
                return self.rng.choice([1, 1, 2])
            case "widths":
                return tuple(self.rng.choice([2, 4, 8]) for _ in range(self.rng.randint(1, 4)))
            case "flag":
                return self.chance(0.5)
            case "rate":
                return Fraction(self.rng.choice(["0.1", "0.5", "0.25"]))
            case "mode":
                return self.rng.choice(["zeros", "reflect", "replicate", "circular"])
        return self.layer_value()

    def layer_value(self) -> Layer:
        word = self.rng.choice([*NO_ARGUMENTS, "batchnorm", "dropout", "conv", "groupnorm"])
        if word == "conv":
            args = {"out": self.rng.choice([4, 8]), "kernel": 3, "padding": 1}
            return Layer(word, args | ({"bias": False} if self.chance(0.3) else {}))
        if word == "groupnorm":
            return Layer(word, {"groups": self.rng.choice([1, 2])})
        if word in ("batchnorm", "dropout") and self.chance(0.5):
            return Layer(word, {"eps" if word == "batchnorm" else "p": Fraction(1, 10)})
        return Layer(word, {})

    def express(self, value: Any, env: Env, x: Map) -> Expr:
        """A way to write any value."""
        same = [key for key, known in env.items() if type(known) is type(value) and known == value]
        if isinstance(value, bool):
            return self.condition(value, env, x)
        if isinstance(value, int):
            return self.number(value, env, x)
        if same and self.chance(0.5):
            return name(self.rng.choice(same))
        if isinstance(value, tuple) and value:
            return self.listed(value)
        if isinstance(value, tuple):
            return Expr("[]", lambda env, x: ())
        hidden = isinstance(value, Layer) and not value.args and value.word in env
        return Expr(f"{value.word}()" if hidden else write(value), lambda env, x: value)

    def listed(self, value: tuple[Any, ...]) -> Expr:
        """A way to write a list of numbers."""
        items = write_list(value)
        match self.rng.randrange(6):
            case 0:
                halves = write_list(tuple(Fraction(each, 2) for each in value))
                return Expr(f"[2 * v for v in {halves}]", lambda env, x: value)
            case 1:
                return Expr(f"({items[:-1]}, 1])[:-1]", lambda env, x: value)
            case 2:
                return Expr(f"[{value[0]}] + {write_list(value[1:])}", lambda env, x: value, False)
            case 3 if len(set(value)) == 1:
                return Expr(f"[{value[0]}] * {len(value)}", lambda env, x: value, False)
            case 4:
                pairs = ", ".join(f"[{each}, [{at}, 1]]" for at, each in enumerate(value))
                return Expr(f"[v + a - a * u for v, [a, u] in [{pairs}]]", lambda env, x: value)
        return Expr(items, lambda env, x: value)
