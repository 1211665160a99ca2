from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LENET = str(EXAMPLES / "lenet.cnn")


def run(*arguments):
    return CliRunner().invoke(main, ["field", *arguments])


def test_a_layer_is_told_and_drawn():
    result = run("zoo:resnet18", "layer1")
    assert result.exit_code == 0
    assert "sees rows 91 to 133, columns 91 to 133 of 224x224: 3.7% of the input" in result.output
    assert "█" in result.output


def test_the_table_is_shown_without_a_layer():
    result = run("zoo:resnet18")
    assert result.exit_code == 0
    assert "435x435 step 32" in result.output


def test_json():
    one = json.loads(run("zoo:vgg16", "features", "--format", "json").output)
    assert (one["receptive_field"], one["offset"]) == ({"size": [212, 212], "stride": [32, 32]}, [-90, -90])
    every = json.loads(run("zoo:vgg16", "--format", "json").output)
    assert [each["receptive_field"] for each in every if each["name"] == "avgpool"] != [[]]


def test_a_picture_is_written(tmp_path):
    picture = tmp_path / "field.svg"
    assert run(LENET, "--svg", str(picture)).exit_code == 2
    assert run(LENET, "0", "--svg", str(picture), "--at", "0,0").exit_code == 0
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "no layer of LeNet is named nowhere"),
        (("0", "--at", "99,0"), "which has no place 99,0"),
        (("0", "--at", "a"), "--at takes numbers"),
        (("--at", "1,1"), "are about one LAYER"),
    ],
)
def test_wrong_use(arguments, said):
    result = run(LENET, *arguments)
    assert result.exit_code == 2
    assert said in result.output
