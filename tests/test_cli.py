import asyncio
import contextlib
import importlib
import io
import json
import logging
import os
import re
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from bots.cli import main
from bots.settings import KEYS
from core.sqlstore import SqlStore
from core.store import Standing, Tally
from tests.room import DOUBTFUL
from tests.stage import wanted

ROOT = Path(__file__).parent.parent
SHIPPED = (ROOT / "content.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with the shipped content, no settings, and logging as it was."""
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "content.yaml").write_text(SHIPPED, encoding="utf-8")
    handlers, level = logging.root.handlers[:], logging.root.level
    yield tmp_path
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_run_without_a_token_opens_the_console_and_says_how_to_go_live(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, "/myth addictive\n")
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert "No TELEGRAM_TOKEN or DISCORD_TOKEN is set" in shown
    assert "▲ Myth: misleading" in shown


class Refusing(BaseHTTPRequestHandler):
    """A Telegram that is down for a moment, then knows nobody."""

    statuses: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        body = json.dumps({"ok": False, "error_code": status, "description": "no"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
def test_a_platform_that_is_down_is_tried_again_and_a_wrong_token_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, transport: str
) -> None:
    token = "123456:" + "s" * 35
    Refusing.statuses = [502, 401]
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        values = {"TOKEN": token, "API_URL": f"http://127.0.0.1:{server.server_port}", "TRANSPORT": transport}
        for name, value in values.items():
            monkeypatch.setenv(f"TELEGRAM_{name}", value)
        caplog.set_level(logging.DEBUG, "bots")
        assert main(["run"]) == 2
        server.shutdown()
    first, last = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    host = f"127.0.0.1:{server.server_port}"
    assert first == f"telegram unreachable ({host}: NetworkError), next try in 1 s"
    assert last.startswith("telegram: Telegram refuses the token")
    assert token not in "".join(record.getMessage() for record in caplog.records if "bots" in record.name)


def test_the_module_is_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ketafacts", "schema"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("bots", run_name="__main__")
    assert ended.value.code == 0
    module = capsys.readouterr().out
    assert json.loads(module)["type"] == "object"
    # Imported only now: running it as a program comes first.
    assert importlib.import_module("bots.__main__").start() == 0
    assert capsys.readouterr().out == module


def test_a_pipe_that_nobody_reads_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as unread:  # noqa: PTH123 - it has no path
        monkeypatch.setattr(sys, "stdout", unread)
        assert main(["schema"]) == 141


def test_a_closed_input_is_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["answer", "--json"]) == 2
    assert sys.stdin is not None
    sys.stdin.close()


def test_console_goes_straight_to_the_chat(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, "/about\n")
    assert main(["console"]) == 0
    shown = capsys.readouterr().out
    assert "No TELEGRAM_TOKEN" not in shown
    assert "About KetaFacts" in shown


def test_the_round_survives_a_restart_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    titles = []
    for _ in range(6):
        type_in(monkeypatch, "/myth\n")
        main(["console"])
        titles.append(capsys.readouterr().out.split("“")[1].split("”")[0])
    assert len(set(titles)) == 6


