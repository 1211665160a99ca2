"""Expressions: their values, what is said where they have none, and that none takes long."""

from __future__ import annotations

import math
import operator
import random
import time
from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from cnnspec.data.vision import import_torchvision
from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.base import Shape
from cnnspec.network.evaluate import Budget, Scope, arguments, bind_target, canonical, evaluate, items
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.words import CallValue, Faults, Symbol, show


class Arrives(NamedTuple):
    shape: Shape | None


def expression(text: str) -> tree.Expr:
    parsed = parse(Source("let.cnn", f"let a = {text}\n"))
    assert not parsed.diagnostics, parsed.diagnostics
    (item,) = parsed.file.items
    assert isinstance(item, tree.Let)
    return item.value


def value(text: str, **names: Any) -> Any:
    return evaluate(expression(text), Scope(names))


def faults(text: str, scope: Any = None) -> tuple[Diagnostic, ...]:
    with pytest.raises(Faults) as raised:
        evaluate(expression(text), Scope() if scope is None else scope)
    return raised.value.diagnostics


def fault(text: str, scope: Any = None) -> Diagnostic:
    (only,) = faults(text, scope)
    return only


def loop(target: str) -> tree.Target:
    comprehension = expression(f"[1 for {target} in []]")
    assert isinstance(comprehension, tree.Comprehension)
    return comprehension.target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("-7 % 4", 1),
        ("6 / 2", 3),
        ("16 / 3", Fraction(16, 3)),
        ("0.1 * 3", Fraction(3, 10)),
        ("0.5 * 4", 2),
        ("-2.5", Fraction(-5, 2)),
        ("1.5", 1.5),
        ("1 < 2 and not 2 <= 1", True),
        ("false or 1 != 2", True),
        ("3 if 1 > 2 else 4", 4),
        ("0.1 + 0.2 == 0.3", True),
        ("2.0 == 2", True),
        ("true == 1", False),
        ("[1, 2] == [1.0, 2]", True),
        ('"a" == "a"', True),
        ("[10, 20, 30][1]", 20),
        ("[10, 20, 30][-1]", 30),
        ("[1, 2, 3, 4][1:3]", (2, 3)),
        ("[1, 2, 3, 4][:-1]", (1, 2, 3)),
        ("[1, 2, 3, 4][-2:]", (3, 4)),
        ("[1, 2, 3][5:]", ()),
        ("[1, 2] + [3]", (1, 2, 3)),
        ("[0] * 3", (0, 0, 0)),
        ("2 * [1, 2]", (1, 2, 1, 2)),
        ("[0] * -1", ()),
        ("[2 * i for i in range(4)]", (0, 2, 4, 6)),
        ("[a * b for a, b in [[1, 2], [3, 4]]]", (2, 12)),
        ("[a + b + c for a, [b, c] in enumerate([[1, 2], [3, 4]], 10)]", (13, 18)),
        ("[a for [a, _] in [[1, 2], [3, 4]]]", (1, 3)),
        ("[n for _, _, n in [[1, 2, 3]]]", (3,)),
        ("[[j for j in range(i)] for i in range(3)]", ((), (0,), (0, 1))),
        ("[i for i in 3x5]", (3, 5)),
        ("min(3, 1.5, 2)", Fraction(3, 2)),
        ("max([3, 1, 2])", 3),
        ("max(1.0, 0)", 1),
        ("sum([])", 0),
        ("sum([1, 2.5, 0.5])", 4),
        ("sum([1, 2, 3][:2])", 3),
        ("len([1, [2, 3]])", 2),
        ("range(3)", (0, 1, 2)),
        ("range(2, 5)", (2, 3, 4)),
        ("range(5, 0, -2)", (5, 3, 1)),
        ("range(3, 3)", ()),
        ("zip([1, 2], [3, 4, 5])", ((1, 3), (2, 4))),
        ("enumerate([7, 8])", ((0, 7), (1, 8))),
        ("enumerate([7, 8], start=1)", ((1, 7), (2, 8))),
        ("ceil(7 / 2)", 4),
        ("ceil(-0.5)", 0),
        ("floor(-0.5)", -1),
        ("round(2.5)", 2),
        ("round(7 / 2)", 4),
        ("round(0.25 * 104)", 26),
        ("round_to(35.2, 8)", 32),
        ("round_to(10, 8)", 16),
        ("round_to(1, 8)", 8),
        ("relu == relu", True),
        ("relu() == relu", True),
        ("relu != identity", True),
        ("batchnorm(eps=0.1, affine=true) == batchnorm(affine=true, eps=0.1)", True),
        ("batchnorm(eps=0.1) == batchnorm", False),
        ("Basic == Bottleneck", False),
        ("[same, 1] == [same, 1]", True),
        ("none == none", True),
    ],
)
def test_values(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_names_in_scope() -> None:
    assert value("width // 2 + len", width=9, len=1) == 5
    assert value("len([1]) + len", len=5) == 6
    assert evaluate(expression("width"), {"width": 3}) == 3


def test_a_list_hides_no_name_outside_of_it() -> None:
    assert value("[[i for i in range(2)], i]", i=9) == ((0, 1), 9)


def test_what_nothing_defines_is_for_its_user_to_interpret() -> None:
    unit, norm = value("[Bottleneck, batchnorm(eps=0.001)]", width=3)
    assert isinstance(unit, Symbol)
    assert (unit.name, unit.known) == ("Bottleneck", ("width",))
    assert isinstance(norm, CallValue)
    assert norm.arguments[0].value == 0.001


def test_a_layer_that_is_a_value_can_be_called() -> None:
    norm = value("batchnorm(0.1, momentum=0.2)")
    assert show(value("norm(affine=false, momentum=0.3)", norm=norm)) == "batchnorm(0.1, affine=false, momentum=0.3)"
    assert show(value("act(inplace)", act=value("relu"))) == "relu(inplace)"
    assert show(value("dropout(0.3)", dropout=0.2)) == "dropout(0.3)"
    assert fault("width(3)", Scope({"width": 8})).message == "width is 8 here, which cannot be called"


# ------------------------------------------------------------------------------------------------ what arrives


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((10,), {"features": 10}),
        ((3, 100), {"channels": 3, "length": 100}),
        ((3, 8, 9), {"channels": 3, "height": 8, "width": 9}),
        ((3, 7, 8, 9), {"channels": 3, "depth": 7, "height": 8, "width": 9}),
    ],
)
def test_sizes_of_what_arrives(shape: tuple[int, ...], expected: dict[str, int]) -> None:
    scope = Scope(flow=Arrives(Shape(shape)))
    for name in ("channels", "height", "width", "depth", "length", "features"):
        if name in expected:
            assert evaluate(expression(f"x.{name}"), scope) == expected[name]
            assert evaluate(expression(f"[x.{name} for i in range(1)][0]"), scope) == expected[name]
        else:
            assert f"has no {name}" in fault(f"x.{name}", scope).message


