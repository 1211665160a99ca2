"""A module of PyTorch -> the text of a spec.

- `trace`: runs it and writes down the operations (`values`)
- `inverse`: modules to layers; `functions`, `moves`: operations to layers
- `graph`: all of them to a graph of layers, joins and shares (`nodes`)
- `series`: the graph to steps one after another, with branches
- `modules`: steps to submodules, under the names of the original (`items`)
- `merge`, `runs`: bodies side by side; `parameters`, `blocks`: what differs becomes a parameter
- `loops`: regular steps become loops
- `write`: items to text; `verify`: the text beside the original
- `source`: what is named on the command line to a module
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import nn

from cnnspec.diagnostics import Diagnostic
from cnnspec.layers.base import Shape
from cnnspec.lint import linted
from cnnspec.network import Network, check
from cnnspec.porting.blocks import Blocks, without_defaults
from cnnspec.porting.graph import Graph
from cnnspec.porting.inverse import is_known
from cnnspec.porting.items import Items
from cnnspec.porting.loops import rolled
from cnnspec.porting.modules import Arrange
from cnnspec.porting.nodes import Note
from cnnspec.porting.series import Structure
from cnnspec.porting.source import facts_of
from cnnspec.porting.trace import run
from cnnspec.porting.values import NotPortable, Run, Value, each
from cnnspec.porting.verify import Verified, verify
from cnnspec.porting.write import Block, spec
from cnnspec.record import Record
from cnnspec.source import Source

__all__ = ["NotPortable", "Note", "Ported", "Verified", "port_module"]


class Ported(Record):
    """The text of a spec, and how it stands beside the original. `notes` are what it could not express and where,
    `errors` what the check finds, `verified` the comparison (None where there is no network to compare)."""

    name: str
    text: str
    notes: tuple[Note, ...]
    errors: tuple[Diagnostic, ...]
    network: Network | None
    verified: Verified | None

    @property
    def whole(self) -> bool:
        """Whether nothing was left out and the network was found to be the original, bit for bit."""
        return self.fits and self.verified is not None and self.verified.largest == 0

    @property
    def fits(self) -> bool:
        """Whether nothing was left out, and names and parameters are the original's."""
        return not self.notes and not self.errors and self.verified is not None and self.verified.fits

    @property
    def compared(self) -> str:
        """What was compared, in words."""
        return self.verified.told if self.verified else "which were not compared with the original"

    def __str__(self) -> str:
        return self.text

    @property
    def source(self) -> Source:
        return Source(f"{self.name}.cnn", self.text)


def port_module(
    module: nn.Module,
    sizes: Sequence[int],
    *,
    name: str = "",
    origin: str = "",
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    numbers: bool = True,
) -> Ported:
    """The spec of a module for an input of these sizes, without the batch. It runs the module, on tensors without
    numbers, and with `numbers` once with some. `facts` are arguments that submodules were made with, by path. Raises
    `NotPortable` where it cannot be run, or has not one tensor that comes out."""
    x = Shape(tuple(sizes))
    graph = _graph(module, x.sizes)
    items = Arrange(graph).network(Structure(graph).network(), x.channels)
    graph.notes += [Note(path, "it never runs, so its weights are not here") for path in _idle(module, graph.run)]
    name = _identifier(name or type(module).__name__)
    write = _Writer(name, x, _heading(origin or name, graph.notes), None if graph.notes else _count(module))
    return _judged(name, write.best(items, facts or facts_of(module, {})), tuple(graph.notes), module, numbers)