def test_check_passes_the_shipped_content(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert "content.yaml: 46 entries, no faults" in capsys.readouterr().out


def test_check_lists_every_fault_of_a_file_at_once_and_exits_with_1(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = SHIPPED.replace("kind: myth", "kind: mith", 1).replace("    category: basics\n", "", 1)
    head, rest = bad.split("\n  - id: f-origin\n")
    rest = rest.replace("must_not_miss: ", "must_not_miss: Take 5 mg. ", 1)
    (workplace / "bad.yaml").write_text(f"{head}\n  - id: f-origin\n{rest}", encoding="utf-8")
    assert main(["check", "bad.yaml"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if "warning: " not in line]
    assert [re.sub("^bad.yaml:[0-9]+: ", "", line) for line in lines] == [
        "entries[m-party-drug].category: is missing; add it",
        "entries[m-party-drug].kind: is 'mith'; use one of: myth or fact",
        "entries[f-origin].must_not_miss: gives a dose (5 mg); leave the amount out",
    ]


def test_check_tells_what_stops_a_file_before_what_it_warns_of(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    met = SHIPPED.replace("    phrasings:\n", "    phrasings:\n      - how many mg should I take\n", 1)
    (workplace / "content.yaml").write_text(f"{met}colour: green\n", encoding="utf-8")
    assert main(["check"]) == 1
    first, *others = capsys.readouterr().err.splitlines()
    assert first.endswith("colour: is no known key; remove it")
    assert others
    assert all(": warning: " in line for line in others)


def test_check_fails_when_a_crisis_number_is_old(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workplace / "content.yaml").write_text(
        re.sub("checked: [0-9-]+", "checked: 2020-01-01", SHIPPED, count=1), encoding="utf-8"
    )
    line = SHIPPED[: SHIPPED.index("checked: ")].count("\n") + 1
    assert main(["check"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"content.yaml:{line}: safety.crisis.emergency[0].checked: " in captured.err
    assert "days ago; call or open it, then write today's date" in captured.err


def test_faults_name_the_file_as_it_was_given(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "drafts").mkdir()
    (workplace / "drafts" / "tea.yaml").write_text("tea\n")
    assert main(["check", "drafts/tea.yaml"]) == 1
    monkeypatch.setenv("CONTENT_PATH", str(workplace / "drafts" / "tea.yaml"))
    assert main(["console"]) == 1
    given, configured = capsys.readouterr().err.splitlines()
    assert given.startswith("drafts/tea.yaml:1: ")
    assert configured.startswith(f"{workplace / 'drafts' / 'tea.yaml'}:1: ")
    assert main(["check", "content.yaml"]) == 0


def test_a_file_that_can_not_be_read_is_told_by_who_named_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "gone.yaml"]) == 1
    monkeypatch.setenv("CONTENT_PATH", "lost.yaml")
    assert main(["check"]) == 1
    trouble = "can't be read (No such file or directory)"
    assert capsys.readouterr().err.splitlines() == [
        f"gone.yaml:1: {trouble}; give check the name of a file that can be",
        f"lost.yaml:1: {trouble}; set CONTENT_PATH to a content file",
    ]


def test_a_bad_file_never_starts_the_bot(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "content.yaml").write_text("bot: [\n")
    type_in(monkeypatch, "/myth\n")
    assert main(["console"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("content.yaml:")


def test_find_shows_what_competes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", "hooked", "on", "it"]) == 0
    assert "m-very-addictive" in capsys.readouterr().out
    assert main(["find", "I want to kill myself"]) == 0
    assert "crisis" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "decided"),
    [
        ("is ketamine addictive?", "answer m-very-addictive"),
        ("is ketamine addictive", "silence"),
        ("how many mg of ketamine should I take?", "silence"),
    ],
)
def test_find_shows_what_a_group_gets_unasked(
    capsys: pytest.CaptureFixture[str], words: str, decided: str
) -> None:
    assert main(["find", words]) == 0
    assert f"unasked  {decided}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "decided"),
    [
        ("are troches addictive", "no entry and no choice is shown, but help; scores alone say: answer m-"),
        ("Only a party drug?", "answer m-party-drug  by: name"),
    ],
)
def test_find_says_that_a_doubtful_text_is_shown_no_entry(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, decided: str
) -> None:
    """An entry's very name leaves no doubt, as in a chat."""
    monkeypatch.setattr("bots.cli.load_guards", lambda: DOUBTFUL)
    assert main(["find", words]) == 0
    assert f"\ndecision {decided}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "card"), [("I want to kill myself", "crisis"), ("how many mg should I take?", "dosing")]
)
def test_find_says_that_a_guards_card_is_shown(
    capsys: pytest.CaptureFixture[str], words: str, card: str
) -> None:
    assert main(["find", words]) == 0
    assert f"\ndecision the {card} card is shown; scores alone say: " in capsys.readouterr().out


def test_answer_gives_one_object_a_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, json.dumps(["is ketamine addictive?", "kill myself", "weather tomorrow?", ""]))
    assert main(["answer", "--json"]) == 0
    first, second, third, fourth = json.loads(capsys.readouterr().out)
    assert first == {"id": "m-very-addictive", "choices": [], "guard": None}
    assert second == {"id": None, "choices": [], "guard": "crisis"}
    assert third == {"id": None, "choices": [], "guard": None}
    assert fourth == {"id": None, "choices": [], "guard": None}


@pytest.mark.parametrize("text", ["no json", "{}", "[1]", "", "[" * 100_000, "[" + "9" * 5000 + "]"])
def test_answer_says_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    type_in(monkeypatch, text)
    assert main(["answer", "--json"]) == 2
    assert capsys.readouterr().err == "stdin should be a JSON list of texts\n"


def test_schema_is_the_one_that_editors_use_and_needs_no_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "core/content.schema.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("TELEGRAM_TOKEN", "hello", "TELEGRAM_TOKEN is malformed"),
        ("DATABASE_URL", "bot.db", "DATABASE_URL is malformed"),
        ("DATABASE_URL", "sqlite:////proc/none/bot.db", "can't be made"),
        (
            "DATABASE_URL",
            "postgresql://u:p@127.0.0.1:1/tea",
            "the database tea on 127.0.0.1 can't be reached; start its server, or check DATABASE_URL",
        ),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud'"),
        ("CONTENT_PATH", ".", ". is a folder; name the content file in it"),
        ("CONTENT_PATH", "none.yaml", "none.yaml:1: can't be read"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str, value: str, message: str
) -> None:
    monkeypatch.setenv(key, value)
    type_in(monkeypatch, "")
    assert main(["console"]) in (1, 2)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["due", "votes", "questions", "console"])
