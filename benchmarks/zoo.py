"""The zoo beside torchvision: how long the descriptions are, and how long a check takes.

    python benchmarks/zoo.py lines           lines of code of every family, here and there
    python benchmarks/zoo.py speed [ROUNDS]  resnet152 from text to verdict and counts, and torchvision's with torchinfo
    python benchmarks/zoo.py growth          checks of generated files with up to 100,000 layers

`speed` wants torchinfo: pip install --target DIR --no-deps torchinfo, and DIR in PYTHONPATH.
"""

from __future__ import annotations

import ast
import gc
import io
import platform
import sys
import tokenize
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from unittest.mock import patch

import cnnspec
from cnnspec.analysis.macs import total_macs
from cnnspec.network import home, read_source
from cnnspec.source import Source
from cnnspec.syntax.parser import parse

ZOO = Path(__file__).resolve().parents[1] / "examples" / "zoo"

# ------------------------------------------------------------------------------------------------------- lines

MODULES = {
    "inception_v3": "inception",
    "mobilenet_v2": "mobilenetv2",
    "mobilenet_v3": "mobilenetv3",
    "shufflenet_v2": "shufflenetv2",
}
"""torchvision's module of a family, where it is not called as our file is."""

NO_TOKENS = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def python_lines(text: str) -> set[int]:
    """The lines that hold code: no comments, no blank lines, no docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_TOKENS:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return lines


def class_lines(text: str) -> int:
    """Lines of code of the classes that describe networks, those of tables of weights left out."""
    lines = python_lines(text)
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    return sum(
        len(lines & set(range(node.lineno - len(node.decorator_list), (node.end_lineno or 0) + 1)))
        for node in classes
        if not node.name.endswith("_Weights")
    )


def spec_lines(text: str) -> tuple[int, int]:
    """Lines of code of one of our files, and how many of them are presets (`model resnet50 = ...`)."""
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    presets = [item for item in parse(Source("", text)).file.items if type(item).__name__ == "Preset"]
    return len(lines), sum(item.span.text.count("\n") + 1 for item in presets)


def families() -> Iterator[tuple[str, int, int, int]]:
    """Of each family: name, lines of torchvision's classes, lines of our file, lines of presets among them."""
    found = find_spec("torchvision")
    assert found
    assert found.origin
    for path in sorted(ZOO.glob("*.cnn")):
        module = Path(found.origin).parent / "models" / f"{MODULES.get(path.stem, path.stem)}.py"
        yield path.stem, class_lines(module.read_text(encoding="utf-8")), *spec_lines(path.read_text(encoding="utf-8"))


def lines() -> None:
    print(f"{'family':14} {'torchvision':>11} {'a third':>8} {'ours':>5} {'presets':>8}   part")
    total = [0, 0]
    for name, theirs, ours, presets in families():
        more = "" if ours < theirs / 3 else "  more than a third"
        print(f"{name:14} {theirs:11} {theirs / 3:8.1f} {ours:5} {presets:8}   {ours / theirs:4.0%}{more}")
        total[0] += theirs
        total[1] += ours
    print(f"{'all':14} {total[0]:11} {total[0] / 3:8.1f} {total[1]:5} {'':8}   {total[1] / total[0]:4.0%}")
    print(
        "\nNot counted of torchvision: tables of weights, docstrings, and functions: those that make the presets, and"
    )
    print("those that make layers, which for vgg are all of the convolutions.")


# ------------------------------------------------------------------------------------------------------- speed


def counts(source: Source) -> tuple[int, int]:
    """The verdict of one text, parameters and MACs; raises where there are errors."""
    network = cnnspec.load(source)
    return network.parameters, total_macs(network)


def torchvisions(name: str, size: int) -> tuple[int, int]:
    import torch
    import torchinfo
    from torchvision import models

    with torch.device("meta"):
        network = models.get_model(name)
        measured = torchinfo.summary(network, input_data=torch.empty(1, 3, size, size), verbose=0, device="meta")
    return measured.total_params, measured.total_mult_adds


