"""Puts a file of tests/corpus to PyTorch, torchinfo and Keras, and keeps what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import keras
import measure as corpus
import torch
import torchinfo
from torch import nn

from elsewhere import in_keras, in_torch
from elsewhere.plan import Join, OnlyHere, Plan, Unit, plans

SPELLING = ("python", "keras", "brackets", "syntax", "structure", "typo", "train")
"""Kinds that are a spelling of .cnn, right or not to be had in the other tools."""

ELSEWHERE_RIGHT = {
    "128_linear_two_numbers": "right in PyTorch",
    "157_input_without_channel": "the rank is written elsewhere: a Conv2d was meant, or a Conv1d",
    "158_input_with_batch": "right elsewhere: in a tensor the batch stands first",
    "263_batchnorm_64": "right in PyTorch",
}

RIGHT_IN_KERAS = ("029_cats_and_dogs_channels_last", "159_input_channels_last")

EXPECTED = ("E305", "E306")
"""Codes of wrong predictions and counts. What is expected is a comment elsewhere."""

NAMED_HERE = ("E1", "E2", "E402", "E403", "E504")
"""Codes of faults that are none in other tools, if these accept what the file comes to."""

EXPECTATION = "an expectation (`->` or `assert`) that does not hold"
ACCEPTS, INFERS = "accepts it", "infers the size"
TOOLS = ("torch", "torchinfo", "Keras")


@dataclass
class Said:
    """What a tool says. `stage` is when: `construct`, `summary`, `build`, `batch`, or `""` where it accepts."""

    text: str
    stage: str = ""
    part: Unit | Join | None = None
    named: bool = False
    """Whether the message tells which layer it is."""
    lacking: bool = False
    """Whether the tool has no word for something in the file, so that nothing can be said of it."""

    @property
    def finds(self) -> bool:
        return bool(self.stage)

    @property
    def early(self) -> bool:
        """Before any data is there."""
        return self.stage in ("construct", "summary", "build")

    @property
    def numbers(self) -> bool:
        return self.finds and numbers(self.text.split("caused by")[-1]) > 1

    @property
    def mends(self) -> bool:
        return self.finds and bool(MENDING.search(self.text))


def numbers(text: str) -> int:
    """How many different numbers a text tells, those in names (conv2d, dense_1) apart."""
    return len(set(re.findall(r"(?<![A-Za-wyz_\d])\d+", text)))


MENDING = re.compile(r"(?i)did you mean|consider |please|(should|must) be (one of|at most|smaller)|\btry ")


@dataclass
class Told:
    """One file, and what is said of it."""

    file: corpus.File
    why_not: str = ""
    """Why it cannot be expressed elsewhere."""
    said: dict[str, Said] = field(default_factory=dict)

    def right(self, tool: str) -> bool:
        """Whether the message names a layer, and it stands on a line that is at fault."""
        said = self.said[tool]
        return said.named and said.part is not None and said.part.line in self.file.lines


def clean(text: str) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = text.split("Arguments received by")[0]
    text = re.sub(r"(/[\w.\-]+){2,}/", "", text)
    text = re.sub(r"(?<=\{)('\w+'(?:, '\w+')+)(?=\})", _sorted, text)
    return " ".join(text.split()).strip()


def _sorted(names: re.Match[str]) -> str:
    """The members of a set, whose order differs from run to run."""
    return ", ".join(sorted(names[0].split(", ")))


def in_pytorch(plan: Plan) -> tuple[Said, nn.Module | None]:
    try:
        model = in_torch.network(plan)
    except in_torch.Refuses as refusal:
        text = f"{type(refusal.wrong).__name__}: {clean(str(refusal))}"
        return Said(text, "construct", refusal.part, _names_kind(text, refusal.part)), None
    in_torch.Failing.entered = None
    try:
        with torch.no_grad():
            out = model(torch.randn(in_torch.BATCH, *plan.input))
            if plan.batch and plan.batch != plan.input:
                out = model(torch.randn(in_torch.BATCH, *plan.batch))
            if plan.classes:
                in_torch.Failing.entered = None
                nn.functional.cross_entropy(out, torch.full((in_torch.BATCH,), plan.classes - 1))
    except Exception as wrong:  # whatever it raises is what we are here for
        part = getattr(in_torch.Failing.entered, "part", None)
        text = f"{type(wrong).__name__}: {clean(str(wrong))}"
        return Said(text, "batch", part, _names_kind(text, part)), model
    return Said(f"accepts it: {_sizes(out.shape[1:])} comes out"), model


def _names_kind(text: str, part: Unit | Join | None) -> bool:
    """Whether a message of PyTorch says what kind of layer it is about."""
    kind = {"conv": "conv", "maxpool": "max_pool", "avgpool": "avg_pool"}.get(getattr(part, "word", ""), "nothing")
    own = type(in_torch.Failing.entered).__name__ if in_torch.Failing.entered is not None else "nothing"
    return kind + "1d" in text or kind + "2d" in text or kind + "3d" in text or (len(own) > 5 and own in text)


def in_torchinfo(plan: Plan, model: nn.Module | None, pytorch: Said) -> Said:
    if model is None:
        return Said(pytorch.text, "construct", pytorch.part, pytorch.named)
    in_torch.Failing.entered = None
    try:
        torchinfo.summary(model, (in_torch.BATCH, *plan.input), verbose=0, device="cpu")
    except RuntimeError as wrong:
        cause = clean(str(wrong.__cause__ or wrong))
        ran = re.findall(r"Executed layers up to: \[(.*)\]", str(wrong))
        layers = ran[0].split(", ") if ran and ran[0] else []
        behind = f"Executed layers up to: [{'..., ' if len(layers) > 3 else ''}{', '.join(layers[-3:])}]"
        part = getattr(in_torch.Failing.entered, "part", None)
        return Said(f"{behind}, caused by {type(wrong.__cause__).__name__}: {cause}", "summary", part, bool(ran))
    except Exception as wrong:
        part = getattr(in_torch.Failing.entered, "part", None)
        return Said(f"{type(wrong).__name__}: {clean(str(wrong))}", "summary", part, False)
    return Said("accepts it")


def in_keras_(plan: Plan, accepts: str) -> Said:
    """`accepts` is how to put it where nothing is wrong."""
    keras.backend.clear_session()
    try:
        model = in_keras.Build().model(plan)
    except in_keras.Lacks as lacks:
        return Said(f"cannot be expressed: {lacks}", lacking=True)
    except in_keras.Refuses as refusal:
        text = f"{type(refusal.wrong).__name__}: {clean(str(refusal))}"
        named = bool(refusal.named) and re.search(rf"['\"= ]{re.escape(refusal.named)}['\",. ]", text) is not None
        return Said(text, "build", refusal.part, named or "when calling" in text)
    sizes = in_keras.last(plan.batch or plan.input)
    try:
        if plan.classes:
            out = model(torch.randn(in_torch.BATCH, *sizes))
            labels = torch.full((in_torch.BATCH,), plan.classes - 1)
            keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, out)
    except Exception as wrong:
        return Said(f"{type(wrong).__name__}: {clean(str(wrong))}", "batch")
    *spatial, channels = model.output_shape[1:]
    return Said(f"{accepts}: {_sizes((channels, *spatial))} comes out")


def _sizes(sizes: Any) -> str:
    return "x".join(map(str, sizes))


def tell(file: corpus.File) -> Told:
    """Asks every tool about one file."""
    if file.kind in SPELLING:
        return Told(file, "a matter of spelling")
    if file.name in ELSEWHERE_RIGHT:
        return Told(file, ELSEWHERE_RIGHT[file.name])
    try:
        found = plans(file.source, in_torch.measure)
    except OnlyHere as only:
        return Told(file, str(only))
    for plan in found:
        pytorch, model = in_pytorch(plan)
        if pytorch.finds or plan is found[-1]:
            break
    claimed = pytorch.finds and isinstance(pytorch.part, Unit) and states_size(pytorch.part)
    keras_says = in_keras_(plan, INFERS if claimed else ACCEPTS)
    if file.name in RIGHT_IN_KERAS:
        keras_says = Said("accepts it, and rightly: channels last is its order")
    said = {"torch": pytorch, "torchinfo": in_torchinfo(plan, model, pytorch), "Keras": keras_says}
    return Told(file, _why_not(file, said), said)


def states_size(unit: Unit) -> bool:
    """Whether a layer is written with a number of incoming channels or features."""
    return unit.claim is not None or bool(unit.word in ("batchnorm", "prelu") and unit.args)


def _why_not(file: corpus.File, said: dict[str, Said]) -> str:
    """Why a fault that nobody else finds is none there."""
    if any(each.finds for each in said.values()):
        return ""
    code = file.found[0].code
    if code in EXPECTED:
        return EXPECTATION
    return "a rule of names and arguments in .cnn" if code.startswith(NAMED_HERE) else ""
