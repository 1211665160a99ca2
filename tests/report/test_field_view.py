from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from cnnspec.network import load
from cnnspec.report.field_table import NoPlace, NoSuchLayer, as_dicts, as_text, full_name, view_of
from cnnspec.report.field_view import drawing, frame, svg, words
from cnnspec.source import Source


def network(body, shape="1x8x8"):
    return load(Source("<test>", f"model Test {{\n  input {shape}\n  {body}\n}}\n"))


def told(body, name, at=None, shape="1x8x8"):
    return list(words(view_of(network(body, shape), name, at)))


def test_words_about_a_corner():
    assert told("a: conv(1, 3, padding=1)", "a", (0, 0)) == [
        "sees rows 0 to 1, columns 0 to 1 of 8x8: 6.2% of the input",
        "size 3x3: the next field is 1 further; the first field starts at -1, -1",
        "56% of this field lies in the padding around the input",
        "centred: the fields of this map lie evenly about the middle of the input",
    ]


def test_words_about_what_is_off_centre_and_apart():
    found = told("add { | avgpool(2) | conv(1, 3, stride=2, padding=1) }, last: relu", "last")
    assert found[-2:] == [
        "not centred: the fields of this map, taken together, lie 0.5 up and 0.5 to the left off the middle of the "
        "input",
        "branches that join see places whose middles lie up to 0.5 apart",
    ]


@pytest.mark.parametrize(
    ("body", "shape", "first"),
    [
        ("last: adaptive_avgpool(1)", "1x8x8", "sees all of the input, 8x8"),
        ("flatten, last: linear(2)", "1x8x8", "sees all of the input, 8x8"),
        ("last: linear(2)", "20", "the input is a vector, of which all is seen"),
        ("last: conv(1, 2, dilation=2)", "1x8", "sees places 3 to 5 of 8, 2 of 3 values there: 25.0% of the input"),
        ("last: conv_transpose(1, 1, stride=2)", "1x8", "sees nothing of the input"),
    ],
)
def test_what_is_seen(body, shape, first):
    assert told(body, "last", shape=shape)[0] == first


def test_the_drawing():
    view = view_of(network("a: conv(1, 3, padding=1)", "1x4x4"), "a", (0, 1))
    assert drawing(view) == ["░░░░░░", "██████··", "██████··", "········", "········"]
    assert (frame(view).corner, frame(view).height) == ((-1, 0), 5)


def test_the_drawing_of_a_sequence():
    view = view_of(network("a: conv(1, 3, dilation=2)", "1x9"), "a", (2,))
    assert drawing(view) == ["··█·█·█··"]


def test_a_large_input_is_drawn_smaller():
    view = view_of(network("a: conv(1, 9, stride=8)", "1x400x400"), "a")
    lines = drawing(view)
    assert max(map(len, lines)) <= 72
    assert {"▓", "·"} >= set("".join(lines)) - {"█"}


def test_svg_holds_what_is_seen():
    view = view_of(network("a: conv(1, 2, dilation=2, padding=1)", "1x4x4"), "a", (0, 0))
    root = ET.fromstring(svg(view))
    space = "{http://www.w3.org/2000/svg}"
    seen = [rect.attrib for rect in root.iter(f"{space}rect") if rect.get("fill") == "#3182bd"]
    assert [[rect[key] for key in ("x", "y", "width", "height")] for rect in seen] == [["1", "1", "1", "1"]]
    texts = [text.text for text in root.iter(f"{space}text")]
    assert texts == ["Test: what a (1x4x4) sees at 0, 0", *words(view)]


def test_names():
    net = network("part: { one: relu, two: { relu } }, other: { one: relu }")
    assert [full_name(net, name) for name in ("part", "two", "part.two.0", "0")] == [
        "part",
        "part.two",
        "part.two.0",
        "part.two.0",
    ]
    with pytest.raises(NoSuchLayer) as raised:
        full_name(net, "one")
    assert (str(raised.value), raised.value.notes) == ("2 layers of Test are named one", ("part.one, other.one",))
    with pytest.raises(NoSuchLayer) as raised:
        full_name(net, "othr")
    assert raised.value.notes == ("there is other, other.one",)


def test_a_group_shows_the_field_behind_it():
    net = network("part: { residual { conv(1, 3, padding=1) } }, flatten, linear(2)")
    assert view_of(net, "part").field.size == (3, 3)


def test_a_place_that_is_not_there():
    with pytest.raises(NoPlace, match="a gives 1x6x6, which has no place 0,6; places go up to 5,5"):
        view_of(network("a: conv(1, 3)"), "a", (0, 6))
    with pytest.raises(NoPlace, match="a gives a vector of 64"):
        view_of(network("a: flatten"), "a", (0, 6))


def test_the_table():
    net = network("conv(1, 3, stride=2, padding=1), add { | conv(1, 3, padding=1) | avgpool(2), upsample(2) }")
    (line,) = (line.split() for line in as_text(net).splitlines() if line.split()[:1] == ["add"])
    assert line == ["add", "1x4x4", "7x7", "step", "2", "-3", "-0.5", "1"]
    found = as_dicts(net)
    assert [each["kind"] for each in found] == ["conv", "conv", "avgpool", "upsample", "add"]
    assert found[0]["offset"] == [-1, -1]
    assert found[0]["off_centre"] == [-0.5, -0.5]
    assert found[-1]["branches_apart"] == 1.0
