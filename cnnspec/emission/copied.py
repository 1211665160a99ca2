"""Modules that PyTorch lacks: their text goes into the source."""

from __future__ import annotations

import ast
import re
from functools import cache
from inspect import getsource
from pathlib import Path

from cnnspec.emission.express import round_to

MODULES = Path(__file__).parents[1] / "modules.py"


def copied(text: str) -> list[str]:
    """The classes of `cnnspec.modules` that a source mentions, and the function that rounds widths."""
    functions = [getsource(round_to).rstrip()] if "round_to(" in text else []
    return functions + [source for name, source in classes().items() if re.search(rf"(?<![\w.]){name}\b", text)]


@cache
def classes() -> dict[str, str]:
    """The text of each class. The module is read and not imported, as it needs PyTorch."""
    source = MODULES.read_text(encoding="utf-8")
    found = ((node, ast.get_source_segment(source, node)) for node in ast.parse(source).body)
    return {node.name: str(text) for node, text in found if isinstance(node, ast.ClassDef)}
