"""What is said of arguments that do not suit, and what would mend them. Loaded where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.source import Span
from cnnspec.words.edits import give, remove, whole
from cnnspec.words.kinds import Kind, Mismatch
from cnnspec.words.values import Argument, CallValue, Symbol, closest, describe, show
from cnnspec.words.word import Parameter

FAMILIAR = {
    "kernel_size": "kernel",
    "pool_size": "kernel",
    "window": "kernel",
    "strides": "stride",
    "filters": "out",
    "channels": "out",
    "out_channels": "out",
    "out_features": "out",
    "units": "out",
    "num_groups": "groups",
    "use_bias": "bias",
    "dilation_rate": "dilation",
    "rate": "p lr",
    "wd": "weight_decay",
    "decay": "weight_decay",
    "ceil_mode": "ceil",
    "negative_slope": "slope",
    "alpha": "slope",
    "num_parameters": "count",
    "upscale_factor": "factor",
    "downscale_factor": "factor",
    "epsilon": "eps",
    "dim": "axis",
    "output_size": "size",
    "scale_factor": "factor",
    "learning_rate": "lr",
    "step_size": "every",
    "max_lr": "lr",
    "batch_size": "batch",
    "num_epochs": "epochs",
    "dataset": "data",
    "augmentation": "augment",
    "validation_split": "validation",
    "val_split": "validation",
    "random_seed": "seed",
    "smoothing": "label_smoothing",
    "grad_clip": "clip",
    "early_stopping": "patience",
    "transforms": "augment",
    "scheduler": "schedule",
    "lr_scheduler": "schedule",
    "pretrained": "weights",
    "frozen": "freeze",
    "unfreeze": "unfreeze_after",
    "freeze_until": "unfreeze_after",
    "freeze_epochs": "unfreeze_after",
}
"""Arguments by the names they have in PyTorch, Keras or speech; of several the one that there is."""

_INPUT = "what comes in is said once, by the line input"
_INFERRED = "what arrives is inferred"
_NAME = "a name stands in front of a layer, with a colon: conv1: conv(32, 3)"
_WEIGHTS = "how weights begin is a setting of training: init: kaiming_normal, for instance"
_LOSS = "the loss follows from the network: cross entropy for classes"

ELSEWHERE = {
    "activation": "an activation is a layer of its own, behind this one",
    "inplace": "whether a layer may write over what it gets is left to PyTorch",
    "input_shape": _INPUT,
    "input_dim": _INPUT,
    "batch_input_shape": _INPUT,
    "in_channels": _INFERRED,
    "in_features": _INFERRED,
    "num_features": _INFERRED,
    "num_channels": _INFERRED,
    "name": _NAME,
    "data_format": "channels stand first",
    "kernel_initializer": _WEIGHTS,
    "bias_initializer": _WEIGHTS,
    "kernel_regularizer": "weight_decay of the optimizer holds weights small",
    "device": "training chooses the device",
    "loss": _LOSS,
    "criterion": _LOSS,
    "metrics": "every run reports loss and accuracy",
    "lr": "the learning rate belongs to the optimizer: adam(lr=0.001)",
    "learning_rate": "the learning rate belongs to the optimizer: adam(lr=0.001)",
    "momentum": "momentum belongs to sgd: sgd(lr=0.1, momentum=0.9)",
    "weight_decay": "weight decay belongs to the optimizer: adamw(weight_decay=0.01)",
    "shuffle": "training samples are always shuffled",
    "T_max": "it runs over all epochs",
    "epochs": "it runs over all epochs",
}
"""What stands elsewhere, or nowhere: why an argument is not known."""

MEANT = {
    "rmsprop": "adam",
    "adagrad": "adam",
    "nadam": "adam",
    "steplr": "step",
    "cosineannealinglr": "cosine",
    "cosine_annealing": "cosine",
    "onecyclelr": "onecycle",
    "multisteplr": "multistep",
    "linearlr": "linear",
    "reducelronplateau": "plateau",
    "randomcrop": "crop",
    "randomerasing": "random_erasing",
    "randomhorizontalflip": "flip",
    "horizontal_flip": "flip",
    "randomrotation": "rotation",
    "colorjitter": "color_jitter",
    "fashionmnist": "fashion_mnist",
    "imagefolder": "folder",
    "cifar": "cifar10",
    "safetensors": "file",
    "pth": "file",
    "state_dict": "file",
    "checkpoint": "run",
}
"""Optimizers, schedules, augmentations and data sets by the names they have elsewhere, or the nearest there is."""

NEAREST = frozenset({"adam"})
"""Words that stand for others that there are not, and not for the same under another name."""

USUAL = {"kernel": "3", "size": "1", "factor": "2", "every": "10", "groups": "1", "p": "0.1", "norm_type": "2"}
"""Values for arguments that were forgotten."""

AXES = {1: "channels", -1: "last", 3: "last"}


def missing(word: str, name: list[str], names: Sequence[str], call: CallValue, refers: str) -> Diagnostic:
    message = f"{word} is called without {' and '.join(name)}"
    edits = [give(call, names, name[0], USUAL[name[0]])] if len(name) == 1 and name[0] in USUAL else []
    fixes = [Fix(f"{name[0]} is {USUAL[name[0]]} as a rule", (edit,)) for edit in edits if edit]
    notes = (f"it is {refers}",)
    return Diagnostic("E203", message, call.name_span, f"{name[0]} is missing", notes=notes, fixes=tuple(fixes))


def too_many(word: str, names: list[str], call: CallValue, first: int, refers: str) -> Diagnostic:
    """Arguments by place from `first` on that have no place."""
    extra = [argument for argument in call.arguments[first:] if argument.name is None]
    count = {0: "no arguments", 1: "one argument"}.get(len(names), f"{len(names)} arguments")
    notes = (f"it is {refers}",) if names else ()
    before, surplus = call.arguments[first - 1] if first else None, extra[0]
    point = before and before.span.text == "0" and surplus.span.text.isdigit() and len(extra) == 1
    if point and before:
        number = f"0.{surplus.span.text}"
        notes = (f"a comma parts two arguments; a decimal number has a point: {number}", *notes)
        fix = Fix(f"write {number}", (Edit(before.span.to(surplus.span), number),))
    else:
        last = extra[-1].span
        span = surplus.span.to(last)
        fix = Fix("leave it out" if len(extra) == 1 else "leave them out", (remove(span),))
    return Diagnostic("E205", f"{word} takes {count}", surplus.span, "one too many", notes=notes, fixes=(fix,))


def after_name(argument: Argument, before: str, names: Sequence[str]) -> Diagnostic:
    """`conv(out=64, 3)`"""
    message = f"an argument without a name stands behind {before}, which has one"
    start = argument.span.source.span(argument.span.start, argument.span.start)
    fixes = (Fix("write its name too", (Edit(start, f"{names[0]}="),)),) if names else ()
    return Diagnostic("E101", message, argument.span, "which argument?", fixes=fixes)


def meant(name: str, parameters: Mapping[str, Parameter]) -> list[str]:
    """The argument that a wrong name stands for, or none."""
    familiar = [each for each in FAMILIAR.get(name, "").split() if each in parameters]
    if familiar:
        return familiar[:1]
    return [] if name in ELSEWHERE else closest(name, parameters)


def unknown_argument(word: str, argument: Argument, names: list[str], refers: str) -> Diagnostic:
    span = argument.name_span or argument.span
    fixes = tuple(Fix(f"did you mean {name}?", (Edit(span, name),)) for name in names)
    fixes = fixes or (Fix("leave it out", (remove(whole(argument)),)),)
    message = f"{word} has no argument {argument.name}"
    told = [] if names else [ELSEWHERE[name] for name in (argument.name,) if name in ELSEWHERE]
    notes = (*told, f"it is {refers}")
    return Diagnostic("E202", message, span, "not known here", notes=notes, fixes=fixes)


def mismatch(word: str, name: str, kind: Kind, argument: Argument, reason: Mismatch) -> Diagnostic:
    value = argument.value
    takes = f"{name} takes {kind.takes}"
    if isinstance(value, Symbol) and _reads(kind, value.name) and not kind.names:
        message = f"{value.name} is a name, and {name} of {word} takes a text"
        fix = Fix("a text stands in double quotes", (Edit(argument.span, f'"{value.name}"'),))
        return Diagnostic("E204", message, argument.span, "not in quotes", fixes=(fix,))
    whole_number = isinstance(value, float) and value.is_integer()
    message = f"{word} cannot take {repr(value) if whole_number else describe(value)} for {name}"
    fixes = tuple(Fix(told, (Edit(argument.span, text),)) for told, text in _nearest(name, kind, argument))[:1]
    return Diagnostic("E204", message, argument.span, str(reason), notes=(takes,), fixes=fixes)


def _nearest(name: str, kind: Kind, argument: Argument) -> Iterator[tuple[str, str]]:
    """Values that the argument would take, with a word on each."""
    value, text = argument.value, argument.span.text
    if isinstance(value, str) and name == "weights":
        yield "say what it names", f"{_source(value)}({text})"
    elif isinstance(value, str) and value.isidentifier() and kind.names:
        meant = _choices(kind, value, argument) or [value]
        yield "names stand without quotes", meant[0]
    elif isinstance(value, str) and re.fullmatch(r"[0-9.]+", value) and _reads(kind, _number(value)):
        yield "numbers stand without quotes", value
    elif isinstance(value, Symbol):
        for word in _choices(kind, value.name, argument)[:1]:
            yield f"did you mean {word}?", word
    elif isinstance(value, bool | str | tuple | CallValue):
        return
    elif name == "axis" and value in AXES:
        yield "axes have names", AXES[value]
    else:
        yield from _numbers(kind, value, text)


def _source(text: str) -> str:
    """The word for weights that a text alone names."""
    if re.fullmatch(r"\w+_Weights\.\w+", text):
        return "torchvision"
    return "file" if re.search(r"\.(safetensors|pth?|bin|ckpt)$", text) else "run"


def _numbers(kind: Kind, value: Any, text: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, int) and value > 1 and _reads(kind, value / 100):
        yield f"{value} % is written {show(value / 100)}", show(value / 100)
    elif isinstance(value, int):
        for near in (0, 1) if value < 1 else ():
            if _reads(kind, near):
                if not (near and _reads(kind, near / 2)):
                    yield f"the least is {near}", str(near)
                return
    elif not isinstance(value, int) and _reads(kind, round(value)):
        if re.search(r"(?<!/)/(?!/)", text):
            yield "// divides and rounds down", re.sub(r"(?<!/)/(?!/)", "//", text)
        elif text.replace(".", "").isdigit():
            yield f"write {round(value)}", str(round(value))
        else:
            yield "round gives a whole number", f"round({text})"


def _choices(kind: Kind, name: str, argument: Argument) -> list[str]:
    """The names that the argument takes and that this one is near to."""
    words = re.findall(r"\b[a-z]\w*\b", kind.takes)
    known = [word for word in words if _reads(kind, Symbol(word, argument.span))]
    return [name.lower()] if name.lower() in known else closest(name.lower(), known)


def _number(text: str) -> Any:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return None


def _reads(kind: Kind, value: Any) -> bool:
    """Whether a kind takes a value."""
    read: Callable[[Any], Any] = kind.read
    try:
        read(value)
    except Exception:  # a kind may also raise `Faults`, which stands above this module
        return False
    return True


def not_one(name: str, span: Span, takes: str, registry: Sequence[str]) -> Diagnostic:
    """A word that a registry does not hold."""
    plain = name.lower()
    if plain == "imagenet" and "folder" in registry:
        text, words = f'folder("{name}")', "pictures of your own lie in a folder, with one folder inside for each class"
    elif MEANT.get(plain) in registry:
        text = MEANT[plain]
        words = f"{text} comes nearest" if text in NEAREST else f"it is called {text}"
    else:
        text = next(iter(closest(plain, registry)), "")
        words = f"did you mean {text}?"
    fixes = (Fix(words, (Edit(span, text),)),) if text else ()
    notes = () if words.startswith("did") and text else (f"there are {', '.join(registry)}",)
    return Diagnostic("E204", f"{name} is not {takes}", span, "not known", notes=notes, fixes=fixes)
