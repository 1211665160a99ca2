"""Reads `conv(16, 3) @ 3x32x32` with Python's parser, and makes modules: the layers are tested without the language's
own parser and builder."""

from __future__ import annotations

import ast
import re
from typing import Any

import torch
from torch import nn

from cnnspec import modules
from cnnspec.layers import LAYERS
from cnnspec.layers.base import Layer, Shape, TorchCall
from cnnspec.source import Source, Span
from cnnspec.words import Argument, CallValue, Symbol, bind


def read_case(text: str) -> tuple[Layer, Shape]:
    """The last of the layers, and the shape that arrives there."""
    calls, _, shape = text.partition(" @ ")
    x = Shape(tuple(map(int, shape.split("x"))))
    *before, last = (bind(LAYERS[value.name], value) for value in read_calls(calls))
    for layer in before:
        x = layer.output(x)
    return last, x


def read_calls(text: str) -> list[CallValue]:
    """One call, or several with commas between."""
    text = re.sub(r"\b(\d+(?:x\d+)+)\b", lambda m: f"({m[1].replace('x', ',')})", text)
    expression = ast.parse(text, mode="eval").body
    span = Source("<test>", text).span(0, len(text))
    return [read_call(call, span) for call in (expression.elts if isinstance(expression, ast.Tuple) else [expression])]


def read_call(expression: ast.expr, span: Span) -> CallValue:
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


class Times(nn.Module):
    """A module around a bare parameter, whose name in it is empty."""

    def __init__(self, factors: nn.Parameter) -> None:
        super().__init__()
        self._parameters[""] = factors

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._parameters[""] * x


def made(call: TorchCall) -> Any:
    place = {"nn": nn, "torch": torch}.get(call.name.partition(".")[0], modules)
    args = (made(arg) if isinstance(arg, TorchCall) else arg for arg in call.args)
    result = getattr(place, call.name.rpartition(".")[2])(*args, **call.kwargs)
    return Times(result) if isinstance(result, nn.Parameter) else result
