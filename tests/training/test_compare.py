from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cnnspec
from cnnspec.cli import main
from cnnspec.network import load
from cnnspec.source import Source
from cnnspec.training import BadRun, Epoch, Run
from cnnspec.training.compare import Comparison, compare
from cnnspec.training.compare_curves import PALETTE, _highest_loss, picture
from cnnspec.training.config import Config, spelled
from cnnspec.training.differences import changes, differing, layers_of
from cnnspec.training.record import sum_of_spec

PLAIN = """model Tiny(classes=10, width=4) {
  input 1x8x8
  conv(width, 3, padding=1), relu, maxpool(2)
  flatten
  linear(classes)
}
"""
NORM = PLAIN.replace("padding=1), relu", "padding=1), batchnorm, relu")
MLP = "model Mlp(classes=10) {\n  input 1x8x8\n  flatten, linear(12), relu, linear(classes)\n}\n"

Make = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """The folder of a run that never ran: `made("a", lr=0.1, accuracies=[0.5, 0.9], test=0.8)`."""
    monkeypatch.chdir(tmp_path)

    def make(
        name: str,
        spec: str = PLAIN,
        *,
        accuracies: tuple[float, ...] = (0.5, 0.9),
        test: float | None = 0.8,
        status: str | None = "finished",
        test_sum: str = "t",
        training_sum: str = "",
        **settings: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "spec.cnn").write_text(spec)
        source = Source(str(folder / "spec.cnn"), spec)
        network = load(source, set={f"train.{key}": value for key, value in settings.items()}, train=True)
        recipe = network.recipe
        assert recipe is not None
        values = {parameter.name: getattr(recipe, field) for field, parameter in recipe.parameters().items()}
        train = {key: value if isinstance(value, str) else spelled(value) for key, value in values.items()}
        sums = {"training": training_sum or f"seed {train['seed']}", "test": test_sum}
        config = Config.model_validate(
            {
                "model": network.name,
                "arguments": {key: spelled(value) for key, value in network.arguments.items()},
                "input": str(network.input),
                "parameters": network.parameters,
                "classes": list("0123456789"),
                "train": train,
                "spec": sum_of_spec(source),
                "data_dir": None,
                "device": "cpu",
                "loss": "cross entropy",
                "samples": {
                    "train": 90, "validation": 10, "test": 20, "bytes": True, "mean": [0.3], "std": [0.4], "sums": sums,
                },
            }
        )  # fmt: skip
        (folder / "config.json").write_text(config.model_dump_json())
        history = [
            Epoch(number, 0.1, 2.0 / number, accuracy, 1.0 / number, accuracy, None, None, 1.5)
            for number, accuracy in enumerate(accuracies, 1)
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(asdict(epoch)) + "\n" for epoch in history))
        if status:
            best = max(history, key=lambda epoch: epoch.validation_accuracy or 0, default=None)
            result = {
                "status": status,
                "fault": "" if status == "finished" else f"{status} in epoch 3",
                "epochs": len(history),
                "best_epoch": best.epoch if best else None,
                "best_epoch_chosen_by": "",
                "test": {"weights": "best", "epoch": best.epoch, "loss": 0.5, "accuracy": test}
                if best and test and status == "finished"
                else None,
                "test_accuracy_mean_of_last_three_epochs": None,
                "reading": {"verdict": "healthy", "because": [], "advice": []},
                "training_seconds": 3.0,
                "seconds": 4.0,
            }
            (folder / "result.json").write_text(json.dumps(result))
        return folder

    return make


def cnnspec_compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], catch_exceptions=False)


def told(found: Comparison) -> dict[str, dict[str, list[str]]]:
    return found.differences


def test_one_setting_differs(made: Make) -> None:
    found = compare([made("a"), made("b", augment="[flip]")])
    assert told(found) == {"augment": {"[]": ["a"], "[flip(p=0.5, alternate=false)]": ["b"]}}
    assert found.layers == ()
    assert found.equal["batch"] == "128"
    assert "augment" not in found.equal


