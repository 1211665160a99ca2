"""Specs in notebooks: networks that show themselves, and after `%load_ext cnnspec.notebook` cells that begin with
`%%cnn`.

`import cnnspec` calls `show_networks` in a notebook, so nothing heavy is imported here before it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnspec.record import Record
from cnnspec.source import Source

if TYPE_CHECKING:
    from cnnspec.network import Checked, Network


class Shown(Record):
    """What a cell came to: its faults, or its network where there is one, and in a line what was bound."""

    checked: Checked
    network: Network | None
    note: str

    def _repr_html_(self) -> str:
        from html import escape

        from cnnspec.report.html import diagnostics_html, network_html

        shown = network_html(self.network) if self.network else ""
        return f"{diagnostics_html(self.checked.diagnostics)}{shown}<div>{escape(self.note)}</div>"

    def __repr__(self) -> str:
        from cnnspec.diagnostics.human import render
        from cnnspec.report.summary import summarize

        shown = [render(diagnostic) for diagnostic in self.checked.diagnostics]
        shown += [str(summarize(self.network))] if self.network else []
        return "\n\n".join([*shown, self.note])


def bound(line: str, source: Source) -> tuple[Shown, dict[str, Network]]:
    """What `%%cnn` does: what it shows, and the variables it sets. `line` is the name that the network is bound to;
    without it every network is bound to its own. Raises `ValueError` for a name that cannot be meant."""
    from cnnspec.lint import linted
    from cnnspec.network import check
    from cnnspec.words import counted

    name = line.strip()
    if name and not name.isidentifier():
        raise ValueError(f"%%cnn takes the name of a variable, and {name!r} is none")
    checked = linted(check(source))
    networks = checked.networks
    if checked.errors:
        return Shown(checked, None, f"{counted(len(checked.errors), 'error')}: nothing is bound"), {}
    if name and len(networks) > 1:
        known = ", ".join(network.name for network in networks)
        raise ValueError(f"this cell has several models: {known}; %%cnn without a name binds each to its own")
    variables = {name or network.name: network for network in networks}
    note = f"bound to {', '.join(variables)}" if variables else "there is no model to bind"
    return Shown(checked, networks[0] if len(networks) == 1 else None, note), variables


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext cnnspec.notebook` does."""
    from IPython.core.error import UsageError

    def cnn(line: str, cell: str) -> Shown:
        """Check the spec in this cell and bind its network to a variable: `%%cnn net`, or `%%cnn` for the name it has
        in the spec."""
        try:
            shown, variables = bound(line, Source(f"<cell {shell.execution_count}>", cell))
        except ValueError as fault:
            raise UsageError(str(fault)) from None
        shell.push(variables)
        return shown

    shell.register_magic_function(cnn, magic_kind="cell", magic_name="cnn")
    show_networks(shell)


def show_networks(shell: Any = None) -> None:
    """Let the shell that runs show networks, checks and faults as tables and excerpts."""
    from IPython.core.getipython import get_ipython

    shell = shell or get_ipython()
    if shell is None:
        return
    html = shell.display_formatter.formatters["text/html"]
    html.for_type_by_name("cnnspec.network.model", "Network", _network_html)
    html.for_type_by_name("cnnspec.network.spec", "Checked", _diagnosed_html)
    html.for_type_by_name("cnnspec.diagnostics", "SpecError", _diagnosed_html)


def _network_html(network: Network) -> str:
    from cnnspec.report.html import network_html

    return network_html(network)


def _diagnosed_html(found: Any) -> str:
    """Of what has diagnostics: a check, or the error that one ended in."""
    from cnnspec.report.html import checked_html

    return checked_html(found.diagnostics, getattr(found, "networks", ()))
