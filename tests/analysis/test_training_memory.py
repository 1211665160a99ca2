"""What training takes, held against PyTorch: what it keeps for the backward pass, to the byte, and the peak of the
steps of the trainer itself.

The meta device computes shapes and no numbers. `CNNSPEC_MEMORY=all` compares every network of the zoo and more random
ones.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from random_nets import networks

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from memory import as_on_a_gpu, without_gpu

from cnnspec import zoo
from cnnspec.analysis.learning import frozen
from cnnspec.analysis.optimizers import NAMED
from cnnspec.analysis.steps import steps as steps_of
from cnnspec.analysis.tape import blocks
from cnnspec.analysis.training import largest_batch, training_memory
from cnnspec.building import build_module
from cnnspec.layers import LAYERS
from cnnspec.network import load, read_source
from cnnspec.network.freezing import parts
from cnnspec.network.model import LayerNode
from cnnspec.recipe import AdamW, CutMix, Group, Mixup, Muon, Recipe, Sgd
from cnnspec.source import Source
from cnnspec.training.error import TrainError
from cnnspec.training.freezing import let_learn
from cnnspec.training.loop import layout, placed
from cnnspec.training.optim import make_optimizer
from cnnspec.training.sides import sides_of

ALL = os.environ.get("CNNSPEC_MEMORY") == "all"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BATCH = 8

MORE = [
    "maxpool(2) @ 8x20", "maxpool(2) @ 3x8x8x8", "avgpool(2) @ 8x20", "adaptive_avgpool(1) @ 8x20",
    "adaptive_avgpool(1) @ 4x6x6x6", "adaptive_avgpool(2) @ 8x8x8", "adaptive_maxpool(2) @ 8x20", "lp_pool(1, 2) @ 4x8",
    "lp_pool(2, 2) @ 4x6x6x6", "batchnorm @ 20", "batchnorm @ 3x20", "batchnorm(affine=false) @ 4x8x8",
    "instancenorm(affine=true) @ 4x8x8", "instancenorm @ 4x20", "groupnorm(2) @ 4x20", "layernorm(over=last) @ 4x8x8",
    "layernorm(affine=false, over=channels) @ 4x8x8", "rmsnorm(over=all) @ 4x8x8",
    "rmsnorm(over=all, affine=false) @ 4x8x8",
    "local_response_norm(5) @ 8x20", "local_response_norm(5) @ 8x4x4x4", "dropout(1) @ 20", "dropout(0) @ 20",
    "dropout(0.5) @ 4x8x8", "alpha_dropout(0.2) @ 4x8x8", "stochastic_depth(1) @ 20", "scale @ 20", "prelu @ 4x8x8",
    "linear(5, bias=false) @ 3x4", "linear(5) @ 3x4x6", "pad(1) @ 4x8x8", "pad(1, mode=replicate) @ 4x8x8",
    "pad(1, mode=circular) @ 4x8x8", "upsample(2, mode=bilinear) @ 32x8x8", "upsample(2) @ 4x20",
    "channel_shuffle(2) @ 4x8",
    "channel_shuffle(1) @ 4x8", "conv(4, 3) @ 3x20", "conv(4, 3) @ 3x6x6x6", "conv(4, 3, padding=same) @ 3x8x8",
    "conv(4, 4, padding=same) @ 3x8x8", "conv(4, 3, padding=1, padding_mode=circular) @ 3x8x8",
    "conv(4, 3, padding=1, padding_mode=reflect) @ 3x8x8", "channels_last, linear(4), channels_first @ 3x8x8",
    "softmax @ 10x8x8", "softsign @ 4x8x8", "glu @ 4",
    "concat { | conv(4, 1) | maxpool(3, stride=1, padding=1) } @ 4x8x8",
    "multiply { | | adaptive_avgpool(1), conv(4, 1), sigmoid } @ 4x8x8", "add { | | relu | conv(4, 1) } @ 4x8x8",
    "concat(split=true) { | relu | groupnorm(1) } @ 4x8x8", "aux { flatten, linear(3) } @ 4x8x8",
]  # fmt: skip
EXAMPLES_OF_LAYERS = [layer.example for word, layer in LAYERS.items() if word != "logsigmoid"]
"""On a processor logsigmoid keeps what it does not on a GPU."""


def kept_by_torch(network, recipe):
    """Bytes in blocks, each storage counted once, those of weights and of the batch left out."""
    device = torch.device("meta")
    found = {}
    with device, as_on_a_gpu():
        model = placed(build_module(network), network, device)
        model.train()
        if network.parameters:
            let_learn(model, make_optimizer(recipe, model), frozen(recipe, recipe.epochs))
        x = torch.zeros(recipe.batch, *network.input.sizes)
        x = x.contiguous(memory_format=layout(x.dim(), device))
        own = {tensor.untyped_storage()._cdata for tensor in [*model.parameters(), *model.buffers(), x]}

        def pack(tensor):
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                found[storage._cdata] = storage
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            y = model(x)
    total = sum(blocks(storage.nbytes()) for storage in found.values())
    del y
    return total


def kept(network, recipe):
    return sum(step.bytes for step in training_memory(network, recipe).steps)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("before", ["", "scale, relu, ", "conv, relu, "])
def test_what_layers_keep(before):
    for example in EXAMPLES_OF_LAYERS + MORE:
        body, shape = example.split(" @ ")
        conv = f"conv({shape.partition('x')[0]}, 1)" if "x" in shape else "linear(?)".replace("?", shape)
        front = before.replace("conv", conv)
        network = load(Source("<test>", f"model Test {{\n  input {shape}\n  {front}{body}, relu\n}}\n"))
        recipe = Recipe(batch=BATCH)
        assert kept(network, recipe) == kept_by_torch(network, recipe), front + example


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_random_networks_keep(tmp_path, record_property):
    mix, count = Counter(), 0
    for seed, network in networks(tmp_path, 0):
        if any(placed.layer.word == "logsigmoid" for placed in network.layers):
            continue
        for recipe in (Recipe(batch=BATCH), some_recipe(network, seed)):
            assert kept(network, recipe) == kept_by_torch(network, recipe), seed
        mix.update({"networks": 1, "layers": len(network.layers)})
        count += 1
        if count >= (800 if ALL else 25):
            break
    record_property("counts", json.dumps(mix))


SOME = [
    "alexnet",
    "resnet18",
    "mobilenet_v3_small",
    "googlenet",
    "shufflenet_v2_x0_5",
    "convnext_tiny",
    "regnet_y_400mf",
]


@pytest.mark.parametrize("name", zoo.names() if ALL else SOME)
def test_what_the_zoo_keeps(name):
    network, recipe = load(read_source(f"zoo:{name}")), Recipe(batch=4)
    assert kept(network, recipe) == kept_by_torch(network, recipe)


# -------------------------------------------------------------------------------------------------------- the peak

BESIDE = 32 * 512
"""What a run has beside: sums of losses, numbers of samples, random numbers and the like."""

COMPOSED = {"rmsnorm", "mish", "logsigmoid"}
"""Layers that the meta device makes of several operations, and a GPU of one."""


def some_recipe(network, seed):
    """Frozen parts, rates of zero and what else there is in a recipe, at random; something is left to learn."""
    draw = random.Random(seed)
    choices = {
        "optimizer": [Sgd(), Sgd(momentum=0.9), AdamW(), Muon(), Muon(nesterov=False, normalise=True, others=Sgd())],
        "groups": [(), (), (Group(kind="biases", lr=0.0),), (Group(kind="vectors", weight_decay=0.0),)],
        "accumulate": [1, 1, 2, 3],
        "mix": [(), (), (Mixup(),), (Mixup(), CutMix())],
        "ema": [0.0, 0.9],
        "clip": [None, 1.0],
        "label_smoothing": [0.0, 0.1],
    }
    recipe = Recipe(batch=BATCH, precision="float32", **{name: draw.choice(values) for name, values in choices.items()})
    names = [name for name, node in parts(network.root.items) if node.parameters]
    frozen = draw.sample(names, draw.randint(0, len(names) // 2))
    last = [name for name in names if not any(name == each or name.startswith(f"{each}.") for each in frozen)]
    learning = [node for name, node in parts(network.root.items) if name in last and isinstance(node, LayerNode)]
    if not any("weight" in node.weights.parameters for node in learning):
        return recipe.replace(groups=())
    return recipe.replace(freeze=tuple(frozen), unfreeze_after=draw.choice([None, None, 3, recipe.epochs]))


def off(network, recipe):
    """By how many bytes more is foretold than is measured, and what part of it that is."""
    measured = without_gpu(network, recipe)
    more = training_memory(network, recipe).peak - measured
    return more, more / measured


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_peak_of_random_networks_and_recipes(tmp_path, record_property):
    mix, count = Counter(), 0
    for seed, network in networks(tmp_path, 0):
        outputs, words = network.output.elements, {placed.layer.word for placed in network.layers}
        if network.output.rank or outputs < 2 or not network.parameters or words & COMPOSED:
            continue
        recipe = some_recipe(network, seed).replace(batch=64)
        try:
            more, part = off(network, recipe)
        except TrainError:
            continue
        losses = 4 * recipe.batch * 4 * outputs * (1 + len(sides_of(network)))  # all are counted as cross entropy
        assert abs(part) < 0.0005 or abs(more) < BESIDE + losses, seed
        mix.update({"networks": 1, "frozen": bool(recipe.freeze), recipe.optimizer.word: 1, "mean": bool(recipe.ema)})
        count += 1
        if count >= (400 if ALL else 8):
            break
    record_property("counts", json.dumps(mix))


RECIPES = {
    "momentum": Recipe(optimizer=Sgd(momentum=0.9)),
    "decay": Recipe(optimizer=Sgd(weight_decay=1e-4)),
    "adam": Recipe(optimizer=NAMED["adam"]),
    "mean": Recipe(ema=0.999, clip=1.0),
    "passes": Recipe(accumulate=3, ema=0.9),
    "mixed": Recipe(mix=(Mixup(), CutMix())),
    "muon": Recipe(optimizer=Muon(), batch=2),
    "muon plainly": Recipe(optimizer=Muon(nesterov=False, normalise=True, others=Sgd(momentum=0.9)), batch=2),
    "rates": Recipe(optimizer=Muon(), groups=(Group(kind="norms", lr=0.0), Group(("layer4",), lr=0.1)), batch=2),
    "stem": Recipe(freeze=("conv1", "bn1", "layer1"), batch=16),
    "middle": Recipe(freeze=("layer2", "layer3")),
    "head": Recipe(freeze=("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")),
    "thawed": Recipe(freeze=("conv1", "layer1"), unfreeze_after=(3, 5)),
    "muon, thawed in part": Recipe(optimizer=Muon(), freeze=("layer2", "layer4"), unfreeze_after=(3, 10)),
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_peak_of_recipes(name):
    """The whole comparison of networks is `benchmarks/memory.py`."""
    network, recipe = load(read_source("zoo:resnet18")), RECIPES[name]
    assert -0.0005 < off(network, recipe.replace(batch=min(recipe.batch, 8), precision="float32"))[1] <= 0


ADDED = [
    "prelu",
    "softsign",
    "tanhshrink",
    "local_response_norm(3)",
    "lp_pool(2, 2)",
    "instancenorm(affine=true)",
    "scale",
]


@pytest.mark.parametrize("layer", ADDED)
def test_what_layers_take_for_a_moment_backwards(steps, layer):
    network = steps("3x32x32", f"conv(8, 3), {layer}, conv(8, 3), flatten, linear(4)")
    assert -0.001 < off(network, Recipe(batch=64))[1] <= 0


def test_a_tensor_that_passes_through_unchanged_has_one_gradient(steps):
    network = steps(
        "8x32x32", "conv(8, 1), add { | | identity | dropout(0) | conv(8, 3, padding=1) }, flatten, linear(4)"
    )
    assert -0.001 < off(network, Recipe(batch=64))[1] <= 0


@pytest.mark.parametrize("body", ["conv(32, 3), relu, maxpool(2), flatten, linear(10)", "flatten, linear(10)"])
def test_measuring_takes_more_than_a_step_of_a_shallow_network(steps, body):
    network, recipe = steps("3x32x32", body), Recipe(batch=64, ema=0.9)
    assert training_memory(network, recipe).peak == training_memory(network, recipe).measuring_peak
    assert abs(off(network, recipe)[1]) < 0.001


def test_more_learns_with_every_epoch(steps):
    network = steps("3x16x16", "a: conv(8, 3), b: batchnorm, relu, c: conv(8, 3), flatten, d: linear(10)")
    recipe = Recipe(freeze=("a", "c"), unfreeze_after=(4, 2), epochs=10)
    peaks = [training_memory(network, recipe.replace(epochs=epoch)).peak for epoch in range(1, 11)]
    assert peaks == sorted(peaks)
    assert peaks[0] < peaks[2] < peaks[4] == peaks[9]


@pytest.mark.parametrize("recipe", [Recipe(batch=32), Recipe(batch=2), Recipe(batch=4, freeze=("0", "1", "2"))])
def test_the_peak_in_bfloat16(steps, recipe):
    """Where autocast turns the same operations' inputs into bfloat16 on a processor and on a GPU."""
    body = "conv(16, 3, padding=1), batchnorm, relu, residual { conv(16, 3, padding=1), relu }, flatten, linear(100)"
    part = off(steps("3x32x32", f"{body}, linear(9)"), recipe.replace(precision="bfloat16"))[1]
    assert abs(part) < 0.002


