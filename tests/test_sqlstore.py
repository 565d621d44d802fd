import asyncio
import contextlib
import os
import sqlite3
import tempfile
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import alembic.command
import pytest
from alembic.config import Config
from sqlalchemy import Connection, insert, inspect, text

from core.connection import connect, parse
from core.database import Use
from core.errors import StoreError, StoreTrouble
from core.migration import MIGRATIONS, metadata
from core.pick import draw_from
from core.sqlfeedback import QUESTION
from core.sqlstore import SqlStore
from core.store import Drawn, Forgotten, Tally
from tests.postgres import Server
from tests.stage import wanted

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
IDS = ["a", "b", "c"]


@pytest.fixture
async def store(memory: str) -> AsyncIterator[SqlStore]:
    opened = SqlStore(memory)
    yield opened
    await opened.close()


async def test_a_chat_gets_each_entry_once_a_round(store: SqlStore) -> None:
    draw = draw_from(IDS, Random(1))
    given = [await store.draw("chat", "myth", draw, NOON + timedelta(seconds=n)) for n in range(6)]
    assert sorted(given[:3]) == IDS
    assert sorted(given[3:]) == IDS
    assert given[2] != given[3]


async def test_chats_and_kinds_have_rounds_of_their_own(store: SqlStore) -> None:
    only_a = draw_from(["a", "b"], Random(1))
    first = await store.draw("one", "myth", only_a, NOON)
    other_kind: list[list[str]] = []
    await store.draw("one", "fact", lambda seen: (other_kind.append(list(seen)), Drawn(first))[1], NOON)
    await store.draw("two", "myth", lambda seen: (other_kind.append(list(seen)), Drawn(first))[1], NOON)
    assert other_kind == [[], []]


async def test_draws_at_the_same_moment_never_give_the_same_entry(store: SqlStore) -> None:
    draw = draw_from([str(n) for n in range(50)], Random(1))
    given = await asyncio.gather(*(store.draw("chat", "myth", draw, NOON) for _ in range(50)))
    assert len(set(given)) == 50


async def test_the_round_survives_a_restart(database: str) -> None:
    draw = draw_from(IDS, Random(1))
    given = []
    for n in range(3):
        store = SqlStore(database)
        given.append(await store.draw("chat", "myth", draw, NOON + timedelta(seconds=n)))
        await store.close()
    assert sorted(given) == IDS


async def test_forgetting_deletes_a_chat_at_once_and_says_how_much(store: SqlStore) -> None:
    draw = draw_from(IDS, Random(1))
    await store.draw("chat", "myth", draw, NOON)
    await store.draw("chat", "fact", draw, NOON)
    await store.draw("other", "fact", draw, NOON)
    assert (await store.forget("chat")).seen == 2
    assert (await store.forget("chat")).seen == 0
    assert (await store.forget("other")).seen == 1


async def test_only_idle_chats_with_the_prefix_are_forgotten(store: SqlStore) -> None:
    draw = draw_from(IDS, Random(1))
    old = NOON - timedelta(days=91)
    await store.draw("~idle", "myth", draw, old)
    await store.draw("~back", "myth", draw, old)
    await store.draw("~back", "myth", draw, NOON)
    await store.draw("group", "myth", draw, old)
    assert await store.forget_idle("~", NOON - timedelta(days=90)) == 1
    assert (await store.forget("~idle")).seen == 0
    assert (await store.forget("~back")).seen == 2
    assert (await store.forget("group")).seen == 1


async def test_nothing_idle_deletes_nothing(store: SqlStore) -> None:
    assert await store.forget_idle("~", NOON) == 0


async def test_a_forgotten_chat_leaves_no_trace_in_the_files_of_a_running_bot(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'bot.db'}")
    await store.draw("canary-5f1d", "myth", draw_from(IDS, Random(1)), NOON)
    await store.subscribe(wanted("canary-5f1d"), NOON)
    await store.forget("canary-5f1d")
    assert await store.unsubscribe("telegram", "canary-5f1d")
    assert all(b"canary-5f1d" not in path.read_bytes() for path in tmp_path.iterdir())
    await store.close()