class _Writer:
    """Writes a network as short as it stays the same network."""

    def __init__(self, name: str, x: Shape, heading: list[str], parameters: int | None) -> None:
        self.name, self.x, self.heading, self.parameters = name, x, heading, parameters

    def best(self, items: Items, facts: Mapping[str, Mapping[str, Any]]) -> str:
        """With blocks and loops; plainer where that gave another network, which no one should see."""
        plain = self.text([], items)
        wanted = _content(plain)
        for text in self.folded(items, facts):
            if _content(text) == wanted:
                return text
        return plain

    def folded(self, items: Items, facts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        blocks = Blocks(facts, {self.name})
        called = blocks.taken_out(items)
        names = {name for block in blocks.found for name, _ in block.params}
        looped = [block.replace(items=rolled(block.items, names)) for block in blocks.found]
        yield self.short(looped, rolled(called, ()))
        yield self.short(blocks.found, called)
        yield self.text([], rolled(items, ()))

    def short(self, blocks: list[Block], items: Items) -> str:
        """Without the arguments that blocks have by default."""
        shorter = [block.replace(items=without_defaults(block.items, blocks)) for block in blocks]
        return self.text(shorter, without_defaults(items, blocks))

    def text(self, blocks: list[Block], items: Items) -> str:
        return spec(self.name, self.x, blocks, items, self.heading, self.parameters)


def _content(text: str) -> object:
    """What a spec comes to: its layers with their paths and shapes, or its faults."""
    checked = check(Source("<ported>", text))
    if checked.errors:
        return sorted({error.message for error in checked.errors})
    (network,) = checked.networks
    return [(placed.path, placed.layer, placed.input, placed.output, placed.side) for placed in network.layers]


def _graph(module: nn.Module, sizes: tuple[int, ...]) -> Graph:
    """What could not be expressed of a small module is told as that module, not operation by operation."""
    graph = Graph(_run(module, sizes, frozenset()))
    unknown = frozenset(graph.unknown())
    return Graph(_run(module, sizes, unknown)) if unknown else graph


def _run(module: nn.Module, sizes: tuple[int, ...], unknown: frozenset[str]) -> Run:
    """In evaluation; in training where there are side outputs then."""

    def is_leaf(path: str, each: nn.Module) -> bool:
        return path in unknown or is_known(each)

    found = run(module, sizes, is_leaf)
    if len(found.outputs) > 1:
        raise NotPortable(f"it returns {len(found.outputs)} tensors, and a spec describes a network that returns one")
    try:
        trained = run(module, sizes, is_leaf, train=True)
    except NotPortable:
        return found
    return trained if len(trained.outputs) > 1 else found


def _idle(module: nn.Module, found: Run) -> list[str]:
    """Submodules, and parameters beside them, that no operation has used."""
    used = {op.owner for op, _ in found.ops if op.module is not None}
    leaves = (leaf for op, _ in found.ops for leaf in each((op.args, op.kwargs)))
    used |= {leaf.parameter for leaf in leaves if isinstance(leaf, Value)}
    names = (name for name, _ in module.named_parameters() if not used.intersection(_above(name)))
    runs = {path for each_name in used for path in _above(each_name)}
    return list(dict.fromkeys(next(path for path in _above(name) if path not in runs) for name in names))


def _above(name: str) -> list[str]:
    """`a.b.c` and what it stands in, from the outside: `a`, `a.b`, `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _identifier(name: str) -> str:
    plain = "".join(each if each.isalnum() or each == "_" else "_" for each in name)
    return plain if plain[:1].isalpha() else f"net_{plain}"


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _heading(origin: str, notes: Sequence[Note]) -> list[str]:
    lines = [f"Ported from {origin} by cnnspec."]
    if notes:
        lines += ["", "Not everything could be expressed:"]
        lines += dict.fromkeys(f"  {note}" for note in notes)
    return lines


def _judged(name: str, text: str, notes: tuple[Note, ...], module: nn.Module, numbers: bool) -> Ported:
    checked = linted(check(Source(f"{name}.cnn", text)))
    network = next(iter(checked.networks), None) if not checked.errors else None
    verified = verify(module, network, numbers=numbers) if network else None
    return Ported(name, text, notes, tuple(checked.errors), network, verified)