def test_a_folder_is_no_database(
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    (workplace / "data").mkdir()
    monkeypatch.setenv("DATABASE_URL", "sqlite:///data")
    assert main([command]) == 2
    assert capsys.readouterr().err == "data is a folder; name a file in it in DATABASE_URL\n"


def test_ctrl_c_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bots.compose.Program", interrupt)
    assert main(["console"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo terminals")
@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 0)])
def test_a_key_ends_the_console_of_a_terminal_at_once(key: bytes, code: int) -> None:
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "bots", "console"]
        os.execve(sys.executable, command, environment())  # noqa: S606 - a shell would answer the key
    shown, quiet, press_at = b"", 0, 0
    with contextlib.suppress(OSError):  # how a terminal that nobody holds any more ends
        while quiet < 100:
            # The key is pressed once the prompt has been quiet, and again after 6 s should it get lost:
            # a second one while the program ends would kill it.
            if not select.select([terminal], [], [], 0.3)[0]:
                quiet += 1
                if b"> " in shown and quiet >= press_at:
                    os.write(terminal, key)
                    press_at = quiet + 20
            elif piece := os.read(terminal, 1024):
                shown += piece
            else:
                break
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0 if shown.endswith(b"\n") else signal.SIGKILL)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code
    assert b"Traceback" not in shown
    assert shown.endswith(b"\n")


def test_python_m_bots_is_the_same_program() -> None:
    done = program("console", typed=b"/fact nmda\n")
    assert done.returncode == 0
    assert "NMDA" in done.stdout.decode()


@pytest.mark.parametrize("typed", [b"9" * 5000 + b"\n", b"caf\xe9\n", b"\x00\n"])
def test_no_input_breaks_the_console(typed: bytes) -> None:
    done = program("console", typed=typed)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "I have no entry on that" in done.stdout.decode()