async def test_a_failing_draw_changes_nothing(store: SqlStore) -> None:
    def fail(_seen: object) -> Drawn:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.draw("chat", "myth", fail, NOON)
    assert (await store.forget("chat")).seen == 0


async def test_what_waits_at_the_same_time_shares_a_transaction(store: SqlStore) -> None:
    used = await asyncio.gather(*(store.run(lambda connection: connection) for _ in range(5)))
    assert len(set(map(id, used))) == 1
    draw = draw_from(IDS, Random(4))
    given = await asyncio.gather(*(store.draw("chat", "myth", draw, NOON) for _ in IDS))
    assert sorted(given) == IDS


async def test_a_failing_draw_leaves_those_that_share_its_transaction(store: SqlStore) -> None:
    def fail(_seen: object) -> Drawn:
        raise ZeroDivisionError

    draw = draw_from(IDS, Random(5))
    draws = [store.draw("chat", "myth", one, NOON) for one in (draw, fail, draw, draw)]
    given = await asyncio.gather(*draws, return_exceptions=True)
    assert isinstance(given.pop(1), ZeroDivisionError)
    assert sorted(map(str, given)) == IDS
    assert (await store.forget("chat")).seen == len(IDS)


async def test_a_draw_that_nobody_waits_for_any_more_holds_up_no_other(store: SqlStore) -> None:
    draw = draw_from(IDS, Random(6))
    draws = [asyncio.create_task(store.draw("chat", "myth", draw, NOON)) for _ in IDS]
    await asyncio.sleep(0)
    draws[1].cancel()
    given = await asyncio.gather(*draws, return_exceptions=True)
    assert isinstance(given[1], asyncio.CancelledError)
    assert given[0] in IDS
    assert given[2] in IDS


async def test_a_program_that_dies_at_its_work_leaves_nobody_waiting(store: SqlStore) -> None:
    """Neither those that share its transaction nor those that came after it."""

    class Death(BaseException):
        pass

    def die(_connection: Connection) -> None:
        raise Death

    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    draw = draw_from(IDS, Random(8))
    dying = [asyncio.create_task(store.run(die)), asyncio.create_task(store.draw("chat", "myth", draw, NOON))]
    await asyncio.sleep(0)
    later = asyncio.create_task(store.draw("chat", "myth", draw, NOON))
    ends = await asyncio.wait_for(asyncio.gather(*dying, later, return_exceptions=True), 5)
    assert [type(end) for end in ends] == [Death] * 3
    assert (await store.forget("chat")).seen == 0


async def test_who_stands_by_leaves_the_log_of_changes_to_the_leader(tmp_path: Path) -> None:
    url, log = f"sqlite:///{tmp_path / 'bot.db'}", tmp_path / "bot.db-wal"
    leader, other = SqlStore(url), SqlStore(url, Use.STAND_BY)
    await leader.draw("chat", "myth", draw_from(IDS, Random(9)), NOON)
    written = log.stat().st_size
    await other.scrub()
    assert log.stat().st_size == written > 0
    await leader.scrub()
    assert log.stat().st_size == 0
    await other.close()
    await leader.close()


async def test_closing_waits_for_what_is_under_way(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'bot.db'}")
    draws = [asyncio.create_task(store.draw("chat", "myth", draw_from(IDS, Random(7)), NOON)) for _ in IDS]
    await asyncio.sleep(0)
    await store.close()
    assert sorted([await draw for draw in draws]) == IDS
    with pytest.raises(StoreTrouble):
        await asyncio.wait_for(store.draw("chat", "myth", draw_from(IDS, Random(7)), NOON), 5)


async def test_a_second_process_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    first = SqlStore(url)
    with pytest.raises(StoreError, match="in use by another running bot"):
        SqlStore(url)
    await first.close()
    await SqlStore(url).close()


