"""Every rule: the examples of its page, and what it must leave alone."""

from __future__ import annotations

import importlib
import inspect
import re
from itertools import product
from pathlib import Path

import pytest

from cnnspec.diagnostics.codes import CODES
from cnnspec.diagnostics.fixing import edited
from cnnspec.lint import RULES, linted
from cnnspec.lint.rule import Rule
from cnnspec.network import check
from cnnspec.source import Source

ROOT = Path(__file__).resolve().parents[2]


def found(text: str) -> list[str]:
    checked = linted(check(Source("<page>", text)))
    assert not checked.errors
    return [diagnostic.code for diagnostic in checked.diagnostics]


def examples(rule: type[Rule], kind: str) -> list[str]:
    page = importlib.import_module(rule.__module__).__doc__
    assert page
    return re.findall(rf"```cnn {kind}\n(.*?)```", page, re.DOTALL)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_page(rule: type[Rule]) -> None:
    assert CODES[rule.code].name == rule.name
    bad, good = examples(rule, "bad"), examples(rule, "good")
    assert bad
    assert good
    for text in bad:
        assert set(found(text)) == {rule.code}
    for text in good:
        assert not found(text)


def test_files_are_named_after_their_rules() -> None:
    assert [Path(inspect.getfile(rule)).stem for rule in RULES] == [rule.name.replace("-", "_") for rule in RULES]
    assert len({rule.code for rule in RULES}) == len(RULES)


# What the networks of the zoo are found fault with, and why that is no false alarm.
DEFENDED = {
    ("squeezenet.cnn", "W104"),  # 224 minus 7 is odd: the first convolution leaves out the last row, as published
    ("vgg.cnn", "W101"),  # the published networks with batchnorm keep the biases of those without
    ("vgg.cnn", "W108"),  # what VGG is known for
    ("alexnet.cnn", "W108"),
}


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "zoo").glob("*.cnn")), ids=lambda path: path.stem)
def test_no_false_alarm_in_the_zoo(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    models = [None, *re.findall(r"^model (\w+)(?: =|\([^)]*\) \{)", text, re.MULTILINE)]
    for model in models if len(models) < 8 else models[:1]:
        source = Source(str(path), text, model)
        codes = {d.code for d in linted(check(source)).diagnostics if d.severity == "warning"}
        assert {(path.name, code) for code in codes} <= DEFENDED


BODY = "model Net {{\n  input {shape}\n  {body}\n}}\n"


@pytest.mark.parametrize(
    ("shape", "body", "codes"),
    [
        ("3x8x8", "conv(8, 3, padding=1), relu, batchnorm", []),  # something stands between
        ("3x8x8", "conv(8, 3, padding=1), layernorm(over=channels)", []),  # takes the mean over channels, not of each
        ("3x8x8", "conv(8, 3, padding=1), add { | batchnorm | identity }", []),  # the bias goes on beside the norm
        ("3x8x8", "conv(8, 3, padding=1), instancenorm", ["W101"]),
        ("20", "linear(8), batchnorm, relu, linear(2)", ["W101"]),
        ("20", "linear(8), dropout(0.5), linear(10)", []),  # a bottleneck: a matrix of lower rank
        ("20", "linear(64), dropout(0.5), linear(10)", ["W102"]),
        ("20", "linear(64), tanh, linear(10)", []),
        ("20", "add { | linear(64) | identity, linear(64) }, linear(10)", []),
        ("1x7x7", "maxpool(2)", ["W104"]),
        ("1x7x7", "maxpool(2, ceil=true)", []),
        ("1x7x9", "maxpool(2)", ["W104"]),
        ("1x8x9", "maxpool(2)", ["W104"]),
        ("1x8x8", "conv(4, 3, stride=2, padding=1)", []),  # leaves out padding, no values
        ("1x8x8", "add { | maxpool(2) | conv(1, 1, stride=2) }", []),  # a projection
        ("1x8x8", "conv(4, 1, stride=2)", ["W105"]),
        ("1x8x8", "conv(4, 4, padding=same)", ["W106"]),
        ("1x8x8", "conv(4, 2, padding=same, dilation=2)", []),  # as wide as a kernel of 3
        ("1x8x8", "dropout(0.0), batchnorm", []),
        ("1x8x8", "channel_dropout(0.2), conv(4, 3, bias=false), batchnorm", ["W107"]),
        ("4x8x8", "add { | identity | identity }", ["W110"]),
        ("4x8x8", "residual { }", ["W110"]),
        ("4x8x8", "concat(split=true) { | identity | identity }", []),  # each passes on a half of its own
        ("4x8x8", "add { | identity | identity | relu }", ["W110"]),
    ],
)
def test_edges(shape: str, body: str, codes: list[str]) -> None:
    assert found(BODY.format(shape=shape, body=body)) == codes


TRAINED = """model Net {{
  input 1x8x8
  features: {{ conv(8, 3), relu }}
  flatten
  head: {{ linear(20), relu, linear(10) }}
}}

train {{
  data: digits
  epochs: 10
  {}
}}
"""


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ("schedule: step(9)", 0),
        ("schedule: step(10)", 1),
        ("schedule: step(5, warmup=0.4)", 0),
        ("schedule: step(5, warmup=0.5)", 1),
        ("schedule: multistep(10)", 1),
        ("schedule: multistep([5, 9])", 0),
        ("schedule: multistep([5, 9, 10, 20])", 1),
        ("schedule: plateau(patience=7)", 0),
        ("schedule: plateau(patience=8)", 1),
        ("schedule: onecycle(warmup=0.9)", 0),
        ("freeze: features\n  unfreeze_after: 9\n  groups: group(features, lr=1e-4)", 0),
        ("freeze: features\n  unfreeze_after: 10\n  groups: group(features, lr=1e-4)", 1),  # one cause
        ('freeze: [features, "head.0"]\n  unfreeze_after: [10, 5]\n  groups: group(head, lr=1e-4)', 1),
        ("freeze: features\n  groups: group(features, lr=1e-4)", 1),
        ('freeze: features\n  groups: group("features.0", lr=1e-4)', 1),
        ('freeze: "head.0"\n  groups: group(head, lr=1e-4)', 0),
        ('freeze: ["head.0", features]\n  groups: [group([features, "head.0", head], lr=1e-4)]', 2),
        ("freeze: features\n  groups: group(kind=vectors, weight_decay=0)", 0),
        ("freeze: features\n  groups: group(head, lr=1e-4)", 0),
    ],
)
def test_settings_that_are_never_heard(settings: str, wrong: int) -> None:
    assert found(TRAINED.format(settings)) == ["W112"] * wrong


