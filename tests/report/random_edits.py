"""Random networks, and the same with one known edit."""

from __future__ import annotations

from random import Random

LAYERS = ("conv", "conv", "batchnorm", "relu", "gelu", "dropout", "maxpool", "pointwise")

CLOSING = "conv(x0, 1)"
"""The end of a residual: as many channels as came in. Its width follows from what stands before."""

Chain = list["str | Group"]


class Group:
    """`opening` is what stands before the braces: a label, `residual`, or `repeat 3`."""

    def __init__(self, opening: str, body: Chain) -> None:
        self.opening, self.body = opening, body

    def copy(self) -> Group:
        return Group(self.opening, copied(self.body))


def copied(chain: Chain) -> Chain:
    return [item.copy() if isinstance(item, Group) else item for item in chain]


def layer(draw: Random) -> str:
    """All keep height and width, so that any may stand anywhere."""
    match draw.choice(LAYERS):
        case "conv":
            size = draw.choice([3, 5])
            return f"conv({draw.choice([8, 12, 16, 24])}, {size}, padding={size // 2})"
        case "pointwise":
            return f"conv({draw.choice([8, 16, 32])}, 1, bias=false)"
        case "dropout":
            return f"dropout({draw.choice([0.1, 0.2, 0.3])})"
        case "maxpool":
            return "maxpool(3, stride=1, padding=1)"
        case word:
            return word


def chain(draw: Random, depth: int = 0) -> Chain:
    found: Chain = [layer(draw) for _ in range(draw.randint(2, 7))]
    if depth < 2:
        for number in range(draw.randint(0, 2)):
            inner = chain(draw, depth + 1)
            opening = draw.choice([f"part{number}:", "residual", ""])
            if opening == "residual":
                inner = [*inner, CLOSING]
            found.insert(draw.randint(0, len(found)), Group(opening, inner))
    return found


def text(body: Chain) -> str:
    return (
        "model Net {\n  input 3x16x16\n  conv(8, 3, padding=1)\n"
        f"{_lines(body, '  ')}  adaptive_avgpool(1), flatten, linear(10)\n}}\n"
    )


def _lines(body: Chain, indent: str) -> str:
    return "".join(_group(item, indent) if isinstance(item, Group) else f"{indent}{item}\n" for item in body)


def _group(group: Group, indent: str) -> str:
    inside = _lines(group.body, indent + "  ")
    if group.opening != "residual":
        return f"{indent}{group.opening} {{\n{inside}{indent}}}\n"
    width = f"width{len(indent)}"
    inside = inside.replace(CLOSING, f"conv({width}, 1)")
    return f"{indent}{{\n{indent}let {width} = x.channels\n{indent}residual {{\n{inside}{indent}}}\n{indent}}}\n"


def chains(body: Chain) -> list[Chain]:
    found = [body]
    for item in body:
        if isinstance(item, Group):
            found += chains(item.body)
    return found


class Edit:
    """`kind` is what a comparison should call it; `before` and `after` are the layers it happened to, as written."""

    def __init__(self, kind: str, before: str, after: str) -> None:
        self.kind, self.before, self.after = kind, before, after


def edited(body: Chain, draw: Random) -> tuple[Chain, Edit]:
    """A copy with one edit."""
    made = copied(body)
    where = draw.choice(chains(made))
    fixed = [at for at, item in enumerate(where) if isinstance(item, str) and item != CLOSING]
    kind = draw.choice(["added", "removed", "changed"]) if len(fixed) > 1 else "added"
    if kind == "added":
        new = layer(draw)
        end = len(where) - (CLOSING in where)
        where.insert(draw.randint(0, end), new)
        return made, Edit("added", "", new)
    at = draw.choice(fixed)
    old = where[at]
    assert isinstance(old, str)
    if kind == "removed":
        del where[at]
        return made, Edit("removed", old, "")
    new = changed(old, draw)
    where[at] = new
    return made, Edit("changed" if new.partition("(")[0] == old.partition("(")[0] else "replaced", old, new)


def changed(old: str, draw: Random) -> str:
    """The same word with one other argument, or another word of its family."""
    match old.partition("(")[0]:
        case "conv" if "bias" not in old and draw.random() < 0.5:
            return old[:-1] + ", bias=false)"
        case "conv":
            return f"conv({int(old[5:].partition(',')[0]) + 4}{old[old.index(',') :]}"
        case "dropout":
            return "dropout(0.7)"
        case "maxpool":
            return "avgpool(3, stride=1, padding=1)"
        case "batchnorm":
            return "batchnorm(eps=0.01)" if "(" not in old else "batchnorm"
        case word:
            return {"relu": "silu", "gelu": "silu"}.get(word, "relu")
