"""One line for each diagnostic, as editors and `grep` like it: `net.cnn:18:12: E301 linear is written for ...`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cnnspec.diagnostics.found import Found
from cnnspec.diagnostics.human import COLORS, painted, visible


def report(found: Iterable[Found], *, color: bool) -> Iterator[str]:
    for file in found:
        for each in file.diagnostics:
            code = painted(each.code, COLORS[each.severity]) if color else each.code
            span = each.span
            yield f"{span.source.name}:{span.line}:{span.column}: {code} {visible(each.message)}"
