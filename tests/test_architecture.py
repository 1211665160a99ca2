"""Which part of the package may import which, and what the check path must not load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LEVELS = (
    ("record", "requires", "files", "zoo", "sizes"),
    ("source",),
    ("diagnostics",),
    ("words",),
    ("data.facts", "layers", "syntax"),
    ("recipe",),
    ("network",),
    ("analysis",),
    ("modules",),
    ("lint",),
    ("report", "emission"),
    ("building", "data"),
    ("training", "porting"),
    ("lsp", "notebook", "highlight"),
    ("cli",),
    ("", "__main__"),
)
"""The parts, from the ground up. A part imports itself and what stands in a lower row; "" is the public API."""

LEVEL = {part: level for level, row in enumerate(LEVELS) for part in row}

EXTRA = {
    "torch",
    "torchvision",
    "numpy",
    "sklearn",
    "scipy",
    "matplotlib",
    "safetensors",
    "PIL",
    "tqdm",
    "onnx",
    "onnxscript",
    "onnxruntime",
}
MAY_IMPORT_EXTRA = {"building", "modules", "porting", "data", "training"}

CHECK_PATH = {part for row in LEVELS[: LEVELS.index(("analysis",)) + 1] for part in row} - {"sizes"}
"""What is loaded for every check; arithmetic with open sizes only where a spec has some."""
CHECK_MODULES = {"cnnspec.cli", "cnnspec.cli.common", "cnnspec.cli.check"}
HEAVY = EXTRA | {
    "pydantic",
    "rich",
    "jinja2",
    "dataclasses",
    "fractions",
    "json",
    "pygls",
    "lsprotocol",
    "IPython",
    "pygments",
}


def part_of(module: str) -> str:
    """The part a module belongs to: `cnnspec.layers.conv` to `layers`."""
    inside = module.removeprefix("cnnspec").removeprefix(".")
    return inside if inside in LEVEL else inside.partition(".")[0]


class Import:
    """One import: of what, on which line, whether it runs with the module and whether it is for types alone."""

    def __init__(self, module: str, line: int, *, inner: bool, types: bool) -> None:
        self.module, self.line, self.inner, self.types = module, line, inner, types


def imports(node: ast.AST, known: set[str], *, inner: bool = False, types: bool = False) -> Iterator[Import]:
    """All imports below a node, those inside functions and by `import_module("...")` too."""
    for child in ast.iter_child_nodes(node):
        for module in imported(child, known):
            yield Import(module, child.lineno, inner=inner, types=types)  # type: ignore[attr-defined]
        guarded = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from imports(child, known, inner=inner or function, types=types or guarded)


def imported(node: ast.AST, known: set[str]) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), level=0, names=names):
            whole = [f"{module}.{name.name}" for name in names if f"{module}.{name.name}" in known]
            return whole if len(whole) == len(names) else [module, *whole]
        case ast.ImportFrom(level=level) if level:
            raise AssertionError(f"line {node.lineno}: imports inside the package are absolute")
        case ast.Call(
            func=ast.Name("import_module") | ast.Attribute(attr="import_module"), args=[ast.Constant(str(m))]
        ):
            return [m]
    return []


def violations(sources: dict[str, str]) -> list[str]:
    """What breaks the rules in these modules, given as source by name."""
    return [
        f"{module}:{found.line} imports {found.module}: {fault}"
        for module, text in sources.items()
        for found in imports(ast.parse(text), set(sources))
        if (fault := judge(module, found))
    ]


def judge(module: str, found: Import) -> str | None:
    part, top = part_of(module), found.module.partition(".")[0]
    if top == "cnnspec":
        other = part_of(found.module)
        if other == "" and part != "":
            return None if part in ("cli", "lsp", "__main__", "training") else "the public API stands above everything"
        fine = other == part or LEVEL[other] < LEVEL[part]
        return None if fine else f"{part or 'the public API'} stands below {other}, or beside it"
    if found.types:
        return None
    if top in EXTRA and part not in MAY_IMPORT_EXTRA:
        return f"only {', '.join(sorted(MAY_IMPORT_EXTRA))} may"
    if top in HEAVY and not found.inner and (part in CHECK_PATH or module in CHECK_MODULES):
        return "too heavy for the check path"
    return None


def package() -> dict[str, str]:
    """The source of every module of the package, by name."""
    sources = {}
    for path in sorted((ROOT / "cnnspec").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return sources


def test_every_module_belongs_to_a_part() -> None:
    assert [module for module in package() if part_of(module) not in LEVEL] == []


def test_imports_run_one_way() -> None:
    assert violations(package()) == []


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("cnnspec.layers.conv", "from cnnspec.network import load", "layers stands below network"),
        ("cnnspec.layers.conv", "def f():\n    import cnnspec.building", "layers stands below building"),
        ("cnnspec.report.summary", "from cnnspec import emission", "report stands below emission, or beside it"),
        ("cnnspec.syntax.tree", "from cnnspec import load", "the public API stands above"),
        (
            "cnnspec.report.summary",
            "def f():\n    from torch import nn",
            "only building, data, modules, porting, training may",
        ),
        (
            "cnnspec.data.facts",
            "def f():\n    import numpy as np",
            "only building, data, modules, porting, training may",
        ),
        (
            "cnnspec.cli.train",
            "import importlib\nimportlib.import_module('torch')",
            "only building, data, modules, porting, training may",
        ),
        ("cnnspec.network", "import dataclasses", "too heavy for the check path"),
        ("cnnspec.cli.check", "try:\n    import json\nexcept ImportError: pass", "too heavy for the check path"),
    ],
)
def test_the_guard_finds_a_violation(module: str, text: str, fault: str) -> None:
    (found,) = violations({module: text, "cnnspec.emission": ""})
    assert found.startswith(f"{module}:")
    assert fault in found


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("cnnspec.network", "from cnnspec.layers import LAYERS\nfrom cnnspec.data.facts import DATASETS"),
        ("cnnspec.training.loop", "import torch\nfrom cnnspec import __version__"),
        ("cnnspec", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
        ("cnnspec.network", "def f():\n    from fractions import Fraction"),
    ],
)
def test_the_guard_lets_pass_what_may(module: str, text: str) -> None:
    assert violations({module: text}) == []


def test_check_loads_nothing_heavy() -> None:
    run = "from cnnspec.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as end: code = end.code"
    modules = "print('\\n'.join(sys.modules)); sys.exit(code)"
    checked = loaded(f"import sys\n{run}\n{modules}", "check", str(ROOT / "examples" / "tinycnn3.cnn"))
    assert checked & (HEAVY | {"lark"}) == set()
    assert "cnnspec.network" in checked


def loaded(code: str, *arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stdout.split())


def test_contributors_are_told_the_same_order() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    told = [set(re.findall(r"`([\w./]+)`", cell)) for cell in cells]
    there = {part for row in LEVELS for part in row if any((ROOT / "cnnspec").glob(f"{part.replace('.', '/')}*"))}
    parts = [set(row) & there - {"", "__main__"} for row in reversed(LEVELS)]
    assert told == [{"cnnspec/__init__"}, *(row for row in parts if row)]


def test_files_of_tests_have_names_of_their_own() -> None:
    """pytest imports them by their names alone, and passes over a second one."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert [name for name in names if names.count(name) > 1] == []
