"""Networks and runs as files for other programs: checked by these programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors import safe_open
from safetensors.torch import load_file

import cnnspec
from cnnspec.building import build_module, onnx_file
from cnnspec.cli import main
from cnnspec.training import export
from cnnspec.training.ending import Run
from cnnspec.training.error import TrainError
from cnnspec.training.finished import open_run

pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]
LENET = ROOT / "examples" / "lenet.cnn"
SIDES = """model Sides {
  input 3x8x8
  conv(8, 3, padding=1), batchnorm, relu
  aux { flatten, linear(10) }
  concat(split=true) { | conv(4, 1) | identity }
  dropout, flatten, linear(10)
}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments], prog_name="cnnspec")


def outputs(path: Path, samples: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["output"], {"input": samples.numpy()})[0])


def test_any_batch_size(tmp_path: Path) -> None:
    path = tmp_path / "lenet.onnx"
    subject = export.fresh(cnnspec.load(LENET), seed=3)
    written = export.to_onnx(subject, path)
    assert written.check
    assert written.check.right
    assert "hardly depend" not in str(written.check)
    samples = torch.randn(5, 1, 32, 32)
    torch.testing.assert_close(outputs(path, samples), subject.model(samples), rtol=1e-4, atol=1e-5)
    torch.manual_seed(3)
    again = build_module(cnnspec.load(LENET))(samples)
    torch.testing.assert_close(subject.model(samples), again, rtol=0, atol=0)


def test_a_run_with_a_fixed_batch(digits_run: Run, tmp_path: Path) -> None:
    onnx, tensors = tmp_path / "run.onnx", tmp_path / "run.safetensors"
    result = run(str(digits_run.folder), "--onnx", str(onnx), "--safetensors", str(tensors), "--batch", "4")
    assert result.exit_code == 0, result.output
    assert "the best weights of" in result.output
    assert "takes 4 samples of 1x8x8" in result.output
    opened = open_run(digits_run.folder, device="cpu")
    samples = torch.randn(4, 1, 8, 8)
    torch.testing.assert_close(outputs(onnx, samples), opened.model.eval()(samples), rtol=1e-4, atol=1e-4)
    state, written = opened.model.state_dict(), load_file(tensors)
    assert {*written} == {*state}
    assert all(torch.equal(written[name], state[name]) for name in state)
    with safe_open(tensors, "pt") as file:
        assert json.loads(file.metadata()["classes"]) == opened.config.classes
    about = {each.key: each.value for each in pytest.importorskip("onnx").load(onnx).metadata_props}
    assert json.loads(about["mean"]) == opened.config.samples.mean
    with pytest.raises(Exception, match="dimension"):
        outputs(onnx, samples[:2])


def test_sides_are_left_out_and_dropout_does_nothing(tmp_path: Path) -> None:
    subject = export.fresh(cnnspec.load(cnnspec.text(SIDES)), seed=0)
    written = export.to_onnx(subject, tmp_path / "sides.onnx")
    assert written.check
    assert written.check.right


def test_what_computes_something_else_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = onnx_file.Check("0", (1,), 0.5, 1.0, 1.0)
    monkeypatch.setattr(onnx_file, "_checked", lambda *_: wrong)
    with pytest.raises(TrainError, match="computes something else"):
        export.to_onnx(export.fresh(cnnspec.load(LENET), 0), tmp_path / "x.onnx")
    assert not [*tmp_path.iterdir()]


def test_outputs_that_prove_nothing_are_told() -> None:
    assert "this proves little" in str(onnx_file.Check("1", (1, 2), 0.0, 1.0, 1e-6))
    assert "proves" not in str(onnx_file.Check("1", (1, 2), 0.0, 1.0, 0.5))


def test_an_opset_that_pytorch_does_not_write(tmp_path: Path) -> None:
    result = run(str(LENET), "--onnx", str(tmp_path / "x.onnx"), "--opset", "99")
    assert result.exit_code == 1
    assert "PyTorch gives this network in opset 18, not in 99" in result.stderr
    assert not (tmp_path / "x.onnx").exists()


def test_without_onnxruntime_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    result = run(str(LENET), "--onnx", str(tmp_path / "x.onnx"))
    assert result.exit_code == 0, result.output
    assert "not checked: onnxruntime is not installed" in result.output


def test_without_onnx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    result = run(str(LENET), "--onnx", str(tmp_path / "x.onnx"))
    assert result.exit_code == 1
    assert 'pip install "cnnspec[onnx]"' in result.output


def test_wrong_usage(tmp_path: Path, digits_run: Run) -> None:
    for arguments, fault in (
        ([str(LENET)], "say what to write"),
        ([str(LENET), "--onnx", str(tmp_path / "no" / "x.onnx")], "there is no folder"),
        ([str(LENET), "--onnx", "x.onnx", "--batch", "0"], "neither a whole number from 1 nor dynamic"),
        ([str(digits_run.folder), "--onnx", "x.onnx", "--model", "X"], "a run has its model"),
        ([str(tmp_path), "--safetensors", "x.safetensors"], "is not the folder of a run"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert fault in result.output
