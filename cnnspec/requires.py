"""Packages that only some commands need."""

from __future__ import annotations

from importlib import import_module

INSTALL = 'pip install "cnnspec[torch]"'


class MissingPackage(ImportError):
    """A package that is needed here is not installed; `help` is the line that installs it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this needs {name}, which is not installed", name=name)
        self.help = f"install it with: {INSTALL}"

    def __str__(self) -> str:
        return f"{self.args[0]}; {self.help}"


def require(*modules: str) -> None:
    """Raises `MissingPackage` where one of the modules cannot be found."""
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            raise MissingPackage((error.name or module).partition(".")[0]) from None
