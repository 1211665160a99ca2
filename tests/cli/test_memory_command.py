from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli import main

TINY = str(Path(__file__).resolve().parents[2] / "examples" / "tinycnn.cnn")


def run(*arguments):
    return CliRunner().invoke(main, ["memory", *arguments])


def test_the_settings_of_the_file_are_taken():
    result = run(TINY)
    assert result.exit_code == 0
    assert "TinyCNN: training on 128 x 3x32x32" in result.output
    assert "adamw" in result.output


def test_options_come_before_them():
    found = json.loads(
        run(TINY, "--batch", "4", "--optimizer", "sgd", "--precision", "bfloat16", "--format", "json").output
    )
    assert (found["batch"], found["optimizer"], found["precision"]) == (4, "sgd", "bfloat16")
    assert found["optimizer_state"] == 0
    assert found["peak"] == max(found["peaks"].values())
    assert sum(row["output_bytes"] + row["extra_bytes"] for row in found["layers"]) < found["kept_for_backward"]


def test_settings_can_be_set():
    assert json.loads(run(TINY, "--set", "train.ema=0.9", "--format", "json").output)["running_mean"] > 4_000_000
    assert (
        json.loads(run(TINY, "--set", "train.optimizer=sgd(momentum=0.9)", "--format", "json").output)["optimizer"]
        == "momentum"
    )


def test_what_fits():
    found = json.loads(run("zoo:vgg16", "--fits", "8GB", "--format", "json").output)
    assert found["limit"] == 8 << 30
    assert found["peak"] <= found["limit"]
    assert found["batch"] == found["largest_batch"] > 50
    assert "the largest batch that fits into 8.0 GiB is" in run("zoo:vgg16", "--fits", "8GB").output
    assert "not even one sample fits into 100.0 MiB" in run("zoo:vgg16", "--fits", "100MB").output


def test_all_rows_are_shown_when_asked_for():
    few, every = run("zoo:resnet50").output, run("zoo:resnet50", "--all").output
    assert "smaller ones (--all shows them)" in few
    assert every.count("\n") > 150 > few.count("\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fits", "8x"), "'8x' is no size; 8GB and 800MB are"),
        (("--fits", "0"), "'0' is no size"),
        (("--fits", "8GB", "--batch", "3"), "--fits looks for a batch, and --batch gives one"),
        (("--batch", "0"), "--batch"),
    ],
)
def test_wrong_use(arguments, said):
    result = run(TINY, *arguments)
    assert result.exit_code == 2
    assert said in result.output
