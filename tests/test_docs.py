"""What the documentation shows is true: specs are checked, Python is run, commands print what stands there.

A block says in its first line what it is:
    ```cnn                     a spec without errors
    ```cnn in 3x32x32          layers for this input, without errors
    ```cnn E301                a spec with exactly these errors
    ```cnn examples/lenet.cnn  the text of this file
    ```python                  runs, in one namespace per page
    ```console                 `$ cnnspec ...` prints what follows; a line of three dots stands for any lines
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli import main
from cnnspec.network import check
from cnnspec.report.reference import PAGES
from cnnspec.source import Source

ROOT = Path(__file__).resolve().parents[1]
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "benchmarks").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)[ ]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"[EWN]\d{3}")
FENCES = {"cnn", "python", "console", "text", "sh"}


def blocks(language: str) -> list[object]:
    """The blocks of a language with what their first line says, named by page and number."""
    return [
        pytest.param(match[2], match[3], id=f"{page.name}-{number}")
        for page in DOCS
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")))
        if match[1] == language
    ]


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("about", "text"), blocks("cnn"))
def test_specs(about: str, text: str) -> None:
    if about.endswith(".cnn"):
        assert text == (ROOT / about).read_text(encoding="utf-8")
    if about.startswith("in "):
        text = f"model Shown {{\n  input {about.removeprefix('in ')}\n{text}}}\n"
    checked = check(Source("shown.cnn", text))
    expected = CODE.findall(about)
    assert [d.code for d in checked.errors] == expected
    assert checked.networks or expected


@pytest.mark.parametrize(("about", "text"), blocks("console"))
def test_commands(about: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("NO_COLOR", "1")
    for shown in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = shown.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "cnnspec", "only commands of cnnspec are run; show others as text"
        printed = CliRunner().invoke(main, arguments, prog_name="cnnspec").output
        assert re.fullmatch(pattern(expected), trimmed(printed)), f"{command} prints\n{printed}"


def pattern(expected: str) -> str:
    """A regular expression for the text, in which lines of three dots match any lines."""
    pieces = re.split(r"^\.\.\.\n", trimmed(expected), flags=re.MULTILINE)
    return r"(?:.*\n)*".join(map(re.escape, pieces))


def trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


@pytest.mark.parametrize(
    "page", [page for page in DOCS if "```python" in page.read_text(encoding="utf-8")], ids=lambda p: p.name
)
def test_python(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    namespace: dict[str, object] = {"__name__": "shown"}
    for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if match[1] == "python":
            exec(compile(match[3], page.name, "exec"), namespace)


@pytest.mark.parametrize("name", PAGES)
def test_derived_pages_are_current(name: str) -> None:
    current = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert current == PAGES[name](), "run `make docs`"


def test_the_rule_that_reads_curves_is_stated_as_it_is() -> None:
    from cnnspec.training.reading import RULES

    stated = [f"| {verdict} | {rule} |" for verdict, rule in RULES.items()]
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line in stated] == stated


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_pages_lead_where_they_say(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    openings = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
    assert [opening for opening in openings if opening.partition(" ")[0] not in FENCES] == []


def test_the_comparison_of_output_can_fail() -> None:
    assert re.fullmatch(pattern("a\n...\nd\n"), "a\nb\nc\nd\n")
    assert re.fullmatch(pattern("a\n...\n"), "a\nb\n")
    assert not re.fullmatch(pattern("a\n...\nd\n"), "a\nb\nc\n")
    assert not re.fullmatch(pattern("a\nb\n"), "a\nc\n")
