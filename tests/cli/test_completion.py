from __future__ import annotations

import pytest
from click.testing import CliRunner

from cnnspec.cli import COMMANDS, main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_every_shell(shell: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell])
    assert printed.exit_code == 0, printed.output
    assert f"_CNNSPEC_COMPLETE={shell}_complete" in printed.output


def test_another_shell_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["completion", "cmd"]).exit_code == 2


def complete(*words: str) -> list[str]:
    """The values offered for the last word; `<files>` where the shell is to offer those."""
    environment = {
        "_CNNSPEC_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    printed = CliRunner().invoke(main, [], env=environment, prog_name="cnnspec")
    offered = (line.partition(",") for line in printed.output.splitlines())
    return ["<files>" if kind == "file" else value for kind, _, value in offered]


def test_commands_and_names_are_completed() -> None:
    assert set(complete("cnnspec", "")) == set(COMMANDS)
    assert complete("cnnspec", "layers", "batchn") == ["batchnorm"]
    assert "--model" in complete("cnnspec", "summary", "--m")


@pytest.mark.parametrize(
    "command", [["check"], ["summary"], ["emit"], ["train"], ["new"], ["eval"], ["predict"], ["predict", "run"]]
)
def test_file_names_are_completed(command: list[str]) -> None:
    assert complete("cnnspec", *command, "ex") == ["<files>"]
