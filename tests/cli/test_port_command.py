from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main

ROOT = Path(__file__).resolve().parents[2]

MODEL = """
from pathlib import Path

import torch
from torch import nn

Path(__file__).with_name("has_run").touch()


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.fc = nn.Linear(width, 2)

    def forward(self, x):
        x = torch.relu(self.conv(x)).mean((2, 3))
        return self.fc(x)


def cumulated():
    class Cumulated(nn.Module):
        def forward(self, x):
            return torch.cumsum(x, 1)

    return nn.Sequential(nn.Conv2d(3, 4, 1), Cumulated())


def broken():
    raise ValueError("no weather")


number = 3
"""

SPEC = """\
# Ported from model.py:Net by cnnspec.
model Net {
  input 3x8x8

  conv: conv(6, 3), relu, adaptive_avgpool(1), flatten
  fc: linear(2)
  assert parameters == 182
}
"""


def port(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["port", *arguments], input=stdin)


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.py"
    path.write_text(MODEL, encoding="utf-8")
    return str(path)


def has_run(model: str) -> bool:
    return Path(model).with_name("has_run").exists()


def test_a_class_of_a_file(model: str) -> None:
    result = port(f"{model}:Net(width=6)", "--input", "3x8x8", "--run")
    assert (result.exit_code, result.stdout) == (0, SPEC)
    assert result.stderr == (
        "Net: 8 lines, the original's names and 182 parameters; with its weights the same comes out, bit for bit\n"
    )


def test_into_a_file(model: str, tmp_path: Path) -> None:
    result = port(
        f"{model}:Net(width=6)", "--input", "3x8x8", "--run", "--name", "Small", "-o", str(tmp_path / "a.cnn")
    )
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "a.cnn").read_text(encoding="utf-8") == SPEC.replace("model Net", "model Small")


def test_nothing_of_a_file_runs_before_someone_says_so(model: str) -> None:
    result = port(f"{model}:Net(width=6)", "--input", "3x8x8")
    assert result.exit_code == 2
    assert f"porting would run all of {model}, then Net(width=6), then the forward of what it gives" in result.stderr
    assert "say --run if that is what you want" in result.stderr
    assert not has_run(model)


def test_at_a_terminal_it_asks(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import cnnspec.cli.port as command

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(command.sys, "stdin", Terminal())
    asked: list[str] = []
    monkeypatch.setattr(command.click, "confirm", lambda text, err: asked.append(text))
    with pytest.raises(SystemExit) as end:
        command._agree(command._named(f"{model}:Net"), run=False)
    assert (end.value.code, asked, has_run(model)) == (1, ["Run it?"], False)


def test_what_is_left_out_is_told_and_ends_in_1(model: str) -> None:
    result = port(f"{model}:cumulated", "--input", "3x8x8", "--run")
    assert result.exit_code == 1
    assert "# not ported: Cumulated()" in result.stdout
    assert "not everything could be expressed (1):\n  1: Cumulated()\n" in result.stderr
    assert "with its weights the output is up to" in result.stderr


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [
        ("{model}:Nett", 2, "has nothing called Nett\n  = its modules are Net\n"),
        ("{model}:broken", 2, "cannot be made: ValueError: no weather (in model.py, line "),
        ("{model}:number", 2, "cannot be made: TypeError: 'int' object is not callable\n"),
        (
            "{model}:Net(wide=3)",
            2,
            "cannot be made: TypeError: Net.__init__() got an unexpected keyword argument 'wide'\n",
        ),
        ("{model}:Net(3)", 2, "is no name and no call that can be read\narguments go by name"),
        ("{model}", 2, "does not say which model is meant\nwrite torchvision:resnet18"),
        ("none.py:Net", 2, "there is no file none.py\n"),
        ("keras:resnet18", 2, "keras is neither torchvision, nor timm, nor a file that ends in .py\n"),
        ("torchvision:resnt18", 2, "torchvision has no model called resnt18\n  = did you mean torchvision:resnet18?\n"),
        ("torchvision:vit_b_16", 1, ""),
    ],
)
def test_what_cannot_be_had(model: str, source: str, code: int, text: str) -> None:
    result = port(source.format(model=model), "--input", "3x8x8", "--run")
    assert result.exit_code == code, result.stderr
    assert text in result.stderr
    assert "Traceback" not in result.output


def test_the_input_of_a_file_must_be_said(model: str) -> None:
    result = port(f"{model}:Net", "--run")
    assert result.exit_code == 2
    assert "what goes in is not known\nsay it: --input 3x32x32" in result.stderr
    assert "--input takes sizes without the batch" in port(f"{model}:Net", "--run", "--input", "3x?").stderr


def test_a_package_has_its_own_input() -> None:
    result = port("torchvision:squeezenet1_1", "--no-compare")
    assert result.exit_code == 0
    assert "input 3x224x224" in result.stdout
    assert "no numbers were put through it" in result.stderr


def test_without_timm_it_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    result = port("timm:resnet18")
    assert result.exit_code == 2
    assert result.stderr == ("error: this needs timm, which is not installed\n  = install it with: pip install timm\n")


def test_timm() -> None:
    pytest.importorskip("torch")
    from cnnspec.data.vision import import_torchvision

    import_torchvision()
    pytest.importorskip("timm")
    result = port("timm:test_resnet", "--name", "Small")
    assert result.exit_code == 0, result.stderr
    assert "bit for bit" in result.stderr


def test_the_fifty_names_are_those_of_the_draw() -> None:
    import runpy

    from cnnspec.data.vision import import_torchvision

    import_torchvision()
    timm = pytest.importorskip("timm")
    if timm.__version__ != "1.0.31":
        pytest.skip("the names were drawn from another timm")
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "port_timm.py"))
    names = (ROOT / "benchmarks" / "port_timm.txt").read_text(encoding="utf-8").split()
    assert benchmark["draw"]() == names
    record = (ROOT / "benchmarks" / "port_timm_results.txt").read_text(encoding="utf-8")
    assert [name for name in names if f"\n{name} " not in record] == []
