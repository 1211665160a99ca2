"""docs/side_by_side.md: totals, examples, and everything in one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from textwrap import wrap

import measure as corpus

from cnnspec.diagnostics import Diagnostic
from elsewhere.asking import EXPECTATION, INFERS, TOOLS, Told, numbers

CUT = 100
WIDTH = 118
JUDGED = corpus.CORPUS / "judged.tsv"
EXAMPLES = 2
SHOWN = 9
"""The most lines of a file that an example shows around its fault."""

Test = Callable[[Told, str], bool]

INTRODUCTION = """\
<!-- Derived by `python benchmarks/faults.py`; change it there. -->

# Side by side

What PyTorch, torchinfo and Keras say of the mistakes in [the corpus of faulty files](../tests/corpus/README.md),
beside what `cnnspec check` says. A program translates each file into what a person would have written with the other
tools: loops and blocks written out, in-sizes that are claimed (`linear(400 -> 120)`) as they stand, those that are left
to be inferred as what really arrives.

- PyTorch constructs the network and runs a batch of {batch} samples; where the file names a data set that is known, a
  batch of its shape and with its last class follows, through the loss.
- torchinfo summarises the network for the input in the file.
- Keras, channels last, builds the functional model, and then takes the batch of the data set too. It infers all
  in-sizes, so a wrong one cannot be written there: "{infers}" below, which is no failing of Keras, although it also
  builds what was not meant, a last layer given twice for instance.

Only messages are compared. PyTorch's come with a traceback, which ends in one's own code at the line of `forward` that
failed: it tells the layer where `forward` calls each by itself, and little where they stand in `nn.Sequential` or in a
loop. torchinfo lists the layers that ran before the fault, and that counts as telling the layer; here the list is cut
to its last three. Keras also repeats the arguments of the call, which are left out here.