# ------------------------------------------------------------------------------------------------------- by hand


def test_of_a_small_network(steps):
    """conv keeps its input, the batch; relu its output, 2x2x8x8 floats; linear that too; the loss 2x10 logarithms, and
    one number."""
    network = steps("1x8x8", "conv(2, 3, padding=1), relu, flatten, linear(10)")
    found = training_memory(network, Recipe(batch=2, optimizer=Sgd()))
    flat = blocks(2 * 128 * 4)
    assert [step.bytes for step in found.steps] == [0, flat, flat, 0]
    assert found.loss == 512 + 512
    assert found.parameters == 512 + 512 + blocks(1280 * 4) + 512
    assert (found.gradients, found.state) == (found.parameters, 0)
    assert found.batch == 512 + 512


def test_what_lies_beside_outputs(steps):
    network = steps("4x8x8", "conv(4, 1), batchnorm, relu, maxpool(2), dropout(0.5), flatten, linear(10)")
    conv, norm, relu, pool, dropout, _, _ = training_memory(network, Recipe(batch=16)).steps
    large, small = 16 * 4 * 64 * 4, 16 * 4 * 16 * 4
    assert (conv.output, norm.output, norm.extras) == (large, 0, 1024)
    assert relu.output == large
    assert (pool.output, pool.extras) == (0, 2 * small)
    assert dropout.extras == small // 4


