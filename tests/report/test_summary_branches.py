"""Branches, side outputs and repetitions in the summary."""

from __future__ import annotations

import pytest

from cnnspec.network import load
from cnnspec.report.summary import Summary, summarize
from cnnspec.report.summary_text import WIDTH, as_markdown, as_text
from cnnspec.source import Source

HEAD = "block Head { flatten, linear(10) }\n"


def summary(body: str, blocks: str = HEAD, shape: str = "4x8x8") -> Summary:
    return summarize(load(Source("test", f"{blocks}model M {{\n  input {shape}\n  {body}\n}}\n")))


def table(made: Summary) -> list[list[str]]:
    """Name and layer of each row of the text."""
    lines = as_text(made).splitlines()
    ruled = [at for at, line in enumerate(lines) if line.startswith("---")]
    layer, end = lines[ruled[0] - 1].index("layer"), lines[ruled[0] - 1].index(" line") - 1
    return [[line[:layer].rstrip(), line[layer:end].rstrip()] for line in lines[ruled[0] + 1 : ruled[1]]]


def row(made: Summary, start: str) -> list[str]:
    (found,) = (line for line in as_text(made).splitlines() if line.strip().startswith(start))
    return found.split()


def test_branches_stand_as_they_are_written() -> None:
    body = "stem: conv(8, 1)\n concat(split=true) { | a: relu\n b: tanh | | residual { c: conv(2, 1) } | { d: relu } }"
    assert table(summary(body)) == [
        ["stem", "conv(4 -> 8, 1)"],
        ["", "concat(split=true)"],
        ["| a", "relu"],
        ["  b", "tanh"],
        ["|", "passes on"],
        ["|", "residual"],
        ["    c", "conv(2 -> 2, 1)"],
        ["| 4", ""],
        ["    d", "relu"],
    ]


def test_a_join_shows_what_comes_out_of_it() -> None:
    made = summary("residual { conv(4, 3, padding=1) }")
    assert row(made, "residual") == ["residual", "4", "4x8x8", "3x3", "step", "1", "1.0", "KiB"]
    assert as_text(made).splitlines()[-1].startswith("Add, multiply, concat, residual: ")


def test_a_residual_that_is_switched_off_leaves_no_row() -> None:
    assert table(summary("residual(when=false) { relu }, tanh")) == [["0", "relu"], ["1", "tanh"]]


def test_side_outputs_are_marked_and_cost_nothing() -> None:
    made = summary("relu, aux { side: Head }, Head")
    (side,) = (layer for layer in made.layers if layer.placed.path == "side.1")
    assert (side.macs, side.counts.parameters, side.placed.side) == (0, 2570, True)
    assert (made.macs, made.parameters) == (2560, 5140)
    assert made.activation == 4 * (256 + 256 + 10)
    assert table(made)[1] == ["", "aux(weight=0.3)"]
    assert row(made, "side") == ["side", "Head", "4", "10", "2,570", "50.0%"]
    assert "Aux: runs only in training" in as_text(made)
    assert "Aux: " not in as_text(summary("relu"))


def test_joins_in_json() -> None:
    values = summary("{ add { | relu | { tanh } | } }, concat { | | }, aux { add { | | }, Head }", HEAD).as_dict()
    first, second, third = values["joins"]
    assert first == {
        "module": "0",
        "kind": "add",
        "file": "test",
        "line": 4,
        "side": False,
        "after": "0.1.0",
        "output": [4, 8, 8],
        "receptive_field": {"size": [1, 1], "stride": [1, 1]},
        "activation_bytes": 1024,
    }
    assert (second["module"], second["kind"], second["after"], second["output"]) == ("", "concat", "0.1.0", [8, 8, 8])
    assert (third["kind"], third["side"]) == ("add", True)
    assert [layer["side"] for layer in values["layers"]] == [False, False, True, True]
    assert values["activation_bytes"] == 1024 * (1 + 1 + 1 + 2)


def test_markdown_has_joins_in_the_order_they_run() -> None:
    rows = [line for line in as_markdown(summary("a: { add { | relu | tanh } }, relu")).splitlines() if "| 4 |" in line]
    assert [line.split(" | ")[:2] for line in rows] == [
        ["| `a.0`", "relu"],
        ["| `a.1`", "tanh"],
        ["| `a`", "add"],
        ["| `1`", "relu"],
    ]


UNIT = "block Unit(width, p=0.1, act=relu) { conv(width, 3, padding=1), act, dropout(p) }\n"


@pytest.mark.parametrize(
    ("body", "groups"),
    [
        ("Unit(4), Unit(4), Unit(4), Unit(4)", [["0", "Unit(4, 0.1, relu)"], ["1 to 3", "3 more Unit"]]),
        ("u1: Unit(4), u2: Unit(4)", [["u1", "Unit(4, 0.1, relu)"], ["u2", "1 more Unit"]]),
        (
            "u1: Unit(4), u2: Unit(4), u3: Unit(4)",
            [["u1", "Unit(4, 0.1, relu)"], ["u2 to 3", "2 more Unit"]],
        ),
        (
            "a: Unit(4), b: Unit(4), c: Unit(4)",
            [["a", "Unit(4, 0.1, relu)"], ["b to c", "2 more Unit"]],
        ),
        (
            "Unit(4), Unit(8), Unit(8)",
            [["0", "Unit(4, 0.1, relu)"], ["1", "Unit(8, 0.1, relu)"], ["2", "1 more Unit"]],
        ),
        ("Unit(4), Unit(4, 0.2), Unit(4, 0.3)", [["0", "Unit(4, 0.1, relu)"], ["1 to 2", "2 more Unit"]]),
        ("Unit(4), relu, Unit(4)", [["0", "Unit(4, 0.1, relu)"], ["2", "Unit(4, 0.1, relu)"]]),
        ("{ Unit(4) }, { Unit(4) }", [["0", ""], ["  0", "Unit(4, 0.1, relu)"], ["1", ""]]),
    ],
)
def test_further_uses_of_a_block_are_gathered(body: str, groups: list[list[str]]) -> None:
    found = [pair for pair in table(summary(body, UNIT)) if "Unit" in pair[1] or not pair[1]]
    assert found[: len(groups)] == groups


def test_gathered_uses_are_summed_up() -> None:
    made = summary("Unit(4), Unit(4), Unit(4), residual { Unit(4), Unit(4) }, last: conv(4, 1)", UNIT)
    assert row(made, "1 to 2") == ["1", "to", "2", "2", "more", "Unit", "4", "4x8x8", *SUMS]
    assert made.layers[-1].placed.path == "last"
    assert row(made, "last")[-6:] == ["1,024", "11x11", "step", "1", "1.0", "KiB"]
    assert "More: further uses" in as_text(made)


SUMS = ["296", "38.9%", "18,432"]


def test_densenets_units_are_gathered_although_they_receive_more_and_more() -> None:
    unit = "block Dense(growth) { concat { | | conv(growth, 1) } }\n"
    groups = [pair for pair in table(summary("repeat 4 { Dense(2) }", unit)) if "Dense" in pair[1]]
    assert groups == [["0", "Dense(2)"], ["1 to 3", "3 more Dense"]]


def test_deep_names_are_cut_before_the_table_is_too_wide() -> None:
    deep = "a_very_long_label_of_a_submodule: { " * 4 + "conv(4, 3, padding=1, padding_mode=reflect)" + " }" * 4
    lines = as_text(summary(deep, shape="4x1000x1000")).splitlines()
    assert max(map(len, lines[:8])) == WIDTH