def test_an_output_without_the_characters_shows_others() -> None:
    done = program("console", typed=b"/myth addictive\n", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"? Myth: misleading" in done.stdout


@pytest.mark.parametrize("command", ["console", "find addictive", "check none.yaml 2>&1"])
def test_a_reader_that_has_gone_is_no_fault(command: str) -> None:
    done = shell(f"{{ ketafacts {command}; echo $? >&3; }} 3>&2 | true", typed=b"/myth\n/fact\n")
    assert done.stderr.split() == [b"141"]


@pytest.mark.parametrize("command", ["console <&-", "console >&-", "find addictive <&- >&- 2>&-"])
def test_closed_streams_are_as_good_as_empty_ones(command: str) -> None:
    done = shell(f"ketafacts {command}", typed=b"/myth\n")
    assert (done.returncode, done.stderr) == (0, b"")


def test_closed_input_is_no_list_of_questions() -> None:
    done = shell("ketafacts answer --json <&-")
    assert (done.returncode, done.stderr) == (2, b"stdin should be a JSON list of texts\n")


def program(*arguments: str, typed: bytes = b"", **changed: str) -> subprocess.CompletedProcess[bytes]:
    """The program in a process of its own, after it ended."""
    return ended([sys.executable, "-m", "bots", *arguments], typed, environment(**changed))


def shell(line: str, typed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A line of shell that knows the program as `ketafacts`, after it ended."""
    known = f'ketafacts() {{ "{sys.executable}" -m bots "$@"; }}; {line}'
    return ended(["/bin/sh", "-c", known], typed, environment())


def ended(command: list[str], typed: bytes, variables: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """A process that got all of its input, after it ended."""
    return subprocess.run(  # noqa: S603 - the tests' own words
        command, input=typed, capture_output=True, check=False, env=variables, timeout=60
    )


def environment(**changed: str) -> dict[str, str]:
    """Ours without any settings."""
    kept = {key: value for key, value in os.environ.items() if key not in KEYS}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **changed}


@pytest.fixture
def database(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of each kind in turn, and set for the program."""
    monkeypatch.setenv("DATABASE_URL", database)
    return database


def test_the_console_works_beside_a_running_bot(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        store = SqlStore(database)
        await asyncio.to_thread(main, ["console"])
        # It remembers what it gave in the same place.
        assert (await store.forget_idle("~", datetime.now(UTC) + timedelta(days=1))) == 1
        await store.close()

    type_in(monkeypatch, "/myth\n")
    asyncio.run(run())
    assert "Sources:" in capsys.readouterr().out


def test_due_lists_daily_posts_beside_a_running_bot(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        store = SqlStore(database)
        monday = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
        await store.subscribe(wanted("-100"), monday)
        await store.subscribe(wanted("7", private=True), monday + timedelta(days=9000))
        gone = wanted("-300", standing=Standing.SUSPENDED, reason="kicked")
        await store.subscribe(gone, monday)
        # In another process the lock would be held all the same.
        await asyncio.to_thread(main, ["due"])
        await store.close()

    asyncio.run(run())
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split()[1:] == ["telegram:-100", "2026-11-23", "08:00", "UTC", "09:00", "Europe/Berlin"]
    assert second.split()[:2] == ["next", "telegram:private"]
    assert third.split()[:3] == ["suspended", "telegram:-300", "kicked"]


def test_due_without_a_database_of_this_version_says_so(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["due"]) == 2
    assert "start the bot once" in capsys.readouterr().err
    asyncio.run(SqlStore(database).close())
    assert main(["due"]) == 0
    assert capsys.readouterr().out == "no daily posts are set\n"


def test_votes_lists_the_thumbs_of_the_last_days(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def count() -> None:
        store, today = SqlStore(database), datetime.now(UTC).date()
        await store.count_votes(today, Tally("f-nmda", up=3, down=1))
        await store.count_votes(today - timedelta(days=1), Tally("m-cure", up=1, down=2))
        await store.count_votes(today - timedelta(days=9), Tally("m-cure", up=1, down=1))
        await store.close()

    asyncio.run(SqlStore(database).close())
    assert main(["votes"]) == 0
    assert capsys.readouterr().out == "no votes yet\n"
    asyncio.run(count())
    assert main(["votes", "--days", "8"]) == 0
    assert capsys.readouterr().out == "    2 down     1 up  m-cure\n    1 down     3 up  f-nmda\n"


def test_questions_prints_them_and_clears_just_what_was_printed(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        store, day = SqlStore(database), date(2026, 11, 22)
        await asyncio.to_thread(main, ["questions"])
        await store.keep_question("quantum chromodynamics?", day, 9)
        await store.keep_question("what of the cost", day, 9)
        # Beside a running bot, whose process holds the lock.
        await asyncio.to_thread(main, ["questions"])
        await asyncio.to_thread(main, ["questions", "--clear"])
        await store.keep_question("quantum chromodynamics?", day, 9)
        assert [question.text for question in await store.questions()] == ["quantum chromodynamics?"]
        await store.close()

    asyncio.run(run())
    shown = capsys.readouterr()
    lines = "2026-11-22  quantum chromodynamics?\n2026-11-22  what of the cost\n"
    assert shown.out == "no questions\n" + 2 * lines
    assert shown.err == "2 deleted\n"


def test_questions_that_can_not_be_deleted_are_one_clear_line(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def ask() -> None:
        store = SqlStore("sqlite:///bot.db")
        await store.keep_question("what of the cost", date(2026, 11, 22), 9)
        await store.close()

    asyncio.run(ask())
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///file:{workplace / 'bot.db'}?mode=ro&uri=true")
    assert main(["questions", "--clear"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "2026-11-22  what of the cost\n"
    assert shown.err == (
        "the database failed (OperationalError SQLITE_READONLY) and nothing was changed;"
        " see whether this user may write it and its disk has room\n"
    )