async def test_a_database_of_a_newer_program_is_refused_in_one_line(database: str) -> None:
    store = SqlStore(database)
    await store.run(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await store.close()
    with pytest.raises(StoreError, match="written by a newer version") as caught:
        SqlStore(database)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is no database address"),
        ("sqlite://u:SEC@RET:PW9TAIL@h/x", "is no database address"),
        ("postgresql://u:p@h:port/x", "is no database address"),
        ("sqlite://h/x", "is no database address"),
        ("sqlite:///bot.db?timeout=soon", "is no database address"),
        ("nonsense://host/db", "names no database that is known"),
        ("mysql://host/db", "driver that is not installed"),
    ],
)
def test_an_unusable_address_is_one_clear_line(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        SqlStore(url)


READ_ONLY = "can't be written; give this user the right to, or name another place in DATABASE_URL"
NOT_ALLOWED = (
    "can't be opened; give this user the right to write there, or name another place in DATABASE_URL"
)


@pytest.mark.parametrize(
    ("made", "url", "line"),
    [
        (
            lambda path: path.write_text("not a database, but long enough to be looked at " * 40),
            "sqlite:///bot.db",
            "bot.db is no database; name another place in DATABASE_URL, or move this file away",
        ),
        (Path.mkdir, "sqlite:///bot.db", "bot.db is a folder; name a file in it in DATABASE_URL"),
        (
            Path.touch,
            "sqlite:///bot.db/new.db",
            "bot.db/new.db can't be made (File exists); name another place in DATABASE_URL",
        ),
        (Path.touch, "sqlite:///file:gone.db?mode=ro&uri=true", f"file:gone.db {NOT_ALLOWED}"),
        (Path.touch, "sqlite:////proc/bot.db", f"/proc/bot.db.lock {NOT_ALLOWED}"),
        (
            Path.touch,
            "sqlite:///file:bot.db?mode=ro&uri=true",
            f"file:bot.db {READ_ONLY}",
        ),
        (Path.touch, "sqlite:////dev/full", "/dev/full can't be written: the disk is full; make room on it"),
    ],
    ids=["no database", "folder", "file for a folder", "gone", "no right", "read-only", "full"],
)
def test_trouble_at_the_start_is_one_line_with_the_file_the_cause_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Callable[[Path], object], url: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "bot.db")
    with pytest.raises(StoreError) as caught:
        SqlStore(url)
    assert str(caught.value) == line


@contextlib.contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """As the owner of `folder` and what is in it, who is not root: that one may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.iterdir()):
        os.chown(path, 65534, -1)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("use", [Use.LEAD, Use.STAND_BY, Use.BESIDE])
@pytest.mark.parametrize(
    ("kept", "line"),
    [
        ("bot.db", f"bot.db {READ_ONLY}"),
        ("bot.db.lock", f"bot.db.lock {READ_ONLY}"),
        ("bot.db-wal", f"bot.db-wal {READ_ONLY}"),
        ("bot.db-shm", f"bot.db-shm {READ_ONLY}"),
        (".", "bot.db.lock can't be written; let this user write in its folder, or name another place"),
    ],
)
async def test_what_can_only_be_read_is_noticed_at_the_start(use: Use, kept: str, line: str) -> None:
    """Not at the first post, nor by nobody: a lock that can't be written keeps no other process out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'bot.db'}"
        await SqlStore(url).close()
        with ordinary_user(folder):
            (folder / kept).touch()
            (folder / kept).chmod(0o555)
            with pytest.raises(StoreError) as caught:
                await start(url, use)
            (folder / kept).chmod(0o755)
            await start(url, use)
    assert str(caught.value).startswith(f"{folder}/{line}")


async def start(url: str, use: Use) -> None:
    """Open a store and take the lead, if that is wanted, as a start does; then close it."""
    store = SqlStore(url, use)
    try:
        if use is Use.STAND_BY:
            await store.lead()
    finally:
        await store.close()


async def test_a_damaged_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    await SqlStore(f"sqlite:///{path}").close()
    raw = bytearray(path.read_bytes())
    raw[100:] = b"\xa5" * (len(raw) - 100)
    path.write_bytes(raw)
    with pytest.raises(StoreError) as caught:
        SqlStore(f"sqlite:///{path}")
    assert str(caught.value) == f"{path} is damaged; put a copy of it back, or move it away to start anew"


