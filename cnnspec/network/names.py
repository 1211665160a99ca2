"""Names: keys of submodules and parameters of blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cnnspec.diagnostics import Diagnostic, Label
from cnnspec.network.evaluate import Scope, evaluate
from cnnspec.record import REQUIRED, Record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.words import Faults, Kind, Parameter, Symbol, describe, signature, unknown_name

ANY = Kind("any value", lambda value: value, names=True)
"""The kind of a block's parameters: what a value is good for shows where the block uses it."""

# fmt: off
TAKEN = frozenset((
    "T_destination", "__add__", "__annotations__", "__call__", "__class__", "__delattr__", "__delitem__",
    "__dict__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattr__", "__getattribute__",
    "__getitem__", "__getstate__", "__gt__", "__hash__", "__iadd__", "__imul__", "__init__", "__init_subclass__",
    "__iter__", "__le__", "__len__", "__lt__", "__module__", "__mul__", "__ne__", "__new__", "__reduce__",
    "__reduce_ex__", "__repr__", "__rmul__", "__setattr__", "__setitem__", "__setstate__", "__sizeof__", "__str__",
    "__subclasshook__", "__weakref__", "_apply", "_backward_hooks", "_backward_pre_hooks", "_buffers", "_call_impl",
    "_compiled_call_impl", "_forward_hooks", "_forward_hooks_always_called", "_forward_hooks_with_kwargs",
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_get_backward_hooks", "_get_backward_pre_hooks",
    "_get_item_by_idx", "_get_name", "_is_full_backward_hook", "_load_from_state_dict",
    "_load_state_dict_post_hooks", "_load_state_dict_pre_hooks", "_maybe_warn_non_full_backward_hook", "_modules",
    "_named_members", "_non_persistent_buffers_set", "_parameters", "_register_load_state_dict_pre_hook",
    "_register_state_dict_hook", "_replicate_for_data_parallel", "_save_to_state_dict", "_slow_forward",
    "_state_dict_hooks", "_state_dict_pre_hooks", "_version", "_wrapped_call_impl", "add_module", "append", "apply",
    "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu", "cuda", "double", "dump_patches",
    "eval", "extend", "extra_repr", "float", "forward", "get_buffer", "get_extra_state", "get_parameter",
    "get_submodule", "half", "insert", "ipu", "load_state_dict", "modules", "mtia", "named_buffers",
    "named_children", "named_modules", "named_parameters", "parameters", "pop", "register_backward_hook",
    "register_buffer", "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook",
    "register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
    "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train",
    "training", "type", "xpu", "zero_grad",
))
# fmt: on
"""Attributes of `nn.Sequential`: a submodule of one of these names would hide it, and PyTorch refuses it."""


class Keys:
    """Hands out the keys of one module's children: their labels, or their positions."""

    def __init__(self, report: Callable[[Diagnostic], None]) -> None:
        self.report = report
        self.position = 0
        self.taken: dict[str, Span] = {}

    def take(self, step: tree.Step, scope: Scope) -> str:
        """The key of the next child. A wrong label is reported, and kept for what it is."""
        position = str(self.position)
        self.position += 1
        label = step.label
        if not label:
            key, span = position, step.op.span
        elif step.computed and "{" in label.text:
            key, span = computed(label, scope), label.span
        else:
            key, span = label.text, label.span
        fault = self.fault(key, span)
        if fault:
            self.report(fault)
        self.taken.setdefault(key, span)
        return key

    def fault(self, key: str, span: Span) -> Diagnostic | None:
        if key in self.taken:
            first = Label(self.taken[key], "first used here")
            from cnnspec.network.habits import renamed

            fix = (renamed(key, span, {*self.taken}),) if key.isidentifier() and span.text.strip('"') == key else ()
            message = f"two children of this module are called {key}"
            return Diagnostic("E207", message, span, "used again", (first,), fixes=fix)
        if key in TAKEN:
            note = "PyTorch refuses a submodule of that name"
            return Diagnostic("E214", f"every PyTorch module has a {key} of its own", span, "taken", notes=(note,))
        if not key or "." in key:
            note = "the parts of a parameter's name are joined by points"
            return Diagnostic("E214", "a name is empty or has a point in it", span, "not a name", notes=(note,))
        return None


PLACE = re.compile(r"\{([^{}]*)\}")
"""An expression in a computed name."""


def computed(label: tree.Identifier, scope: Scope) -> str:
    """A name with the values of its expressions put in; raises `Faults`."""
    text = PLACE.sub(lambda match: _value(match[1], label.span, scope), label.text)
    if "{" in text or "}" in text:
        note = 'an expression stands between { and }: "layer{i + 1}"'
        raise Faults(Diagnostic("E208", "a brace of this name has no partner", label.span, "not a name", notes=(note,)))
    return text


def _value(text: str, span: Span, scope: Scope) -> str:
    name = text.strip()
    value = scope.look_up(name) if name in scope else evaluate_text(text, span, scope)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if isinstance(value, Symbol):
        raise Faults(unknown_name(value.replace(span=span)).replace(fixes=()))
    message = f"{describe(value)} cannot be part of a name"
    raise Faults(Diagnostic("E208", message, span, "neither a whole number nor a text"))


def evaluate_text(text: str, span: Span, scope: Scope) -> Any:
    """The value of an expression that stands inside a text at `span`; raises `Faults`."""
    from cnnspec.syntax.parser import parse

    parsed = parse(Source(span.source.name, f"let value = {text}\n"))
    items = parsed.file.items
    if parsed.diagnostics or len(items) != 1 or not isinstance(items[0], tree.Let):
        raise Faults(Diagnostic("E208", f"{text or 'nothing'} is no expression", span, "in braces here"))
    try:
        return evaluate(items[0].value, scope)
    except Faults as wrong:
        raise Faults(*(fault.replace(span=span, labels=(), fixes=()) for fault in wrong.diagnostics)) from None


class Signature(Record):
    """The parameters of a block or model, and how they are shown."""

    parameters: dict[str, Parameter]
    shown: str


def signature_of(owner: tree.Block | tree.Model) -> Signature:
    """The signature of a block or model; a default stands as it is written."""
    known: Signature | None = owner.__dict__.get("_signature")
    if known is None:
        parameters = {
            param.name.text: Parameter(
                param.name.text, ANY, REQUIRED if param.default is None else Written(param.default.span.text)
            )
            for param in owner.params
        }
        known = Signature(parameters, signature(owner.name.text, parameters))
        owner.__dict__["_signature"] = known
    return known


class Written(str):
    """A default as text, shown as it was written."""

    __slots__ = ()
