"""What PyTorch, torchinfo and Keras say of the faults in tests/corpus, beside what cnnspec says.

    pip install --target SOMEWHERE --no-deps keras torchinfo absl-py namex optree ml-dtypes h5py rich
    PYTHONPATH=SOMEWHERE python benchmarks/faults.py            writes docs/side_by_side.md
    PYTHONPATH=SOMEWHERE python benchmarks/faults.py 011 036    prints what is said of these files

Each fault that exists in another tool too is translated into what a person would have written there (`elsewhere/`).
PyTorch constructs the network and runs a batch of random numbers, of the shape of the data set too where the file names
one; torchinfo summarises it; Keras, on PyTorch, builds the functional model and then takes the data.
"""

from __future__ import annotations

import gc
import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT / "tests" / "corpus")]
os.environ.setdefault("KERAS_BACKEND", "torch")
warnings.filterwarnings("ignore")


def main(arguments: list[str]) -> None:
    import measure as corpus
    import torch
    from elsewhere.asking import tell
    from elsewhere.page import ours, page

    torch.set_num_threads(1)
    torch.manual_seed(0)
    told = []
    for file in corpus.files():
        if arguments and not file.name.startswith(tuple(arguments)):
            continue
        told.append(tell(file))
        gc.collect()
        if arguments:
            print(f"== {file.name} ({file.kind}) {file.lines}", told[-1].why_not)
            for tool, said in told[-1].said.items():
                line = said.part.line if said.part else "-"
                print(f"   {tool:9} [{said.stage} {line} {'named' if said.named else ''}] {said.text}")
            print(f"   cnnspec   {ours(file)}", flush=True)
    if not arguments:
        (ROOT / "docs" / "side_by_side.md").write_text(page(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
