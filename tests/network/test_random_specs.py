"""Random specs: verdict, shapes, names and counts agree with torch on the meta device, every one.

`CNNSPEC_RANDOM_SPECS=20000 pytest tests/network/test_random_specs.py` runs more of them; the mix is printed at the end.
"""

from __future__ import annotations

import json
import os
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from random_models import Spec, Writer
from random_runner import Model
from torch_layers import Huge
from torch_modules import MODULES

from cnnspec.diagnostics.human import render
from cnnspec.layers import LAYERS
from cnnspec.layers.combine import COMBINATORS
from cnnspec.network import Checked, Network, check
from cnnspec.source import Source
from cnnspec.syntax.parser import parse
from cnnspec.syntax.printer import print_file

COUNT = int(os.environ.get("CNNSPEC_RANDOM_SPECS", "2000"))
PARTS = 4
"""The specs are spread over workers in this many parts."""

PRINTED = 3
"""One in so many is printed and checked again."""


def state(network: Network) -> dict[str, tuple[int, ...]]:
    return {
        f"{placed.path}.{name}" if name else placed.path: shape
        for placed in network.layers
        for name, shape in (placed.weights.parameters | placed.weights.buffers).items()
    }


def differs(network: Network, model: Model) -> str | None:
    """What cnnspec and torch say differently about a network that both accept."""
    outputs = [(placed.node.output.sizes, placed.node.output.channels_last) for placed in network.layers]
    if outputs != model.outputs:
        return f"torch: {model.outputs}\ncnnspec: {outputs}"
    if list(state(network).items()) != list(model.state.items()) or network.parameters != model.parameters:
        return f"torch: {model.state}\ncnnspec: {state(network)}"
    return None


def checked(spec: Spec, folder: Path) -> Checked:
    for path, text in spec.files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return check(Source(str(folder / "random.cnn"), spec.text))


def disagreement(spec: Spec, folder: Path) -> str | None:
    """What cnnspec and torch say differently about a spec."""
    found = checked(spec, folder)
    networks = {network.name: network for network in found.networks}
    errors = "\n\n".join(render(d) for d in found.errors)
    for name, model in spec.models.items():
        if (name in networks) != isinstance(model, Model):
            said = "accepts" if isinstance(model, Model) else model
            return f"torch: {said}\ncnnspec: {'accepts' if name in networks else errors or 'says nothing'}"
        if isinstance(model, Model) and (wrong := differs(networks[name], model)):
            return f"{name}\n{wrong}"
    if bool(errors) != spec.refused or networks.keys() != {n for n, m in spec.models.items() if isinstance(m, Model)}:
        return f"torch: {spec.models}\ncnnspec: {errors or list(networks)}"
    return printed(spec, folder, found) if spec.seed % PRINTED == 0 else None


def printed(spec: Spec, folder: Path, found: Checked) -> str | None:
    """What the printed text says differently."""
    tree = parse(Source("random.cnn", spec.text)).file
    text = print_file(tree)
    again = parse(Source("printed.cnn", text))
    if again.diagnostics or again.file != tree:
        return f"printed:\n{text}"
    same = check(Source(str(folder / "random.cnn"), text))
    if [d.code for d in same.errors] != [d.code for d in found.errors]:
        return f"printed: {same.errors}\n{text}"
    one, other = ([(n.name, state(n), n.output) for n in each.networks] for each in (found, same))
    return None if one == other else f"printed: {other}\n{text}"


def test_every_layer_is_drawn() -> None:
    assert set(MODULES) == set(LAYERS)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("part", range(PARTS))
def test_random_specs_agree_with_torch(
    part: int, record_property: Callable[[str, object], None], tmp_path: Path
) -> None:
    mix, faults = Counter[str](), []
    for seed in range(part, COUNT, PARTS):
        try:
            spec = Writer(seed).write()
        except Huge:
            mix["too large"] += 1
            continue
        mix.update(spec.mix)
        mix.update({"specs": 1, "refused": spec.refused, f"{spec.rank}-d": 1, "models": len(spec.models)})
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            wrong = disagreement(spec, folder)
        except Exception:
            wrong = traceback.format_exc()
        if wrong:
            more = "".join(f"--- {path}\n{text}\n" for path, text in spec.files.items())
            faults.append(f"=== seed {seed}\n{spec.text}\n{more}{wrong}")
    record_property("counts", json.dumps(mix))
    assert not faults, f"{len(faults)} disagreements\n" + "\n".join(faults[:5])
    assert mix["refused"] >= 0.3 * mix["specs"]
    for word in (*LAYERS, *COMBINATORS, "0-d", "1-d", "2-d", "3-d"):
        assert mix[word] or mix["specs"] < 500, word
