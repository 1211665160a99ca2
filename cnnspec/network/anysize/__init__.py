"""What a network does for every size of its input. Loaded where that is asked, or where a spec leaves sizes open."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic
from cnnspec.network.anysize.answer import Answer, answer
from cnnspec.network.anysize.closed import run
from cnnspec.network.anysize.runs import AXES
from cnnspec.network.anysize.told import note, undecided
from cnnspec.network.model import Network
from cnnspec.network.spec import Checked
from cnnspec.sizes.steps import Undecided
from cnnspec.source import Span
from cnnspec.syntax import tree

__all__ = ["Answer", "all_sizes", "with_sizes"]


def all_sizes(network: Network, *, training: bool = False) -> Answer:
    """What a network with its weights takes, beside the input that it was checked with; `training` also looks at its
    side outputs. Raises `Undecided` where that is not known for all sizes, `ValueError` for features, which are no map.
    """
    if not network.input.rank:
        raise ValueError(f"{network.name} takes features: there is no size to leave open")
    return answer(AXES[network.input.rank], list(run(network, training=training)))


def with_sizes(checked: Checked) -> Checked:
    """What was found, with a note for each network whose sizes are not open: those that it runs for."""
    notes = tuple(_note(checked, network) for network in checked.networks if network.input.rank and not network.open)
    return checked.replace(diagnostics=(*checked.diagnostics, *notes))


def _note(checked: Checked, network: Network) -> Diagnostic:
    span = _input(checked.file, network)
    try:
        pattern: tuple[int | str, ...] = (network.input.channels, *AXES[network.input.rank])
        return note(all_sizes(network), network.name, pattern, span)
    except Undecided as why:
        return undecided(network.name, span, str(why))


def _input(file: tree.File, network: Network) -> Span:
    """Where the input of a network is written; where its model begins, for one that came from outside."""
    for item in file.items:
        if isinstance(item, tree.Model) and item.span == network.root.span:
            return next((s.shape.span for s in item.body.statements if isinstance(s, tree.Input)), item.name.span)
    return network.root.span.first_word
