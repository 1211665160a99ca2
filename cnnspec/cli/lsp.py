"""`cnnspec lsp`"""

from __future__ import annotations

import click


@click.command(short_help="Run the language server, for editors.")
def command() -> None:
    """Answer an editor over standard input and output, in the language server protocol.

    docs/editors.md says how to set up editors."""
    from cnnspec.lsp.server import make

    make().start_io()
