"""`%%cnn` and what notebooks show, in the shell that notebooks run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from IPython.core.interactiveshell import InteractiveShell

import cnnspec
from cnnspec.report.drawing import MOST_BOXES, draw
from cnnspec.report.drawing.svg import as_svg
from cnnspec.report.html import network_html
from cnnspec.report.summary import summarize

NET = "model Net(classes=10) {\n  input 1x8x8\n  conv(4, 3), relu\n  flatten, linear(classes)\n}\n"
FAULTY = NET.replace("linear(classes)", "linear(99 -> classes)")


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "cnnspec.notebook")
    yield shell
    InteractiveShell.clear_instance()


def shown(shell: InteractiveShell, value: Any) -> dict[str, str]:
    assert shell.display_formatter
    formats, _ = shell.display_formatter.format(value)
    return dict(formats)


def elements(html: str) -> ElementTree.Element:
    """The HTML, which is well-formed."""
    return ElementTree.fromstring(f"<html>{html}</html>")


def test_a_cell_binds_its_network(shell: InteractiveShell) -> None:
    value = shell.run_cell_magic("cnn", "net", NET)
    assert shell.user_ns["net"].parameters == cnnspec.load(cnnspec.text(NET)).parameters
    formats = shown(shell, value)
    assert "Net: 1x8x8 -&gt; 10" in formats["text/html"]
    assert "conv(1 -&gt; 4, 3)" in formats["text/html"]
    assert "bound to net" in formats["text/plain"]
    assert str(cnnspec.summary(shell.user_ns["net"])) in formats["text/plain"]
    elements(formats["text/html"])


def test_without_a_name_each_network_has_its_own(shell: InteractiveShell) -> None:
    shell.run_cell_magic("cnn", "", NET + "model small = Net(2)\n")
    assert (shell.user_ns["Net"].output.sizes, shell.user_ns["small"].output.sizes) == ((10,), (2,))


def test_a_faulty_cell_shows_its_faults(shell: InteractiveShell) -> None:
    shell.user_ns.pop("net", None)
    value = shell.run_cell_magic("cnn", "net", FAULTY)
    formats = shown(shell, value)
    assert "net" not in shell.user_ns
    assert "linear is written for 99 features, but 144 arrive" in formats["text/plain"]
    assert "error[E301]" in formats["text/html"]
    assert "linear(99 -&gt; classes)" in formats["text/html"]
    assert "1 error: nothing is bound" in formats["text/html"]
    elements(formats["text/html"])


@pytest.mark.parametrize(
    ("line", "cell", "message"),
    [("two words", NET, "is none"), ("net", NET + "model small = Net(2)\n", "several models: Net, small")],
)
def test_wrong_usage(
    shell: InteractiveShell, line: str, cell: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell(f"%%cnn {line}\n{cell}")
    printed = "".join(capsys.readouterr())
    assert message in printed
    assert "Traceback" not in printed


def test_networks_summaries_and_checks_show_themselves(shell: InteractiveShell) -> None:
    network = cnnspec.load(cnnspec.text(NET))
    assert "<svg" in shown(shell, network)["text/html"]
    assert "<table>" in shown(shell, cnnspec.summary(network))["text/html"]
    assert "error[E301]" in shown(shell, cnnspec.check(cnnspec.text(FAULTY)))["text/html"]
    assert "Network Net: 1x8x8 -&gt; 10" in shown(shell, cnnspec.check(cnnspec.text(NET)))["text/html"]


def test_an_error_is_shown_without_a_traceback(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns["faulty"] = cnnspec.text(FAULTY)
    shell.run_cell("import cnnspec\ncnnspec.load(faulty)")
    printed = "".join(capsys.readouterr())
    assert "linear is written for 99 features" in printed
    assert "Traceback" not in printed
    assert "cnnspec.load(faulty)" not in printed


def test_import_in_a_notebook_is_enough() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S\nshell = S.instance()\nimport cnnspec\n"
        f"net = cnnspec.load(cnnspec.text({NET!r}))\nprint(shell.display_formatter.format(net)[0]['text/html'][:4])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "<svg\n", done.stderr


# ---------------------------------------------------------------------------------------------------- table, picture


@pytest.mark.parametrize("name", ["zoo:resnet18", "zoo:googlenet", "zoo:densenet121", "zoo:mobilenet_v3_large"])
def test_networks_with_branches(name: str) -> None:
    network = cnnspec.load(name)
    page = elements(network_html(network))
    drawing = next(iter(page))
    boxes = [each for each in drawing.iter() if each.tag.endswith("rect")]
    texts = [each.text for each in drawing.iter() if each.tag.endswith("text")]
    assert 3 < len(boxes) <= 3 * MOST_BOXES
    assert str(network.input) in texts
    assert str(network.output) in texts
    assert texts[0] == "input"
    assert texts[-1] == "output"
    cells = [cell.text for cell in page.iter("td")]
    assert any("conv" in (cell or "") for cell in cells)


def test_boxes_and_the_shapes_between() -> None:
    drawing = elements(as_svg(draw(cnnspec.load(cnnspec.text(NET)))))
    texts = [each.text for each in drawing.iter() if each.tag.endswith("text")]
    inside = ["3x3 conv, 4", "relu", "4x6x6", "flatten", "144", "linear 10"]
    assert texts == ["input", "1x8x8", *inside, "10", "output"]


def test_a_row_for_each_row_of_the_text() -> None:
    summary = summarize(cnnspec.load("zoo:resnet18"))
    text = str(summary).split("\n")
    rule = next(line for line in text if line.startswith("---"))
    first, last = text.index(rule), len(text) - 1 - text[::-1].index(rule)
    rows = list(elements(summary._repr_html_()).iter("tr"))
    assert len(rows) - 1 == last - first - 1
