"""Seeded random specs of networks without branches: groups, labels, blocks with parameters, one to three axes."""

from __future__ import annotations

from random import Random

from cnnspec.diagnostics import SpecError
from cnnspec.network import Network, load
from cnnspec.source import Source

INPUTS = {0: "24", 1: "4x32", 2: "4x16x14", 3: "2x8x8x8"}
MOST_ELEMENTS = 100_000
LABELS = ("stem", "body", "head", "conv_a", "lambda", "class", "x1", "norm", "act", "block", "model", "input")

PLAIN = ("relu", "identity", "gelu", "leaky_relu(0.2)", "dropout(0.25)", "tanh", "silu")
ON_MAPS = (
    "conv(8, 3, padding=1)",
    "conv(6, 3, padding=same, bias=false)",
    "conv(12, 3, stride=2, padding=1)",
    "conv(4, 1)",
    "conv(8, 3, padding=1, padding_mode=circular)",
    "conv(8, 5, padding=2, dilation=1)",
    "conv_transpose(8, 2, stride=2)",
    "batchnorm",
    "batchnorm(eps=0.001, momentum=0.01)",
    "instancenorm(affine=true)",
    "groupnorm(2)",
    "maxpool(2)",
    "maxpool(3, stride=2, padding=1, ceil=true)",
    "avgpool(2)",
    "adaptive_avgpool(4)",
    "channel_dropout(0.1)",
    "prelu",
)
ON_FEATURES = ("linear(16)", "linear(8, bias=false)", "layernorm", "batchnorm", "relu", "softmax", "dropout(0.1)")
IN_BLOCKS = (
    "conv(width, kernel, padding=kernel // 2)",
    "conv(4 * width, 1, bias=false)",
    "conv(width, 3, stride=stride, padding=1)",
    "conv(width, kernel)",
    "batchnorm",
    "relu",
    "maxpool(2)",
    "maxpool(kernel, stride=stride, padding=1)",
    "dropout(rate)",
    "conv(2 * width if wide else width, 1)",
    "conv(width if not wide and kernel == 3 else 6, kernel, padding=same if wide else 0)",
    "conv(sizes[0], 3, padding=1, padding_mode=mode)",
    "conv([4, 8, 12][width % 3], sizes[-1], padding=sizes[1] // 2)",
    "conv(-(2 - width) + 2, 1)",
    "conv((3 * width) / (2 if width % 2 == 0 else 3), 1, bias=wide or kernel > 3)",
    "dropout(rate * 3 / 10)",
    "groupnorm(2 if width % 2 == 0 else 1)",
)
PARAMETERS = "width, kernel=3, stride=1, rate=0.5, wide=false, sizes=[4, 3], mode=zeros"
MORE = ("", ", kernel=5", ", stride=2", ", 1", ", rate=0.1", ", wide=true", ", sizes=[8, 1]", ", mode=reflect")
"""The parameters of a block, and what its use may give behind the width."""


class Writer:
    """Writes one spec. A spec that does not fit together is thrown away by whoever loads it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rank = self.random.choice((0, 1, 1, 2, 2, 2, 3))
        self.blocks: list[str] = []

    def spec(self) -> str:
        if self.rank:
            for name in ("Inner", "Outer")[: self.random.randint(0, 2)]:
                self.blocks.append(name)
        blocks = [self.block(position) for position in range(len(self.blocks))]
        steps = self.steps(self.random.randint(2, 6), 2)
        end = ["flatten", "linear(12)", "relu"] if self.rank else []
        lines = [f"  input {INPUTS[self.rank]}", *(f"  {step}" for step in (*steps, *end, "linear(classes)"))]
        return "\n".join([*blocks, "model Net(classes=5, width=8) {", *lines, "}"]) + "\n"

    def block(self, position: int) -> str:
        steps = [self.random.choice(IN_BLOCKS) for _ in range(self.random.randint(1, 4))]
        if position and self.random.random() < 0.7:
            steps.append(self.random.choice(("Inner(width)", "Inner(2 * width, stride=stride)", "pair: Inner(8)")))
        body = "\n".join(f"  {self.labelled(step, at)}" for at, step in enumerate(steps))
        return f"block {self.blocks[position]}({PARAMETERS}) {{\n{body}\n}}\n"

    def steps(self, number: int, depth: int) -> list[str]:
        return [self.labelled(self.step(depth), position) for position in range(number)]

    def step(self, depth: int) -> str:
        kind = self.random.random()
        if depth and kind < 0.25:
            return "{ " + ", ".join(self.steps(self.random.randint(1, 3), depth - 1)) + " }"
        if self.blocks and kind < 0.6:
            width = self.random.choice(("4", "8", "12", "width", "2 * width"))
            more = self.random.choice(MORE)
            return f"{self.random.choice(self.blocks)}({width}{more})"
        return self.random.choice((ON_MAPS if self.rank else ON_FEATURES) + PLAIN)

    def labelled(self, step: str, position: int) -> str:
        if ":" in step.partition("(")[0] or self.random.random() < 0.6:
            return step
        return f"{self.random.choice(LABELS)}{position}: {step}" if position else f"lambda: {step}"


def networks(count: int) -> list[Network]:
    """That many different networks; seeds whose specs are wrong, or give large maps, are passed over."""
    found: list[Network] = []
    for seed in range(50 * count):
        try:
            network = load(Source(f"random{seed}.cnn", Writer(seed).spec()))
        except SpecError:
            continue
        if sum(node.output.elements for node in network.layers) < MOST_ELEMENTS:
            found.append(network)
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} of {50 * count} specs are right")
