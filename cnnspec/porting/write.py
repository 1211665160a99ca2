"""From items to the text of a spec."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any

from cnnspec.layers import LAYERS
from cnnspec.layers.base import Shape
from cnnspec.porting.items import Call, For, Group, If, Item, Items, Join, Let, Range, Repeat, is_residual
from cnnspec.record import REQUIRED, Record
from cnnspec.source import Source
from cnnspec.syntax.form import formatted
from cnnspec.syntax.parser import parse
from cnnspec.words import LARGEST

RESERVED = frozenset(("add", "multiply", "concat", "residual", "aux", "x", "if", "else", "for", "in", "repeat", "let",
                      "and", "or", "not", "true", "false", "save", "from", "assert"))  # fmt: skip
"""What cannot be a bare label. `block`, `model`, `input`, `train` and `use` can."""


class Text(Record):
    """A value that is written as it is: a name, or an expression."""

    text: str


class Block(Record):
    """The definition of a block. `params` are names and the values they have by default (`REQUIRED` for none)."""

    name: str
    params: tuple[tuple[str, Any], ...]
    items: Items


def spec(
    name: str, x: Shape, blocks: Iterable[Block], items: Items, heading: Iterable[str], parameters: int | None
) -> str:
    """The whole file in its one form. It claims the number of parameters where that is given."""
    lines = [f"# {line}".rstrip() for line in heading]
    for block in blocks:
        lines += [f"block {block.name}{_params(block.params)} {{", *body(block.items), "}", ""]
    lines += [f"model {name} {{", f"input {x.written}", "", *body(items)]
    lines += [f"assert parameters == {parameters:_}", "}"] if parameters is not None else ["}"]
    parsed = parse(Source("<ported>", "\n".join(lines) + "\n"))
    return formatted(parsed)


def _params(params: tuple[tuple[str, Any], ...]) -> str:
    inside = [name if default is REQUIRED else f"{name}={shown(default)}" for name, default in params]
    return f"({', '.join(inside)})" if inside else ""


def body(items: Items) -> list[str]:
    """The lines of a body: layers without a break between them stand on one line, up to the next with weights."""
    lines: list[str] = []
    for item in items:
        text = STATEMENTS[type(item)](item)
        joined = isinstance(item, Call) and lines and _joins(lines[-1], text, item)
        note = getattr(item, "note", "")
        if joined:
            lines[-1] += f", {text}"
        elif note:
            lines += [f"# not ported: {note}", text]
        else:
            lines.append(text)
    return lines


def _joins(line: str, text: str, item: Call) -> bool:
    """Whether a layer goes on the line of the one before: what has no kernel belongs to what is before it."""
    fits = len(line) + len(text) < 84 and "\n" not in line and not line.startswith(("#", "let ", "repeat", "for", "if"))
    opened = any(line.startswith(word) for word in ("add", "concat", "multiply", "aux", "residual")) or "{" in line
    small = item.word in LAYERS and LAYERS[item.word].multiplies_at == "nothing"
    block = item.word not in LAYERS and not item.label
    same = line.rpartition(", ")[2].partition("(")[0] == item.word
    return fits and not opened and not item.note and (small or (block and same))


def label(name: str) -> str:
    if not name:
        return ""
    plain = re.fullmatch(r"[A-Za-z_]\w*", name) and name not in RESERVED
    return f"{name}: " if plain else f'"{name}": '


def _call(item: Call) -> str:
    args = _arguments(item)
    return f"{label(item.label)}{item.word}{f'({args})' if args else ''}"


FIRST = ("p", "slope", "alpha", "size", "count", "lower", "factor", "init")
"""Arguments that are understood without their name, although they have a default."""


def _arguments(item: Call) -> str:
    """Required ones by position, and the first one; the others by name."""
    layer = LAYERS.get(item.word)
    fields = layer.__fields__ if layer else {}
    given: list[str] = []
    positional = True
    for at, (name, value) in enumerate(item.args.items()):
        first = at == 0 and next(iter(fields), None) == name and name in FIRST
        positional = positional and (fields.get(name) is REQUIRED or first or (not layer and name.startswith("+")))
        text = shown(value)
        given.append(text if positional else f"{name.removeprefix('+')}={text}")
    return ", ".join(given)


def shown(value: Any) -> str:
    """A value as the language writes it."""
    if isinstance(value, Text):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    if isinstance(value, Call):
        return _call(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, tuple):
        return _listed(value)
    return str(value)


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < LARGEST:
        return str(int(value))
    text = f"{value:.7g}"
    if abs(float(text) - value) > 1e-13 * abs(value):
        text = f"{value:.12g}"
    return re.sub(r"e([+-])0*", lambda match: "e" + match[1].replace("+", ""), text)


def _listed(value: tuple[Any, ...]) -> str:
    sizes = all(each is None or (isinstance(each, int) and not isinstance(each, bool)) for each in value)
    if sizes and len(value) in (2, 3) and all(each is None or each > 0 for each in value):
        return "x".join("?" if each is None else str(each) for each in value)
    return f"[{', '.join(map(shown, value))}]"


def _braces(items: Items) -> str:
    lines = body(items)
    short = len(lines) <= 1 and sum(map(len, lines)) < 70 and not any("{" in line or "#" in line for line in lines)
    return " ".join(["{", *lines, "}"]) if short else "\n".join(["{", *lines, "}"])


def _join(item: Join) -> str:
    options = ", ".join(f"{name}={shown(value)}" for name, value in item.options.items())
    given = f"({options})" if options else ""
    if item.kind == "aux":
        return f"aux{given} {_braces(item.branches[0])}"
    if is_residual(item):
        inner = item.branches[1] if item.branches[0] == () else item.branches[0]
        return f"residual{given} {_braces(inner)}"
    texts = [body(branch) or [""] for branch in item.branches]
    bars = [("| " + "\n".join(lines)).rstrip() for lines in texts]
    line = f"{item.kind}{given} {{ {' '.join(bars)} }}"
    if all(len(lines) == 1 for lines in texts) and len(line) < 90 and "\n" not in line and "#" not in line:
        return line
    return "\n".join([f"{item.kind}{given} {{", *bars, "}"])


def _for(item: For) -> str:
    lists = list(map(_values, item.values))
    source = lists[0] if len(lists) == 1 else f"zip({', '.join(lists)})"
    return f"for {', '.join(item.targets)} in {source} {_braces(item.items)}"


def _values(values: tuple[Any, ...] | Range) -> str:
    """A list, or a range where it counts."""
    if isinstance(values, Range):
        count = shown(values.count)
        if isinstance(values.count, int):
            return f"range({values.start}, {values.start + values.count})" if values.start else f"range({count})"
        return f"range({values.start}, {count} + {values.start})" if values.start else f"range({count})"
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if len(numbers) == len(values) > 2 and all(b - a == 1 for a, b in itertools.pairwise(numbers)):
        return f"range({numbers[0]}, {numbers[-1] + 1})" if numbers[0] else f"range({len(numbers)})"
    return f"[{', '.join(map(shown, values))}]"


def _if(item: If) -> str:
    return f"if {shown(item.condition)} {_braces(item.items)}"


STATEMENTS: dict[type[Item], Callable[[Any], str]] = {
    Call: _call,
    Group: lambda item: f"{label(item.label)}{_braces(item.items)}",
    Join: _join,
    If: _if,
    Repeat: lambda item: f"repeat {shown(item.count)} {_braces(item.items)}",
    For: _for,
    Let: lambda item: f"let {item.name} = {shown(item.value)}",
}
