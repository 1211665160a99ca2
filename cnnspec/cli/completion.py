"""`cnnspec completion`: what a shell needs to complete commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    short_help="Print what makes a shell complete commands and names.",
    epilog="""\b
bash: eval "$(cnnspec completion bash)" in ~/.bashrc
zsh:  eval "$(cnnspec completion zsh)" in ~/.zshrc
fish: cnnspec completion fish > ~/.config/fish/completions/cnnspec.fish""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete the commands of cnnspec."""
    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(ctx.find_root().command, {}, "cnnspec", "_CNNSPEC_COMPLETE").source())
