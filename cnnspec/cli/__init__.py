"""The command line. Each command is a module of this folder with a click command called `command`; a module is
imported only when its command runs, so that `check` does not wait for what `train` needs."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from cnnspec import __version__
from cnnspec.diagnostics import SpecError

COMMANDS = (
    "check",
    "fmt",
    "explain",
    "lint",
    "summary",
    "field",
    "memory",
    "emit",
    "port",
    "train",
    "eval",
    "predict",
    "diff",
    "draw",
    "export",
    "compare",
    "sweep",
    "new",
    "layers",
    "zoo",
    "lsp",
    "completion",
)


class Commands(click.Group):
    """Finds a command by the name of its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"cnnspec.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SpecError as error:
            from cnnspec.cli.common import print_diagnostics

            print_diagnostics(error.diagnostics)
            sys.exit(1)
        except ModuleNotFoundError as error:
            from cnnspec.cli.common import fail
            from cnnspec.requires import missing

            fault = missing(error)
            fail(fault.msg, fault.help)
        except KeyboardInterrupt:
            sys.exit(130)
        except BrokenPipeError:
            raise  # click ends quietly where the reader of a pipe has gone
        except OSError as error:
            from cnnspec.cli.common import fail

            fail(f"{error.filename or 'the output'}: {error.strerror}")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cnnspec")
def main() -> None:
    """Describe a convolutional network in a small file; check, measure, emit and train it."""


if __name__ == "__main__":
    main()
