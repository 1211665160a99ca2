"""What the commands do with an input that has open sizes. For which sizes specs run is in `tests/cases/check` and
`test_random_open`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

import cnnspec
from cnnspec.cli import main
from cnnspec.network import UsageFault, check
from cnnspec.network.anysize import all_sizes
from cnnspec.source import Source

ROOT = Path(__file__).resolve().parents[2]
UNET = ROOT / "docs" / "open" / "unet.cnn"
DEPENDS = """model Net {
  input 3xNxN
  conv(16, 3, padding=1), relu
  avgpool(x.height), flatten
  linear(10)
}
"""


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def errors(text: str, **given: object) -> list[str]:
    return [each.message for each in check(Source("open.cnn", text), **given).errors]  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------- commands


def test_build_makes_the_module_of_all_sizes() -> None:
    module = cnnspec.build(UNET).eval()
    for sides in ((4, 4), (32, 48), (20, 8)):
        assert module(torch.zeros(1, 3, *sides)).shape == (1, 2, *sides)
    with pytest.raises(RuntimeError):
        module(torch.zeros(1, 3, 6, 6))


def test_emission_says_for_what_it_is_and_runs() -> None:
    text = cnnspec.emit(UNET)
    assert "The input is 3xHxW; what is shown is for 3x32x32." in text
    space: dict[str, type[torch.nn.Module]] = {}
    exec(text, space)
    assert space["UNet"]()(torch.zeros(1, 3, 12, 20)).shape == (1, 2, 12, 20)


def test_where_layers_depend_on_the_size_there_is_no_one_module(tmp_path: Path) -> None:
    (tmp_path / "net.cnn").write_text(DEPENDS)
    with pytest.raises(UsageFault, match="avgpool on line 4 depends on N: give sizes with --input 3x32x32"):
        cnnspec.build(tmp_path / "net.cnn")
    module = cnnspec.build(tmp_path / "net.cnn", input=(3, 16, 16))
    assert module(torch.zeros(2, 3, 16, 16)).shape == (2, 10)


def test_summary_asks_for_sizes_and_takes_them() -> None:
    done = invoke("summary", UNET)
    assert done.exit_code == 2
    assert "UNet leaves H and W open: give sizes with --input 3x32x32" in done.output
    assert "2x64x32" in invoke("summary", UNET, "--input", "3x64x32").output


def test_sizes_from_outside_close_the_input(tmp_path: Path) -> None:
    (tmp_path / "net.cnn").write_text(DEPENDS)
    assert invoke("check", tmp_path / "net.cnn", "--input", "3x8x8").output.endswith("3x8x8 -> 10, 618 parameters\n")
    assert "gives N two sizes, 8 and 9" in invoke("check", tmp_path / "net.cnn", "--input", "3x8x9").output
    assert "has 3 sizes" in invoke("check", tmp_path / "net.cnn", "--input", "3x8").output


def test_a_data_set_closes_the_input() -> None:
    text = "model Net {\n  input 1xHxW\n  flatten\n  linear(784 -> 10)\n}\n\ntrain {\n  data: mnist\n}\n"
    checked = check(Source("open.cnn", text))
    assert [str(network.input) for network in checked.networks] == ["1x28x28"]
    assert checked.networks[0].open is None
    assert checked.sizes["Net"].smallest == (28, 28)
    assert errors(text.replace("784", "783")) == ["linear is written for 783 features, but 784 arrive"]
    assert errors(text.replace("1xHxW", "3xHxW")) != []


def test_names_are_values() -> None:
    text = "model Net(H=16) {\n  input 3xHxW\n  conv(8, 3, padding=1)  -> [8, H, W]\n  assert W > 2\n}\n"
    found = check(Source("open.cnn", text)).sizes["Net"]
    assert found.axes == ("W",)
    assert found.smallest == (3,)
    assert errors("model Net {\n  input 3x8x8\n  relu  -> 3xHxW\n}\n") == ["H is no size here"]


# ----------------------------------------------------------------------------------------------------------- answers


def test_any_size_of_a_fixed_input_is_in_every_format() -> None:
    done = invoke("check", "--any-size", "--format", "json", ROOT / "examples" / "lenet.cnn")
    assert '"code": "N003"' in done.output
    assert "LeNet runs for H and W from 32 to 35" in invoke(
        "check", "--any-size", "--format", "concise", ROOT / "examples" / "lenet.cnn"
    ).output  # fmt: skip


def test_what_is_lost_is_told_with_its_place() -> None:
    answer = all_sizes(cnnspec.load(ROOT / "examples" / "lenet.cnn"))
    assert {(loss.call.span.line, loss.axis) for loss in answer.losses} == {(5, "H"), (5, "W"), (6, "H"), (6, "W")}
    assert all(33 in loss.sizes for loss in answer.losses if loss.call.span.line == 5)
    assert [box["H"].first(9) for box in answer.lossless if 32 in box["W"]] == [[32]]


def test_heads_of_volumes_are_told_once() -> None:
    text = "model Net {\n  input 1xDxHxW\n  maxpool(2), flatten\n  linear(12 -> 2)\n}\n"
    (note,) = (each for each in check(Source("open.cnn", text)).diagnostics if each.code == "N003")
    assert note.why.splitlines()[1:] == [
        "linear(12 -> 2) on line 4: 12 = 1 x 2 x 2 x 3 for D and H from 4 to 5 and W from 6 to 7, or in another order",
        "12 = 1 x 1 x 3 x 4 for D from 2 to 3, H from 6 to 7 and W from 8 to 9, or in another order",
        "12 = 1 x 1 x 2 x 6 for D from 2 to 3, H from 4 to 5 and W from 12 to 13, or in another order",
        "12 = 1 x 1 x 1 x 12 for D and H from 2 to 3 and W from 24 to 25, or in another order",
    ]


def test_what_is_lost_for_some_heights_only() -> None:
    text = "model Net {\n  input 3xHxW\n  if x.height > 64 { maxpool(2) }\n}\n"
    lossless = check(Source("open.cnn", text)).sizes["Net"].lossless

    def sees_all(height: int, width: int) -> bool:
        return any(height in box["H"] and width in box["W"] for box in lossless)

    assert sees_all(7, 7)
    assert sees_all(66, 8)
    assert not sees_all(66, 7)
    assert not sees_all(67, 8)


@pytest.mark.parametrize(
    ("layers", "message", "why"),
    [
        (
            "if H > 8 { relu }\n  conv(4, 1)",
            "the name of conv depends on H and W",
            "it is called 0 for H from 1 to 8, and 1 for other sizes",
        ),
        ("if H > 8 { conv(4, 1) }\n  c: conv(4, 1)", "the weights of conv depend on H and W", ""),
    ],
)
def test_layers_that_shift_the_names_of_others(layers: str, message: str, why: str) -> None:
    (fault,) = check(Source("open.cnn", f"model Net {{\n  input 3xHxW\n  {layers}\n}}\n")).errors
    assert (fault.message, fault.span.line) == (message, 4 if why else 3)
    assert fault.why == why


def test_features_have_no_sizes_to_leave_open() -> None:
    text = "model Net {\n  input 20\n  linear(10)\n}\n"
    with pytest.raises(ValueError, match="there is no size to leave open"):
        all_sizes(check(Source("features.cnn", text)).networks[0])
    assert cnnspec.check(cnnspec.text(text), any_size=True).sizes == {}


def test_what_is_not_known_for_all_is_known_up_to_a_limit() -> None:
    text = "model Net {\n  input 3xL\n  repeat x.length // 20 { maxpool(4) }\n}\n"
    checked = check(Source("open.cnn", text))
    (found,) = [each for each in checked.diagnostics if each.code == "N003"]
    assert "sizes above 256 are not worked out" in found.notes[0]
    (box,) = checked.sizes["Net"].boxes
    for length in range(1, 257):
        assert (length in box["L"]) == (not errors(text, input=(3, length)))


def test_an_ordinary_check_loads_none_of_it() -> None:
    own = "[m for m in sys.modules if 'cnnspec.sizes' in m or 'anysize' in m]"
    code = f"import sys, cnnspec; cnnspec.check(sys.argv[1]); print({own})"
    spec = str(ROOT / "examples" / "lenet.cnn")
    done = subprocess.run([sys.executable, "-c", code, spec], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
