"""The README's tables say what the code does."""

import re
from pathlib import Path

import pytest

from bots.cli import _parser
from bots.settings import KEYS
from core.commands import COMMANDS
from tests.room import PHRASES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_stands_in_the_table_with_what_it_takes_and_does() -> None:
    for command in COMMANDS:
        takes = PHRASES.say(f"takes.{command.takes}")
        typed = f"/{command.name} {takes}".strip()
        assert f"|`{typed}`|{PHRASES.say(f'menu.{command.name}')}|" in README


def test_every_setting_stands_in_the_table() -> None:
    for key, meaning in KEYS.items():
        assert f"|`{key}`|{meaning}|" in README


def test_every_program_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["--help"])
    offered = re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)
    assert offered
    for name in offered:
        assert f"`ketafacts {name}" in README.replace("\n", " ")


def test_every_file_that_the_readme_names_exists() -> None:
    for name in re.findall(r"`((?:core|bots|tests)/[a-z_/]+\.(?:py|yaml))`", README):
        assert (ROOT / name).exists(), name


def test_the_readme_stays_short() -> None:
    assert len(README.split()) <= 1200
