"""`zoo:resnet50` wherever a file can be given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from published import table

import cnnspec
from cnnspec import zoo
from cnnspec.cli import main
from cnnspec.cli.common import FILE


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zoo is found from any folder."""
    monkeypatch.chdir(tmp_path)


def test_the_python_api_takes_the_name() -> None:
    network = cnnspec.load("zoo:resnet50")
    assert (network.name, network.parameters) == ("resnet50", 25_557_032)
    assert [n.name for n in cnnspec.check("zoo:resnet50").networks] == ["resnet50"]
    assert cnnspec.summary("zoo:resnet18").network.name == "resnet18"
    assert "class" in cnnspec.emit("zoo:squeezenet1_1")
    assert cnnspec.load("zoo:resnet18", set={"classes": 10}, input="3x32x32").output.sizes == (10,)


def test_commands_take_the_name() -> None:
    checked = run("check", "zoo:vgg16", "zoo:vgg16_bn")
    assert checked.exit_code == 0, checked.output
    assert "zoo:vgg16: vgg16 is right: 3x224x224 -> 1000, 138,357,544 parameters" in checked.output
    assert "11,689,512" in run("summary", "zoo:resnet18").output
    assert run("emit", "zoo:resnet18").output.startswith('"""')


def test_a_family_can_be_given_its_parameters() -> None:
    wider = cnnspec.load("zoo:mobilenet_v2", set={"width": 1.4})
    assert wider.parameters == 6_108_776  # of torchvision's mobilenet_v2(width_mult=1.4)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet51", "there is no resnet51 in the zoo; did you mean resnet50, resnet18, resnet152?"),
        ("resnet", "there is no resnet in the zoo; did you mean resnet18, resnet34, resnet50? cnnspec zoo lists what"),
        ("VGG19_b", "did you mean vgg19_bn? cnnspec zoo"),
        ("zebra", "there is no zebra in the zoo; cnnspec zoo lists what there is"),
        ("", "there is no network without a name in the zoo; cnnspec zoo lists what there is"),
    ],
)
def test_an_unknown_name_is_wrong_usage(name: str, message: str) -> None:
    for command in ("check", "summary", "emit", "train"):
        refused = run(command, f"zoo:{name}")
        assert refused.exit_code == 2
        assert message in refused.output
    with pytest.raises(cnnspec.UsageFault, match="in the zoo"):
        cnnspec.load(f"zoo:{name}")


def test_a_fault_is_shown_in_the_file_of_the_zoo() -> None:
    refused = run("check", "zoo:alexnet", "--input", "3x20x20")
    assert refused.exit_code == 1
    assert f"{zoo.models()['alexnet']}:" in refused.output


def test_another_input_is_not_measured_by_the_predictions() -> None:
    """`-> 64x56x56` is said of 224x224."""
    assert run("check", "zoo:resnet50", "--input", "3x64x64").exit_code == 0


def test_the_list() -> None:
    listed = run("zoo", "--format", "json")
    assert listed.exit_code == 0, listed.output
    networks = {entry["name"]: entry for entry in json.loads(listed.output)}
    assert {name: entry["parameters"] for name, entry in networks.items()} == {
        name: entry["parameters"] for name, entry in table().items()
    }
    assert round(networks["resnet50"]["macs"] / 1e9, 3) == 4.089
    lines = run("zoo").output.splitlines()
    assert len(lines) == 70
    assert any(line.split() == ["resnet50", "3x224x224", "25,557,032", "4,089", "resnet.cnn"] for line in lines)
    assert run("zoo", "--format", "markdown").output.startswith("| network |")


def test_shells_complete_the_name() -> None:
    def offered(incomplete: str) -> list[str]:
        return [item.value for item in FILE.shell_complete(None, None, incomplete)]  # type: ignore[arg-type]

    assert offered("zoo:vgg19") == ["zoo:vgg19", "zoo:vgg19_bn"]
    assert len(offered("zo")) == 68
    assert offered("") == [""]


def test_a_network_of_the_zoo_can_be_trained() -> None:
    settings = ["train.data=random(shape=3x32x32, classes=3, samples=16)", "train.epochs=1", "classes=3"]
    options = [option for setting in settings for option in ("--set", setting)]
    trained = run("train", "zoo:squeezenet1_1", "--input", "3x32x32", *options, "--out", "run")
    assert trained.exit_code == 0, trained.output
    again = run("eval", "run")
    assert again.exit_code == 0, again.output


def test_a_file_uses_files_not_the_zoo() -> None:
    Path("mine.cnn").write_text('use "zoo:resnet50"\n\nmodel M {\n  input 3\n  linear(2)\n}\n', encoding="utf-8")
    assert [fault.code for fault in cnnspec.check("mine.cnn").errors] == ["E403"]