def test_a_size_that_does_not_exist() -> None:
    wrong = fault("1 + x.channels", Scope(flow=Arrives(Shape((10,)))))
    assert wrong.message == "a 10-feature vector has no channels"
    assert wrong.span.text == "x.channels"
    assert [edit.text for fix in wrong.fixes for edit in fix.edits] == ["x.features"]
    assert fault("x.chanels", Scope(flow=Arrives(Shape((3, 8, 8))))).fixes[0].message == "write x.channels"
    nowhere = "x is what arrives at a layer; there is nothing here"
    assert fault("x.channels").message == fault("x.channels", {}).message == nowhere


def test_what_an_earlier_fault_hides_is_silent() -> None:
    scope = Scope(flow=Arrives(None))
    assert faults("[x.channels, 1 + max(x.height, 2)]", scope) == ()
    call = expression("conv(x.channels, 3)")
    assert isinstance(call, tree.Call)
    with pytest.raises(Faults):
        arguments(call, scope)


# ------------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("text", "code", "message", "place"),
    [
        ("1 + [2]", "E208", "1 + a list means nothing", "1 + [2]"),
        ("[1] * 1.5", "E208", "a list * 1.5 means nothing", "[1] * 1.5"),
        ("true + 1", "E208", "true is not a number", "true"),
        ('"a" < 1', "E208", '"a" is not a number', '"a"'),
        ("1 / 0", "E208", "1 is divided by zero", "1 / 0"),
        ("not 1", "E208", "1 is neither true nor false", "1"),
        ("1 if 2 else 3", "E208", "2 is neither true nor false", "2"),
        ("[1, 2][2]", "E208", "there is no item 2 in a list of 2", "2"),
        ("[1, 2][0.5]", "E208", "0.5 does not number an item of a list", "0.5"),
        ("[1, 2][true:]", "E208", "true does not number an item", "true"),
        ("4[0]", "E208", "4 is not a list", "4"),
        ("[a for a in 3]", "E208", "3 is not a list", "3"),
        ("[a for a, b in [[1, 2, 3]]]", "E208", "an item of the list is [1, 2, 3]", "[[1, 2, 3]]"),
        ("[a for a, b in [1]]", "E208", "an item of the list is 1, which is not a list", "[1]"),
        ("[a for a, a in [[1, 2]]]", "E207", "for binds a twice", "a"),
        ("min([])", "E208", "the list is empty", "[]"),
        ("min(3)", "E208", "3 is not a list", "3"),
        ("max(1, relu)", "E208", "relu is not a number", "relu"),
        ("max(1, rleu)", "E206", "nothing here is called rleu", "rleu"),
        ("sum(1, 2)", "E205", "sum is given 2 values", "2"),
        ("len()", "E203", "len is given no values", "len"),
        ("len(relu)", "E208", "relu is not a list", "relu"),
        ("range(0.5)", "E208", "0.5 is not a whole number", "0.5"),
        ("range(1, 2, 0)", "E208", "a range with steps of 0 has no end", "0"),
        ("round_to(8, 0)", "E208", "0 is less than 1", "0"),
        ("round_to(8)", "E203", "round_to is given 1 value", "round_to"),
        ("round(1, digits=2)", "E202", "round has no argument digits", "digits"),
        ("enumerate([1], begin=2)", "E202", "enumerate has no argument begin", "begin"),
        ("ceil([1])", "E208", "[1] is not a number", "[1]"),
        ("min(3 -> 4, 5)", "E209", "min takes no arrow here", "3 -> 4"),
        ("Unit(act=conv(3 -> 8, 3))", "E209", "conv takes no arrow here", "3 -> 8"),
        ("nrom != identity", "E206", "nothing here is called nrom", "nrom"),
        ("rleu == relu", "E206", "nothing here is called rleu", "rleu"),
        ("[1, 2][first]", "E206", "nothing here is called first", "first"),
        ("[i for i in widths]", "E206", "nothing here is called widths", "widths"),
    ],
)
def test_faults(text: str, code: str, message: str, place: str) -> None:
    found = fault(text)
    assert found.code == code
    assert message in found.message
    assert found.span.text == place