def test_of_one_word_only_its_arguments_differ(made: Make) -> None:
    runs = [made("a", optimizer="sgd(lr=0.1, momentum=0.9)"), made("b", optimizer="sgd(lr=0.2, momentum=0.9)")]
    assert told(compare(runs)) == {"optimizer lr": {"0.1": ["a"], "0.2": ["b"]}}
    assert set(told(compare([*runs, made("c", optimizer="adam")]))) == {"optimizer"}
    assert differing([{"data": 'csv(path="a(1), b=2")'}, {"data": 'csv(path="c")'}])


def test_batchnorm_is_told_as_a_layer(made: Make) -> None:
    found = compare([made("plain"), made("norm", NORM), made("norm-lr", NORM, batch=64)])
    (change,) = found.layers
    assert change.rows == ("norm", "norm-lr")
    assert change.words == ("with batchnorm behind conv(1 -> 4, 3, padding=1)",)
    backwards = compare([Path("norm"), Path("plain")])
    assert backwards.layers[0].words == ("without batchnorm behind conv(1 -> 4, 3, padding=1)",)
    assert told(backwards) == {"parameters": {"698": ["norm"], "690": ["plain"]}}


def test_a_convolutional_network_against_an_mlp(made: Make) -> None:
    found = compare([made("cnn"), made("mlp", MLP)])
    assert found.layers[0].words == (
        "another network, flatten, linear(64 -> 12), relu, linear(12 -> 10) instead of "
        "conv(1 -> 4, 3, padding=1), relu, maxpool(2), flatten, linear(64 -> 10)",
    )
    assert told(found)["argument width"] == {"4": ["cnn"], "-": ["mlp"]}


def test_changes_are_said_once_with_their_places() -> None:
    base = ["conv(8)", "relu", "conv(16)", "relu", "linear(10)"]
    normed = ["conv(8)", "batchnorm", "relu", "conv(16)", "batchnorm", "relu", "linear(10)"]
    assert changes(base, normed) == ["with batchnorm behind conv(8) and conv(16)"]
    assert changes(base, ["conv(8)", "gelu", "conv(16)", "gelu", "linear(10)"]) == [
        "with gelu instead of relu, in 2 places"
    ]
    assert changes(base, ["dropout", *base]) == ["with dropout behind the input"]
    assert changes(base, base) == []


def test_other_branches_of_the_same_layers(made: Make) -> None:
    inside = "  residual { linear(4), relu, linear(4) }\n"
    outside = "  linear(4)\n  residual { relu, linear(4) }\n"
    specs = [f"model M {{\n  input 4\n{body}}}\ntrain {{ data: circles }}\n" for body in (inside, outside)]
    networks = [load(cnnspec.text(spec.replace("train { data: circles }\n", ""))) for spec in specs]
    assert layers_of(networks[0]) == layers_of(networks[1])
    digits = [PLAIN.replace("  linear(classes)", f"  linear(4)\n{body}  linear(classes)") for body in (inside, outside)]
    found = compare([made("in", digits[0]), made("out", digits[1])])
    assert found.layers[0].words == ("the same layers, with other branches",)


def test_seeds_are_one_row(made: Make) -> None:
    runs = [made(f"tiny-{seed}", seed=seed, test=test) for seed, test in enumerate((0.7, 0.8, 0.9))]
    found = compare([*runs, made("norm", NORM)])
    assert [row.name for row in found.rows] == ["tiny-0,1,2", "norm"]
    test = found.rows[0].figures["test_accuracy"]
    assert test is not None
    assert [test.mean, test.spread] == pytest.approx([0.8, 0.1])
    assert found.rows[1].figures["test_accuracy"].spread is None  # type: ignore[union-attr]
    assert told(found)["seed"] == {"0, 1, 2": ["tiny-0,1,2"], "0": ["norm"]}
    printed = cnnspec_compare(*runs, "norm").stdout
    assert "80.0 ± 10.0 %" in printed
    assert "tiny-1 (seed 1, 80.0 %)" in printed


