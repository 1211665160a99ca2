"""Drawings: what is in them, how they are folded, and that each form of output is well made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from cnnspec import load, text, zoo
from cnnspec.cli import main
from cnnspec.network import Network
from cnnspec.report.drawing import MOST_BOXES, Box, Chain, Drawing, Element, Fork, Frame, _count, draw
from cnnspec.report.drawing.dot import as_dot
from cnnspec.report.drawing.flow import Cluster, Vertex, flow
from cnnspec.report.drawing.mermaid import as_mermaid
from cnnspec.report.drawing.svg import as_svg

ROOT = Path(__file__).resolve().parents[2]
SOME = [
    "zoo:resnet18",
    "zoo:googlenet",
    "zoo:densenet121",
    "zoo:mobilenet_v3_small",
    "zoo:vgg11_bn",
    "zoo:squeezenet1_0",
]
EXAMPLES = ["lenet", "unet", "tinycnn3", "gated_mlp", "mlp"]
NET = """model Net {
  input 3x8x8
  stem: conv(8, 3, padding=1), batchnorm, relu
  body: {
    add { | conv(8, 3, padding=1) | identity }
    aux { flatten, linear(10) }
    residual { part: { conv(8, 1), relu } }
  }
  maxpool(2), flatten, linear(10)
}
"""


def elements(chain: Chain) -> Iterator[Element]:
    for element in chain:
        yield element
        if not isinstance(element, Box):
            for inside in (element.inside,) if isinstance(element, Frame) else element.branches:
                yield from elements(inside)


def boxes(drawing: Drawing) -> list[tuple[str, ...]]:
    return [each.lines for each in elements(drawing.chain) if isinstance(each, Box)]


def vertices(items: tuple[Vertex | Cluster, ...]) -> Iterator[Vertex]:
    for item in items:
        if isinstance(item, Vertex):
            yield item
        else:
            yield from vertices(item.inside)


@pytest.fixture(scope="module", params=[*SOME, *EXAMPLES])
def network(request: pytest.FixtureRequest) -> Network:
    name = request.param
    return load(name if name.startswith("zoo:") else ROOT / "examples" / f"{name}.cnn")


def test_it_fits_a_page(network: Network) -> None:
    drawing = draw(network)
    assert _count(drawing.chain) <= max(MOST_BOXES, _count(draw(network, depth=0).chain)) + 1


@pytest.mark.parametrize("depth", [None, 0, 9])
def test_every_form_is_well_made(network: Network, depth: int | None) -> None:
    drawing = draw(network, depth=depth)
    ElementTree.fromstring(as_svg(drawing))
    whole = flow(drawing)
    names = {vertex.name for vertex in vertices(whole.inside)}
    assert {edge.start for edge in whole.edges} | {edge.end for edge in whole.edges} == names
    dot, mermaid = as_dot(drawing), as_mermaid(drawing)
    assert dot.count("{") == dot.count("}")
    assert len(re.findall(r"^  n\d+ -> n\d+", dot, re.MULTILINE)) == len(whole.edges)
    assert len(re.findall(r"^  n\d+ -\.?->", mermaid, re.MULTILINE)) == len(whole.edges)
    assert len(re.findall(r"^ *subgraph ", mermaid, re.MULTILINE)) == len(re.findall(r"^ *end$", mermaid, re.MULTILINE))


def test_all_that_learns_is_drawn_when_all_is_open() -> None:
    network = load(ROOT / "examples" / "unet.cnn")
    drawn = [lines for lines in boxes(draw(network, depth=9)) if "conv" in lines[0]]
    assert len(drawn) == sum("conv" in placed.layer.word for placed in network.layers)


def test_branches_residuals_and_sides() -> None:
    drawing = draw(load(text(NET)), depth=9)
    forks = [each for each in elements(drawing.chain) if isinstance(each, Fork)]
    assert [(fork.kind, [len(branch) for branch in fork.branches]) for fork in forks] == [
        ("add", [1, 0]),
        ("aux", [2]),
        ("add", [1, 0]),
    ]
    assert boxes(drawing)[:2] == [("3x3 conv, 8", "batchnorm, relu"), ("3x3 conv, 8",)]
    (dashed,) = [edge for edge in flow(drawing).edges if edge.dashed]
    assert dashed.label == "8x8x8"


def test_folding() -> None:
    network = load("zoo:resnet50")
    folded = draw(network, depth=0)
    assert [each.name for each in folded.chain if isinstance(each, Box) and each.kind == "group"] == [
        "layer1",
        "layer2",
        "layer3",
        "layer4",
    ]
    opened = draw(network, depth=0, open=["layer3"])
    (frame,) = [each for each in opened.chain if isinstance(each, Frame)]
    assert [(each.lines, each.times) for each in frame.inside if isinstance(each, Box)] == [
        (("Bottleneck(256, stride=2)",), 1),
        (("Bottleneck(256)",), 5),
    ]
    with pytest.raises(ValueError, match="there is no group layer9 in resnet50"):
        draw(network, open=["layer9"])


def test_an_opened_block_stands_only_for_those_like_it() -> None:
    """The first Bottleneck of layer1 has a downsample, the other two have none."""
    drawing = draw(load("zoo:resnet50"), depth=0, open=["layer1.0", "layer1.1"])
    frames = [each for each in elements(drawing.chain) if isinstance(each, Frame) and each.text == "Bottleneck(64)"]
    assert [frame.times for frame in frames] == [1, 2]


def test_names_are_escaped() -> None:
    drawing = Drawing('a "b" <c>', load(text(NET)).input, (Box("plain", '"<&', ("x",), load(text(NET)).output),))
    assert "#quot;#lt;#amp;" in as_mermaid(drawing)
    assert '\\"<&' in as_dot(drawing)
    assert "&lt;&amp;" in as_svg(drawing)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["draw", "examples/lenet.cnn", *arguments], prog_name="cnnspec")
        return result.exit_code, result.output

    for name, start in (("a.svg", "<svg "), ("a.mmd", "---\ntitle: 'LeNet"), ("a.dot", 'digraph "LeNet')):
        assert run("-o", str(tmp_path / name)) == (0, "")
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert run("--format", "dot")[1].startswith("digraph")
    assert "prefers-color-scheme" not in run("--print")[1]
    assert run("-o", "a.png")[0] == 2
    assert "there is no group x in LeNet" in run("--open", "x")[1]
    assert "cannot be written" in run("-o", str(tmp_path / "none" / "a.svg"))[1]


def test_all_of_the_zoo_is_drawn() -> None:
    for name in zoo.names()[::9]:
        assert as_svg(draw(load(f"zoo:{name}"), depth=1)).endswith("</svg>\n")