def test_optimizers(steps):
    """Adam counts the steps of each tensor on the device, a block for each; Muon leaves the last layer to AdamW."""
    network = steps("64", "linear(512), relu, linear(10)")
    weights = training_memory(network, Recipe(optimizer=Sgd())).parameters
    hidden = 64 * 512 * 4
    kept = {
        "sgd": 0,
        "momentum": weights,
        "adam": 2 * weights + 4 * 512,
        "adamw": 2 * weights + 4 * 512,
        "muon": hidden + 2 * (weights - hidden) + 3 * 512,
    }
    assert {word: training_memory(network, Recipe(optimizer=NAMED[word])).state for word in NAMED} == kept
    assert training_memory(network, Recipe(ema=0.9)).ema == weights
    frozen = training_memory(network, Recipe(freeze=("0",), ema=0.9))
    assert (frozen.gradients, frozen.state) == (weights - hidden - 512 * 4, 2 * frozen.gradients + 2 * 512)
    assert frozen.ema == frozen.parameters == weights


def test_bfloat16_halves_activations_and_keeps_weights(steps):
    network = steps("8x32x32", "conv(8, 3, padding=1), relu, conv(8, 3, padding=1), flatten, linear(10)")
    full, half = (training_memory(network, Recipe(batch=64, precision=each)) for each in ("float32", "bfloat16"))
    assert half.parameters == full.parameters
    assert half.steps[1].output == full.steps[1].output // 2 > 0


def test_a_row_for_each_step(steps):
    network = steps("4x8x8", "add { | relu | sigmoid }, aux { flatten, linear(10) }, flatten, linear(10)")
    assert len(training_memory(network, Recipe(batch=2)).steps) == len(list(steps_of(network)))


def test_the_largest_batch(steps):
    network = steps("3x32x32", "conv(16, 3), relu, maxpool(2), flatten, linear(10)")
    recipe = Recipe()
    for limit in (20 << 20, 1 << 30):
        batch = largest_batch(network, recipe, limit)
        assert training_memory(network, recipe.replace(batch=batch)).peak <= limit
        assert training_memory(network, recipe.replace(batch=batch + 1)).peak > limit
    assert largest_batch(network, recipe, 1 << 10) == 0