def test_what_is_no_other_seed_is_another_row(made: Make) -> None:
    first = made("first")
    for other in (
        made("again"),  # the same seed says nothing of what seeds do
        made("batch", seed=1, batch=64),
        made("norm", NORM, seed=1),
        made("stopped", seed=1, status="interrupted"),
        made("running", seed=1, status=None),
    ):
        assert len(compare([first, other]).rows) == 2
    assert len(compare([first, made("commented", f"# the same\n{PLAIN}", seed=1)]).rows) == 1
    assert "nothing: the same configuration and the same seed" in cnnspec_compare(first, "again").stdout


def test_a_run_given_twice_counts_once(made: Make) -> None:
    folder = made("a")
    assert len(compare([folder, f"{folder}/"]).runs) == 1
    assert "there is one kind of run" in cnnspec_compare(folder).stdout


def test_runs_that_did_not_finish(made: Make) -> None:
    made("done")
    made("stopped", status="interrupted", batch=64, epochs=9)
    made("broken", status="diverged", accuracies=())
    made("running", status=None)
    printed = cnnspec_compare("done", "stopped", "broken", "running", "--out", "all.png")
    assert printed.exit_code == 0
    assert "2 of 9" in printed.stdout
    assert "stopped was interrupted: interrupted in epoch 3" in printed.stdout
    assert "broken diverged: diverged in epoch 3" in printed.stdout
    assert "running has not ended: it is still running, or was killed" in printed.stdout
    assert Path("all.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_no_run_is_left_out(made: Make) -> None:
    made("a")
    made("b", batch=64)
    Path("empty").mkdir()
    printed = cnnspec_compare("a", "b", "empty", "absent")
    assert printed.exit_code == 1
    assert "batch: 128 in a; 64 in b" in printed.stdout
    assert "error: empty is not the folder of a run: it holds no config.json" in printed.stderr
    assert "error: there is no folder absent" in printed.stderr
    nothing = cnnspec_compare("empty", "absent")
    assert nothing.exit_code == 2
    assert nothing.stdout == ""
    with pytest.raises(BadRun):
        compare(["absent"])
    with pytest.raises(BadRun, match="no run to compare"):
        compare([])


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("config.json", "{", "config.json is damaged"),
        ("result.json", "{}", "result.json is damaged: status: Field required"),
        ("metrics.jsonl", "nonsense\n", "metrics.jsonl is damaged"),
        ("metrics.jsonl", "", "metrics.jsonl is damaged: it holds 0 of 2 epochs"),
    ],
)
def test_damaged_runs_are_left_out(made: Make, file: str, text: str, fault: str) -> None:
    made("good")
    (made("bad") / file).write_text(text)
    printed = cnnspec_compare("good", "bad")
    assert printed.exit_code == 1
    assert fault in printed.stderr
    assert "good" in printed.stdout
    assert "bad" not in printed.stdout


def test_settings_that_are_missing(made: Make) -> None:
    """One that came later is one that was left out; one that was always there is damage."""
    folder = made("old")
    made("new")
    config = json.loads((folder / "config.json").read_text())
    del config["train"]["clip"]
    (folder / "config.json").write_text(json.dumps(config))
    assert told(compare(["old", "new"])) == {}
    del config["train"]["seed"]
    (folder / "config.json").write_text(json.dumps(config))
    assert compare(["old", "new"]).left_out == ("old/config.json is damaged: train holds no seed",)


