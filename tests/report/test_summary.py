from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cnnspec.building import build_module
from cnnspec.network import Network, load, read_source
from cnnspec.report.summary import Summary, summarize
from cnnspec.report.summary_text import WIDTH, as_markdown, as_text, size
from cnnspec.report.written import layer_text
from cnnspec.source import Source

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.cnn"))
TINYCNN3 = next(path for path in EXAMPLES if path.stem == "tinycnn3")


def network(text: str) -> Network:
    return load(Source("test", text))


def example(path: Path = TINYCNN3) -> Summary:
    return summarize(load(read_source(str(path))))


def layer(name: str) -> dict[str, Any]:
    (found,) = (layer for layer in example().as_dict()["layers"] if layer["name"] == name)
    return dict(found)


def test_the_totals_of_the_model() -> None:
    values = example().as_dict()
    assert (values["parameters"], values["buffers"], values["macs"]) == (814_122, 0, 39_160_320)
    assert (values["input"], values["output"]) == ([3, 32, 32], [10])
    pairs = [4 * width * side**2 + width * (side // 2) ** 2 for width, side in ((32, 32), (64, 16), (128, 8))]
    assert values["activation_bytes"] == 4 * (sum(pairs) + 2048 + 3 * 256 + 10)


def test_a_layer_has_what_the_format_promises() -> None:
    assert layer("features.1.2") == {
        "name": "features.1.2",
        "kind": "conv",
        "file": str(TINYCNN3),
        "line": 4,
        "side": False,
        "output": [64, 16, 16],
        "parameters": 64 * 64 * 9 + 64,
        "buffers": 0,
        "macs": 64 * 64 * 9 * 16 * 16,
        "receptive_field": {"size": [14, 14], "stride": [2, 2]},
        "activation_bytes": 4 * 64 * 16 * 16,
    }


def test_what_sees_everything_has_no_receptive_field() -> None:
    assert layer("classifier.0")["receptive_field"] is None
    assert summarize(network("model M {\n  input 20\n  relu\n}")).as_dict()["layers"][0]["receptive_field"] is None


def test_a_fraction_of_a_step_survives_json() -> None:
    values = summarize(network("model M {\n  input 1x8x8\n  conv_transpose(1, 2, stride=2)\n}")).as_dict()
    assert json.loads(json.dumps(values))["layers"][0]["receptive_field"]["stride"] == [0.5, 0.5]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_counts_agree_with_torch(path: Path) -> None:
    import torch

    summary = example(path)
    with torch.device("meta"):
        module = build_module(summary.network)
    for one in summary.layers:
        found = module.get_submodule(one.placed.path)
        assert sum(p.numel() for p in found.parameters()) == one.counts.parameters
        assert sum(b.numel() for b in found.buffers()) == one.counts.buffers
    assert sum(p.numel() for p in module.parameters()) == summary.parameters


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_text_fits(path: Path) -> None:
    lines = as_text(example(path)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_markdown_has_every_layer(path: Path) -> None:
    summary = example(path)
    rows = [line.split(" | ") for line in as_markdown(summary).splitlines() if line.startswith("| `")]
    for one in summary.layers:
        call, output = layer_text(one.placed.layer, one.placed.input), one.placed.output.written
        assert [f"| `{one.placed.path}`", call, str(one.placed.span.line), output] in [row[:4] for row in rows]


def test_the_text_reads_as_it_should() -> None:
    text = as_text(example())
    assert "TinyCNN3: 3x32x32 -> 10" in text
    assert "classifier.1 (linear) holds 64.4% of the parameters" in text
    (group,) = (line for line in text.splitlines() if "Pair(64)" in line)
    assert group.split() == ["1", "Pair(64)", "13", "64x8x8", "55,424", "6.8%", "14,155,776"]
    assert "MACs: multiplications with weights" in text
    assert text == str(example())


def test_groups_stand_out_in_colour_and_nothing_else_changes() -> None:
    coloured = as_text(example(), color=True)
    bold = [line for line in coloured.splitlines() if line.startswith("\x1b[1m")]
    assert len(bold) == 1 + 5
    assert coloured.replace("\x1b[1m", "").replace("\x1b[0m", "") == as_text(example())


def test_long_calls_are_cut() -> None:
    wide = "conv(512, 3, stride=2, padding=1, dilation=2, groups=4, bias=false, padding_mode=replicate)"
    text = as_text(summarize(network(f"model M {{\n  input 512x1024x1024\n  {wide}\n}}")))
    assert max(map(len, text.splitlines()[:6])) <= WIDTH
    assert "..." in text


def test_many_macs_are_counted_in_millions() -> None:
    summary = summarize(network("model M {\n  input 3x1000x1000\n  conv(100, 3, padding=1)\n}"))
    text = as_text(summary)
    assert "M MACs" in text
    assert "2,700.0" in text
    assert "MACs        2,700,000,000" in text
    assert "| 2,700,000,000 |" in as_markdown(summary)


def test_markdown_is_one_row_per_layer() -> None:
    summary = example()
    rows = [line for line in as_markdown(summary).splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(summary.layers)
    assert len({row.count(" | ") for row in rows}) == 1
    assert rows[2].startswith("| `features.0.0` | conv(3 -> 32, 3, padding=1) | 3 | 32x32x32 | 896 | 0.1% | 884,736 |")


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("maxpool(2)", "maxpool(2)"),
        ("maxpool(2, stride=1)", "maxpool(2, stride=1)"),
        ("conv(8, [3, 5], bias=false)", "conv(1 -> 8, 3x5, bias=false)"),
        ("conv(8, 3, padding=[0, 1])", "conv(1 -> 8, 3, padding=[0, 1])"),
        ("dropout(0.25)", "dropout(0.25)"),
        ("dropout", "dropout"),
    ],
)
def test_calls_are_as_short_as_they_can_be(call: str, shown: str) -> None:
    (node,) = network(f"model M {{\n  input 1x8x8\n  {call}\n}}").layers
    assert layer_text(node.layer, node.input) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1 << 20, "1.0 MiB"), (1 << 52, "4096.0 TiB")],
)
def test_sizes_in_suitable_units(count: int, shown: str) -> None:
    assert size(count) == shown


def test_a_line_of_another_file_stands_behind_its_name(tmp_path: Path) -> None:
    (tmp_path / "blocks.cnn").write_text("\nblock Pair { conv(2, 3), relu }\n")
    (tmp_path / "net.cnn").write_text('use "blocks.cnn"\nmodel Net {\n  input 1x8x8\n  Pair\n}\n')
    made = summarize(load(read_source(str(tmp_path / "net.cnn"))))
    lines = [line.split() for line in as_text(made).splitlines()]
    assert ["0", "Pair", "4"] in [line[:3] for line in lines]
    assert ["1", "relu", "blocks:2"] in [line[:3] for line in lines]
    assert {Path(values["file"]).name for values in made.as_dict()["layers"]} == {"blocks.cnn"}
