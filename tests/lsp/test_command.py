"""`cnnspec lsp` where what it needs is not installed, and what a plain check imports of it."""

from __future__ import annotations

import subprocess
import sys

BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pygls", "lsprotocol"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
from cnnspec.cli import main
main(sys.argv[1:], prog_name="cnnspec")
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCKED, *arguments], capture_output=True, text=True, check=False)


def test_without_pygls_it_says_which_line_installs_it() -> None:
    done = run("lsp")
    assert done.returncode == 1
    assert 'pip install "cnnspec[lsp]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_help_needs_nothing() -> None:
    done = run("lsp", "--help")
    assert done.returncode == 0
    assert "language server" in done.stdout
