"""Weights that do not fit: what the likely mistake is, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from torch import Tensor

from cnnspec.training.error import TrainError
from cnnspec.training.sources import Found


def require_plausible(
    found: Found, theirs: dict[str, Tensor], ours: Sequence[str], loaded: int, fresh: dict[str, str]
) -> None:
    """Raises `TrainError` where no parameter was `loaded`, or where more names would fit behind a prefix than do, and
    most of all."""
    fit = max(len(set(ours) & set(theirs)), min(len(ours), len(theirs)) // 2)
    ahead, fit_without = common_prefix(theirs, ours)
    if ahead and fit_without > fit:
        name = next(name for name in theirs if name.startswith(ahead))
        raise TrainError(
            f"the names in {found.path} begin with {ahead}, and those of the network do not",
            f"there it is {name}, and here {name.removeprefix(ahead)}",
            f'to leave that out: weights: file("{found.path}", prefix="{found.prefix}{ahead}")',
        )
    behind, fit_without = common_prefix(ours, theirs)
    if behind and fit_without > fit:
        name = next(name for name in ours if name.startswith(behind))
        raise TrainError(
            f"the names of the network begin with {behind}, and those in {found.path} do not",
            f"here it is {name}, and there {name.removeprefix(behind)}",
            f"write the layers without the group {behind.rstrip('.')} around them, or rename what is in the file",
        )
    if not loaded:
        raise TrainError(f"nothing of {found.about} fits the network", *_reasons(theirs, ours, fresh))


def common_prefix(names: Iterable[str], others: Iterable[str]) -> tuple[str, int]:
    """What stands before most of the names that end, after a point, in one of the others, and how many do."""
    known = set(others)
    counts: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for at in range(1, len(parts)):
            if ".".join(parts[at:]) in known:
                counts[".".join(parts[:at]) + "."] += 1
    return counts.most_common(1)[0] if counts else ("", 0)


def _reasons(theirs: dict[str, Tensor], ours: Sequence[str], fresh: dict[str, str]) -> list[str]:
    shapes = [f"{path}: {reason}" for path, reason in fresh.items() if reason != "not there"]
    if shapes:
        return [*shapes[:3], "the names are the same: has the network another width there?"]
    return [f"there the names are {_some(list(theirs))}", f"here they are {_some(ours)}"]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
