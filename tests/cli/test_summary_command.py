from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from cnnspec.cli import main

ROOT = Path(__file__).resolve().parents[2]
TINYCNN3 = str(ROOT / "examples" / "tinycnn3.cnn")


def summary(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["summary", *arguments], input=stdin)


def test_three_formats() -> None:
    assert "814,122" in summary(TINYCNN3).output
    assert "| `features.0.0` |" in summary(TINYCNN3, "--format", "markdown").output
    values = json.loads(summary(TINYCNN3, "--format", "json").output)
    assert values["parameters"] == 814_122
    assert values["layers"][0]["name"] == "features.0.0"


def test_parameters_and_input_can_be_overridden() -> None:
    text = Path(TINYCNN3).read_text(encoding="utf-8").replace("assert parameters == 814_122", "")
    text = text.partition("train {")[0]
    assert "-> 100\n" in summary("-", "--set", "classes=100", stdin=text).output


def test_a_faulty_spec_is_explained() -> None:
    done = summary(str(ROOT / "docs" / "faulty" / "lenet.cnn"))
    assert done.exit_code == 1
    assert "E301" in done.output


def test_wrong_usage() -> None:
    assert summary("nowhere.cnn").exit_code == 2
    assert summary(TINYCNN3, "--format", "html").exit_code == 2
    two = "model A {\n  input 1x8x8\n  relu\n}\nmodel B {\n  input 1x8x8\n  relu\n}\n"
    several = summary("-", stdin=two)
    assert several.exit_code == 2
    assert "A" in several.output
    assert "B" in several.output
    assert summary("-", "--model", "B", stdin=two).output.startswith("B: ")
