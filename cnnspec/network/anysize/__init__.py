"""What a network does for every size of its input. Loaded where that is asked, or where a spec leaves sizes open."""

from __future__ import annotations

from cnnspec.network.anysize.answer import LIMIT, Answer, answer
from cnnspec.network.anysize.closed import run
from cnnspec.network.anysize.runs import AXES
from cnnspec.network.anysize.told import note, undecided
from cnnspec.network.model import Network
from cnnspec.network.spec import Checked
from cnnspec.sizes.sets import between
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
    axes = AXES[network.input.rank]
    try:
        return answer(axes, run(network, training=training))
    except Undecided as why:
        return answer(axes, run(network, between(1, LIMIT), training=training), str(why))


def with_sizes(checked: Checked) -> Checked:
    """What was found, with a note for each network whose sizes are not open: those that it runs for."""
    notes, sizes = [], dict(checked.sizes)
    for network in checked.networks:
        if network.input.rank and network.name not in sizes:
            span = _input(checked.file, network)
            pattern: tuple[int | str, ...] = (network.input.channels, *AXES[network.input.rank])
            try:
                sizes[network.name] = all_sizes(network)
                notes.append(note(sizes[network.name], network.name, pattern, span))
            except Undecided as why:
                notes.append(undecided(network.name, span, str(why)))
    return checked.replace(diagnostics=(*checked.diagnostics, *notes), sizes=sizes)


def _input(file: tree.File, network: Network) -> Span:
    """Where the input of a network is written; where its model begins, for one that came from outside."""
    for item in file.items:
        if isinstance(item, tree.Model) and item.span == network.root.span:
            return next((s.shape.span for s in item.body.statements if isinstance(s, tree.Input)), item.name.span)
    return network.root.span.first_word
