from __future__ import annotations

from pathlib import Path

import cnnspec

DIGITS = Path(__file__).resolve().parents[1] / "examples" / "digits.cnn"


def test_functions_can_be_called_again() -> None:
    """Importing the submodule of the same name, as the first call does, must not displace a function."""
    from cnnspec.build import build_module
    from cnnspec.emit import emit

    network = cnnspec.load(DIGITS)
    for _ in range(2):
        assert cnnspec.emit(network) == emit(network)
        assert str(cnnspec.build(network)) == str(build_module(network))
        assert cnnspec.summary(network).parameters == 2_730


def test_everything_public_can_be_called() -> None:
    for name in cnnspec.__all__:
        assert callable(getattr(cnnspec, name))
