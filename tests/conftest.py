"""What the whole suite shares."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests recorded as `mix` (text) or `counts` (JSON, added up over the parts of a test): what a seed
    drew, and what became of it. Works across workers."""
    mixes: dict[str, list[str]] = defaultdict(list)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        test = report.nodeid.partition("[")[0]
        for name, text in report.user_properties:
            if name == "mix":
                mixes[test].append(text)
            elif name == "counts":
                counts[test].update(json.loads(text))
    for test, total in counts.items():
        mixes[test].append(", ".join(f"{what} {number}" for what, number in total.most_common()))
    for test, texts in mixes.items():
        terminalreporter.write_sep("-", test)
        terminalreporter.write_line("\n".join(sorted(texts)))