The script says which packages it needs and how to install them: `python benchmarks/faults.py`, with {versions}.
"""


PRAISE = """\
What the others do well: Keras makes the commonest of these mistakes impossible, by inferring every in-size, and where a
window does not fit (021) or groups do not divide (019) it gives all the numbers that matter. PyTorch's messages for
`pixel_shuffle` (047), `unflatten` (087) and a padding mode that does not exist (135) say what was wanted and what was
given, and those for branches tell both sizes and the axis. torchinfo's list leads to the layer at fault in most of the
networks that PyTorch can construct.
"""


def page(told: list[Told]) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchinfo", "keras"))
    parts = [INTRODUCTION.format(infers=INFERS, batch=2, versions=versions), "## In numbers\n", *totals(told)]
    parts += ["\n" + PRAISE, "## Examples\n", *examples(told), "## All of them\n", *everything(told)]
    return "\n".join(parts).rstrip() + "\n"


def totals(told: list[Told]) -> Iterator[str]:
    both = [each for each in told if not each.why_not]
    expected = sum(each.why_not == EXPECTATION for each in told)
    lacking = sum(each.said["Keras"].lacking for each in both)
    inferring = sum(each.said["Keras"].text.startswith(INFERS) for each in both)
    spelling = len(told) - len(both) - expected
    yield (
        f"Of {len(told)} files, {len(both)} hold a fault that can be put to the others. {expected} hold only an "
        "expectation that is wrong (`-> 96x55x55`, `assert parameters == ...`), which the others have no word for: "
        "they run the network, and what is wrong shows later or never. "
        f"The remaining {spelling} are matters of the spelling of .cnn.\n"
    )
    yield f"| of {len(both)} faults | torch | torchinfo | Keras | cnnspec |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    rows: list[tuple[str, Test, Callable[[Told], bool]]] = [
        ("found", lambda t, tool: t.said[tool].finds, lambda t: t.file.place != "no"),
        ("found before any data runs", lambda t, tool: t.said[tool].early, lambda t: t.file.place != "no"),
        ("the message tells a layer or line, and it is one to blame", Told.right, lambda t: t.file.place != "no"),
        ("the message has the numbers that do not fit", lambda t, tool: t.said[tool].numbers, has_numbers),
        ("a mend is proposed", lambda t, tool: t.said[tool].mends, lambda t: bool(foremost(t.file).fixes)),
    ]
    for name, theirs, own in rows:
        counts = [sum(theirs(each, tool) for each in both) for tool in TOOLS]
        yield f"| {name} | {' | '.join(map(str, counts))} | {sum(map(own, both))} |"
    judged = dict(line.split("\t")[:3:2] for line in JUDGED.read_text(encoding="utf-8").splitlines())
    true = sum(judged[each.file.name] == "yes" for each in both)
    yield f"| the true cause is told, [as read by hand](../tests/corpus/judged.tsv) | | | | {true} |"
    yield f"| cannot happen: sizes are inferred | | | {inferring} | |"
    yield f"| the network cannot be expressed | | | {lacking} | |"
    valid = sum(each.file.valid for each in both)
    early = sum(each.said["torch"].stage == "construct" for each in both)
    yield (
        f"\ntorch finds {early} of its faults when a layer is constructed, and the others when the batch arrives; "
        "torchinfo needs the size of the input, and no data. Lines to blame are those that the file's label names. "
        "Numbers are two different ones or more in the message. A mend is a phrase like "
        '"should be one of" or "must be smaller than", and with cnnspec a `help`; '
        f"applied, the first help with an edit makes {valid} of the {len(both)} files valid."
    )


def has_numbers(told: Told) -> bool:
    first = foremost(told.file)
    return numbers(" ".join((first.message, first.label, first.why))) > 1


def foremost(file: corpus.File) -> Diagnostic:
    """The first error; of warnings, one about what is written before one about what is learned."""
    return min(file.found, key=lambda found: (found.severity != "error", found.code if found.code[0] == "W" else ""))


def ours(file: corpus.File) -> str:
    """What cnnspec says, in one line."""
    first = foremost(file)
    fix = next((fix.message for fix in first.fixes), "")
    return f"{first.code} {first.message}" + (f"; {fix}" if fix else "")


def examples(told: list[Told]) -> Iterator[str]:
    kinds: dict[str, list[Told]] = {}
    for each in told:
        if each.said and (not each.why_not or each.why_not == EXPECTATION):
            kinds.setdefault(each.file.kind, []).append(each)
    for kind, members in sorted(kinds.items(), key=lambda item: -len(item[1])):
        yield f"### {kind}\n"
        for each in telling(members):
            yield from example(each)


def telling(members: list[Told]) -> list[Told]:
    """Those whose messages differ most from one another; first what the others find."""
    ranked = sorted(members, key=lambda each: -sum(said.finds for said in each.said.values()))
    chosen: dict[str, Told] = {}
    for each in ranked:
        template = re.sub(r"\d+", "", each.said["torch"].text) + str(each.said["Keras"].finds)
        chosen.setdefault(template, each)
    rest = [each for each in ranked if each not in chosen.values()]
    return [*chosen.values(), *rest][:EXAMPLES]


def example(told: Told) -> Iterator[str]:
    file = told.file
    yield f"[{file.name}](../tests/corpus/{file.name}.cnn): {file.cause}\n"
    yield "```text"
    yield from excerpt(file)
    yield "```\n"
    yield "```text"
    for tool in TOOLS:
        yield from wrapped(tool, told.said[tool].text)
    yield ""
    for name, text in spoken(file):
        yield from wrapped(name, text)
    yield "```\n"


def wrapped(name: str, text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=f"{name:<11}", subsequent_indent=" " * 11, break_on_hyphens=False)


def spoken(file: corpus.File) -> Iterator[tuple[str, str]]:
    """What cnnspec says of the first fault: of a long chain of sizes the beginning and the end."""
    first = foremost(file)
    yield "cnnspec", f"line {first.span.line}: {first.severity}[{first.code}]: {first.message}"
    why = first.why.split("\n")
    for at, line in enumerate([why[0], "...", why[-1]] if len(why) > 3 else why):
        if line:
            yield "" if at else "  why", line
    for fix in first.fixes[:1]:
        yield "  help", fix.message


def excerpt(file: corpus.File) -> Iterator[str]:
    """The lines that are to blame, the input among them, with what stands between."""
    lines = file.source.text.split("\n")
    wanted = {*file.lines, foremost(file).span.line}
    wanted |= {at for at, line in enumerate(lines, 1) if line.lstrip().startswith("input ")}
    first, last = min(wanted), max(wanted)
    if last - first < SHOWN:
        wanted = {*range(first, last + 1)}
    before = None
    for at in sorted(wanted):
        if before is not None and at > before + 1:
            yield "     ..."
        yield f"{at:>4} {lines[at - 1]}".rstrip()
        before = at


def everything(told: Iterable[Told]) -> Iterator[str]:
    yield "| file | kind | torch | torchinfo | Keras | cnnspec |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in told:
        file = each.file
        says = [cell(each.said[tool].text) if tool in each.said else "" for tool in TOOLS]
        if each.said:
            says[1] = cell(each.said["torchinfo"].text.replace(each.said["torch"].text, "the same"))
        if each.why_not and each.why_not != EXPECTATION:
            says = [f"*cannot be expressed: {each.why_not}*", "", ""]
        yield f"| {file.name} | {file.kind} | {' | '.join(says)} | {cell(ours(file))} |"


def cell(text: str, most: int = CUT) -> str:
    text = text if len(text) <= most else text[: most - 3].rstrip() + "..."
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("`", "'")
