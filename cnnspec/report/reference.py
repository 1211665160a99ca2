"""The pages of the documentation that are derived: `python -m cnnspec.report.reference docs` writes them anew."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from cnnspec.diagnostics import explanation
from cnnspec.diagnostics.codes import CODES
from cnnspec.files import write
from cnnspec.layers.base import Layer
from cnnspec.layers.combine import Combinator
from cnnspec.lint import RULES
from cnnspec.recipe import Recipe
from cnnspec.report import vocabulary
from cnnspec.report.diff import document
from cnnspec.report.vocabulary import Section
from cnnspec.words import Parameter, Word

DERIVED = "<!-- Derived from the program by `make docs`; change it there. -->"

GROUPS = {
    "E1": "Syntax",
    "E2": "Names and arguments",
    "E3": "Shapes",
    "E4": "Branches and blocks",
    "E5": "Data and training",
    "E9": "Environment",
    "N": "Notes",
    "W": "Warnings",
}
"""What the codes that begin so are about."""


def layers_page() -> str:
    """Every layer and combinator with its arguments and an example."""
    return _page(
        "Layers",
        "A layer is called by name. One without arguments, or with the defaults of all of them, needs no parentheses. "
        "The incoming shape decides the rank: `conv` is `nn.Conv1d` on CxL, `nn.Conv2d` on CxHxW and `nn.Conv3d` on "
        "CxDxHxW.",
        (line for section in vocabulary.model_sections() for line in _section(section)),
    )


def training_page() -> str:
    """Every setting of `train { }` with what it takes."""
    settings = [
        _row(p.name, Recipe.about[p.name], p.kind.takes, f"`{vocabulary.show_default(p)}`")
        for p in Recipe.parameters().values()
    ]
    heading = (_row("setting", "what it is", "takes", "default"), _row(*["---"] * 4))
    return _page(
        "Training settings",
        "What `train { }` takes, and what holds where it says nothing. "
        "[training.md](training.md) tells what a run does with them.",
        (
            "\n".join([*heading, *settings]),
            *(line for section in vocabulary.training_sections() for line in _section(section)),
        ),
    )


def errors_page() -> str:
    """Every code with its name and meaning."""
    groups = (
        f"## {title}\n\n" + "\n".join([_row("code", "name", "meaning"), _row("---", "---", "---"), *rows])
        for start, title in GROUPS.items()
        if (
            rows := [
                _row(_link(code), c.name, c.meaning) for code, c in sorted(CODES.items()) if code.startswith(start)
            ]
        )
    )
    return _page(
        "Errors, warnings and notes",
        "A code never changes its meaning. Errors (E) make a check fail, warnings (W) only with `--strict`, "
        "notes (N) never. Each has a page, which `cnnspec explain E301` shows in the terminal.",
        groups,
    )


def _link(code: str) -> str:
    return f"[{code}](errors/{code}.md)"


assert RULES, "importing the rules declares their codes"


def error_page(code: str) -> str:
    return f"{DERIVED}\n\n{explanation.page(code)}"


PAGES: dict[str, Callable[[], str]] = {
    "layers.md": layers_page,
    "settings.md": training_page,
    "errors.md": errors_page,
    "schemas/diff.schema.json": document.schema,
} | {f"errors/{code}.md": partial(error_page, code) for code in CODES}


def _page(title: str, about: str, parts: Iterable[str]) -> str:
    return "\n\n".join([DERIVED, f"# {title}", about, *parts]) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    if section.about:
        yield section.about
    for word in section.words:
        yield from _article(word)


def _article(word: type[Word]) -> Iterator[str]:
    yield f"### {word.word}"
    yield f"```text\n{word.signature()}\n```"
    yield vocabulary.description(word)
    if arguments := word.parameters().values():
        yield "\n".join(map(_argument, arguments))
    if issubclass(word, Layer | Combinator):
        yield _example(word)


def _argument(parameter: Parameter) -> str:
    return f"- `{parameter.name}`: {vocabulary.argument(parameter)}"


def _example(word: type[Layer | Combinator]) -> str:
    call, outcome, torch = vocabulary.example(word)
    return f"`{call}` {outcome}" + (f"; in PyTorch `{torch}`." if torch else ".")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main(folder: str) -> None:
    for name, page in PAGES.items():
        write(Path(folder) / name, page())


if __name__ == "__main__":
    main(sys.argv[1])
