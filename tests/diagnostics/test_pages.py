"""Every code has a page. Its bad files get the code and nothing else, its good ones get nothing but
the answer where they leave sizes open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnnspec.diagnostics.codes import CODES
from cnnspec.diagnostics.explanation import code_of, page
from cnnspec.lint import linted
from cnnspec.network import check, read_source
from cnnspec.report.reference import PAGES
from cnnspec.syntax.form import formatted
from cnnspec.syntax.parser import parse

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "cnnspec" / "diagnostics" / "pages"
CASES = [*(ROOT / "tests" / "cases").rglob("*.cnn"), *(ROOT / "tests" / "syntax" / "cases").rglob("*.cnn")]
FILE = re.compile(r"^```cnn (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN = [path.stem for path in sorted(FOLDER.glob("*.md"))]


def found(text: str, folder: Path) -> list[str]:
    (folder / "page.cnn").write_text(text, encoding="utf-8")
    return [each.code for each in linted(check(read_source(folder / "page.cnn"))).diagnostics]


@pytest.mark.parametrize("code", CODES)
def test_page(code: str, tmp_path: Path) -> None:
    parts = FILE.findall(page(code))
    kinds = {kind for kind, _ in parts}
    assert {"bad", "good"} <= kinds
    for kind, text in parts:
        if kind.endswith(".cnn"):
            (tmp_path / kind).write_text(text, encoding="utf-8")
    for kind, text in parts:
        if kind == "bad":
            assert set(found(text, tmp_path)) == {code}, text
        elif kind == "good":
            assert [each for each in found(text, tmp_path) if each != "N003" or code == "N003"] == [], text


@pytest.mark.parametrize("code", WRITTEN)
def test_form_of_a_page(code: str, tmp_path: Path) -> None:
    """One to read in a terminal: short, and what it shows is in the form of specs."""
    text = page(code)
    lines = text.splitlines()
    assert lines[0] == f"# {code}: {CODES[code].name}"
    assert 15 <= len(lines) <= 45
    assert max(map(len, lines)) <= 120
    assert text.count("```") == 2 * len(FILE.findall(text))
    for _, shown in FILE.findall(text):
        (tmp_path / "page.cnn").write_text(shown, encoding="utf-8")
        parsed = parse(read_source(tmp_path / "page.cnn"))
        assert parsed.diagnostics or formatted(parsed) == shown


def test_codes_are_declared_documented_tested_and_emitted() -> None:
    sources = [path for path in (ROOT / "cnnspec").rglob("*.py") if path.name != "codes.py"]
    code = re.compile(r'"([ENW]\d{3})"')
    emitted = {each for path in sources for each in code.findall(path.read_text(encoding="utf-8"))}
    marked = re.compile(r"#!? ([ENW]\d{3})\b")
    tested = {each for path in CASES for each in marked.findall(path.read_text(encoding="utf-8"))}
    lints = {code for code in CODES if code not in WRITTEN}
    assert set(WRITTEN) | lints == set(CODES)
    assert emitted == set(CODES)
    assert tested | lints == set(CODES)
    assert all(CODES[code].page for code in lints)


def test_names_are_readable_and_lead_to_their_code() -> None:
    assert len({known.name for known in CODES.values()}) == len(CODES)
    for code, known in CODES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", known.name)
        assert code_of(known.name) == code_of(code.lower()) == code
    assert code_of("E999") is None


def test_the_page_of_all_codes_leads_to_each() -> None:
    text = PAGES["errors.md"]()
    assert all(f"[{code}](errors/{code}.md)" in text for code in CODES)
    assert {path.stem for path in (ROOT / "docs" / "errors").iterdir()} == set(CODES)
