from __future__ import annotations

from cnnspec.analysis.steps import PlacedJoin
from cnnspec.analysis.steps import steps as steps_of


def shown(network):
    """A join by its kind and module, a layer by its path; in brackets what runs only in training."""
    texts = []
    for step in steps_of(network):
        text = f"{step.node.kind} in {step.path}" if isinstance(step, PlacedJoin) else step.path
        texts.append(f"({text})" if step.side else text)
    return texts


def test_joins_stand_behind_their_branches(steps):
    blocks = "block Unit { add { | a: relu | { concat { | | b: relu }, conv(4, 1) } }, c: conv(4, 1) }"
    network = steps("4x8x8", "residual { u: Unit }, relu", blocks)
    assert shown(network) == ["u.a", "u.1.b", "concat in u.1", "u.1.1", "add in u", "u.c", "residual in ", "1"]


def test_what_passes_on_is_no_join(steps):
    network = steps("4x8x8", "residual(when=false) { relu }, aux { add { | relu | }, flatten, linear(2) }, tanh")
    assert shown(network) == ["0", "(1)", "(add in )", "(2)", "(3)", "4"]


def test_layers_are_those_of_the_network(steps):
    network = steps("4x8x8", "a: relu\n repeat 3 { { multiply { | relu | sigmoid } } }\n aux { flatten, linear(2) }")
    assert [step for step in steps_of(network) if not isinstance(step, PlacedJoin)] == list(network.layers)
