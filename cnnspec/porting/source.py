"""What is named on the command line, as a module: a network of torchvision or timm, or what a file of Python makes."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from torch import nn

from cnnspec.porting.trace import place_of, said
from cnnspec.porting.values import NotPortable
from cnnspec.record import Record

PACKAGES = ("torchvision", "timm")


class SourceFault(Exception):
    """SOURCE names nothing that can be had. The text is a sentence; `help` proposes."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class Named(Record):
    """SOURCE, read: a `package` or a `file`, the name in it and the arguments it is called with."""

    text: str
    package: str
    file: str
    name: str
    arguments: dict[str, Any]

    @property
    def runs(self) -> str:
        """What making the module runs, in words; empty for packages, whose code was installed to be run."""
        if not self.file:
            return ""
        given = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"all of {self.file}, then {self.name}({given}), then the forward of what it gives"


class Made(Record):
    """A module, the size of its input where its package tells one, and the arguments that its submodules were made
    with, by their paths."""

    module: nn.Module
    sizes: tuple[int, ...] | None
    facts: dict[str, dict[str, Any]]


def named(source: str) -> Named:
    """SOURCE taken apart; raises `SourceFault`. Nothing is run and no file read."""
    head, colon, call = source.partition(":")
    if head.endswith(".py") or ".py:" in source:
        cut = source.index(".py") + 3
        head, colon, call = source[:cut], source[cut : cut + 1], source[cut + 1 :]
    if not colon or not call:
        help = "write torchvision:resnet18, timm:resnet18, model.py:Net, or model.py:Net(width=32)"
        raise SourceFault(f"{source} does not say which model is meant", help)
    name, arguments = _call(call, source)
    if head in PACKAGES:
        return Named(source, head, "", name, arguments)
    if head.endswith(".py"):
        return Named(source, "", head, name, arguments)
    raise SourceFault(f"{head} is neither torchvision, nor timm, nor a file that ends in .py")


def _call(text: str, source: str) -> tuple[str, dict[str, Any]]:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.Call) and not tree.args:
            values = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in tree.keywords}
            return ast.unparse(tree.func), values
        if isinstance(tree, ast.Name):
            return tree.id, {}
    except (SyntaxError, ValueError):
        pass
    if text.replace("_", "").replace(".", "").replace("-", "").isalnum():
        return text, {}
    help = "arguments go by name, and are numbers, texts, lists or True and False: model.py:Net(width=32)"
    raise SourceFault(f"{text} in {source} is no name and no call that can be read", help)


def made(source: Named) -> Made:
    """The module that SOURCE names, with fresh weights. This runs code. Raises `SourceFault` or `NotPortable`."""
    with arguments_seen() as seen, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module, sizes = MAKERS[source.package](source)
    if not isinstance(module, nn.Module):
        raise NotPortable(f"{source.name} gives a {type(module).__name__}, no torch.nn.Module")
    return Made(module, sizes, facts_of(module, seen))


def _torchvision(source: Named) -> tuple[Any, tuple[int, ...] | None]:
    models = _imported("torchvision").models
    sizes = (3, 299, 299) if source.name == "inception_v3" else (3, 224, 224)
    try:
        return models.get_model(source.name, **_no_weights(models, source.name), **source.arguments), sizes
    except ValueError as error:
        raise SourceFault(
            f"torchvision has no model called {source.name}", _close(source, models.list_models())
        ) from error
    except TypeError as error:
        raise SourceFault(f"torchvision refuses {source.text}: {error}") from error


def _no_weights(models: Any, name: str) -> dict[str, None]:
    """Networks on top of another one would fetch the weights of that."""
    asked = inspect.signature(models.get_model_builder(name)).parameters
    return {"weights_backbone": None} if "weights_backbone" in asked else {}


def _timm(source: Named) -> tuple[Any, tuple[int, ...] | None]:
    _imported("torchvision")
    timm = _imported("timm")
    if not timm.is_model(source.name):
        raise SourceFault(f"timm has no model called {source.name}", _close(source, timm.list_models()))
    module = timm.create_model(source.name, pretrained=False, **source.arguments)
    sizes = getattr(module, "default_cfg", {}).get("input_size")
    return module, tuple(sizes) if sizes else None


def _imported(package: str) -> Any:
    """The package; torchvision also where its operators do not suit the installed torch."""
    from cnnspec.data.vision import import_torchvision

    if package == "torchvision":
        return import_torchvision()
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise SourceFault(
            f"this needs {package}, which is not installed", f"install it with: pip install {package}"
        ) from error


def _close(source: Named, known: list[str]) -> str:
    from cnnspec.words import closest

    found = closest(source.name, known)
    return f"did you mean {source.package}:{found[0]}?" if found else ""


def _file(source: Named) -> tuple[Any, tuple[int, ...] | None]:
    path = Path(source.file)
    if not path.is_file():
        raise SourceFault(f"there is no file {source.file}")
    found = _executed(path)
    make = getattr(found, source.name, None)
    if make is None:
        kinds = [name for name, value in vars(found).items() if _is_own_model(value, found.__name__)]
        help = f"its modules are {', '.join(kinds)}" if kinds else ""
        raise SourceFault(f"{source.file} has nothing called {source.name}", help)
    if isinstance(make, nn.Module):
        return make, None
    try:
        return make(**source.arguments), None
    except (Exception, SystemExit) as error:
        raise SourceFault(f"{source.text} cannot be made: {_said(error)}") from error


def _is_own_model(value: Any, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module


def _executed(path: Path) -> Any:
    """The module of a file, with the folder it stands in to import from."""
    name = f"ported_{path.stem}"
    described = importlib.util.spec_from_file_location(name, path)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        described.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise SourceFault(f"{path} cannot be run: {_said(error)}") from error
    finally:
        sys.path.pop(0)
    return module


def _said(error: BaseException) -> str:
    place = "" if isinstance(error, SyntaxError) else place_of(error)
    return f"{said(error)}{f' (in {place})' if place else ''}"


MAKERS = {"torchvision": _torchvision, "timm": _timm, "": _file}


# -------------------------------------------------------------------------------- arguments that modules are made with


@contextmanager
def arguments_seen() -> Iterator[dict[int, dict[str, Any]]]:
    """While it lasts, the arguments of every module that is made are kept, by its id."""
    seen: dict[int, dict[str, Any]] = {}
    original = nn.Module.__init__

    def init(module: nn.Module, *args: Any, **kwargs: Any) -> None:
        seen[id(module)] = _arguments(module, sys._getframe(1))
        original(module, *args, **kwargs)

    with patch.object(nn.Module, "__init__", init):
        yield seen


def _arguments(module: nn.Module, frame: FrameType | None) -> dict[str, Any]:
    """Those of the outermost `__init__` of this module that is running."""
    found: dict[str, Any] = {}
    while frame is not None and frame.f_code.co_name == "__init__":
        names = frame.f_code.co_varnames[: frame.f_code.co_argcount + frame.f_code.co_kwonlyargcount]
        if not names or frame.f_locals.get(names[0]) is not module:
            break
        found = {name: frame.f_locals.get(name) for name in names[1:]}
        frame = frame.f_back
    return found


def facts_of(module: nn.Module, seen: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Numbers and switches that submodules were made with, and those they keep as attributes, by path."""
    return {path: _plain(seen.get(id(each), {})) | _plain(vars(each)) for path, each in module.named_modules()}


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in found.items()
        if not key.startswith("_") and isinstance(value, int | float | bool) and key != "training"
    }
