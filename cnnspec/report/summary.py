"""What a network consists of and what it costs, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from cnnspec.analysis.counts import Counts, counts, total
from cnnspec.analysis.field import Field, fields
from cnnspec.analysis.macs import macs
from cnnspec.analysis.memory import FLOAT32, activation, activations
from cnnspec.analysis.steps import PlacedJoin, steps
from cnnspec.network import Network
from cnnspec.network.model import PlacedLayer
from cnnspec.record import Record


class LayerSummary(Record):
    """One layer. `activation` is the size of its output for one sample, in bytes as float32."""

    placed: PlacedLayer
    counts: Counts
    macs: int
    field: Field
    activation: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON. The receptive field is None where a value sees all of the input."""
        return {
            "name": self.placed.path,
            "kind": self.placed.layer.word,
            "file": self.placed.span.source.name,
            "line": self.placed.span.line,
            "side": self.placed.side,
            "output": list(self.placed.output.sizes),
            "parameters": self.counts.parameters,
            "buffers": self.counts.buffers,
            "macs": self.macs,
            "receptive_field": field_as_dict(self.field),
            "activation_bytes": self.activation,
        }


class JoinSummary(Record):
    """A place where branches join. `after` is the last layer before it, None where none ran."""

    placed: PlacedJoin
    after: PlacedLayer | None
    field: Field
    activation: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; `module` is the one it stands in, empty for the model itself."""
        node = self.placed.node
        return {
            "module": self.placed.path,
            "kind": node.kind,
            "file": node.span.source.name,
            "line": node.span.line,
            "side": self.placed.side,
            "after": self.after.path if self.after else None,
            "output": list(node.output.sizes),
            "receptive_field": field_as_dict(self.field),
            "activation_bytes": self.activation,
        }


class Summary(Record):
    """A network with its layers, and the joins of its branches, in the order they run. `str` gives the table that
    `cnnspec summary` prints."""

    network: Network
    steps: tuple[LayerSummary | JoinSummary, ...]

    @cached_property
    def layers(self) -> tuple[LayerSummary, ...]:
        return tuple(step for step in self.steps if isinstance(step, LayerSummary))

    @cached_property
    def joins(self) -> tuple[JoinSummary, ...]:
        return tuple(step for step in self.steps if isinstance(step, JoinSummary))

    @cached_property
    def counts(self) -> Counts:
        return total(tuple(layer.counts for layer in self.layers))

    @property
    def parameters(self) -> int:
        return self.counts.parameters

    @cached_property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def activation(self) -> int:
        """Bytes of all outputs together, for one sample in float32; those of side outputs exist only in training and
        are left out."""
        return sum(step.activation for step in self.steps if not step.placed.side)

    @property
    def weights(self) -> int:
        """Bytes of all parameters in float32."""
        return self.parameters * FLOAT32

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; shapes are lists without the batch."""
        return {
            "model": self.network.name,
            "input": list(self.network.input.sizes),
            "output": list(self.network.output.sizes),
            "parameters": self.parameters,
            "buffers": self.counts.buffers,
            "macs": self.macs,
            "activation_bytes": self.activation,
            "layers": [layer.as_dict() for layer in self.layers],
            "joins": [join.as_dict() for join in self.joins],
        }

    def __str__(self) -> str:
        from cnnspec.report.summary_text import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from cnnspec.report.html import summary_html

        return summary_html(self)


def summarize(network: Network) -> Summary:
    return Summary(network, tuple(_measured(network)))


def _measured(network: Network) -> Iterator[LayerSummary | JoinSummary]:
    seen = fields(network)
    of_layers = zip(counts(network), macs(network), seen.layers, activations(network), strict=True)
    of_joins = iter(seen.joins)
    after = None
    for step in steps(network):
        if isinstance(step, PlacedJoin):
            yield JoinSummary(step, after, next(of_joins), activation(step.node.output).bytes)
        else:
            count, multiplied, field, size = next(of_layers)
            yield LayerSummary(step, count, multiplied, field, size.bytes)
            after = step


def field_as_dict(field: Field) -> dict[str, list[int | float | None]] | None:
    """None where everything is seen, or where the input has no axes to slide along."""
    return {"size": _numbers(field.size), "stride": _numbers(field.stride)} if field.axes else None


def _numbers(values: Iterable[Any]) -> list[int | float | None]:
    """Fractions, which strides behind upsampling may be, as floats; strides that vary as None."""
    return [value if value is None or isinstance(value, int) else float(value) for value in values]
