"""Parts of a network, as settings name them."""

from __future__ import annotations

from typing import Any

from cnnspec.words import KINDS, Kind, Mismatch, Symbol, describe, list_of

Names = tuple[str, ...]


def _name(value: Any) -> str:
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, str) and value:
        return value
    raise Mismatch(f"{describe(value)} is no name")


KINDS["Names"] = list_of(Kind("a name", _name), 'names of layers and groups ([features, "head.0"])')
