"""From the rules of the grammar to the nodes of the tree: one function per action, called with the rule's children
(tokens and nodes) and its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnspec.diagnostics import Diagnostic
from cnnspec.source import Span
from cnnspec.syntax import foreign, tree
from cnnspec.syntax.lexer import Token

LONGEST_NUMBER = 18
"""Digits in a number. Sizes have fewer, and reading longer ones takes time or overflows."""


class Mistake(Exception):
    """Grammatical, but not meant: the statement is left out."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


Action = Callable[[list[Any], Span], Any]


def _identifier(token: Token, span: Span) -> tree.Identifier:
    return tree.Identifier(token.text, Span(span.source, token.start, token.end))


def _present(children: list[Any]) -> tuple[Any, ...]:
    """Without faulty definitions."""
    return tuple(child for child in children if not isinstance(child, tree.Faulty))


def _model(c: list[Any], span: Span) -> tree.Model:
    return tree.Model(_identifier(c[0], span), c[1] or (), c[2], span)


def _block(c: list[Any], span: Span) -> tree.Block:
    return tree.Block(_identifier(c[0], span), c[1] or (), c[2], span)


def _preset(c: list[Any], span: Span) -> tree.Preset:
    return tree.Preset(_identifier(c[0], span), c[1], span)


def _train(c: list[Any], span: Span) -> tree.Train:
    return tree.Train(_identifier(c[0], span) if c[0] else None, c[1], span)


def _use(c: list[Any], span: Span) -> tree.Use:
    return tree.Use(_string(c, Span(span.source, c[0].start, c[0].end)), span)


def _param(c: list[Any], span: Span) -> tree.Param:
    return tree.Param(_identifier(c[0], span), c[1], span)


def _setting(c: list[Any], span: Span) -> tree.Setting:
    return tree.Setting(_identifier(c[0], span), c[1], span)


def _body(c: list[Any], span: Span) -> tree.Body:
    return tree.Body(tuple(c), span)


def _let(c: list[Any], span: Span) -> tree.Let:
    return tree.Let(_identifier(c[0], span), c[1], span)


def _input(c: list[Any], span: Span) -> tree.Input:
    return tree.Input(_shape(c[0]), span)


def _shape(value: Any) -> Any:
    if isinstance(value, tree.Name) and (diagnostic := foreign.glued_dims(value.text, value.span)):
        raise Mistake(diagnostic)
    return value


def _target(c: list[Any], span: Span) -> tree.Target:
    return tree.Target(tuple(_identifier(n, span) if isinstance(n, Token) else n for n in c), span)


def _unpack(c: list[Any], span: Span) -> tuple[tree.Identifier, ...]:
    return tuple(_identifier(name, span) for name in c)


def _chain(c: list[Any], span: Span) -> tree.Chain:
    return tree.Chain(tuple(c[:-1]), _shape(c[-1]), span)


def _step(c: list[Any], span: Span) -> tree.Step:
    label: Token | None = c[0]
    if label is None:
        return tree.Step(None, False, c[1], span)
    name = tree.Identifier(label.text.strip('"'), Span(span.source, label.start, label.end))
    return tree.Step(name, label.kind == "STRING", c[1], span)


def _call(c: list[Any], span: Span) -> tree.Call:
    return tree.Call(_identifier(c[0], span), c[1] or (), span)


def _arg(c: list[Any], span: Span) -> tree.Argument:
    name, incoming, value = c
    return tree.Argument(_identifier(name, span) if name else None, value, incoming, span)


def _integer(c: list[Any], span: Span) -> tree.Number:
    return tree.Number(int(_bounded(c[0].text, span)), c[0].text, span)


def _float(c: list[Any], span: Span) -> tree.Number:
    value = float(_bounded(c[0].text, span))
    if value == float("inf"):
        raise Mistake(Diagnostic("E101", "this number is too large", span, "more than 1.8e308"))
    return tree.Number(value, c[0].text, span)


def _bounded(text: str, span: Span) -> str:
    digits = text.replace("_", "")
    if len(digits) > LONGEST_NUMBER:
        count = f"{len(digits)} characters"
        raise Mistake(
            Diagnostic("E101", "this number is too long", span, f"{count}, at most {LONGEST_NUMBER} are read")
        )
    return digits


def _dims(c: list[Any], span: Span) -> tree.Dims:
    text = c[0].text
    if diagnostic := foreign.hexadecimal(text, span):
        raise Mistake(diagnostic)
    return tree.Dims(tuple(_size(part, span) for part in text.split("x")), span)


def _size(text: str, span: Span) -> int | str | None:
    if text == "?":
        return None
    return int(_bounded(text, span)) if text.isdigit() else text


def _string(c: list[Any], span: Span) -> tree.String:
    return tree.String(c[0].text[1:-1], span)


def _name(c: list[Any], span: Span) -> tree.Name:
    if diagnostic := foreign.constant(c[0].text, span):
        raise Mistake(diagnostic)
    return tree.Name(c[0].text, span)


def _unary(c: list[Any], span: Span) -> tree.Unary:
    return tree.Unary(c[0].text, c[1], span)


def _binary(c: list[Any], span: Span) -> tree.Binary:
    return tree.Binary(c[1].text, c[0], c[2], span)


ACTIONS: dict[str, Action] = {
    "start": lambda c, span: _present(c),
    "model": _model,
    "preset": _preset,
    "block": _block,
    "train": _train,
    "use": _use,
    "params": lambda c, span: tuple(c),
    "param": _param,
    "settings": lambda c, span: tuple(c),
    "setting": _setting,
    "body": _body,
    "branches": lambda c, span: tree.Branches(tuple(c), span),
    "branch": _body,
    "input": _input,
    "let": _let,
    "repeat": lambda c, span: tree.Repeat(c[0], c[1], span),
    "for": lambda c, span: tree.For(c[0], c[1], c[2], span),
    "if": lambda c, span: tree.If(c[0], c[1], c[2], span),
    "assert": lambda c, span: tree.Assert(c[0], span),
    "faulty": lambda c, span: tree.Faulty(span),
    "target": _target,
    "unpack": _unpack,
    "chain": _chain,
    "step": _step,
    "label": lambda c, span: c[0],
    "combine": lambda c, span: tree.Combine(c[0], c[1], span),
    "group": lambda c, span: tree.Group(c[0], span),
    "layer": _call,
    "args": lambda c, span: tuple(c),
    "arg": _arg,
    "conditional": lambda c, span: tree.Conditional(c[0], c[1], c[2], span),
    "binary": _binary,
    "unary": _unary,
    "index": lambda c, span: tree.Index(c[0], c[1], span),
    "slice": lambda c, span: tree.Slice(c[0], c[1], c[2], span),
    "integer": _integer,
    "float": _float,
    "dims": _dims,
    "string": _string,
    "true": lambda c, span: tree.Boolean(True, span),
    "false": lambda c, span: tree.Boolean(False, span),
    "name": _name,
    "call": _call,
    "attribute": lambda c, span: tree.Attribute("x", c[0].text, span),
    "list": lambda c, span: tree.List(tuple(c), span),
    "comprehension": lambda c, span: tree.Comprehension(c[0], c[1], c[2], span),
    "hole": lambda c, span: tree.Hole(span),
}
