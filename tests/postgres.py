"""A PostgreSQL server of the tests' own, started from the machine's binaries.

Take the fixture `postgres` (one server for each process that runs tests) and
ask it for an empty database each time:

    def test_something(postgres: Server) -> None:
        url = postgres.database()   # a DATABASE_URL, for this process or another
        cut_off(postgres, url)      # as its shutdown or a firewall does

Scripts use `with serving() as server:` instead. Where the machine has no
PostgreSQL, tests that ask for the fixture are skipped, and the last lines of
the run say so. The server listens on a Unix socket only, keeps nothing safe
(fsync is off), and ends with the process that started it, even a killed one.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

NOTHING = "there is no PostgreSQL on this machine (initdb, postgres), so nothing was tested on it"

ADMIN = "keeper"
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/*/bin")
START_SECONDS = 60.0

HBA = "local all guest scram-sha-256\nlocal all all trust\n"
"""Trusts everybody but the one whose password is asked for."""

OPTIONS = ("fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")

# Whoever holds the other end of its input keeps the server alive.
KEEP = 'folder=$1; shift; "$@" & cat > /dev/null; kill -QUIT $!; wait; rm -rf "$folder"'


class NoPostgres(Exception):
    """The machine has no PostgreSQL to start."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        folder: where its socket is.
        pid: its first process, which ends the others with it.
    """

    folder: Path
    pid: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"test{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def schema(self) -> str:
        """The same, in a hundredth of the time: an empty schema of a database that others use, too."""
        name = f"schema{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}&options=-csearch_path%3D{name}"

    def url(self, database: str, user: str = ADMIN, folder: Path | None = None) -> str:
        """The address of a database, through the server's socket or another one that leads there."""
        return f"postgresql://{user}@/{database}?host={folder or self.folder}"

    def role(self, wanted: str) -> None:
        """Make a role, `name LOGIN PASSWORD 'x'`, unless it is there; `guest` is asked for its password."""
        self.run(f"DO $$ BEGIN CREATE ROLE {wanted}; EXCEPTION WHEN duplicate_object THEN END $$")

    def session(self, database: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """A connection of the server's admin."""
        return psycopg.connect(host=str(self.folder), user=ADMIN, dbname=database, autocommit=autocommit)

    def run(self, statement: str, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the server's admin; returns its rows."""
        with self.session(database, autocommit=True) as session:
            cursor = session.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []


def named(url: str) -> str:
    """The database's name in its address."""
    return urlsplit(url).path.removeprefix("/")


def cut_off(server: Server, url: str) -> None:
    """End every session of a database, as the server's shutdown or a firewall does."""
    sessions = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
    for (session,) in server.run(sessions, named(url)):
        server.run("SELECT pg_terminate_backend(%s, 5000)", session)


@contextmanager
def serving() -> Iterator[Server]:
    """A server, until the end of the block.

    Raises:
        NoPostgres: there is none on this machine.
    """
    initdb, postgres = _binaries()
    # Not where TMPDIR points to: a socket's path has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    another: dict[str, Any] = {}
    if os.geteuid() == 0:
        # It refuses to run as root.
        user = _nobody()
        os.chown(folder, user.pw_uid, user.pw_gid)
        another = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = folder / "data"
    try:
        made = [initdb, "-D", data, "-U", ADMIN, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **another)  # noqa: S603
        (data / "pg_hba.conf").write_text(HBA)
        command = [postgres, "-D", data, "-k", folder, *(f"--{option}" for option in OPTIONS)]
        with (folder / "log").open("wb") as log:
            keeper = subprocess.Popen(  # noqa: S603
                ["/bin/sh", "-c", KEEP, "keep", folder, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,  # Ctrl-C is for the tests
                **another,
            )
        with keeper:
            yield Server(folder, _ready(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ready(folder: Path) -> int:
    """The server's process, once it answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user=ADMIN, dbname="postgres").close()
            return int((folder / "data" / "postmaster.pid").read_text().split()[0])
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.05)


def _binaries() -> tuple[Path, Path]:
    """`initdb` and `postgres` of one version, the newest if there are several."""
    places = PLACES if os.name == "posix" else ()
    folders = [folder for place in places for folder in Path("/").glob(place.removeprefix("/"))]
    folders.sort(key=lambda folder: [int(number) for number in re.findall(r"\d+", str(folder))], reverse=True)
    if on_path := shutil.which("initdb"):
        folders.insert(0, Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder / "initdb", folder / "postgres"
    raise NoPostgres(NOTHING)


def _nobody() -> Any:
    import pwd  # Unix only, as all of this is

    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
