"""Weights as bytes of a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor


def as_bytes(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> bytes:
    """A file of safetensors whose bytes depend on nothing else: the library puts the notes in another order each time.

    The format: the length of the header in eight bytes, the header as JSON filled up with spaces, the numbers."""
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps({"__metadata__": dict(about)} | json.loads(data[8:start])).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[start:]
