"""Emitted source runs, is the network that `build` makes, and is laid out as ruff would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from random_specs import networks
from running import assert_identical, classes, make, run

from cnnspec.building import build_module
from cnnspec.emission import Style, emit
from cnnspec.emission.layout import WIDTH
from cnnspec.layers import LAYERS
from cnnspec.network import Network, check, load, read_source
from cnnspec.source import Source

ROOT = Path(__file__).parents[2]
DOCS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
BLOCK = re.compile(r"^```cnn *(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"[EWN]\d{3}")
EXAMPLES = sorted((ROOT / "examples").glob("*.cnn"))
STYLES: tuple[Style, ...] = ("sequential", "forward")
LONG = "a_name_that_is_long_enough_to_fill_most_of_a_line"

SPECS = {
    "long arguments": """
        block Wide(a_first_long_argument, b_second_long_argument, c_third_long_argument, d=1) {
          conv(a_first_long_argument, b_second_long_argument, padding=c_third_long_argument, dilation=d)
        }
        model Net { input 3x32x32
          Wide(4, 3, 1)
          Wide(5, 5, 2, d=2)
          Wide(6, 1, 0)
        }""",
    "long names": f"""
        model Net(classes=4) {{ input 3x16x16
          {LONG}: {{
            conv(8, 3x3, stride=1x2, padding=1, bias=false, padding_mode=circular), relu
            {LONG}: {{ {LONG}: conv(8, 3, padding=1), relu }}
          }}
          {LONG}{LONG}: flatten
          linear(classes)
        }}""",
    "deep": "model Net { input 3x8x8\n" + "{ " * 30 + "conv(5, 3, padding=1, bias=false), relu" + " }" * 30 + "\n}",
    "deep names": "model Net { input 3x8x8\n" + "first: { second: { " * 9 + "conv(5, 3), relu" + " } }" * 9 + "\n}",
    "words of Python": """
        block None(class, self=3, super=1, layers=2, nn=1) { conv(class, self, padding=super), conv(layers, nn) }
        block OrderedDict(w) { lambda: conv(w, 1) }
        model torch(lambda=10) { input 3x16x16
          None(4), None(5, self=5, super=2, layers=3, nn=2)
          OrderedDict(2)
          flatten, linear(lambda)
        }""",
    "names of classes": """
        block Inner(w) { conv(w, 1) }
        block Outer(Inner) { conv(Inner, 1), Inner(4) }
        model Net(Outer=4) { input 3x8x8
          Outer(2), Outer(Outer), Inner(2)
        }""",
    "names in quotes": 'model Net { input 3x8x8\n "conv-1": conv(3, 1), "0x": relu, "ä": identity, "a\'b": flatten\n}',
    "renamed keyword": """
        block Down(slope=0.01, up=false) { maxpool(2, ceil=up), leaky_relu(slope) }
        model Net { input 3x31x31
          Down, Down(0.2), Down(up=true)
        }""",
    "choices": """
        block B(w, wide=false, cfg=[4, 8], mode=zeros, p=0.1) {
          conv(2 * w if wide else w, 3, padding=same if wide else 1), batchnorm
          conv(cfg[0], 1, padding_mode=mode), batchnorm, conv(-w + 20, 1), prelu(20 - w)
          { conv([4, 6, 8][w % 3], 1), batchnorm }
          conv((w + 2) / 2 if not wide else (w if w > 6 or cfg[1] == 8 else 4 + w // 2 - 1), 1), groupnorm(1)
          dropout(p * 3), dropout(p / 2)
        }
        block Two(cfg, deep=false) {
          B(cfg[0], deep), B(cfg[1], wide=not deep, mode=circular, p=0.3), conv(cfg[0] + cfg[1], 1), batchnorm
        }
        model Net(base=8, deep=false) { input 3x8x8
          Two([base, 4]), Two([2 * base, 8], deep=deep), B(4, true, [5, 6], p=0.2)
          flatten, linear(10 if deep else 3)
        }""",
    "texts": """
        block B(mode, w=4) { conv(8 if mode == "a'b" else w, 1), batchnorm }
        model Net { input 3x4x4
          B("a'b"), B("c", w=5), B("d", w=6)
        }""",
    "kernels": "block B(k) { conv(4, k), maxpool([1, 2]) }\nmodel Net { input 3x32x32\n B(3x1), B([1, 3]), B(1)\n}",
    "norm over all": """
        block B(w) { conv(w, 3, stride=2, padding=1), layernorm(over=all), relu }
        model Net { input 3x16x16
          B(4), B(8)
        }""",
    "several shapes": "block A { relu }\nmodel Net { input 3x8x8\n A, flatten, A\n}",
    "empty": "model Net { input 3x8x8\n features: { }\n flatten\n}",
    "nothing": "model Net { input 3x8x8\n}",
}

REGISTRY = {word: "model Net { input {1}\n {0}\n}".replace("{0}", call).replace("{1}", shape)
            for word, layer in LAYERS.items() for call, shape in [layer.example.split(" @ ")]}  # fmt: skip


SMALL = {"unet": "3x32x32"}
"""Inputs for examples that fit any size, where their own makes a test slow. The channels and weights stay."""


def example(path: Path, text: str = "", **settings: str) -> Network:
    """A network of the examples, or one from another text in its place."""
    source = Source(path.name, text) if text else read_source(path)
    return load(source, set=settings, input=SMALL.get(path.stem))


def spec(text: str, name: str = "net.cnn") -> Network:
    return load(Source(name, text))


def shown_networks() -> dict[str, Network]:
    """Those of the documentation."""
    found = {}
    for page in DOCS:
        for number, (about, text) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            if "model " in text and not CODE.search(about):
                found |= {f"{page.stem} {number} {net.name}": net for net in check(Source("shown.cnn", text)).networks}
    return found


def every_network() -> dict[str, Network]:
    return (
        {path.stem: example(path) for path in EXAMPLES}
        | {name: spec(text) for name, text in SPECS.items()}
        | shown_networks()
        | {f"layer {word}": spec(text) for word, text in REGISTRY.items()}
        | {network.source.name: network for network in networks(24)}
    )


NETWORKS = every_network()


@pytest.fixture(scope="module")
def sources() -> dict[tuple[str, Style], str]:
    return {(name, style): emit(network, style=style) for name, network in NETWORKS.items() for style in STYLES}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_network_in_memory(name: str, style: Style, sources: dict[tuple[str, Style], str]) -> None:
    network, source = NETWORKS[name], sources[name, style]
    torch.manual_seed(0)
    built = build_module(network)
    assert_identical(make(source, classes(source)[-1]), built, network.input.sizes)


def test_no_line_is_long(sources: dict[tuple[str, Style], str]) -> None:
    """Save those that one long name fills."""
    for (name, style), source in sources.items():
        if not name.startswith(("long", "deep")):
            assert max(map(len, source.splitlines())) <= WIDTH, f"{name}, {style}"


def test_the_layout_is_that_of_ruff(sources: dict[tuple[str, Style], str], tmp_path: Path) -> None:
    for number, text in enumerate(sources.values()):
        (tmp_path / f"source{number}.py").write_text(text, encoding="utf-8")
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[:3000] + done.stderr[-500:]


def test_the_check_of_the_layout_can_fail(tmp_path: Path) -> None:
    (tmp_path / "source.py").write_text(emit(NETWORKS["lenet"]).replace("),  #", "), #"))
    done = subprocess.run([sys.executable, "-m", "ruff", "format", "--check", "--isolated", "."], cwd=tmp_path)
    assert done.returncode == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("style", STYLES)
def test_another_number_of_classes(path: Path, style: Style) -> None:
    model = path.read_text(encoding="utf-8").partition("\ntrain {")[0]
    text = "".join(line for line in model.splitlines(True) if "assert" not in line)
    shown = example(path)
    if "classes" not in shown.arguments:
        pytest.skip("its outputs are no classes")
    network = example(path, text, classes="7")
    torch.manual_seed(0)
    built = build_module(network)
    source = emit(shown, style=style)
    assert_identical(make(source, network.name, classes=7), built, network.input.sizes)


def test_the_demonstration_prints_the_shape(capsys: pytest.CaptureFixture[str]) -> None:
    source = emit(NETWORKS["digits"])
    exec(compile(source, "<emitted>", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "torch.Size([8, 10])\n"
    assert "# torch.Size([8, 10])" in source


def test_torch_is_not_needed_to_emit() -> None:
    script = (
        "import sys; from cnnspec.network import load, read_source; from cnnspec.emission import emit;"
        f"emit(load(read_source({str(EXAMPLES[0])!r})));"
        "print([m for m in ('torch', 'numpy', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_text_does_not_vary_from_run_to_run() -> None:
    script = (
        "import sys; from cnnspec.network import load;"
        "from cnnspec.source import Source; from cnnspec.emission import emit;"
        "print(emit(load(Source('net.cnn', sys.argv[1]))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script, SPECS["words of Python"]],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1


def test_cnnspec_is_not_needed_to_run() -> None:
    assert "import cnnspec" not in emit(NETWORKS["tinycnn3"])
    assert "from cnnspec" not in emit(NETWORKS["tinycnn3"]).replace("by cnnspec from", "")


def test_a_class_for_each_block_and_one_for_the_model() -> None:
    assert classes(emit(NETWORKS["tinycnn3"])) == ["Pair", "TinyCNN3"]
    assert classes(emit(NETWORKS["tinycnn"])) == ["TinyCNN"]


def test_the_name_of_the_file_is_shown_without_its_folder() -> None:
    text = "model my_net { input 3x8x8\n flatten\n}"
    assert '"""my_net, written by cnnspec from a.cnn.' in emit(spec(text, "some/folder/a.cnn"))
    assert '"""my_net, written by cnnspec.' in emit(spec(text, "<stdin>"))
    assert "MyNet" in run(emit(spec(text)))
