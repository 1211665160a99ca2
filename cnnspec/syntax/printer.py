"""From tree to text: what a program wrote, in the form that `cnnspec fmt` gives a person's text.

Only the tree counts here, not where its nodes stood. Braces around a single chain stay on one line if they fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.expressions import call, listed, show, target
from cnnspec.syntax.form import formatted
from cnnspec.syntax.parser import parse


def print_file(file: tree.File) -> str:
    """The spec as text. Parsing it gives the same tree; printing that gives the same text."""
    text = "".join(f"{ITEMS[type(item)](item)}\n" for item in file.items)
    return formatted(parse(Source("<printed>", text)))


def _definition(word: str, item: tree.Model | tree.Block) -> str:
    params = f"({listed(map(_param, item.params))})" if item.params else ""
    return f"{word} {item.name.text}{params} {_opened(item.body.statements)}"


def _param(param: tree.Param) -> str:
    return f"{param.name.text}={show(param.default)}" if param.default else param.name.text


def _train(item: tree.Train) -> str:
    name = f"{item.model.text} " if item.model else ""
    settings = "\n".join(f"{setting.name.text}: {show(setting.value)}" for setting in item.settings)
    return f"train {name}{{\n{settings}\n}}"


def _opened(statements: Sequence[tree.Statement]) -> str:
    return "\n".join(["{", *map(_statement, statements), "}"])


def _statement(statement: tree.Statement) -> str:
    return STATEMENTS[type(statement)](statement)


def _braces(body: tree.Body | tree.Branches) -> str:
    if isinstance(body, tree.Body):
        return _flat(body.statements, "{ ", " }") or _opened(body.statements)
    texts = [_flat(branch.statements, "", "") for branch in body.branches]
    if None in texts:
        bars = ("| " + "\n".join(map(_statement, branch.statements)) for branch in body.branches)
        return "\n".join(["{", *bars, "}"])
    return "{ " + " ".join(f"| {text}".rstrip() for text in texts) + " }"


def _flat(statements: Sequence[tree.Statement], left: str, right: str) -> str | None:
    """On one line; None where that would hide something: several statements, or braces in braces."""
    texts = [text for statement in statements if (text := _statement(statement))]
    if len(texts) > 1 or any("{" in text for text in texts):
        return None
    return left + texts[0] + right if texts else (left + right).strip()


def _chain(chain: tree.Chain) -> str:
    prediction = f" -> {show(chain.prediction)}" if chain.prediction else ""
    return listed(map(_step, chain.steps)) + prediction


def _step(step: tree.Step) -> str:
    quote = '"' if step.computed else ""
    label = f"{quote}{step.label.text}{quote}: " if step.label else ""
    if isinstance(step.op, tree.Call):
        return label + _layer(step.op)
    braces = _braces(step.op.body)
    return label + (f"{_layer(step.op.call)} {braces}" if isinstance(step.op, tree.Combine) else braces)


def _layer(node: tree.Call) -> str:
    return call(node) if node.arguments else node.name.text


def _if(node: tree.If) -> str:
    text = f"if {show(node.condition)} {_braces(node.body)}"
    if node.otherwise is None:
        return text
    return f"{text} else {_if(node.otherwise) if isinstance(node.otherwise, tree.If) else _braces(node.otherwise)}"


STATEMENTS: dict[type, Callable[[Any], str]] = {
    tree.Faulty: lambda node: "",
    tree.Chain: _chain,
    tree.If: _if,
    tree.Input: lambda node: f"input {show(node.shape)}",
    tree.Let: lambda node: f"let {node.name.text} = {show(node.value)}",
    tree.Assert: lambda node: f"assert {show(node.condition)}",
    tree.Repeat: lambda node: f"repeat {show(node.count)} {_braces(node.body)}",
    tree.For: lambda node: f"for {target(node.target)} in {show(node.items)} {_braces(node.body)}",
}

ITEMS: dict[type, Callable[[Any], str]] = {
    tree.Model: lambda item: _definition("model", item),
    tree.Block: lambda item: _definition("block", item),
    tree.Preset: lambda item: f"model {item.name.text} = {show(item.value)}",
    tree.Train: _train,
    tree.Use: lambda item: f'use "{item.path.text}"',
    tree.Let: STATEMENTS[tree.Let],
}
