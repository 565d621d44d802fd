"""What an operator reads when PostgreSQL can't be used, and that no password is in it."""

import socket
from pathlib import Path

import pytest

from core.errors import StoreAway, StoreError
from core.sqlstore import SqlStore
from tests.postgres import Server, named

LOGIN = "refuses the login; check user and password in DATABASE_URL"


@pytest.mark.parametrize(
    ("user", "line"),
    [
        ("guest:SECRET", LOGIN),
        ("guest", LOGIN),
        ("stranger:SECRET", LOGIN),
        ("leaver:SECRET", LOGIN),
        ("reader:SECRET", "lets this user make no tables; grant it CREATE on the schema"),
    ],
)
def test_a_user_who_may_not_is_one_line(postgres: Server, user: str, line: str) -> None:
    for role in ("guest LOGIN PASSWORD 'x'", "leaver NOLOGIN", "reader LOGIN"):
        postgres.role(role)
    name = named(postgres.database())
    postgres.run("REVOKE CREATE ON SCHEMA public FROM public", database=name)
    with pytest.raises(StoreError) as caught:
        SqlStore(postgres.url(name, user))
    assert str(caught.value) == f"the database {name} on this machine {line}"
    assert not isinstance(caught.value, StoreAway)


def test_a_database_that_is_not_there_is_one_line(postgres: Server) -> None:
    with pytest.raises(StoreError, match="the database none on this machine is not there; make it"):
        SqlStore(postgres.url("none"))


def test_tables_of_another_program_are_left_alone(postgres: Server) -> None:
    url = postgres.database()
    postgres.run("CREATE TABLE post (theirs text)", database=named(url))
    with pytest.raises(StoreError, match="holds another program's tables; name another place"):
        SqlStore(url)
    assert postgres.run("SELECT * FROM post", database=named(url)) == []


def test_a_schema_that_is_not_there_is_one_line(postgres: Server) -> None:
    with pytest.raises(StoreError, match="has no such schema"):
        SqlStore(f"{postgres.database()}&options=-csearch_path%3Dnone")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("sslmode=loud", "can't be opened so; check what follows ? in DATABASE_URL"),
        ("colour=red", "can't be opened (ProgrammingError); check DATABASE_URL"),
    ],
)
def test_an_option_that_is_none_is_one_line(options: str, line: str) -> None:
    with pytest.raises(StoreError) as caught:
        SqlStore(f"postgres://user:SECRET@127.0.0.1:9/tea?{options}")
    assert str(caught.value) == f"the database tea on 127.0.0.1 {line}"


def test_a_server_that_keeps_nothing_may_do_so_later(postgres: Server) -> None:
    url = postgres.database()
    postgres.run(f"ALTER DATABASE {named(url)} SET default_transaction_read_only = on")
    with pytest.raises(StoreAway, match=f"^the database {named(url)} on this machine takes no changes$"):
        SqlStore(url)


def test_a_server_that_is_too_slow_may_be_faster_later(postgres: Server) -> None:
    """The tables are locked for a moment, by a backup for example."""
    name = named(postgres.database())
    url = f"{postgres.url(name)}&options=-cstatement_timeout%3D200"
    postgres.run("CREATE TABLE alembic_version (version_num varchar(32))", database=name)
    with postgres.session(name) as other:
        other.execute("LOCK TABLE alembic_version")
        with pytest.raises(StoreAway, match=r"can't be opened \(57014\)"):
            SqlStore(url)


def test_a_server_that_can_not_be_reached_may_be_later(tmp_path: Path) -> None:
    with socket.socket() as deaf, socket.socket() as closed:
        for end in (deaf, closed):
            end.bind(("127.0.0.1", 0))
        deaf.listen()
        for address in (
            f"127.0.0.1:{closed.getsockname()[1]}/tea",
            f"127.0.0.1:{deaf.getsockname()[1]}/tea?connect_timeout=2",
            "no-such-host.invalid/tea",
            f"/tea?host={tmp_path}",
        ):
            with pytest.raises(StoreAway, match=r"^the database tea on \S+ ?\S+ can't be reached$") as caught:
                SqlStore(f"postgresql://user:SECRET@{address}")
            assert "SECRET" not in str(caught.value)
