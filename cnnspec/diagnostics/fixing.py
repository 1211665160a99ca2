"""Applies the edits that diagnostics propose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.record import Record

Key = Callable[[str], str | None]
"""The name under which a source's text is kept; None for one that is not to be touched."""


class Applied(Record):
    """The texts that changed, and the diagnostics whose fixes did it."""

    texts: dict[str, str]
    mended: tuple[Diagnostic, ...]


def apply(texts: Mapping[str, str], diagnostics: Iterable[Diagnostic], key: Key, *, unsafe: bool) -> Applied:
    """One fix for each diagnostic, whole or not at all. What overlaps one that was taken before is left for the next
    round, when its places are known anew."""
    taken: dict[str, list[Edit]] = {}
    mended = []
    for diagnostic in diagnostics:
        fix = chosen(diagnostic, key, unsafe=unsafe)
        if fix and not any(_clashes(edit, taken.get(_name(edit, key), ())) for edit in fix.edits):
            for edit in fix.edits:
                there = taken.setdefault(_name(edit, key), [])
                if edit not in there:
                    there.append(edit)
            mended.append(diagnostic)
    changed = {name: edited(texts[name], edits) for name, edits in taken.items()}
    return Applied(changed, tuple(mended))


def chosen(diagnostic: Diagnostic, key: Key, *, unsafe: bool) -> Fix | None:
    """The first fix with edits, if it may be applied: only to texts that are there, and safe unless told otherwise. A
    later one is never taken instead: it is not what was meant most likely."""
    fix = next((fix for fix in diagnostic.fixes if fix.edits), None)
    if fix is None or not (fix.safe or unsafe):
        return None
    return fix if all(key(edit.span.source.name) for edit in fix.edits) else None


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits that do not overlap."""
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end), reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _name(edit: Edit, key: Key) -> str:
    name = key(edit.span.source.name)
    assert name is not None
    return name


def _clashes(edit: Edit, others: Iterable[Edit]) -> bool:
    """Whether an edit touches the place of another one. Equal edits are one."""
    return any(
        edit != other and edit.span.start <= other.span.end and other.span.start <= edit.span.end for other in others
    )
