"""Sets of sizes and functions of sizes, in words and formulas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from typing import Any

from cnnspec.sizes.forms import Form, folded
from cnnspec.sizes.sets import ALL, Box, Sizes, between, orders, turned
from cnnspec.sizes.steps import Rational, Steps, shared

MOST_RUNS = 6
"""More ranges are not listed."""


def in_words(items: Iterable[str], word: str = "and") -> str:
    """`H, W and D`"""
    *first, last = items
    return f"{', '.join(first)} {word} {last}" if first else last


# ------------------------------------------------------------------------------------------------------------- sets


def of_sizes(sizes: Sizes) -> str:
    """The sizes of a set, to stand behind the name of an axis: `from 32`, `32 to 35`, `a multiple of 8`."""
    if sizes == ALL:
        return "any size"
    if sizes.finite:
        return _ranges(_runs(sizes))
    least = sizes.least
    if sizes == between(least):
        return f"from {least}"
    return _repeated(sizes) or _missing(sizes) or _besides(sizes) or _listed(sizes)


def _runs(sizes: Sizes, last: int | None = None) -> list[tuple[int, int]]:
    """Sizes that follow each other, as first and last ones."""
    runs: list[tuple[int, int]] = []
    for size in sizes:
        if last is not None and size > last:
            break
        if runs and runs[-1][1] == size - 1:
            runs[-1] = (runs[-1][0], size)
        else:
            runs.append((size, size))
    return runs


def _ranges(runs: list[tuple[int, int]]) -> str:
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    if len(texts) <= MOST_RUNS:
        return in_words(texts, "or")
    return f"{', '.join(texts[: MOST_RUNS - 2])}, ..., {texts[-1]}"


def _repeated(sizes: Sizes) -> str:
    """`odd`, `a multiple of 8 from 16`: one residue of a period, or all but one."""
    period = len(sizes.marks.cycle)
    kept = sum(sizes.marks.cycle)
    least = sizes.least
    if kept == 1:
        every = Sizes(Steps([0] * (least - 1), [1] + [0] * (period - 1)))
        if every == sizes:
            return _residue(least % period, period) + (f" from {least}" if least > period else "")
    if kept == period - 1 and period > 1:
        start = len(sizes.marks.head)
        out = next(at for at in range(start + 1, start + period + 1) if at not in sizes) % period
        others = between(least) - Sizes(Steps((), [int((at - out) % period == 0) for at in range(1, period + 1)]))
        if others == sizes:
            return f"from {least}, but not {_residue(out, period)}" if least > 2 else f"not {_residue(out, period)}"
    return ""


def _residue(rest: int, period: int) -> str:
    if period == 2:
        return "odd" if rest else "even"
    return f"a multiple of {period}" if not rest else f"{rest} more than a multiple of {period}"


def _missing(sizes: Sizes) -> str:
    """`from 7, but not 9`: few that are left out."""
    gaps = between(sizes.least) - sizes
    if not gaps.finite:
        return ""
    runs = _runs(gaps)
    return f"from {sizes.least}, but not {_ranges(runs)}" if len(runs) <= MOST_RUNS else ""


def _besides(sizes: Sizes) -> str:
    """`3 or a multiple of 4`: a few sizes, and all multiples."""
    period = len(sizes.marks.cycle)
    rests = [rest for rest in range(period) if (len(sizes.marks.head) + 1 + rest) in sizes]
    rest = (len(sizes.marks.head) + 1 + rests[0]) % period
    every = Sizes(Steps((), [int(at % period == rest) for at in range(1, period + 1)]))
    runs = _runs(sizes - every) if len(rests) == 1 and (not rest or period == 2) else []
    repeated = _repeated(sizes & every) if 0 < len(runs) <= 2 else ""
    return f"{_ranges(runs)} or {repeated}" if repeated else ""


def _listed(sizes: Sizes) -> str:
    """The first ones, and how they repeat."""
    period, start = len(sizes.marks.cycle), len(sizes.marks.head)
    runs = _runs(sizes, start + 2 * period)
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in runs[:MOST_RUNS]]
    return f"{', '.join(texts)}, ... (the same again every {period})"


def of_box(box: Box) -> str:
    """`H and W from 32 to 35`, `H from 16 to 19 and W from 112 to 115`; empty where nothing is left out."""
    alike: dict[Sizes, list[str]] = {}
    for axis, sizes in box.items():
        if sizes != ALL:
            alike.setdefault(sizes, []).append(axis)
    return in_words(_of_axes(axes, sizes) for sizes, axes in alike.items()) if alike else ""


def _of_axes(axes: Sequence[str], sizes: Sizes) -> str:
    names, text = in_words(axes), of_sizes(sizes)
    return beside(names, text.replace("a multiple", "multiples", 1) if len(axes) > 1 else text)


def beside(names: str, text: str) -> str:
    """What is said of the sizes of axes, with their names: `H and W from 32 to 35`, `odd H`."""
    if text in ("odd", "even"):
        return f"{text} {names}"
    if not text[0].isdigit() or "more than" in text:
        return f"{names} {text}"
    one = " to " in text and " or " not in text and "," not in text
    return f"{names} {'from' if one else 'of'} {text}"


def of_boxes(boxes: Sequence[Box]) -> str:
    """The boxes one after another, those of square inputs first; `any size` where they are everything."""
    texts = []
    left = sorted(boxes, key=unlike)
    while left:
        box = left.pop(0)
        mirrored = turned(box)
        if len(box) == 2 and mirrored != box and mirrored in left:
            left.remove(mirrored)
            texts.append(_either_way(*box.values()))
        elif len(box) > 2 and _has_all(left, turns := orders(box)[1:]):
            left = [each for each in left if each not in turns]
            texts.append(_in_any_order(box))
        else:
            texts.append(of_box(box) or "any size")
    shown = texts if len(texts) <= MOST_RUNS else [*texts[: MOST_RUNS - 1], f"{len(texts) - MOST_RUNS + 1} more"]
    return "; or ".join(shown)


def _has_all(boxes: Sequence[Box], turns: Sequence[Box]) -> bool:
    return bool(turns) and all(turn in boxes and all(sizes.finite for sizes in turn.values()) for turn in turns)


def _in_any_order(box: Box) -> str:
    """`two from 8 to 11 and one from 112 to 115`"""
    counts = Counter(box.values())
    return in_words(beside("one" if count == 1 else "two", of_sizes(sizes)) for sizes, count in counts.items())


def _either_way(one: Sizes, other: Sizes) -> str:
    texts = [_of_axes(["one"], one), _of_axes(["the other"], other)]
    return " and ".join(text for text in texts if not text.endswith("any size"))


def unlike(box: Box) -> tuple[int, int]:
    """How far an input is from a square one, and how large it is: what sorts boxes for a reader."""
    least = [sizes.least for sizes in box.values()]
    return max(least) - min(least), sum(least)


# --------------------------------------------------------------------------------------------------------- formulas


def formula(form: Form, box: Box) -> str:
    """What a form is worth, as an expression of the language; right for the sizes of the box."""
    form = folded(form, box)
    terms = []
    for count, factors in form.terms():
        texts = [of_function(function, axis, box[axis]) for axis, function in factors]
        if len(factors) == 1 and count == 1:
            terms.append(texts[0])
        else:
            inside = [text if _tight(text) else f"({text})" for text in texts]
            terms.append("*".join([*([str(count)] if count != 1 or not inside else []), *inside]))
    return " + ".join(terms).replace("+ -", "- ") if terms else "0"


def _tight(text: str) -> bool:
    """Whether an expression can be multiplied as it stands."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == " " and depth == 0 and text[at + 1 : at + 2] in "+-/%":
            return False
    return True


