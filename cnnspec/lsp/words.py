"""Signatures and descriptions of what can be called: layers, blocks, functions, and what `train { }` takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import get_annotations

from cnnspec.data.facts import DATASETS
from cnnspec.layers import LAYERS
from cnnspec.layers.combine import COMBINATORS
from cnnspec.lsp.document import Document
from cnnspec.lsp.names import Definition
from cnnspec.network.functions import FUNCTIONS
from cnnspec.recipe import AUGMENTATIONS, GROUPS, INITS, MIXES, OPTIMIZERS, ORIGINS, SCHEDULES, VIEWS, Recipe
from cnnspec.record import REQUIRED, Record
from cnnspec.report import vocabulary
from cnnspec.syntax import tree
from cnnspec.words import Word

TAKEN_BY: dict[str, Mapping[str, type[Word]]] = {
    "data": DATASETS,
    "augment": AUGMENTATIONS,
    "mix": MIXES,
    "optimizer": OPTIMIZERS,
    "groups": GROUPS,
    "schedule": SCHEDULES,
    "init": INITS,
    "views": VIEWS,
    "weights": ORIGINS,
}
"""What can be called in the settings of `train { }`."""

FUNCTIONS_ABOUT = {
    "min": "The smallest number.",
    "max": "The largest number.",
    "sum": "The sum of a list.",
    "len": "How many items a list has.",
    "range": "The numbers from start (0 if left out) to before stop.",
    "zip": "The items of several lists side by side.",
    "enumerate": "The items of a list with their numbers.",
    "ceil": "The next whole number.",
    "floor": "The whole number before.",
    "round": "The nearest whole number.",
    "round_to": "The nearest multiple of the divisor, never less than 90 % of the number.",
}


class Takes(Record):
    """One parameter: how it is shown in the signature, what it takes, and the names among its values."""

    name: str
    shown: str
    about: str
    choices: tuple[str, ...] = ()
    required: bool = False


class Signature(Record):
    """How something is called. `parameters` are empty where their names cannot be written (functions)."""

    name: str
    shown: str
    about: str
    parameters: tuple[Takes, ...] = ()

    @property
    def required(self) -> bool:
        return any(parameter.required for parameter in self.parameters)


def signature(document: Document, name: str, offset: int, setting: str | None = None) -> Signature | None:
    """What a name stands for where it is called: in a network, or in a setting of `train { }`."""
    if setting is not None:
        word = TAKEN_BY.get(setting, {}).get(name)
        return of_word(word) if word else None
    definition = document.names.in_reach(offset).get(name)
    if definition and definition.kind != "block":
        definition = None if name in LAYERS else definition
    if definition is None:
        known = LAYERS.get(name) or COMBINATORS.get(name)
        return of_word(known) if known else of_function(name) if name in FUNCTIONS else of_model(document, name)
    return of_block(definition) if definition.kind == "block" else of_value(document, definition)


def of_word(word: type[Word]) -> Signature:
    parameters = tuple(
        Takes(
            name,
            name if parameter.default is REQUIRED else f"{name}={vocabulary.show_default(parameter)}",
            vocabulary.argument(parameter),
            choices(word, name),
            parameter.default is REQUIRED,
        )
        for name, parameter in word.parameters().items()
    )
    return _signature(word.word, vocabulary.description(word), parameters)


def of_block(definition: Definition) -> Signature:
    """A block or model, with the comment above it."""
    node = definition.node
    assert isinstance(node, tree.Block | tree.Model)
    parameters = tuple(
        Takes(p.name.text, shown_parameter(p), "required" if p.default is None else "optional", (), p.default is None)
        for p in node.params
    )
    return _signature(definition.name, comment_above(definition), parameters)


def of_function(name: str) -> Signature:
    return Signature(name, FUNCTIONS[name][3], FUNCTIONS_ABOUT[name])


def of_model(document: Document, name: str) -> Signature | None:
    """A model is called where a preset gives it arguments."""
    model = document.names.models.get(name)
    return of_block(model) if model and isinstance(model.node, tree.Model) else None


def of_value(document: Document, definition: Definition) -> Signature | None:
    """A name that holds a layer or a block, by its default or its value."""
    value = getattr(definition.node, "default", None) or getattr(definition.node, "value", None)
    called = value.name if isinstance(value, tree.Call) else value
    if not isinstance(called, tree.Name | tree.Identifier) or called.text == definition.name:
        return None
    found = signature(document, called.text, definition.span.start)
    return (
        found.replace(about=f"`{definition.name}` is `{called.text}` if nothing else is given. {found.about}")
        if found
        else None
    )


def _signature(name: str, about: str, parameters: tuple[Takes, ...]) -> Signature:
    inside = ", ".join(parameter.shown for parameter in parameters)
    return Signature(name, f"{name}({inside})" if inside else name, about, parameters)


def shown_parameter(param: tree.Param) -> str:
    return param.name.text if param.default is None else f"{param.name.text}={value(param.default)}"


def value(node: tree.Expr) -> str:
    """As it is written, on one line."""
    return " ".join(node.span.text.split())


def choices(word: type[Word], name: str) -> tuple[str, ...]:
    """The names among the values of an argument: `same`, `zeros`, `true`."""
    stated = (get_annotations(base) for base in word.__mro__)
    annotation: str = next((annotations[name] for annotations in stated if name in annotations), "")
    found = re.findall(r"['\"](\w+)['\"]", annotation)
    found += {"bool": ["true", "false"], "Padding": ["same", "valid"]}.get(annotation, [])
    return (*found, "none") if annotation.endswith("| None") else tuple(found)


def of_setting(name: str) -> Signature | None:
    parameter = Recipe.parameters().get(name)
    if parameter is None:
        return None
    about = f"{Recipe.about[name]}: {vocabulary.argument(parameter)}"
    return Signature(name, f"{name}: {vocabulary.show_default(parameter)}", f"{about[0].upper()}{about[1:]}.")


def comment_above(definition: Definition) -> str:
    """The comment that stands directly above a definition, without its hashes."""
    lines = definition.span.source.text[: definition.span.start].split("\n")[:-1]
    comment: list[str] = []
    while lines and lines[-1].lstrip().startswith("#"):
        comment.insert(0, lines.pop().lstrip()[1:].strip())
    return "\n".join(comment)
