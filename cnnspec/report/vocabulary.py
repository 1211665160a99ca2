"""Everything that a spec can call by name: layers by family, what joins branches, and what `train { }` takes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from textwrap import dedent, fill

from cnnspec.data.facts import DATASETS
from cnnspec.layers import LAYERS
from cnnspec.layers.base import Layer, TorchCall
from cnnspec.layers.combine import COMBINATORS, Combinator
from cnnspec.network import Network, load
from cnnspec.recipe import AUGMENTATIONS, GROUPS, INITS, MIXES, OPTIMIZERS, ORIGINS, SCHEDULES, VIEWS, Recipe
from cnnspec.record import REQUIRED, Record
from cnnspec.source import Source
from cnnspec.words import Like, Parameter, Word, show

WIDTH = 100


class Section(Record):
    """Words of one sort. `about` says what they are."""

    title: str
    about: str
    words: tuple[type[Word], ...]


def layer_sections() -> tuple[Section, ...]:
    """A section per family, which is a module of `cnnspec.layers`; its docstring is the heading."""
    families: dict[str, list[type[Word]]] = {}
    for layer in LAYERS.values():
        families.setdefault(layer.__module__, []).append(layer)
    return tuple(_section(sys.modules[module].__doc__ or "", words) for module, words in families.items())


BRANCHES = (
    "Branches: in braces behind the word, each begun by | in add, multiply and concat; all receive what comes in."
)


def model_sections() -> tuple[Section, ...]:
    """What stands in a model: layers, and what joins branches."""
    return (*layer_sections(), _section(BRANCHES, COMBINATORS.values()))


def training_sections() -> tuple[Section, ...]:
    return tuple(
        _section(heading, words.values())
        for heading, words in (
            ("Data sets: what `data:` takes.", DATASETS),
            ("Augmentations: what `augment:` takes, one or a list.", AUGMENTATIONS),
            ("Mixes: what `mix:` takes, one or a list.", MIXES),
            ("Optimizers: what `optimizer:` takes.", OPTIMIZERS),
            ("Groups: what `groups:` takes, one or a list.", GROUPS),
            ("Schedules: what `schedule:` takes.", SCHEDULES),
            ("First weights: what `init:` takes, one or a list.", INITS),
            ("Views: what `views:` takes, one or a list.", VIEWS),
            ("Weights: what `weights:` takes; relative paths start at the folder of the spec.", ORIGINS),
        )
    )


def _section(heading: str, words: Iterable[type[Word]]) -> Section:
    title, _, about = heading.splitlines()[0].rstrip(".").partition(": ")
    return Section(title, about and f"{about[0].upper()}{about[1:]}.", tuple(words))


def sections() -> tuple[Section, ...]:
    return (*model_sections(), *training_sections())


def names() -> list[str]:
    """Everything that `find` finds."""
    words = [word.word for section in sections() for word in section.words]
    return [*words, Recipe.word, *Recipe.parameters()]


def find(name: str) -> list[type[Word] | Parameter]:
    """The words of that name, and the setting of `train { }`, where there is one."""
    registries = (
        LAYERS,
        COMBINATORS,
        DATASETS,
        AUGMENTATIONS,
        MIXES,
        OPTIMIZERS,
        GROUPS,
        SCHEDULES,
        INITS,
        VIEWS,
        ORIGINS,
        {Recipe.word: Recipe},
    )
    words: list[type[Word] | Parameter] = [registry[name] for registry in registries if name in registry]
    setting = Recipe.parameters().get(name)
    return [*words, setting] if setting else words


# ----------------------------------------------------------------------------------------------------------- text


def overview() -> str:
    """All signatures, each with its first line."""
    parts = [_listing(section) for section in sections()]
    settings = "\n".join(f"  {p.name}: {show_default(p)}\n      {Recipe.about[p.name]}" for p in _settings())
    return "\n\n".join([*parts, f"Settings of train, with their defaults\n\n{settings}"])


def _listing(section: Section) -> str:
    lines = (f"  {word.signature()}\n{_indented(_first_line(word), 6)}" for word in section.words)
    return f"{section.title}\n\n" + "\n".join(lines)


def article(word: type[Word]) -> str:
    """Signature, description, arguments, and for a layer or combinator an example with what comes of it."""
    parts = [word.signature(), description(word)]
    if arguments := list(word.parameters().values()):
        width = max(len(p.name) for p in arguments) + 2
        parts.append("\n".join(f"  {p.name:{width}}{argument(p)}" for p in arguments))
    if issubclass(word, Layer | Combinator):
        call, outcome, torch = example(word)
        parts.append(f"  Example     {call} {outcome}" + (f"\n  In PyTorch  {torch}" if torch else ""))
    return "\n\n".join(parts)


def setting_article(setting: Parameter) -> str:
    about = f"A setting of train: {Recipe.about[setting.name]}."
    return f"{setting.name}: {show_default(setting)}\n\n{about}\n\n  {argument(setting)}"


def description(word: type[Word]) -> str:
    """The docstring, without its indentation."""
    first, _, rest = (word.__doc__ or "").partition("\n")
    return f"{first}\n{dedent(rest)}".strip()


def _first_line(word: type[Word]) -> str:
    return " ".join(description(word).partition("\n\n")[0].split())


def _indented(text: str, by: int) -> str:
    return fill(text, WIDTH, initial_indent=" " * by, subsequent_indent=" " * by)


def argument(parameter: Parameter) -> str:
    """What an argument takes, and what it is where nothing is written."""
    match parameter.default:
        case default if default is REQUIRED:
            return parameter.kind.takes
        case Like(argument=name):
            return f"{parameter.kind.takes}; the same as {name} if left out"
        case None:
            return parameter.kind.takes
    return f"{parameter.kind.takes}; {show_default(parameter)} if left out"


def show_default(parameter: Parameter) -> str:
    return show(parameter.default)


def _settings() -> Iterable[Parameter]:
    return Recipe.parameters().values()


def example(word: type[Layer | Combinator]) -> tuple[str, str, str]:
    """The steps of an example, what comes of them, and the module in PyTorch where the word has one."""
    call, network = try_example(word)
    counted = f", {network.parameters:,} parameters" if network.parameters else ""
    torch = next((_python(placed.torch) for placed in network.layers if type(placed.layer) is word), "")
    return call, f"on {network.input} gives {network.output}{counted}", torch


def _python(call: TorchCall) -> str:
    values = [_python(value) if isinstance(value, TorchCall) else repr(value) for value in call.args]
    return f"{call.name}({', '.join([*values, *(f'{key}={value!r}' for key, value in call.kwargs.items())])})"


def try_example(word: type[Layer | Combinator]) -> tuple[str, Network]:
    """The example's steps, and the network that consists of them alone."""
    call, shape = (part.strip() for part in word.example.split(" @ "))
    return call, load(Source("example", f"model Example {{\n  input {shape}\n  {call}\n}}\n"))
