"""Random specs: verdict, shapes, names and counts agree with torch on the meta device, every one.

`CNNSPEC_RANDOM_SPECS=20000 pytest tests/network/test_random_specs.py` runs more of them; the mix is printed at the end.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

from random_models import MODULES, Spec, Writer

from cnnspec.diagnostics.human import render
from cnnspec.layers import LAYERS
from cnnspec.network import check
from cnnspec.source import Source

COUNT = int(os.environ.get("CNNSPEC_RANDOM_SPECS", "1000"))


def disagreement(spec: Spec) -> str | None:
    """What cnnspec and torch say differently about a spec."""
    checked = check(Source("random.cnn", spec.text))
    errors = "\n\n".join(render(d) for d in checked.errors)
    if bool(checked.errors) != (spec.refusal is not None):
        return f"torch: {spec.refusal or 'accepts'}\ncnnspec: {errors or 'accepts'}"
    if spec.refusal:
        return None
    (network,) = checked.networks
    outputs = [node.output.sizes for node in network.layers]
    if outputs != spec.outputs:
        return f"torch: {spec.outputs}\ncnnspec: {outputs}"
    state = {
        f"{node.path}.{name}": shape
        for node in network.layers
        for name, shape in (node.weights.parameters | node.weights.buffers).items()
    }
    if list(state.items()) != list(spec.state.items()) or network.parameters != spec.parameters:
        return f"torch: {spec.state}\ncnnspec: {state}"
    return None


def test_every_layer_is_drawn() -> None:
    assert set(MODULES) == set(LAYERS)


def test_random_specs_agree_with_torch(record_property: Callable[[str, object], None]) -> None:
    refused, ranks, words = 0, Counter[int](), Counter[str]()
    faults = []
    for seed in range(COUNT):
        spec = Writer(seed).write()
        refused += spec.refusal is not None
        ranks[len(spec.input) - 1] += 1
        words.update(spec.words)
        wrong = disagreement(spec)
        if wrong:
            faults.append(f"--- seed {seed}\n{spec.text}\n{wrong}")
    mix = (
        f"{COUNT} specs, {refused} refused by torch ({refused / COUNT:.0%})",
        "ranks: " + ", ".join(f"{rank}-d {count}" for rank, count in sorted(ranks.items())),
        "layers: " + ", ".join(f"{word} {count}" for word, count in words.most_common()),
    )
    record_property("mix", "\n".join(mix))
    assert not faults, f"{len(faults)} disagreements\n" + "\n".join(faults[:5])
    assert refused >= 0.3 * COUNT
    assert set(ranks) == {0, 1, 2, 3}
    assert set(words) == set(LAYERS)
