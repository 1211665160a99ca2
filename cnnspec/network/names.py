"""Names: keys of submodules and parameters of blocks."""

from __future__ import annotations

from collections.abc import Callable

from cnnspec.diagnostics import Diagnostic, Label
from cnnspec.record import REQUIRED
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import Kind, Parameter

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

    def take(self, step: tree.Step) -> str:
        """The key of the next child. A wrong label is reported, and kept for what it is."""
        position = str(self.position)
        self.position += 1
        key = step.label.text if step.label else position
        span = step.label.span if step.label else step.op.span
        fault = self.fault(key, span, step)
        if fault:
            self.report(fault)
        self.taken.setdefault(key, span)
        return key

    def fault(self, key: str, span: Span, step: tree.Step) -> Diagnostic | None:
        if step.computed and "{" in key:
            return Diagnostic("E106", "computed names are not supported yet", span, "this version cannot compute it")
        if key in self.taken:
            first = Label(self.taken[key], "first used here")
            return Diagnostic("E207", f"two children of this module are called {key}", span, "used again", (first,))
        if key in TAKEN:
            note = "PyTorch refuses a submodule of that name"
            return Diagnostic("E214", f"every PyTorch module has a {key} of its own", span, "taken", notes=(note,))
        if not key or "." in key:
            note = "the parts of a parameter's name are joined by points"
            return Diagnostic("E214", "a name is empty or has a point in it", span, "not a name", notes=(note,))
        return None


def parameters_of(owner: tree.Block | tree.Model) -> dict[str, Parameter]:
    """The parameters of a block or model; a default stands as it is written."""
    return {
        param.name.text: Parameter(
            param.name.text, ANY, REQUIRED if param.default is None else Written(param.default.span.text)
        )
        for param in owner.params
    }


class Written(str):
    """A default as text, shown as it was written."""

    __slots__ = ()
