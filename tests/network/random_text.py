"""The .cnn text of a plan."""

from __future__ import annotations

from typing import Any

from random_plan import Assert, Block, Chain, Combine, Expr, Group, If, Let, Loop, Statement, Step, write


def definition(word: str, block: Block, head: str = "") -> str:
    params = ", ".join(p.name if p.default is None else f"{p.name}={p.default.text}" for p in block.params)
    return f"{word} {block.name}{f'({params})' if params else ''} {{\n{head}{body(block.body, 1)}}}\n"


def body(statements: list[Statement], depth: int) -> str:
    return "".join("  " * depth + statement(each, depth) + "\n" for each in statements)


def braces(statements: list[Statement], depth: int) -> str:
    """A body that stands at a depth."""
    return f"{{\n{body(statements, depth + 1)}{'  ' * depth}}}"


def statement(each: Statement, depth: int) -> str:
    match each:
        case Chain():
            prediction = "" if each.prediction is None else f"  -> {write(each.prediction)}"
            return ", ".join(step(one, depth) for one in each.steps) + prediction
        case Let():
            return f"let {each.name} = {each.value.text}"
        case Loop():
            head = f"for {target(each.names)} in" if each.names else "repeat"
            return f"{head} {each.items.text} {braces(each.body, depth)}"
        case If():
            parts = [f"if {condition.text} {braces(inside, depth)}" for condition, inside in each.parts]
            other = [braces(each.other, depth)] if each.other is not None else []
            return " else ".join(parts + other)
        case Assert():
            return f"assert {each.claim.text if each.claim else f'parameters == {each.count:_}'}"


def target(names: Any) -> str:
    if isinstance(names, str):
        return names
    return ", ".join(name if isinstance(name, str) else f"[{', '.join(name)}]" for name in names)


def step(one: Step, depth: int) -> str:
    op = one.op
    text = group(op, depth) if isinstance(op, Group | Combine) else op.text()
    if not one.label:
        return text
    computed = any(isinstance(part, Expr) for part in one.label)
    label = "".join(f"{{{part.text}}}" if isinstance(part, Expr) else part for part in one.label)
    return f'"{label}": {text}' if computed else f"{label}: {text}"


def group(op: Group | Combine, depth: int) -> str:
    if isinstance(op, Group):
        return braces(op.body, depth)
    options = ", ".join(f"{name}={write(value)}" for name, value in op.options.items())
    head = f"{op.kind}({options})" if options else op.kind
    if op.kind in ("residual", "aux"):
        return f"{head} {braces(op.branches[0], depth)}"
    inside = "".join(f"{'  ' * (depth + 1)}| {branch(each, depth + 2)}\n" for each in op.branches)
    return f"{head} {{\n{inside}{'  ' * depth}}}"


def branch(statements: list[Statement], depth: int) -> str:
    return body(statements, depth).strip()
