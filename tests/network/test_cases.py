"""Files with their expectations in comments: `#! E301 part of the message` at the end of a line says that this
diagnostic, and no other, is reported there. To turn a bug into a test, paste the file and say what should come."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnnspec.diagnostics.human import render
from cnnspec.network import check, read_source

CASES = sorted((Path(__file__).parent.parent / "cases" / "check").glob("*.cnn"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    expected = [
        (number, code, message.strip())
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for code, message in re.findall(r"#! (\w\d+)([^#]*)", line)
    ]
    found = check(read_source(str(path))).diagnostics
    shown = "\n\n".join(render(diagnostic) for diagnostic in found)
    assert sorted((d.span.line, d.code) for d in found) == sorted((n, code) for n, code, _ in expected), shown
    for number, code, message in expected:
        at = [d.message for d in found if (d.span.line, d.code) == (number, code)]
        assert any(message in text for text in at), shown
