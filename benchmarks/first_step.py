"""How long `cnnspec train examples/digits.cnn` takes to its first training step, beside what it cannot do without:
importing torch, and reading the digits with scikit-learn.

    python benchmarks/first_step.py [ROUNDS]

Every round starts each process once, so that what else the machine does falls on all alike. Seconds are those by the
clock and those of the processor; on a machine with other work the latter are the ones to trust.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]

DATA = "from sklearn.datasets import load_digits; load_digits(return_X_y=True)"

PLAIN = f"""
import torch
{DATA}
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
optimizer = torch.optim.AdamW(model.parameters())
torch.nn.functional.cross_entropy(model(torch.ones(32, 1, 8, 8)), torch.zeros(32, dtype=torch.long)).backward()
optimizer.step()
"""

TRAIN = """
import os, sys
from cnnspec.training import loop

class Quick(loop.Quick):
    def __call__(self, chosen):
        super().__call__(chosen)
        os._exit(0)

loop.Quick = Quick
from cnnspec.cli import main
main(sys.argv[1:])
"""

END = "\nimport os; os._exit(0)"
"""What a process does when it is left in order does not count."""

PROCESSES = {
    "import torch": f"import torch{END}",
    "import torch, read the digits": f"import torch\n{DATA}{END}",
    "the same, and a step of plain PyTorch": f"{PLAIN}{END}",
    "cnnspec train, to the end of the first step": TRAIN,
}


def measured(code: str) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", code, "train", str(ROOT / "examples/digits.cnn"), "--out", f"{folder}/run"]
        before, started = os.times(), perf_counter()
        subprocess.run([*command, "--device", "cpu"], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        after, seconds = os.times(), perf_counter() - started
    return seconds, sum(after[2:4]) - sum(before[2:4])


def main(rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PROCESSES}
    for number in range(rounds + 1):
        for name, code in PROCESSES.items():
            times = measured(code)
            if number:  # the first round warms the caches
                found[name].append(times)
    print(f"medians of {rounds} rounds, seconds\n\n{'':45}   clock   processor")
    for name, times in found.items():
        print(f"{name:45}  {median(clock for clock, _ in times):6.2f}   {median(cpu for _, cpu in times):9.2f}")
    floor, ours = found["import torch, read the digits"], found["cnnspec train, to the end of the first step"]
    more = [median(b[kind] - a[kind] for a, b in zip(floor, ours, strict=True)) for kind in (0, 1)]
    print(f"\nthe first step comes {more[0]:.2f} s later than torch and the data ({more[1]:.2f} s of the processor)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