def timed(work: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    gc.collect()
    begin = clock()
    work()
    return clock() - begin


def speed(rounds: int) -> None:
    from cnnspec.data.vision import import_torchvision

    import_torchvision()
    source = read_source("zoo:resnet152")
    times: dict[str, list[float]] = {"torchvision": [], "lints": [], "text": [], "tree": []}
    print("torchvision and torchinfo:", *(f"{number:,}" for number in torchvisions("resnet152", 224)))
    print("cnnspec:                  ", *(f"{number:,}" for number in counts(source)))
    for _ in range(rounds):
        times["torchvision"].append(timed(lambda: torchvisions("resnet152", 224)))
        times["lints"].append(timed(lambda: cnnspec.check(Source(source.name, source.text, source.model))))
        times["text"].append(timed(lambda: counts(Source(source.name, source.text, source.model))))
        times["tree"].append(without_parse(Source(source.name, source.text, source.model)))
    head(f"{rounds} rounds, milliseconds")
    print(f"{'resnet152':52} median  fastest  slowest")
    names = {
        "torchvision": "torchvision's on the meta device, torchinfo.summary",
        "lints": "cnnspec, from text to verdict, with warnings",
        "text": "cnnspec, from text to verdict and counts",
        "tree": "cnnspec, the same without the parse",
    }
    for key, name in names.items():
        row = [1000 * value for value in (median(times[key]), min(times[key]), max(times[key]))]
        print(f"{name:52} {row[0]:6.1f}  {row[1]:7.1f}  {row[2]:7.1f}")
    whole = median(times["torchvision"])
    print(f"\n{whole / median(times['text']):.0f} times faster, {whole / median(times['tree']):.0f} without the parse")


def without_parse(source: Source) -> float:
    """The time of a check that finds its text parsed."""
    parsed = parse(source)
    with patch.object(home, "parse", lambda text: parsed):
        return timed(lambda: counts(source))


def head(what: str) -> None:
    print(f"\nPython {platform.python_version()} on {platform.system()}, {platform.machine()}, {what}\n")


# ------------------------------------------------------------------------------------------------------- growth


def written_out(layers: int) -> str:
    """Three layers a line, each line another width."""
    body = "".join(f"  conv({8 + at % 5}, 3, padding=1), relu, batchnorm\n" for at in range(layers // 3))
    return f"model M {{\n  input 3x32x32\n{body}}}\n"


def repeated(layers: int) -> str:
    return f"model M {{\n  input 3x32x32\n  repeat {layers // 3} {{ conv(8, 3, padding=1), batchnorm, relu }}\n}}\n"


def in_blocks(layers: int) -> str:
    """Residual blocks that are all different, so that none can stand for another."""
    unit = "block Unit(eps) {\n  residual { conv(8, 3, padding=1), batchnorm(eps=eps), relu }\n}\n\n"
    loops = f"for i in range(100) {{ for j in range({layers // 300}) {{ Unit(1 / (1000 * i + j + 1)) }} }}"
    return f"{unit}model M {{\n  input 8x32x32\n  {loops}\n}}\n"


LONGEST = 30_000
"""More layers written out make a text that is longer than a spec may be."""


def growth() -> None:
    head("seconds of processor time, and microseconds a layer")
    kinds = {"written out": written_out, "repeat": repeated, "different blocks": in_blocks}
    print(f"{'layers':>8}" + "".join(f"{kind:>24}" for kind in kinds))
    for layers in (900, 3_000, 9_000, 30_000, 99_900):
        cells = []
        for make in kinds.values():
            if make is written_out and layers > LONGEST:
                cells.append(f"{'-':>24}")
                continue
            source = Source("generated", make(layers))
            seconds = timed(lambda text=source: counts(text), process_time)  # type: ignore[misc]
            cells.append(f"{seconds:14.3f} {1e6 * seconds / layers:9.1f}")
        print(f"{layers:8,}" + "".join(cells), flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["lines"]:
            lines()
        case ["speed", *rounds]:
            speed(int(rounds[0]) if rounds else 15)
        case ["growth"]:
            growth()
        case _:
            sys.exit(__doc__)
