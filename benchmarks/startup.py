"""How long `cnnspec check` takes as a whole process, beside `import torch`, and what its time is made of.

    python benchmarks/startup.py [ROUNDS]

Every round runs every command once, so that what else the machine does falls on all of them alike. lark is no part of
check, which reads the grammar's tables as lark made them; it is measured for comparison.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "examples" / "tinycnn3.cnn"

PARSE = (
    "import click; from cnnspec.source import Source; from cnnspec.syntax.parser import parse; parse(Source('', ''))"
)

PROCESSES = {
    "python -c pass": ["-c", "pass"],
    "import click": ["-c", "import click"],
    "import click, parse an empty text": ["-c", PARSE],
    "cnnspec check tinycnn3.cnn": ["-m", "cnnspec", "check", str(SPEC)],
    "import lark": ["-c", "import lark"],
    "import torch": ["-c", "import torch"],
}


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of every run, by command; a first round warms the caches and does not count."""
    times: dict[str, list[float]] = {name: [] for name in PROCESSES}
    for number in range(rounds + 1):
        for name, arguments in PROCESSES.items():
            begin = perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
            if number:
                times[name].append(perf_counter() - begin)
    return times


def parts(middle: dict[str, float]) -> dict[str, float]:
    """What each step adds to the one before it, up to the whole of `check`."""
    steps = {
        "bare interpreter": "python -c pass",
        "click": "import click",
        "parser with the tables of the grammar": "import click, parse an empty text",
        "layers, network, the check itself": "cnnspec check tinycnn3.cnn",
    }
    reached = [0.0, *(middle[process] for process in steps.values())]
    return {part: after - before for part, before, after in zip(steps, reached, reached[1:], strict=False)}


def main(rounds: int) -> None:
    times = measure(rounds)
    middle = {name: median(values) for name, values in times.items()}
    check, torch = middle["cnnspec check tinycnn3.cnn"], middle["import torch"]
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"Python {platform.python_version()} on {platform.system()}, {machine}, {rounds} rounds, milliseconds\n")
    print(f"{'process':44} {'median':>8} {'fastest':>8} {'slowest':>8}")
    for name, values in times.items():
        print(f"{name:44} {middle[name] * 1e3:8.0f} {min(values) * 1e3:8.0f} {max(values) * 1e3:8.0f}")
    print(f"\n{'part of check':44} {'adds':>8} {'share':>8}")
    for part, seconds in parts(middle).items():
        print(f"{part:44} {seconds * 1e3:8.0f} {seconds / check:8.0%}")
    print(f"\ncheck takes 1/{torch / check:.1f} of import torch")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
