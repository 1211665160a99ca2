"""Diagnostics as SARIF 2.1.0, which services that scan code read (OASIS, sarif-v2.1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cnnspec.diagnostics import Diagnostic, Fix, Label
from cnnspec.diagnostics.codes import CODES
from cnnspec.diagnostics.explanation import page
from cnnspec.diagnostics.found import Found
from cnnspec.source import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def report(found: Iterable[Found], *, color: bool) -> Iterator[str]:
    import json

    yield json.dumps(document(list(found)), indent=2)


def document(found: list[Found]) -> dict[str, Any]:
    diagnostics = [diagnostic for each in found for diagnostic in each.diagnostics]
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    driver = {"name": "cnnspec", "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": uri}} for uri in dict.fromkeys(_uri(each.file) for each in found)],
        "results": [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in diagnostics],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    known = CODES[code]
    text = page(code)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in known.name.split("-")),
        "shortDescription": {"text": known.meaning},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": known.severity},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": _message(diagnostic)},
        "locations": [{"physicalLocation": _place(diagnostic.span)}],
    }
    if diagnostic.labels:
        result["relatedLocations"] = [_related(number, label) for number, label in enumerate(diagnostic.labels, 1)]
    if fixes := [_fix(fix) for fix in diagnostic.fixes if fix.edits]:
        result["fixes"] = fixes
    return result


def _message(diagnostic: Diagnostic) -> str:
    return "\n".join([diagnostic.message, *([diagnostic.why] if diagnostic.why else []), *diagnostic.notes])


def _related(number: int, label: Label) -> dict[str, Any]:
    return {"id": number, "message": {"text": label.text}, "physicalLocation": _place(label.span)}


def _fix(fix: Fix) -> dict[str, Any]:
    sources = dict.fromkeys(edit.span.source.name for edit in fix.edits)
    changes = [
        {
            "artifactLocation": {"uri": _uri(name)},
            "replacements": [
                {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
                for edit in fix.edits
                if edit.span.source.name == name
            ],
        }
        for name in sources
    ]
    return {"description": {"text": fix.message}, "artifactChanges": changes}


def _place(span: Span) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(span.source.name)}, "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    last, column = span.source.position(max(span.start, span.end))
    return {"startLine": span.line, "startColumn": span.column, "endLine": last, "endColumn": column}


def _uri(name: str) -> str:
    from urllib.parse import quote

    return quote(name.replace("\\", "/"))
