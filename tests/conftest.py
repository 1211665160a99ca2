"""What the whole suite shares."""

from __future__ import annotations

from collections import defaultdict
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests recorded as `mix`: what a seed drew, and what became of it. Works across workers."""
    mixes: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "mix":
                mixes[report.nodeid.partition("[")[0]].append(text)
    for test, texts in mixes.items():
        terminalreporter.write_sep("-", test)
        terminalreporter.write_line("\n".join(sorted(texts)))
