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
    return f"{word} {item.name.text}{params} {_opened(_statements(item.body))}"


def _param(param: tree.Param) -> str:
    return f"{param.name.text}={show(param.default)}" if param.default else param.name.text


def _train(item: tree.Train) -> str:
    name = f"{item.model.text} " if item.model else ""
    settings = "\n".join(f"{setting.name.text}: {show(setting.value)}" for setting in item.settings)
    return f"train {name}{{\n{settings}\n}}"


def _opened(texts: Sequence[str]) -> str:
    return "\n".join(["{", *texts, "}"])


def _statements(body: tree.Body) -> list[str]:
    """Each once: what is nested deep would take forever otherwise."""
    texts = (STATEMENTS[type(statement)](statement) for statement in body.statements)
    return [text for text in texts if text]


def _braces(body: tree.Body | tree.Branches) -> str:
    if isinstance(body, tree.Body):
        texts = _statements(body)
        return " ".join(["{", *texts, "}"]) if _short(texts) else _opened(texts)
    branches = [_statements(branch) for branch in body.branches]
    bars = [("| " + "\n".join(texts)).rstrip() for texts in branches]
    return " ".join(["{", *bars, "}"]) if all(map(_short, branches)) else _opened(bars)


def _short(texts: Sequence[str]) -> bool:
    """Whether statements may stand on one line: several would hide something there, and braces in braces too."""
    return len(texts) <= 1 and not any("{" in text for text in texts)


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
