"""The difference of networks as JSON; `docs/schemas/diff.schema.json` is derived from these models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cnnspec.report import diff
from cnnspec.report.diff import changes
from cnnspec.report.diff.parts import Part
from cnnspec.report.diff.totals import totals
from cnnspec.report.diff.words import words
from cnnspec.report.summary import field_as_dict

VERSION: Literal[1] = 1
"""Of the schema: it grows where something is left out or means something else, not where something is added."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Place(Model):
    """A layer, a group or a join."""

    name: str = Field(description="In the state_dict; for a join that of the module it stands in.")
    text: str = Field(description="As it is written in a spec, without what arrives.")
    kind: str = Field(description="The layer, block or combinator; empty for braces.")
    file: str
    line: int
    input: list[int]
    output: list[int]


class Costs(Model):
    parameters: int
    macs: int
    activation_bytes: int = Field(description="Of all outputs together, for one sample in float32.")


class Setting(Model):
    name: str
    before: str
    after: str


class Seen(Model):
    """A receptive field along each axis of the input."""

    size: list[int | float | None]
    stride: list[int | float | None] = Field(description="Null where it is not the same everywhere.")


class Change(Model):
    """One change. The costs of all changes add up to the difference of the totals."""

    kind: changes.Kind
    module: str = Field(description="The module it stands in; empty for the model itself.")
    behind: str | None = Field(description="The layer, group or join in front of it in the same module.")
    before: list[Place]
    after: list[Place]
    settings: list[Setting] = Field(description="The arguments that differ.")
    costs: Costs
    receptive_field_before: Seen | None = Field(description="Null where all of the input is seen, or nothing is there.")
    receptive_field_after: Seen | None


class Count(Model):
    """How many uses of a block a module holds."""

    module: str
    block: str
    before: int
    after: int


class Total(Model):
    name: str
    before: int | str
    after: int | str
    unit: Literal["count", "bytes", "text"]


class Side(Model):
    model: str
    file: str
    input: list[int]
    output: list[int]


class Comparison(Model):
    before: Side
    after: Side
    equal: bool
    words: list[str] = Field(description="What a person would say, a sentence each.")
    totals: list[Total]
    counts: list[Count]
    changes: list[Change]
    renamed: dict[str, str] = Field(description="Layers with weights in both networks whose names differ.")
    settings: list[Setting] = Field(description="Of the input, the arguments of the model and train { }.")


class Document(Model):
    """What `cnnspec diff --format json` prints."""

    version: Literal[1]
    comparisons: list[Comparison]
    added: list[str] = Field(description="Models that only the second file has.")
    removed: list[str] = Field(description="Models that only the first file has.")


def as_json(differences: Iterable[diff.Difference], added: Sequence[str] = (), removed: Sequence[str] = ()) -> str:
    document = Document(
        version=VERSION, comparisons=[*map(comparison, differences)], added=[*added], removed=[*removed]
    )
    return document.model_dump_json(indent=2)


def schema() -> str:
    return json.dumps(Document.model_json_schema(), indent=2) + "\n"


def comparison(difference: diff.Difference) -> Comparison:
    return Comparison(
        before=_side(difference.before),
        after=_side(difference.after),
        equal=difference.equal,
        words=words(difference),
        totals=[Total(**vars(total)) for total in totals(difference)],
        counts=[Count(**vars(count)) for count in difference.counts],
        changes=[_change(change) for change in difference.changes],
        renamed=difference.renamed,
        settings=_settings(difference.settings),
    )


def _side(side: diff.Side) -> Side:
    network = side.network
    return Side(
        model=network.name,
        file=network.source.name,
        input=[*network.input.sizes],
        output=[*network.output.sizes],
    )


def _change(change: changes.Change) -> Change:
    return Change(
        kind=change.kind,
        module=change.home,
        behind=change.behind.path if change.behind else None,
        before=[*map(_place, change.before)],
        after=[*map(_place, change.after)],
        settings=_settings(change.settings),
        costs=Costs(
            parameters=change.costs.parameters, macs=change.costs.macs, activation_bytes=change.costs.activation
        ),
        receptive_field_before=_seen(change.before),
        receptive_field_after=_seen(change.after),
    )


def _place(part: Part) -> Place:
    return Place(
        name=part.path,
        text=part.text,
        kind=part.word,
        file=part.node.span.source.name,
        line=part.node.span.line,
        input=[*part.input.sizes],
        output=[*part.output.sizes],
    )


def _seen(parts: Sequence[Part]) -> Seen | None:
    seen = field_as_dict(parts[-1].field) if parts else None
    return Seen(size=seen["size"], stride=seen["stride"]) if seen else None


def _settings(settings: Sequence[changes.Setting]) -> list[Setting]:
    return [Setting(**vars(setting)) for setting in settings]