@pytest.mark.parametrize(
    ("made", "trouble"),
    [
        (Path.mkdir, "is a folder; name a file in it"),
        (lambda path: path.write_text("?" * 999), "is no database"),
    ],
)
def test_a_lock_that_can_not_be_is_one_clear_line(
    tmp_path: Path, made: Callable[[Path], object], trouble: str
) -> None:
    made(tmp_path / "bot.db.lock")
    with pytest.raises(StoreError) as caught:
        SqlStore(f"sqlite:///{tmp_path / 'bot.db'}")
    assert str(caught.value).startswith(f"{tmp_path / 'bot.db.lock'} {trouble}")


def test_a_database_that_another_program_holds_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (a)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError) as caught:
            SqlStore(f"sqlite:///{path}?timeout=0")
    assert str(caught.value) == f"{path} is locked by another program; close that first"


def test_a_database_of_other_tables_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE seen (a)")
    with pytest.raises(StoreError) as caught:
        SqlStore(f"sqlite:///{path}")
    assert str(caught.value) == f"{path} can't be opened (SQLITE_ERROR); check DATABASE_URL"


async def test_a_call_that_fails_tells_no_words_and_the_next_may_work(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    store = SqlStore(f"sqlite:///{path}?timeout=0")
    draw = draw_from(IDS, Random(1))
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreTrouble) as caught:
            await store.draw("canary-chat", "myth", draw, NOON)
    assert str(caught.value) == "OperationalError SQLITE_BUSY"
    assert await store.draw("canary-chat", "myth", draw, NOON) in IDS
    await store.close()


async def test_a_question_is_kept_once_a_day_in_the_order_it_came(store: SqlStore) -> None:
    today, tomorrow = NOON.date(), NOON.date() + timedelta(days=1)
    for words, day in (("b?", today), ("a?", today), ("b?", today), ("b?", tomorrow)):
        assert await store.keep_question(words, day, most=9)
    kept = await store.questions()
    assert [(one.text, one.day) for one in kept] == [("b?", today), ("a?", today), ("b?", tomorrow)]
    assert await store.clear_questions(kept[1].id) == 2
    assert await store.questions() == kept[2:]


async def test_more_questions_than_wanted_are_not_kept(store: SqlStore) -> None:
    assert await store.keep_question("a?", NOON.date(), most=1)
    assert not await store.keep_question("b?", NOON.date(), most=1)
    assert await store.keep_question("a?", NOON.date(), most=1)
    assert len(await store.questions()) == 1


