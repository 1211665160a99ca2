"""What training takes, held against PyTorch: what it keeps for the backward pass, to the byte, and the peak of a step.

The meta device computes shapes and no numbers. `CNNSPEC_MEMORY=all` compares every network of the zoo and more random
ones.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from random_nets import networks

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from memory import as_on_a_gpu, batch_of, without_gpu

from cnnspec import zoo
from cnnspec.analysis.steps import steps as steps_of
from cnnspec.analysis.tape import blocks
from cnnspec.analysis.training import OPTIMIZERS, Plan, largest_batch, training_memory
from cnnspec.building import build_module
from cnnspec.layers import LAYERS
from cnnspec.network import load, read_source
from cnnspec.source import Source
from cnnspec.training.loop import placed

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


def kept_by_torch(network, batch):
    """Bytes in blocks, each storage counted once, those of weights and of the batch left out."""
    device = torch.device("meta")
    found = {}
    with device, as_on_a_gpu():
        model = placed(build_module(network), network, device).train()
        x = batch_of(network, batch)
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


def kept(network, batch):
    return sum(step.bytes for step in training_memory(network, Plan(batch)).steps)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("before", ["", "scale, relu, ", "conv, relu, "])
def test_what_layers_keep(before):
    for example in EXAMPLES_OF_LAYERS + MORE:
        body, shape = example.split(" @ ")
        conv = f"conv({shape.partition('x')[0]}, 1)" if "x" in shape else "linear(?)".replace("?", shape)
        front = before.replace("conv", conv)
        network = load(Source("<test>", f"model Test {{\n  input {shape}\n  {front}{body}, relu\n}}\n"))
        assert kept(network, BATCH) == kept_by_torch(network, BATCH), front + example


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_random_networks_keep(tmp_path, record_property):
    mix, count = Counter(), 0
    for seed, network in networks(tmp_path, 0):
        if any(placed.layer.word == "logsigmoid" for placed in network.layers):
            continue
        assert kept(network, BATCH) == kept_by_torch(network, BATCH), seed
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
    network = load(read_source(f"zoo:{name}"))
    assert kept(network, 4) == kept_by_torch(network, 4)


PEAKS = [("tinycnn3", optimizer, 32) for optimizer in OPTIMIZERS]
PEAKS += [("simplecnn_bn", "adamw", 1), ("gated_mlp", "sgd", 8)]


@pytest.mark.parametrize(("name", "optimizer", "batch"), PEAKS)
def test_the_peak_of_a_step(name, optimizer, batch):
    """The whole comparison is `benchmarks/memory.py`."""
    network = load(read_source(EXAMPLES / f"{name}.cnn"))
    plan = Plan(batch, optimizer)
    assert training_memory(network, plan).peak == pytest.approx(without_gpu(network, plan), rel=0.01)


def test_the_peak_in_bfloat16(steps):
    body = "conv(16, 3, padding=1), batchnorm, relu, residual { conv(16, 3, padding=1), relu }, flatten, linear(10)"
    plan = Plan(32, "adamw", "bfloat16")
    network = steps("3x32x32", body)
    assert training_memory(network, plan).peak == pytest.approx(without_gpu(network, plan), rel=0.1)


# ------------------------------------------------------------------------------------------------------- by hand


def test_of_a_small_network(steps):
    """conv keeps its input, the batch; relu its output, 2x2x8x8 floats; linear that too; the loss 2x10 logarithms, and
    one number."""
    network = steps("1x8x8", "conv(2, 3, padding=1), relu, flatten, linear(10)")
    found = training_memory(network, Plan(2, "sgd"))
    flat = blocks(2 * 128 * 4)
    assert [step.bytes for step in found.steps] == [0, flat, flat, 0]
    assert found.loss == 512 + 512
    assert found.parameters == 512 + 512 + blocks(1280 * 4) + 512
    assert (found.gradients, found.state) == (found.parameters, 0)
    assert found.batch == 512 + 512


def test_what_lies_beside_outputs(steps):
    network = steps("4x8x8", "conv(4, 1), batchnorm, relu, maxpool(2), dropout(0.5), flatten, linear(10)")
    conv, norm, relu, pool, dropout, _, _ = training_memory(network, Plan(16)).steps
    large, small = 16 * 4 * 64 * 4, 16 * 4 * 16 * 4
    assert (conv.output, norm.output, norm.extras) == (large, 0, 1024)
    assert relu.output == large
    assert (pool.output, pool.extras) == (0, 2 * small)
    assert dropout.extras == small // 4


def test_optimizers(steps):
    network = steps("64", "linear(512), relu, linear(10)")
    weights = training_memory(network, Plan(1, "sgd")).parameters
    for word, state in (("sgd", 0), ("momentum", 1), ("adam", 2), ("adamw", 2)):
        assert training_memory(network, Plan(1, word)).state == state * weights
    decaying = training_memory(network, Plan(1, "sgd", weight_decay=True))
    assert decaying.optimizer_peak - training_memory(network, Plan(1, "sgd")).optimizer_peak == weights
    assert training_memory(network, Plan(1, "sgd", ema=True)).ema == weights
    with pytest.raises(KeyError):
        training_memory(network, Plan(1, "unheard"))


def test_bfloat16_halves_activations_and_keeps_weights(steps):
    network = steps("8x32x32", "conv(8, 3, padding=1), relu, conv(8, 3, padding=1), flatten, linear(10)")
    full, half = (training_memory(network, Plan(64, precision=each)) for each in ("float32", "bfloat16"))
    assert half.parameters == full.parameters
    assert half.steps[1].output == full.steps[1].output // 2 > 0


def test_a_row_for_each_step(steps):
    network = steps("4x8x8", "add { | relu | sigmoid }, aux { flatten, linear(10) }, flatten, linear(10)")
    assert len(training_memory(network, Plan(2)).steps) == len(list(steps_of(network)))


def test_the_largest_batch(steps):
    network = steps("3x32x32", "conv(16, 3), relu, maxpool(2), flatten, linear(10)")
    plan = Plan()
    for limit in (20 << 20, 1 << 30):
        batch = largest_batch(network, plan, limit)
        assert training_memory(network, plan.replace(batch=batch)).peak <= limit
        assert training_memory(network, plan.replace(batch=batch + 1)).peak > limit
    assert largest_batch(network, plan, 1 << 10) == 0