def of_function(function: Steps, axis: str, sizes: Sizes) -> str:
    """A function of one size as an expression, right for the sizes of a set."""
    start, period = shared(function, sizes.marks)
    marks = sizes.marks.table(start, period)
    values = [(at, v) for at, (v, mark) in enumerate(zip(function.table(start, period), marks, strict=True), 1) if mark]
    rise = function.rise * (period // len(function.cycle)) if any(marks[start:]) else None
    least = values[0][1]
    if all(value == least for _, value in values) and not rise:
        return str(least)
    if any(type(value) is not int for _, value in values):
        return f"a number made of {axis}"
    direct = _floor(values, rise, period, axis)
    if direct:
        return direct
    step = gcd(*(value - least for _, value in values), *((int(rise),) if rise else ()))
    rest = least % step
    inner = [(at, (value - rest) // step) for at, value in values]
    text = _floor(inner, None if rise is None else rise // step, period, axis)
    if not text:
        return _table(function, axis) if rise is not None else f"a size made of {axis}"
    return f"{step}*{text if _tight(text) else f'({text})'}" + (f" + {rest}" if rest else "")


def _floor(values: Sequence[tuple[int, int]], rise: Rational | None, period: int, axis: str) -> str:
    """`(a * H + b) // c`, where the values are that; otherwise nothing."""
    if rise is None:
        (first, low), (last, high) = values[0], values[-1]
        rise, period = high - low, last - first
    common = gcd(int(rise), period)
    a, c = int(rise) // common, period // common
    low = max(c * value - a * at for at, value in values)
    high = min(c * value - a * at for at, value in values) + c - 1
    if low > high:
        return ""
    b = min((b for b in range(low, high + 1)), key=lambda b: (b % c not in (0, c - 1), abs(b // c), b % c))
    size = axis if a == 1 else f"{a}*{axis}"
    if c == 1:
        return _plus(size, b)
    if b % c == 0:
        return _plus(f"{size} // {c}", b // c)
    if b % c == c - 1:
        return _plus(f"ceil({size} / {c})", (b + 1) // c - 1)
    return f"({_plus(size, b)}) // {c}"


def _plus(text: str, number: int) -> str:
    return f"{text} {'+' if number > 0 else '-'} {abs(number)}" if number else text


def _table(function: Steps, axis: str) -> str:
    """Where no shorter formula is found: so much each period, and what stands behind the beginning of one."""
    period, start = len(function.cycle), len(function.head)
    if period > 16:
        return f"a size made of {axis}"
    base = -(-start // period) * period
    values = [function(base + at) - base // period * int(function.rise) for at in range(period)] if base else [
        function(period + at) - int(function.rise) for at in range(period)
    ]  # fmt: skip
    count = "" if function.rise == 1 else f"{function.rise}*"
    return f"{count}({axis} // {period}) + [{', '.join(map(str, values))}][{axis} % {period}]"


def shape(sizes: Sequence[Any], names: Mapping[str, Any] | None = None) -> str:
    """A shape: `2xHxW` where its sizes are numbers and names, `[512, ceil(H / 32), ceil(W / 32)]` otherwise."""
    texts = [str(size) for size in sizes]
    plain = all(text.isalnum() for text in texts)
    return "x".join(texts) if plain else f"[{', '.join(texts)}]"
