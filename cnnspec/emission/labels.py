"""The names of children."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cnnspec.emission.express import computed, quoted
from cnnspec.emission.frames import Frame
from cnnspec.emission.names import LONGEST
from cnnspec.emission.written import LABEL, readings
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse


def key_of(frame: Frame, nodes: tuple[Any, ...]) -> tuple[str, bool]:
    """The name of a child, or Python for it where it changes (and then true); empty for a position."""
    keys = tuple(node.key for node in nodes)
    if not nodes[0].labelled:
        return "", False
    if len(set(keys)) == 1:
        return keys[0], False
    text = _computed(frame, nodes[0].step.label.text, keys)
    return text or frame.express(keys, {}, "name"), True


def _computed(frame: Frame, label: str, keys: tuple[str, ...]) -> str | None:
    """A label as an f-string, where that gives the same names."""
    parts = []
    for inside in LABEL.findall(label):
        expression = expression_of(inside.strip())
        text = next(iter(readings(expression, frame.lookup(frame.flow))), None) if expression else None
        if text is None or '"' in text:
            return None
        parts.append(text)
    texts = iter(parts)
    text = "f" + quoted(LABEL.sub(lambda _: f"{{{next(texts)}}}", label))
    if len(text) > LONGEST or computed(text, frame.scope(parts), len(frame)) != keys:
        return None
    for part in parts:
        frame.use(part)
    return text


@lru_cache(maxsize=256)
def expression_of(text: str) -> tree.Expr | None:
    """An expression that stands inside a label."""
    parsed = parse(Source("label", f"let value = {text}\n"))
    items = parsed.file.items
    if parsed.diagnostics or len(items) != 1 or not isinstance(items[0], tree.Let):
        return None
    return items[0].value
