"""Reads `conv(16, 3) @ 3x32x32` with Python's parser: the layers are tested without the language's own."""

from __future__ import annotations

import ast
import re
from typing import Any

from cnnspec.layers import LAYERS
from cnnspec.layers.base import Layer, Shape
from cnnspec.source import Source
from cnnspec.words import Argument, CallValue, Symbol, bind


def read_case(text: str) -> tuple[Layer, Shape]:
    call, _, shape = text.partition(" @ ")
    value = read_call(call)
    return bind(LAYERS[value.name], value), Shape(tuple(map(int, shape.split("x"))))


def read_call(text: str) -> CallValue:
    span = Source("<test>", text).span(0, len(text))
    expression = ast.parse(
        re.sub(r"\b(\d+(?:x\d+)+)\b", lambda m: f"({m[1].replace('x', ',')})", text), mode="eval"
    ).body
    if isinstance(expression, ast.Name):
        return CallValue(expression.id, (), span, span)
    assert isinstance(expression, ast.Call)
    assert isinstance(expression.func, ast.Name)

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return {"true": True, "false": False}.get(node.id, Symbol(node.id, span))
        literal = ast.literal_eval(node)
        return tuple(literal) if isinstance(literal, list) else literal

    positional = [Argument(None, value(node), span) for node in expression.args]
    named = [Argument(keyword.arg, value(keyword.value), span) for keyword in expression.keywords]
    return CallValue(expression.func.id, (*positional, *named), span, span)