@pytest.mark.parametrize(
    ("settings", "at", "help"),
    [
        ("schedule: multistep(gamma=0.45, milestones=[5, 45])", "es=[5, ", "leave out 45, or train for more epochs"),
        ("schedule: multistep([5, 10,45])", "step([5, ", "leave out 10 and 45, or train for more epochs"),
        ('freeze: [features, "head.0"]\n  unfreeze_after: [3, 20]', "after: [3, ", "a smaller number"),
        (
            "freeze: features\n  groups: group(features, lr=1e-4)",
            "groups: group(",
            "leave the group out, or let features learn in the end: unfreeze_after: 5",
        ),
    ],
)
def test_what_is_never_heard_is_shown_at_its_place(settings: str, at: str, help: str) -> None:
    text = TRAINED.format(settings)
    (one,) = [each for each in linted(check(Source("<page>", text))).diagnostics if each.code == "W112"]
    assert one.span.start == text.index(at) + len(at)
    assert one.fixes[0].message == help


@pytest.mark.parametrize(
    ("settings", "mended"),
    [
        ("schedule: multistep([5, 10, 30], gamma=0.2)", ["schedule: multistep([5], gamma=0.2)"]),
        ("schedule: multistep([10, 30])", []),  # a run is to be longer, or the milestones are to come sooner
        ("schedule: multistep([5, 3 * 10])", []),
        (
            "freeze: features\n  groups: [group(features, lr=1e-4), group(head, lr=1e-2)]",
            ["freeze: features\n  groups: [group(head, lr=1e-2)]"],
        ),
        ("freeze: features\n  groups: group(features, lr=1e-4)", []),
        ("freeze: features\n  groups: [\n    group(features, lr=1e-4),\n    group(head, lr=1e-2)]", []),
        ("freeze: features\n  groups: [group(each, lr=1e-2) for each in [features, head]]", []),
    ],
)
def test_what_is_never_heard_is_left_out(settings: str, mended: list[str]) -> None:
    text = TRAINED.format(settings)
    assert "W112" in found(text)
    assert edits(text, "W112") == [TRAINED.format(each) for each in mended]


