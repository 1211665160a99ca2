"""The figures of two whole networks beside each other."""

from __future__ import annotations

from typing import Literal

from cnnspec.record import Record
from cnnspec.report.diff import Difference


class Total(Record):
    """Numbers where it is a count, text otherwise. Bytes are those of float32, activations for one sample."""

    name: str
    before: int | str
    after: int | str
    unit: Literal["count", "bytes", "text"] = "count"


def totals(difference: Difference) -> list[Total]:
    one, other = difference.before, difference.after
    seen = [square(side.last_field.size) if side.last_field else "all" for side in (one, other)]
    return [
        Total("parameters", one.summary.parameters, other.summary.parameters),
        Total("MACs", one.summary.macs, other.summary.macs),
        Total("depth", one.depth, other.depth),
        Total("weights", one.summary.weights, other.summary.weights, "bytes"),
        Total("activation", one.summary.activation, other.summary.activation, "bytes"),
        Total("receptive field", seen[0], seen[1], "text"),
        Total("output", str(one.network.output), str(other.network.output), "text"),
    ]


def square(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


def millions(number: int) -> str:
    """Large numbers as people say them."""
    for unit, worth in (("G", 10**9), ("M", 10**6)):
        if number >= worth:
            return f"{number / worth:,.2f} {unit}" if unit == "G" else f"{number / worth:,.1f} {unit}"
    return f"{number:,}"
