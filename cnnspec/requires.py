"""Packages that only some commands need."""

from __future__ import annotations

from importlib import import_module

INSTALL = 'pip install "cnnspec[torch]"'

EXTRAS = {
    "pygls": "lsp",
    "lsprotocol": "lsp",
    "tensorboard": "tensorboard",
    "onnx": "onnx",
    "onnxscript": "onnx",
    "onnxruntime": "onnx",
}
"""The extra that brings a package; what is not listed comes with `torch`."""


class MissingPackage(ModuleNotFoundError):
    """A package that is needed here is not installed; `help` says which line installs it."""

    def __init__(self, package: str) -> None:
        super().__init__(f"this needs {package}, which is not installed", name=package)
        self.help = f"install it with: {INSTALL.replace('torch', EXTRAS.get(package, 'torch'))}"

    def __str__(self) -> str:
        return f"{self.msg}; {self.help}"


def require(*modules: str) -> None:
    """Raises `MissingPackage` where one of the modules, or what it imports itself, is not installed."""
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            raise missing(error) from None


def missing(error: ModuleNotFoundError) -> MissingPackage:
    """The same fault with the line that mends it. A module of this package that is missing is no such fault."""
    if isinstance(error, MissingPackage):
        return error
    package = (error.name or "").partition(".")[0]
    if package in ("", "cnnspec"):
        raise error
    return MissingPackage(package)
