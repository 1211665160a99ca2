"""Writes what `cnnspec emit` prints into this folder: for each example in both styles, and for some of the zoo."""

from __future__ import annotations

from pathlib import Path

from cnnspec import zoo
from cnnspec.emission import emit
from cnnspec.files import write
from cnnspec.network import load, read_source

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
ZOO = (
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "inception_v3",
    "mnasnet1_0",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet18",
    "resnet50",
    "shufflenet_v2_x1_0",
    "squeezenet1_0",
    "vgg16",
)
"""One network of each family, and two of the best known."""


def texts() -> dict[Path, str]:
    """What the files of this folder have to hold."""
    found = {}
    for example in sorted(EXAMPLES.glob("*.cnn")):
        network = load(read_source(example))
        file = f"{example.stem}.py"
        found[HERE / "sequential" / file] = emit(network)
        found[HERE / "forward" / file] = emit(network, style="forward")
    for name in ZOO:
        found[HERE / "zoo" / f"{name}.py"] = emit(
            load(read_source(zoo.models()[name]), model=name)
        )
    return found


if __name__ == "__main__":
    for path, text in texts().items():
        path.parent.mkdir(exist_ok=True)
        write(path, text)