def test_help() -> None:
    assert fault("rleu == relu").fixes[0].edits[0].text == "relu"
    assert fault("wdth == 3", Scope({"width": 3})).fixes[0].edits[0].text == "width"
    assert fault("[i for i in 3 * 2]").fixes[0].edits[0].text == "range(3 * 2)"
    assert fault("Basc == Basic", Scope(blocks={"Basic": None})).fixes[0].edits[0].text == "Basic"


def test_all_arguments_are_judged() -> None:
    assert [d.code for d in faults("max(1 / 0, [1][3], 5)")] == ["E208", "E208"]


# ------------------------------------------------------------------------------------------------------- loops


def test_targets_of_a_loop() -> None:
    span = expression("1").span
    assert bind_target(loop("a"), (1, 2), span) == {"a": (1, 2)}
    assert bind_target(loop("a, [b, c]"), (1, (2, 3)), span) == {"a": 1, "b": 2, "c": 3}
    with pytest.raises(Faults) as raised:
        bind_target(loop("a, [b, c]"), (1, (2, 3, 4)), span)
    assert "a list of 3 and no list of 2" in raised.value.diagnostics[0].message


def test_items_of_a_loop() -> None:
    assert items(expression("zip([1, 2], [3, 4])"), Scope()) == ((1, 3), (2, 4))
    with pytest.raises(Faults) as raised:
        items(expression("depth"), Scope({"depth": 3}))
    (found,) = raised.value.diagnostics
    assert found.message == "3 is not a list"
    assert found.fixes[0].edits[0].text == "range(depth)"


# -------------------------------------------------------------------------------------------------- same values

VALUES = [
    "1", "1.0", "true", "false", "0", "1 / 2", '"relu"', "relu", "relu6", "none", "[1, 2]", "[1, [2]]", "[]", "1x2x3",
    "batchnorm(0.1)", "batchnorm(eps=0.1)", "batchnorm(eps=0.2)", "batchnorm(eps=0.1, affine=true)", "[relu]",
    "conv(8, 3)", "conv(3, 8)", "Unit(batchnorm(eps=0.1))", "Unit(batchnorm)",
]  # fmt: skip


def test_canonical() -> None:
    """Values at two places are one, and different values stay different."""
    forms = [canonical(value(text)) for text in VALUES]
    again = [canonical(value(f"[0, {text}][1]")) for text in VALUES]
    assert forms == again
    assert [hash(form) for form in forms] == [hash(form) for form in again]
    assert len(set(forms)) == len(VALUES)
    assert canonical(value("f(a=1, b=2)")) == canonical(value("f(b=2, a=1)"))
    assert canonical(value("relu()")) == canonical(value("relu"))


# --------------------------------------------------------------------------------------- compared with others


def test_round_to_is_that_of_torchvision() -> None:
    import_torchvision()
    from torchvision.models._utils import _make_divisible

    expr = expression("round_to(width * tenths / 10, divisor)")
    for divisor in (1, 4, 8, 16):
        for width in range(0, 2000, 3):
            for tenths in (1, 3, 5, 10, 11, 12, 14, 18, 20, 22, 31):
                ours = evaluate(expr, Scope({"width": width, "tenths": tenths, "divisor": divisor}))
                assert ours == _make_divisible(width * tenths / 10, divisor), (width, tenths, divisor)


OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip


def arithmetic(rng: random.Random, depth: int) -> tuple[str, Any]:
    """An expression, and its value by Python's fractions; None for one that has none."""
    kind = rng.random() if depth else 0
    if kind < 0.3:
        text = rng.choice(["0", "1", "2", "3", "17", "1_000", "0.5", "0.1", "2.50", "1e-3", "3.0"])
        return text, Fraction(text)
    left, a = arithmetic(rng, depth - 1)
    if kind < 0.4:
        return f"-({left})", None if a is None else -a
    if kind < 0.5:
        name = rng.choice(["ceil", "floor", "round"])
        function = {"ceil": math.ceil, "floor": math.floor, "round": round}[name]
        return f"{name}({left})", None if a is None else Fraction(function(a))
    right, b = arithmetic(rng, depth - 1)
    if kind < 0.6:
        largest = rng.random() < 0.5
        text = f"{'max' if largest else 'min'}({left}, {right})"
        return text, None if None in (a, b) else max(a, b) if largest else min(a, b)
    sign = rng.choice(["+", "-", "*", "/", "//", "%"])
    text = f"({left}) {sign} ({right})"
    if a is None or b is None or (b == 0 and sign in "//%"):
        return text, None
    return text, Fraction(OPERATORS[sign](a, b))


def test_arithmetic_is_exact() -> None:
    rng = random.Random(3)
    known = 0
    for _ in range(1500):
        text, expected = arithmetic(rng, 4)
        if expected is None:
            assert {d.code for d in faults(text)} == {"E208"}
            continue
        known += 1
        found = value(text)
        assert Fraction(str(found)) == expected, text
        assert expected.denominator > 1 or type(found) is int or isinstance(expression(text), tree.Number), text
        sign = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        other, b = arithmetic(rng, 1)
        if b is not None:
            assert value(f"({text}) {sign} ({other})") == OPERATORS[sign](expected, b)
    assert 500 < known < 1500


# ----------------------------------------------------------------------------------------------- no end in sight

NESTED = "[[[[i for i in range(1000)] for j in range(1000)] for k in range(1000)] for l in range(1000)]"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (NESTED, "E213"),
        ("[sum([sum(range(9000)) for j in range(9000)]) for k in range(9000)]", "E213"),
        ("[[min(i, j) for i in range(9000)][0] for j in range(9000)]", "E213"),
        ("[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0] == [i] for i in range(9000)] + range(9000)", "E208"),
        ("range(999999999999999999)", "E208"),
        ("range(0 - 999999999999999999, 999999999999999999 * 999999999999999999)", "E208"),
        ("[0] * 999999999999999999", "E208"),
        ("[1] * 9000 + [2] * 9000", "E208"),
        ("[[0] * 9000] * 9000", "E208"),
        (" * ".join(["999999999999999999"] * 90), "ok"),
        ("1 / " + " / ".join(["999999999999999999"] * 90), "ok"),
        ("[[relu for i in range(9000)][0] for j in range(9000)]", "E213"),
        ("[f(g(i), h(i)) for i in range(9000)]", "ok"),
        (f'"{"a" * 400_000}"', "E208"),
    ],
)
def test_what_has_no_end_is_stopped(text: str, code: str) -> None:
    parsed = expression(text)
    begin = time.process_time()
    try:
        evaluate(parsed, Scope())
        found = "ok"
    except Faults as wrong:
        found = wrong.diagnostics[0].code
    assert time.process_time() - begin < 4
    assert found == code


@pytest.mark.parametrize("step", ["a * a", "1 / 3 + a * a * a / 7", "[a, a]", "a + a", "f(a, a)", "[a]", "[f(g(a))]"])
def test_values_do_not_grow_from_name_to_name(step: str) -> None:
    start: Any = (1, 2) if step == "a + a" else 12345678901234567
    scope = Scope({"a": start})
    expr = expression(step)
    for _ in range(1000):
        try:
            scope["a"] = evaluate(expr, scope)
        except Faults as wrong:
            code = wrong.diagnostics[0].code
            break
    else:
        code = "none"
    assert code == "E208"


def test_scopes_share_their_steps() -> None:
    scope = Scope(budget=Budget(50))
    inside = scope.inner(a=1)
    evaluate(expression("[a for i in range(10)]"), inside)
    assert "a" not in scope
    assert scope.budget.left < 30
    with pytest.raises(Faults) as raised:
        evaluate(expression("range(30)"), scope)
    assert raised.value.diagnostics[0].code == "E213"


def test_names_in_a_list_are_written_as_they_are_read() -> None:
    assert show(("head", "layer1.0", "0")) == '[head, "layer1.0", "0"]'
