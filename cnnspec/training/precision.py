"""In which numbers a network computes. Weights, losses and what an optimizer keeps are float32 in any case."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

import torch

from cnnspec.analysis.macs import total_macs
from cnnspec.network.model import Network

Precision = Literal["float32", "bfloat16"]

WORTH_IT = 1_000_000
"""Below so many multiply-accumulates per sample, turning numbers into bfloat16 takes longer than they then save."""


def choose(asked: str, network: Network, device: torch.device) -> tuple[Precision, str]:
    """What is asked for; for `auto` what is faster here at the same accuracy. And why, in words."""
    if asked == "bfloat16":
        slow = device.type == "cpu" and not has_bfloat16(device)
        return (
            "bfloat16",
            "as asked; this processor has no instructions for it: float32 is faster" if slow else "as asked",
        )
    if asked == "float32":
        return "float32", "as asked"
    if device.type not in ("cpu", "cuda"):
        return "float32", f"as always on {device.type}, unless precision says otherwise"
    here = "this processor" if device.type == "cpu" else "this GPU"
    if not has_bfloat16(device):
        return "float32", f"because {here} has no instructions for bfloat16"
    if total_macs(network) < WORTH_IT:
        return "float32", "because the network is too small to gain from bfloat16"
    return "bfloat16", f"in convolutions and linear layers, because {here} has instructions for it"


def has_bfloat16(device: torch.device) -> bool:
    """Whether it multiplies such numbers itself: a processor with AVX-512 BF16 or AMX, a GPU from Ampere on."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in tests)


def computing(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """Within it, convolutions and linear layers compute in that precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
