"""The part of the schema of SARIF 2.1.0 that we make use of, with no room for anything else."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}


def record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": [*required], "properties": properties, "additionalProperties": False}


def many(items: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "uniqueItems": True}


MESSAGE = record({"text": TEXT}, {"markdown": TEXT})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
ARTIFACT = record({"uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~/%-]+$"}})
REGION = record({"startLine": COUNT, "startColumn": COUNT, "endLine": COUNT, "endColumn": COUNT})
PLACE = record({"artifactLocation": ARTIFACT, "region": REGION})
REPLACEMENT = record({"deletedRegion": REGION}, {"insertedContent": record({"text": {"type": "string"}})})
CHANGE = record({"artifactLocation": ARTIFACT, "replacements": many(REPLACEMENT, 1)})
FIX = record({"artifactChanges": many(CHANGE, 1)}, {"description": MESSAGE})
RULE = record(
    {"id": TEXT, "name": {"type": "string", "pattern": "^([A-Z][a-z]*)+$"}, "shortDescription": MESSAGE},
    {"help": MESSAGE, "defaultConfiguration": record({"level": LEVEL})},
)
RESULT = record(
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": many(record({"physicalLocation": PLACE}), 1),
    },
    {
        "relatedLocations": many(record({"id": COUNT, "message": MESSAGE, "physicalLocation": PLACE})),
        "fixes": many(FIX, 1),
    },
)
RUN = record(
    {
        "tool": record({"driver": record({"name": TEXT, "rules": many(RULE)})}),
        "results": {"type": "array", "items": RESULT},
    },
    {
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "artifacts": many(record({"location": ARTIFACT})),
    },
)
LOG = record({"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": many(RUN, 1)})
