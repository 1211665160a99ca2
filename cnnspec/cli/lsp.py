"""`cnnspec lsp`"""

from __future__ import annotations

import click


@click.command(short_help="Run the language server, for editors.")
def command() -> None:
    """Answer an editor over standard input and output, in the language server protocol.

    docs/editors.md says how to set up editors."""
    import gc

    from cnnspec.lsp.server import make

    server = make()
    # Looking through all modules for garbage, as Python does now and then, would make some edits wait.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    server.start_io()
