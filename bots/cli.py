"""The `ketafacts` program: its commands and exit codes."""

import argparse
import asyncio
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bots import compose
from bots.logs import start_logging
from bots.settings import Settings, read_settings
from core.card import card_check
from core.content import content_schema
from core.draft import ADVICE, examine
from core.edition import open_edition
from core.errors import ContentError, SettingsError, StoreAway, StoreError, StoreTrouble
from core.listen import sure_answer
from core.phrases import load_phrases
from core.safety import Ruling, load_guards
from core.search import Found

USAGE = 2
"""Exit code for a program that can't start as set up."""

INTERRUPTED, UNREAD = 130, 141
"""Exit codes that shells give to a program ended by Ctrl-C, and by a pipe that nobody reads any more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0 done, 1 faults in content, 2 can't start."""
    _open_streams()
    try:
        code = _main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still unwritten would raise once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return code


def _main(arguments: Sequence[str] | None) -> int:
    chosen = _parser().parse_args(arguments)
    settings = Settings()
    try:
        if chosen.run is not schema:
            settings = _settings(chosen)
        start_logging(settings.log_level, (settings.telegram_token, settings.discord_token))
        code: int = chosen.run(settings, chosen)
    except ContentError as error:
        print("\n".join(fault.show(str(settings.content_path)) for fault in error.faults), file=sys.stderr)
        return 1
    except StoreAway as error:
        print(f"{error}; start its server, or check DATABASE_URL", file=sys.stderr)
        return USAGE
    except StoreTrouble as error:
        advice = "see whether this user may write it and its disk has room"
        print(f"the database failed ({error}) and nothing was changed; {advice}", file=sys.stderr)
        return USAGE
    except (SettingsError, StoreError) as error:
        print(error, file=sys.stderr)
        return USAGE
    return code


def _settings(chosen: argparse.Namespace) -> Settings:
    """The settings, with what was typed in place of what was set."""
    settings = read_settings(os.environ)
    if chosen.file:
        settings = replace(settings, content_path=chosen.file)
    if settings.content_path.is_dir():
        raise SettingsError(f"{settings.content_path} is a folder; name the content file in it")
    return settings


def _open_streams() -> None:
    """Make the standard streams usable: a closed one is empty, a character that can't be told is a `?`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # For as long as the process lives, so nothing closes it.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def run(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Start the platforms that have a token, or the console if none has."""
    if settings.telegram_token or settings.discord_token:
        return USAGE if asyncio.run(compose.run_bots(settings)) == 0 else 0
    compose.run_console(settings, explain=True)
    return 0


