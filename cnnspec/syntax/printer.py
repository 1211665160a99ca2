"""From tree to text, in one form.

Two blanks indent; definitions are set apart by a blank line; lines that are too long go on behind a comma. Braces that
were on one line in the text stay on one if they fit, and of several blank lines one is kept. Comments are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cnnspec.syntax import tree
from cnnspec.syntax.expressions import BREAK, call, listed, show, target

WIDTH = 120
GOES_ON = 4
"""How far the rest of a broken line is indented."""

Part = str | tree.Body | tree.Branches
BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
QUOTED = re.compile(r'"[^"]*"')


def print_file(file: tree.File) -> str:
    """The spec as text. Parsing it gives the same tree; printing that gives the same text."""
    lines: list[str] = []
    before: tree.Item | None = None
    for item in file.items:
        if before is not None and (_is_long(before) or _is_long(item) or _was_apart(before, item)):
            lines.append("")
        lines += _item(item)
        before = item
    return "".join(f"{line}\n" for line in lines)


def _is_long(item: tree.Item) -> bool:
    return isinstance(item, tree.Model | tree.Block | tree.Train)


def _was_apart(before: tree.Node, after: tree.Node) -> bool:
    """Whether a blank line stood between them."""
    first, second = _span(before), _span(after)
    return BLANK_LINE.search(first.source.text, first.end, second.start) is not None


def _was_on_one_line(node: tree.Node) -> bool:
    return "\n" not in _span(node).text


def _span(node: Any) -> Any:
    return node.span


# ---------------------------------------------------------------------------------------------------------- items


def _item(item: tree.Item) -> list[str]:
    if isinstance(item, tree.Model | tree.Block):
        return _definition(item)
    if isinstance(item, tree.Train):
        return _train(item)
    if isinstance(item, tree.Use):
        return [f'use "{item.path.text}"']
    if isinstance(item, tree.Preset):
        return _wrapped(f"model {item.name.text} = {show(item.value)}", 0)
    return _statement(item, 0)


def _definition(item: tree.Model | tree.Block) -> list[str]:
    params = f"({listed(map(_param, item.params))})" if item.params else ""
    word = "model" if isinstance(item, tree.Model) else "block"
    head = f"{word} {item.name.text}{params} {{"
    if not item.body.statements:
        return _wrapped(head + "}", 0)
    return [*_wrapped(head, 0), *_statements(item.body.statements, 2), "}"]


def _param(param: tree.Param) -> str:
    return f"{param.name.text}={show(param.default)}" if param.default else param.name.text


def _train(item: tree.Train) -> list[str]:
    head = f"train {item.model.text} {{" if item.model else "train {"
    settings = [f"{setting.name.text}: {show(setting.value)}" for setting in item.settings]
    if not settings:
        return [head + "}"]
    flat = f"{head} {listed(settings)} }}".replace(BREAK, " ")
    if _was_on_one_line(item) and len(flat) <= WIDTH:
        return [flat]
    return [head, *(line for setting in settings for line in _wrapped(setting, 2)), "}"]


# ----------------------------------------------------------------------------------------------------- statements


def _statements(statements: Sequence[tree.Statement], indent: int) -> list[str]:
    lines: list[str] = []
    for at, statement in enumerate(statements):
        if at and _was_apart(statements[at - 1], statement):
            lines.append("")
        lines += _statement(statement, indent)
    return lines


def _statement(statement: tree.Statement, indent: int) -> list[str]:
    flat = _flat(statement)
    if flat is not None and indent + len(flat) <= WIDTH:
        return [" " * indent + flat]
    lines: list[str] = []
    line = ""
    for part in PARTS[type(statement)](statement):
        if isinstance(part, str):
            line += part
            continue
        braces = _flat_braces(part)
        if braces is not None and indent + len(line) + len(braces) <= WIDTH:
            line += braces
            continue
        lines += _wrapped(line + "{", indent)
        lines += _inside(part, indent + 2)
        line = "}"
    return lines + _wrapped(line, indent)


def _inside(part: tree.Body | tree.Branches, indent: int) -> list[str]:
    if isinstance(part, tree.Body):
        return _statements(part.statements, indent)
    return [line for branch in part.branches for line in _branch(branch, indent)]


def _branch(branch: tree.Body, indent: int) -> list[str]:
    if not branch.statements:
        return [" " * indent + "|"]
    first, *rest = _statements(branch.statements, indent + 2)
    return [f"{' ' * indent}| {first[indent + 2 :]}", *rest]


def _flat(statement: tree.Statement) -> str | None:
    """On one line; None if that is not possible, or was not wanted."""
    texts: list[str] = []
    for part in PARTS[type(statement)](statement):
        text = part.replace(BREAK, " ") if isinstance(part, str) else _flat_braces(part)
        if text is None:
            return None
        texts.append(text)
    return "".join(texts)


def _flat_braces(part: tree.Body | tree.Branches) -> str | None:
    if not _was_on_one_line(part):
        return None
    if isinstance(part, tree.Body):
        text = _flat_body(part)
        return text if text is None else f"{{ {text} }}" if text else "{}"
    texts = [_flat_body(branch) for branch in part.branches]
    if None in texts:
        return None
    return "{ " + " ".join(f"| {text}".rstrip() for text in texts) + " }"


def _flat_body(body: tree.Body) -> str | None:
    if not body.statements:
        return ""
    return _flat(body.statements[0]) if len(body.statements) == 1 else None


def _chain(chain: tree.Chain) -> Iterator[Part]:
    for at, step in enumerate(chain.steps):
        if at:
            yield f",{BREAK}"
        yield from _step(step)
    if chain.prediction:
        yield f"  -> {show(chain.prediction)}"


def _step(step: tree.Step) -> Iterator[Part]:
    if step.label:
        yield f'"{step.label.text}": ' if step.computed else f"{step.label.text}: "
    if isinstance(step.op, tree.Call):
        yield _layer(step.op)
    elif isinstance(step.op, tree.Combine):
        yield _layer(step.op.call) + " "
        yield step.op.body
    else:
        yield step.op.body


def _layer(node: tree.Call) -> str:
    return call(node) if node.arguments else node.name.text


def _if(node: tree.If) -> Iterator[Part]:
    yield f"if {show(node.condition)} "
    yield node.body
    if node.otherwise:
        yield " else "
    if isinstance(node.otherwise, tree.If):
        yield from _if(node.otherwise)
    elif node.otherwise:
        yield node.otherwise


PARTS: dict[type, Callable[[Any], Iterator[Part] | Sequence[Part]]] = {
    tree.Chain: _chain,
    tree.If: _if,
    tree.Input: lambda node: [f"input {show(node.shape)}"],
    tree.Let: lambda node: [f"let {node.name.text} = {show(node.value)}"],
    tree.Assert: lambda node: [f"assert {show(node.condition)}"],
    tree.Repeat: lambda node: [f"repeat {show(node.count)} ", node.body],
    tree.Faulty: lambda node: [],
    tree.For: lambda node: [f"for {target(node.target)} in {show(node.items)} ", node.body],
}


# ----------------------------------------------------------------------------------------------------- long lines


def _wrapped(text: str, indent: int) -> list[str]:
    """The line, broken behind commas if it is too long: those that stand in the fewest brackets first."""
    lines: list[str] = []
    pad = " " * indent
    while indent + len(text) > WIDTH and (at := _last_break(text, WIDTH - indent)) is not None:
        lines.append(pad + text[:at].replace(BREAK, " "))
        text = text[at + 1 :]
        if len(lines) == 1:
            indent += GOES_ON
            pad = " " * indent
    return [*lines, pad + text.replace(BREAK, " ")]


def _last_break(text: str, room: int) -> int | None:
    breaks = list(_breaks(text))
    near = [(depth, -at) for at, depth in breaks if at <= room]
    if near:
        return -min(near)[1]
    return breaks[0][0] if breaks else None


def _breaks(text: str) -> Iterator[tuple[int, int]]:
    """Where the text may be broken, and how many brackets are open there."""
    depth = 0
    for at, mark in enumerate(QUOTED.sub(lambda match: " " * len(match[0]), text)):
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == BREAK:
            yield at, depth
