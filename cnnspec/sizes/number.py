"""A number that depends on open sizes, to be used where a whole number is.

It goes through code that knows nothing of it. Sums and products of it are such numbers again. Where it is compared, or
its value is needed, the case it belongs to chooses among the answers (`cases`). It says that its class is `int` so that
checks for whole numbers accept it, but it is none: what would take its value in another way fails, and is not wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from cnnspec.sizes import forms
from cnnspec.sizes.cases import Case
from cnnspec.sizes.compare import compare, value
from cnnspec.sizes.forms import Form
from cnnspec.sizes.steps import SIZE, Rational, Undecided, whole

BEYOND = 2**31 - 1
"""What is compared with a number of this size is taken to be smaller: no size or count of a network may be larger."""


class Number:
    """`form` is what it is worth."""

    __slots__ = ("case", "form")

    def __init__(self, case: Case, form: Form) -> None:
        self.case, self.form = case, form

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int if self.is_whole else Fraction

    def __repr__(self) -> str:
        from cnnspec.sizes.words import formula

        return formula(self.form, self.case.box)

    def __format__(self, spec: str) -> str:
        return repr(self)

    __str__ = __repr__

    def lifted(self, other: Any) -> Any:
        """Another number as one of these, so that arithmetic between them finds its way here."""
        return other if type(other) is Number else Number(self.case, forms.number(whole(other)))

    # ------------------------------------------------------------------------------------------------- arithmetic

    def _made(self, form: Form) -> Any:
        return Number(self.case, form) if form.axes else form.constant

    def __add__(self, other: Any) -> Any:
        return self._made(forms.add(self.form, _form(other)))

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self._made(forms.scale(self.form, -1))

    def __pos__(self) -> Any:
        return self

    def __sub__(self, other: Any) -> Any:
        return self._made(forms.add(self.form, forms.scale(_form(other), -1)))

    def __rsub__(self, other: Any) -> Any:
        return self._made(forms.add(_form(other), forms.scale(self.form, -1)))

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, list | tuple | str):
            return other * self.__index__()
        return self._made(forms.multiply(self.form, _form(other)))

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return self._divided(other, forms.floor, lambda a, b: a // b)

    def __mod__(self, other: Any) -> Any:
        return self._divided(other, forms.modulo, lambda a, b: a % b)

    def _divided(
        self, other: Any, direct: Callable[[Form, Rational], Form | None], plain: Callable[[Any, Any], Any]
    ) -> Any:
        if type(other) is Number and forms.folded(other.form, self.case.box).axes:
            times = _times(self, other)
            return times if direct is forms.floor else self - times * other
        divisor = _known(other)
        form = direct(forms.folded(self.form, self.case.box), divisor)
        if form is not None:
            return self._made(form)
        if type(divisor) is not int or forms.fractional(self.form):
            return plain(self.known(), divisor)
        left = self._made(forms.remainders(self.form, divisor))
        left = int(left) % divisor
        return (self - left) / divisor if direct is forms.floor else left

    def __rfloordiv__(self, other: Any) -> Any:
        return _times(other, self)

    def __rmod__(self, other: Any) -> Any:
        return other - self * _times(other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._made(forms.scale(self.form, Fraction(1) / _known(other)))

    def __rtruediv__(self, other: Any) -> Any:
        return whole(Fraction(other) / self.known())

    def __pow__(self, other: int) -> Any:
        result: Any = 1
        for _ in range(other):
            result = self * result
        return result

    def __floor__(self) -> Any:
        return self // 1

    def __ceil__(self) -> Any:
        return -(-self // 1)

    def __round__(self) -> Any:
        """To the nearest whole number, a half to the even one."""
        above = (self + Fraction(1, 2)) // 1
        half = (self + Fraction(1, 2)) - above == 0
        return above - 1 if half and above % 2 == 1 else above

    # ------------------------------------------------------------------------------------------------ comparisons

    def _is(self, sign: str, other: Any) -> bool:
        return self.case.choose(compare(forms.add(self.form, forms.scale(_form(other), -1)), sign, self.case.box))

    def __eq__(self, other: object) -> bool:
        return self is other or (_is_number(other) and self._is("==", other))

    def __gt__(self, other: Any) -> bool:
        return not _beyond(other) and self._is(">", other)

    def __lt__(self, other: Any) -> bool:
        return _beyond(other) or self._is("<", other)

    def __ge__(self, other: Any) -> bool:
        return not self < other

    def __le__(self, other: Any) -> bool:
        return not self > other

    def __bool__(self) -> bool:
        return self != 0

    def __hash__(self) -> int:
        raise Undecided("a size that is open cannot be looked up")

    # ------------------------------------------------------------------------------------------------- as a value

    def known(self) -> Rational:
        """Its value, one case for each that it can have."""
        try:
            return self.case.choose(value(self.form, self.case.box))
        except Undecided:
            raise Undecided(f"{self} itself would have to be known") from None

    def __index__(self) -> int:
        known = self.known()
        if type(known) is not int:
            raise Undecided(f"{known} is no whole number")
        return known

    __int__ = __index__

    def __float__(self) -> float:
        return float(self.known())

    @property
    def is_whole(self) -> bool:
        if not forms.fractional(self.form):
            return True
        return bool(self - self // 1 == 0)

    @property
    def numerator(self) -> Any:
        if not self.is_whole:
            return _Part()
        return self // 1 if forms.fractional(self.form) else self

    @property
    def denominator(self) -> int:
        return 1 if self.is_whole else 2

    def bit_length(self) -> int:
        return BEYOND.bit_length()


MOST_TIMES = 16


def _times(dividend: Any, divisor: Number) -> Any:
    """How often one goes into the other, where that is not often; otherwise both have to be known."""
    if len(_form(dividend).axes | divisor.form.axes) > 1:
        return dividend // divisor.known()
    if divisor > 0:
        for times in range(-1, MOST_TIMES):
            if times * divisor <= dividend and dividend < (times + 1) * divisor:
                return times
    return _known(dividend) // divisor.known()


class _Part:
    """The numerator of a fraction that is not known: of bounded size, and of no other use."""

    def bit_length(self) -> int:
        return BEYOND.bit_length()

    def __eq__(self, other: object) -> bool:
        raise Undecided("a fraction would have to be known")

    __hash__ = None  # type: ignore[assignment]


def _is_number(other: object) -> bool:
    return type(other) in (int, bool, Fraction, Number, float)


def _form(other: Any) -> Form:
    if type(other) is Number:
        return other.form
    if type(other) in (int, bool):
        return forms.number(int(other))
    if type(other) is float:
        return forms.number(whole(Fraction(other)))
    if type(other) is Fraction:
        return forms.number(whole(other))
    raise Undecided(f"{other!r} is no number")


def _known(other: Any) -> Rational:
    if type(other) is Number:
        return other.known()
    return _form(other).constant


def _beyond(other: Any) -> bool:
    return type(other) is int and other >= BEYOND


def open_size(case: Case, axis: str) -> Number:
    """The size of an axis that is left open."""
    return Number(case, forms.single(axis, SIZE))