def console(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Chat in the terminal."""
    compose.run_console(settings, explain=False)
    return 0


def check(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print every fault and warning of a content file; 1 if there is a fault."""
    # Here, as running the bot needs none of it.
    from bots.proof import content_checks

    path = settings.content_path
    checks = [card_check(load_phrases()), *content_checks(load_guards(), datetime.now(UTC).date())]
    advice = "give check the name of a file that can be" if chosen.file else ADVICE
    report = examine(path, checks, advice=advice)
    # What stops the file first, so that it doesn't drown.
    for fault in sorted(report.faults, key=lambda fault: fault.warns):
        # Named as the reader knows the file, so that the line can be opened from the terminal.
        print(fault.show(str(path)), file=sys.stderr)
    if report.content is None:
        return 1
    print(f"{path}: {len(report.content.entries)} entries, no faults")
    return 0


def find(settings: Settings, chosen: argparse.Namespace) -> int:
    """Show what competes for some words, and why the answer would be what it is."""
    edition = open_edition(settings.content_path, load_phrases(), load_guards())
    text = " ".join(chosen.words)
    ruling = edition.check(text)
    chances = "  ".join(f"{name} {chance:.2f}" for name, chance in ruling.scores.items())
    met = ruling.guard or ("none, in doubt" if ruling.in_doubt else "none")
    print(f"guard    {met}  rule: {ruling.rule or 'none'}  chances: {chances}")
    unasked = None if ruling.guard or ruling.in_doubt else sure_answer(edition, text)
    print(f"unasked  {f'answer {unasked}' if unasked else 'silence'}")
    print("\n".join(_explained(edition.index.find(text), ruling)))
    return 0


def answer(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Answer a JSON list of questions on stdin, each on its own, as if asked in private."""
    try:
        questions = json.load(sys.stdin)
    except (ValueError, RecursionError):
        questions = None
    if not isinstance(questions, list) or not all(isinstance(question, str) for question in questions):
        print("stdin should be a JSON list of texts", file=sys.stderr)
        return USAGE
    json.dump(asyncio.run(compose.answer_all(settings, questions)), sys.stdout)
    return 0


def due(settings: Settings, chosen: argparse.Namespace) -> int:
    """List daily posts: what is due, what comes next, and what is suspended."""
    print("\n".join(asyncio.run(compose.agenda(settings, chosen.count))) or "no daily posts are set")
    return 0


def votes(settings: Settings, chosen: argparse.Namespace) -> int:
    """List the thumbs that entries got in the last days, most thumbs down first."""
    tallies = asyncio.run(compose.votes(settings, chosen.days))
    lines = [f"{tally.down:5} down {tally.up:5} up  {tally.entry_id}" for tally in tallies]
    print("\n".join(lines) or "no votes yet")
    return 0


def questions(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the questions that people sent to the editors, oldest first."""
    kept = asyncio.run(compose.questions(settings))
    print("\n".join(f"{question.day}  {question.text}" for question in kept) or "no questions")
    # Only what was read is deleted: neither what has come since, nor anything if nobody could read.
    sys.stdout.flush()
    if chosen.clear and kept:
        gone = asyncio.run(compose.clear_questions(settings, kept[-1].id))
        print(f"{gone} deleted", file=sys.stderr)
    return 0


def schema(_settings: Settings, _chosen: argparse.Namespace) -> int:
    """Print the JSON Schema of content files."""
    print(json.dumps(content_schema(), indent=2, ensure_ascii=False))
    return 0


def _explained(found: Found, ruling: Ruling) -> Iterator[str]:
    """What was decided, what it was decided on, and every entry that competed."""
    choices = ", ".join(found.choices) or "nothing"
    decided = f"answer {found.entry_id}" if found.entry_id else f"offer {choices}"
    if ruling.guard:
        decided = f"the {ruling.guard} card is shown; scores alone say: {decided}"
    elif ruling.in_doubt:
        decided = f"no entry and no choice is shown, but help; scores alone say: {decided}"
    yield f"decision {decided}  by: {found.how}  covered: {found.inside:.2f}  right: {found.right:.2f}"
    yield from (f"  {name:<28}{value:8.3f}" for name, value in found.features)
    for match in found.candidates:
        scores = "  ".join(f"{name} {score:.2f}" for name, score in match.scores)
        yield f"  {match.probability:6.3f}  {match.entry_id:<20}{scores}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ketafacts", description="A myth-and-fact bot for Telegram and Discord."
    )
    parser.set_defaults(run=run, file=None)
    commands = parser.add_subparsers(metavar="COMMAND")
    for function in (run, console, check, find, answer, due, votes, questions, schema):
        text = (function.__doc__ or "").rstrip(".")
        command = commands.add_parser(function.__name__, help=text, description=text)
        command.set_defaults(run=function)
        if function is check:
            command.add_argument("file", nargs="?", type=Path, help="default: CONTENT_PATH")
        if function is due:
            command.add_argument("--count", type=int, default=50, help="how many lines (50)")
        if function is votes:
            command.add_argument("--days", type=int, default=30, help="how far back (30)")
        if function is questions:
            command.add_argument("--clear", action="store_true", help="delete what was printed")
        if function is find:
            command.add_argument("words", nargs="+")
        if function is answer:
            command.add_argument(
                "--json", action="store_true", required=True, help="the only format there is"
            )
    return parser
