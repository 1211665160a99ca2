"""What a network consists of and what it costs, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnnspec.analysis.counts import Counts, counts, total
from cnnspec.analysis.field import Field, fields
from cnnspec.analysis.macs import macs
from cnnspec.analysis.memory import FLOAT32, activations
from cnnspec.network import LayerNode, Network
from cnnspec.record import Record


class LayerSummary(Record):
    """One layer. `activation` is the size of its output for one sample, in bytes as float32."""

    node: LayerNode
    counts: Counts
    macs: int
    field: Field
    activation: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON. The receptive field is None where a value sees all of the input."""
        return {
            "name": self.node.path,
            "kind": self.node.layer.word,
            "line": self.node.span.line,
            "output": list(self.node.output.sizes),
            "parameters": self.counts.parameters,
            "buffers": self.counts.buffers,
            "macs": self.macs,
            "receptive_field": field_as_dict(self.field),
            "activation_bytes": self.activation,
        }


class Summary(Record):
    """A network and its layers in the order they run. `str` gives the table that `cnnspec summary` prints."""

    network: Network
    layers: tuple[LayerSummary, ...]

    @property
    def counts(self) -> Counts:
        return total(tuple(layer.counts for layer in self.layers))

    @property
    def parameters(self) -> int:
        return self.counts.parameters

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def activation(self) -> int:
        """Bytes of all outputs together, for one sample in float32."""
        return sum(layer.activation for layer in self.layers)

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
        }

    def __str__(self) -> str:
        from cnnspec.report.summary_text import as_text

        return as_text(self)


def summarize(network: Network) -> Summary:
    each = zip(network.layers, counts(network), macs(network), fields(network), activations(network), strict=True)
    return Summary(network, tuple(LayerSummary(n, c, m, f, a.bytes) for n, c, m, f, a in each))


def field_as_dict(field: Field) -> dict[str, list[int | float]] | None:
    """None where everything is seen, or where the input has no axes to slide along."""
    return {"size": _numbers(field.size), "stride": _numbers(field.stride)} if field.stride else None


def _numbers(values: Iterable[Any]) -> list[int | float]:
    """Fractions, which strides behind upsampling may be, as floats."""
    return [int(value) if value == int(value) else float(value) for value in values]
