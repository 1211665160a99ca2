"""Networks with branches and side outputs, from the loss to a finished run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from cnnspec.building import build_module
from cnnspec.network import Network, load, read_source
from cnnspec.training import Run, TrainError, evaluate, train
from cnnspec.training import objective as o
from cnnspec.training.loop import fit
from cnnspec.training.plan import plan_run, ready
from cnnspec.training.sides import about_sides, loss_of_sides, parted, sides_of
from cnnspec.training.state import begin

Make = Callable[..., Network]

BLOCKS = """
let slope = 0.1

block Unit(width, act=relu) {
  residual(when=x.channels == width) { conv(width, 3, padding=1, bias=false), batchnorm, act }
  multiply { | | adaptive_avgpool(1), conv(width, 1), sigmoid }
}
"""

SPEC = """
block Head(classes) { adaptive_avgpool(1), flatten, linear(classes) }

model Net(unit, act=relu, classes=10) {
  input 1x8x8
  conv(8, 3, padding=1)
  unit(8, act)
  aux(weight=0.5) { first: Head(classes) }
  concat { | maxpool(2) | conv(8, 2, stride=2) }
  aux { second: Head(classes), log_softmax }
  unit(16)
  head: Head(classes)
}

model small = Net(Unit, act=leaky_relu(slope))

train {
  data: digits
  optimizer: adamw(lr=0.01)
  batch: 64
  epochs: 3
}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Aux, add, multiply and concat; its blocks in a file below its own."""
    folder: Path = tmp_path_factory.mktemp("spec")
    (folder / "lib").mkdir()
    (folder / "lib" / "blocks.cnn").write_text(BLOCKS, encoding="utf-8")
    (folder / "net.cnn").write_text('use "lib/blocks.cnn"\n' + SPEC, encoding="utf-8")
    return load(read_source(folder / "net.cnn"), model="small", train=True)


@pytest.fixture(scope="module")
def run(small: Network, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(small, out=tmp_path_factory.mktemp("runs") / "small", device="cpu")


def test_sides_are_in_the_order_of_the_outputs(small: Network) -> None:
    sides = sides_of(small)
    assert [side.weight for side in sides] == [0.3, 0.5]
    assert [side.objective for side in sides] == [o.NEGATIVE_LOG_LIKELIHOOD, o.CROSS_ENTROPY]
    assert about_sides(sides) == "; plus 0.3, 0.5 times that of the side outputs"


def test_the_loss_of_the_sides_is_weighted(small: Network) -> None:
    torch.manual_seed(0)
    module, x, y = build_module(small), torch.randn(6, 1, 8, 8), torch.tensor([0, 1, 2, 3, 4, 5])
    output, (second, first) = parted(module(x))
    expected = 0.3 * F.nll_loss(second, y) + 0.5 * F.cross_entropy(first, y)
    assert torch.allclose(torch.as_tensor(loss_of_sides(sides_of(small), (second, first), y)), expected)
    assert parted(output) == (output, [])


def test_a_network_without_sides_is_left_alone(network: Make) -> None:
    assert sides_of(network()) == ()
    assert about_sides(()) == ""
    assert loss_of_sides((), (), torch.tensor([0])) == 0


def test_the_heads_of_the_sides_learn_and_the_output_is_measured(small: Network) -> None:
    plan = plan_run(small, "cpu", None)
    model, data = ready(plan)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = next(fit(begin(model, data, plan.recipe), data, plan.recipe, plan.objective, plan.sides))
    after = model.state_dict()
    for name in ("first.2.weight", "second.2.weight", "head.2.weight"):
        assert not torch.equal(before[name], after[name])
    assert first.train_loss < 3  # log(10) = 2.3 at the beginning; with those of the side outputs it were 1.8 times that


def test_a_run_with_branches(run: Run) -> None:
    assert run.status == "finished"
    assert run.config.loss == "cross entropy; plus 0.3, 0.5 times that of the side outputs"
    assert run.config.arguments["act"] == "leaky_relu(0.1)"
    assert run.history[-1].train_accuracy > 0.5
    assert (run.folder / "filters.png").is_file()


def test_a_run_keeps_the_files_its_spec_uses(run: Run) -> None:
    assert (run.folder / "lib" / "blocks.cnn").read_text(encoding="utf-8") == BLOCKS
    again = evaluate(run.folder, device="cpu")
    assert again.measured == run.test


def test_a_file_called_as_the_runs_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spec.cnn").write_text(BLOCKS, encoding="utf-8")
    (tmp_path / "net.cnn").write_text('use "spec.cnn"\n' + SPEC, encoding="utf-8")
    small = load(read_source(tmp_path / "net.cnn"), model="small", train=True)
    with pytest.raises(TrainError, match="a run keeps its spec as spec"):
        train(small, out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("head", ["flatten, linear(9)", "conv(10, 1)"])
def test_a_side_output_must_end_as_the_network_does(network: Make, head: str) -> None:
    made = network(f"model M {{\n  input 1x8x8\n  aux {{ {head} }}\n  flatten, linear(10)\n}}\n")
    with pytest.raises(TrainError, match=r"the side output on line 3 ends in .*, and the network in 10"):
        sides_of(made)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("linear(3), { softmax }", o.CROSS_ENTROPY_OF_PROBABILITIES),
        ("linear(3), softmin", o.CROSS_ENTROPY_OF_PROBABILITIES),
        ("linear(3), residual(when=false) { sigmoid }", o.ONE_AGAINST_REST),
        ("linear(3), sigmoid, aux { linear(3) }", o.ONE_AGAINST_REST),
        ("linear(3), add { | softmax | softmax }", o.CROSS_ENTROPY),
        ("linear(3), residual { softmax }", o.CROSS_ENTROPY),
        ("softmax, add { | linear(3) | linear(3) }, dropout", o.CROSS_ENTROPY),
    ],
)
def test_the_loss_is_found_at_the_end_of_branches(network: Make, body: str, expected: o.Objective) -> None:
    made = network(f"model M {{\n  input 2\n  {body}\n}}\ntrain {{\n  data: random(2, 3)\n}}\n")
    assert o.objective_of(made) is expected