@pytest.mark.parametrize(
    "schedule",
    ["step(E, 0.5)", "multistep(E, 0.5)", "step(E, 0.5, 0.4)", "multistep(E, 0.5, 0.4)", "plateau(0.5, patience=E)"],
)
def test_a_schedule_is_heard_where_torch_lowers_the_rate(schedule: str) -> None:
    torch = pytest.importorskip("torch")
    from cnnspec.network import load
    from cnnspec.training.optim import Plateau, make_schedule

    for epochs, at in product((4, 10), range(1, 12)):
        text = TRAINED.format(f"schedule: {schedule.replace('E', str(at))}").replace("epochs: 10", f"epochs: {epochs}")
        recipe = load(Source("<page>", text)).recipe
        assert recipe
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        made = make_schedule(recipe.schedule, optimizer, epochs, 7)
        for step in range(7 * epochs):
            rate = optimizer.param_groups[0]["lr"]
            optimizer.step()
            made.step()
            if isinstance(made, Plateau) and step % 7 == 6:
                made.measured(1.0)
        assert ("W112" in found(text)) == (rate == 1.0), text


def test_a_block_is_judged_by_all_its_uses() -> None:
    text = """
block ConvBN(out, norm=batchnorm) {
  conv(out, 3), norm
}
model Net {
  input 3x8x8
  ConvBN(8), ConvBN(8, norm=identity)
}
"""
    assert not found(text)
    assert found(text.replace(", norm=identity", "")) == ["W101"]


def test_silenced_with_a_reason() -> None:
    text = "model Net {{\n  input 1x7x7\n  {above}maxpool(2){behind}\n}}\n"
    assert found(text.format(above="", behind="")) == ["W104"]
    assert found(text.format(above="", behind="  # allow W104")) == ["W104"]
    assert found(text.format(above="", behind="  # allow W105: another")) == ["W104"]
    assert not found(text.format(above="", behind="  # allow W104: the border is black"))
    assert not found(text.format(above="# allow dropped-rows: the border is black\n  ", behind=""))
    assert not found("# Digits.\n# allow W104: the border is black\n" + text.format(above="", behind=""))
    assert found("# allow W104: too far away\n\n" + text.format(above="", behind="")) == ["W104"]


def edits(text: str, code: str) -> list[str]:
    """The texts that the fixes of a finding would give."""
    found = [d for d in linted(check(Source("<page>", text))).diagnostics if d.code == code]
    return [edited(text, fix.edits) for d in found for fix in d.fixes if fix.edits]


HEAD = "model Net {{\n  input 3x64x64\n  conv(32, 3, padding=1), relu\n  {}\n}}\n"


@pytest.mark.parametrize(
    ("head", "mended"),
    [
        (
            "fc0: flatten, linear(512), relu, linear(9)",
            "adaptive_avgpool(1), fc0: flatten, linear(512), relu, linear(9)",
        ),
        ("flatten, linear(131072 -> 512), relu, linear(9)", None),  # the claim would be wrong
    ],
)
def test_averaging_keeps_labels_and_claims(head: str, mended: str | None) -> None:
    assert edits(HEAD.format(head), "W108") == ([HEAD.format(mended)] if mended else [])


def test_an_activation_is_not_put_into_a_block_with_several_uses() -> None:
    text = "block Fc(w) {\n  linear(w)\n}\n\nmodel Net {\n  input 20\n  Fc(64), Fc(10)\n}\n"
    assert found(text) == []  # right in the first use, where nothing stands before it
    text = "block Fc(w) {\n  linear(w)\n}\n\nmodel Net {\n  input 20\n  Fc(64), linear(80), relu, Fc(10)\n}\n"
    assert found(text) == ["W102"]
    assert edits(text, "W102") == []
    assert edits(text.replace("Fc(64)", "linear(64)"), "W102")
