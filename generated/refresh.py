"""Writes what `cnnspec emit` prints for each example, in both styles, into this folder."""

from __future__ import annotations

from pathlib import Path

from cnnspec.emission import emit
from cnnspec.files import write
from cnnspec.network import load, read_source

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"


def texts() -> dict[Path, str]:
    """What the files of this folder have to hold."""
    found = {}
    for example in sorted(EXAMPLES.glob("*.cnn")):
        network = load(read_source(example))
        file = f"{example.stem}.py"
        found[HERE / "sequential" / file] = emit(network)
        found[HERE / "forward" / file] = emit(network, style="forward")
    return found


if __name__ == "__main__":
    for path, text in texts().items():
        path.parent.mkdir(exist_ok=True)
        write(path, text)