async def test_a_cleared_question_leaves_no_trace_in_the_files_of_a_running_bot(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    store, beside = SqlStore(url), SqlStore(url, Use.LOOK)
    await store.keep_question("canary-5f1d", NOON.date(), most=9)
    (kept,) = await beside.questions()
    assert await beside.clear_questions(kept.id) == 1
    assert all(b"canary-5f1d" not in path.read_bytes() for path in tmp_path.iterdir())
    await beside.close()
    await store.close()


async def test_a_failure_quotes_no_question(store: SqlStore) -> None:
    asked = f"canary-{NOON.year}"
    await store.run(lambda connection: connection.execute(text("DROP TABLE question")))
    with pytest.raises(StoreTrouble) as caught:
        await store.keep_question(asked, NOON.date(), most=9)
    assert asked not in "".join(traceback.format_exception(caught.value))


async def test_a_row_that_is_there_already_is_not_quoted(store: SqlStore) -> None:
    row = {"day": "2026-11-22", "text": f"canary-{NOON.year}"}
    await store.run(lambda connection: connection.execute(insert(QUESTION), row))
    with pytest.raises(StoreTrouble) as caught:
        await store.run(lambda connection: connection.execute(insert(QUESTION), row))
    assert row["text"] not in "".join(traceback.format_exception(caught.value))


async def test_migrations_lead_to_what_a_new_database_has(two_databases: tuple[str, str]) -> None:
    _open_as_first_version(two_databases[0])
    shapes = []
    for url in two_databases:
        store = SqlStore(url)
        shapes.append(await store.run(_shape))
        await store.close()
    assert shapes[0] == shapes[1]
    assert {name for name, *_ in shapes[0]} >= metadata.tables.keys()


@pytest.fixture(params=["sqlite", "postgresql"])
def two_databases(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}", f"sqlite:///{tmp_path / 'new.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.schema(), server.schema()


def _open_as_first_version(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with contextlib.closing(connect(parse(url))) as connection, connection.begin():
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")


def _shape(connection: Connection) -> list[tuple[object, ...]]:
    """Every table with its columns and indices, and the version."""
    looked = inspect(connection)
    tables: list[tuple[object, ...]] = [
        (
            name,
            [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in looked.get_columns(name)
            ],
            looked.get_pk_constraint(name),
            sorted(looked.get_indexes(name), key=lambda index: str(index["name"])),
        )
        for name in sorted(looked.get_table_names())
    ]
    return [*tables, ("version", connection.scalars(text("SELECT version_num FROM alembic_version")).all())]


async def test_a_mark_is_given_once_and_taken_away(store: SqlStore) -> None:
    assert await store.mark("chat", "listen")
    assert not await store.mark("chat", "listen")
    assert await store.mark("chat", "told")
    assert await store.mark("other", "listen")
    assert await store.marks("chat") == {"listen", "told"}
    assert await store.unmark("chat", "listen")
    assert not await store.unmark("chat", "listen")
    assert await store.marks("chat") == {"told"}
    assert await store.marks("other") == {"listen"}


async def test_marks_are_forgotten_with_the_chat(store: SqlStore) -> None:
    for name in ("listen", "told"):
        await store.mark("chat", name)
    await store.mark("other", "listen")
    assert await store.forget("chat") == Forgotten(0, frozenset({"listen", "told"}))
    assert await store.marks("chat") == frozenset()
    assert await store.marks("other") == {"listen"}


async def test_marks_go_along_when_a_chat_gets_another_key(store: SqlStore) -> None:
    for chat, name in (("old", "listen"), ("old", "told"), ("new", "told"), ("other", "listen")):
        await store.mark(chat, name)
    await store.move("old", "new")
    marks = [await store.marks(chat) for chat in ("old", "new", "other")]
    assert marks == [frozenset(), {"listen", "told"}, {"listen"}]


async def test_every_change_of_marks_makes_the_revision_grow(store: SqlStore) -> None:
    """Whoever remembers marks reads them again then."""
    revisions = [store.revision]
    for change in (
        store.mark("chat", "listen"),
        store.move("chat", "new"),
        store.unmark("new", "listen"),
        store.forget("new"),
    ):
        await change
        revisions.append(store.revision)
    assert len(set(revisions)) == 5


async def test_marks_survive_a_restart(database: str) -> None:
    first = SqlStore(database)
    await first.mark("chat", "listen")
    await first.close()
    second = SqlStore(database)
    assert await second.marks("chat") == {"listen"}
    await second.close()


async def test_thumbs_are_added_up_per_entry_and_day(store: SqlStore) -> None:
    today, yesterday = NOON.date(), NOON.date() - timedelta(days=1)
    for day, tally in (
        (yesterday, Tally("m-one", up=1)),
        (today, Tally("m-one", up=1)),
        (today, Tally("m-one", up=-1, down=1)),
        (today, Tally("f-two", up=1)),
        (today, Tally("f-three", up=2)),
    ):
        await store.count_votes(day, tally)
    assert await store.votes(today) == [Tally("m-one", 0, 1), Tally("f-three", 2), Tally("f-two", 1)]
    assert await store.votes(yesterday) == [Tally("m-one", 1, 1), Tally("f-three", 2), Tally("f-two", 1)]


async def test_thumbs_at_the_same_moment_all_count(store: SqlStore) -> None:
    await asyncio.gather(*(store.count_votes(NOON.date(), Tally("m-one", up=1)) for _ in range(50)))
    assert await store.votes(NOON.date()) == [Tally("m-one", up=50)]