def test_a_spec_that_has_changed(made: Make) -> None:
    made("a")
    folder = made("b", batch=64)
    (folder / "spec.cnn").write_text(NORM)
    found = compare(["a", "b"])
    assert found.layers == ()
    assert found.notes == ("b/spec.cnn has changed since b was trained; its layers are not compared",)
    (folder / "spec.cnn").unlink()
    assert compare(["a", "b"]).notes == ("the spec of b cannot be read any more; its layers are not compared",)


def test_different_data(made: Make) -> None:
    mnist = PLAIN.replace("1x8x8", "1x28x28")
    made("digits")
    made("mnist", mnist, data="mnist")
    printed = cnnspec_compare("digits", "mnist")
    assert printed.exit_code == 1
    assert "error: the runs were not measured on the same test samples: digits on digits; mnist on mnist" in (
        printed.stderr
    )
    assert "data: digits(pad=0, resize=false) in digits; mnist(pad=0, resize=false) in mnist" in printed.stdout
    padded = made("padded", PLAIN.replace("1x8x8", "1x12x12"), data="digits(pad=2)", test_sum="other")
    assert compare(["digits", padded]).different_data == ""
    assert told(compare(["digits", padded]))["data pad"] == {"0": ["digits"], "2": ["padded"]}


def test_data_that_changed_in_between(made: Make) -> None:
    made("before")
    made("after", batch=64, training_sum="other")
    (note,) = compare(["before", "after"]).notes
    assert note == "the training samples of after are not those of before: the data has changed between"


def test_folders_of_one_name(made: Make) -> None:
    made("x/run")
    made("y/run", batch=64)
    assert [row.name for row in compare(["x/run", "y/run"]).rows] == ["x/run", "y/run"]


def test_json_and_markdown(made: Make) -> None:
    made("a")
    made("b|c", NORM, accuracies=(0.5, float("nan")))
    found = json.loads(cnnspec_compare("a", "b|c", "--format", "json").stdout)
    assert [row["name"] for row in found["rows"]] == ["a", "b|c"]
    assert found["rows"][0]["test_accuracy"] == {"mean": 0.8, "spread": None, "values": [0.8]}
    assert found["layers"] == [
        {"rows": ["b|c"], "changes": ["with batchnorm behind conv(1 -> 4, 3, padding=1)"]},
    ]
    lines = cnnspec_compare("a", "b|c", "--format", "markdown").stdout.splitlines()
    assert lines[0].startswith("| run | n | model |")
    assert lines[3].startswith("| b\\|c | 1 | Tiny |")


def test_the_picture(made: Make) -> None:
    many = [made(f"r{number}", batch=number + 1) for number in range(2 * len(PALETTE) + 1)]
    assert picture(compare(many).rows).startswith(b"\x89PNG")
    alone = cnnspec_compare(made("nothing", accuracies=(), test=None, status=None), "--out", "none.png")
    assert alone.exit_code == 1
    assert "none of these runs has finished an epoch" in alone.stderr
    assert not Path("none.png").exists()
    assert cnnspec_compare("r0", "--out", "curves.svg").exit_code == 2
    assert cnnspec_compare("r0", "--out", "absent/curves.png").exit_code == 2


def test_a_run_that_explodes_does_not_press_the_others_flat(made: Make) -> None:
    made("a")
    folder = made("b", batch=64)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    lines[1] |= {"train_loss": 1e9, "validation_loss": float("inf")}
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = compare(["a", "b"])
    assert _highest_loss(found.rows) == pytest.approx(1.05 * 2 * 2.0)
    assert picture(found.rows)


def test_a_real_run(digits_run: Run, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(digits_run.folder, tmp_path / "copy"))
    found = cnnspec.compare([digits_run.folder, copy])
    assert found.differences == {}
    assert found.layers == ()
    assert digits_run.test is not None
    for row in found.rows:
        figure = row.figures["test_accuracy"]
        assert figure is not None
        assert figure.mean == digits_run.test.accuracy
    assert found.equal["data"] == "digits(pad=0, resize=false)"
    assert {"torch", "threads"} <= set(found.equal)
    found.draw(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
