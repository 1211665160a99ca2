"""`cnnspec lint`"""

from __future__ import annotations

import sys

import click

from cnnspec.cli.check import specs
from cnnspec.cli.common import FILE, parse_overrides, print_diagnostics, set_option
from cnnspec.network import UsageFault, check, read_source
from cnnspec.words import counted


@click.command(short_help="Find what is accepted, and rarely meant.")
@click.argument("files", nargs=-1, type=FILE, metavar="FILE...")
@set_option
@click.option("--rules", is_flag=True, help="List the rules; `cnnspec explain CODE` tells more of one.")
def command(files: tuple[str, ...], overrides: tuple[str, ...], rules: bool) -> None:
    """Look for what is accepted and rarely meant in FILES: a bias in front of a norm, a softmax in front of a loss that
    has its own, rows that no window reaches.

    A comment `# allow W101: reason` silences a finding on its line, or on the line below it. Exit code 0: nothing
    found; 1: findings, or errors; 2: wrong usage or an unreadable file.
    """
    from cnnspec.lint import RULES, linted

    if rules:
        for rule in RULES:
            click.echo(f"{rule.code}  {rule.name:<24} {rule.meaning}")
        return
    if not files:
        raise click.UsageError("FILE is missing")
    given, found = parse_overrides(overrides), 0
    for file in specs(files):
        try:
            checked = linted(check(read_source(file), set=given))
        except UsageFault as fault:
            raise click.UsageError(str(fault)) from None
        shown = [diagnostic for diagnostic in checked.diagnostics if diagnostic.severity != "note"]
        print_diagnostics(shown)
        click.echo(f"{'<stdin>' if file == '-' else file}: {counted(len(shown), 'finding') if shown else 'nothing'}")
        found += len(shown)
    sys.exit(1 if found else 0)
