"""Thousands of daily posts due in one minute on a simulated Telegram, while people ask.

    python -m tests.bench.daily_load RIG [--chats 3000] [--port 8491]

RIG is a folder with the rig's `server.py` and `client.py`. The real program
posts in real time; the exit code is 1 if a post was lost or came twice, if the
rig refused anything, or if answers or memory went over the limits below.
"""

import argparse
import asyncio
import importlib
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from core.database import ms
from core.sqldaily import SUBSCRIPTION
from core.sqlstore import SqlStore

ROOT = Path(__file__).parents[2]
TOKEN = "123456789:" + "A" * 35
LATE_SECONDS = 2.0
GROWTH_MB = 60.0
WARM_UP = 60
"""Commands asked before memory counts as idle: an answer of each kind was given by then."""

ASK_EVERY = 0.4
"""Seconds between questions, each by somebody new."""

QUESTIONS = ("/myth", "/fact", "/myth addictive", "/ask is it safe", "/topics", "/help")


def subscribe(database: str, chats: Sequence[int], due: datetime) -> None:
    """Have every chat want its post at that minute."""

    async def write() -> None:
        store = SqlStore(database)
        for first in range(0, len(chats), 1000):
            rows = [_row(chat, due) for chat in chats[first : first + 1000]]
            await store.run(partial(_insert, rows))
        await store.close()

    asyncio.run(write())


def _insert(rows: list[dict[str, object]], connection: Connection) -> None:
    connection.execute(insert(SUBSCRIPTION), rows)


def _row(chat: int, due: datetime) -> dict[str, object]:
    return {
        "platform": "telegram",
        "chat_key": str(chat),
        "private": False,
        "minute": due.hour * 60 + due.minute,
        "zone": "UTC",
        "days": 127,
        "place": "UTC",
        "kind": "both",
        "set_by": "",
        "standing": "active",
        "reason": "",
        "done_day": (due.date() - timedelta(days=1)).isoformat(),
        "round": 1,
        "next_due_ms": ms(due),
        "changed_ms": ms(due),
    }


class People:
    """Ask, and note how long each answer took."""

    def __init__(self, rig: Any) -> None:
        self._rig, self._stop = rig, threading.Event()
        self.seconds: list[float] = []
        self.unanswered = 0

    def ask(self, number: int) -> None:
        """One question by somebody new."""
        person = int(self._rig.add_user(first_name=f"P{number}")["id"])
        begin = time.monotonic()
        if self._rig.ask(QUESTIONS[number % len(QUESTIONS)], user=person, timeout=20):
            self.seconds.append(time.monotonic() - begin)
        else:
            self.unanswered += 1

    def ask_on(self) -> threading.Thread:
        """Ask until `stop`, every question in its own time."""

        def go() -> None:
            number, asking = 1000, []
            while not self._stop.wait(ASK_EVERY):
                number += 1
                asking.append(threading.Thread(target=self.ask, args=(number,)))
                asking[-1].start()
            for thread in asking:
                thread.join()

        thread = threading.Thread(target=go)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()


def run(client: Any, chosen: argparse.Namespace, folder: str) -> bool:
    """Print the figures; whether they are within the limits."""
    rig = client.RigClient(f"http://127.0.0.1:{chosen.port}")
    for _ in range(300):
        with suppress(OSError):
            rig.stats()
            break
        time.sleep(0.1)
    rig.declare_bot(token=TOKEN, username="the_rig_bot")
    chats = [int(rig.add_chat(type="supergroup", title=str(n))["id"]) for n in range(chosen.chats)]
    database = f"sqlite:///{folder}/load.db"
    due = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    subscribe(database, chats, due)
    settings = {
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_API_URL": f"http://127.0.0.1:{chosen.port}",
        "CONTENT_PATH": str(ROOT / "content.yaml"),
        "DATABASE_URL": database,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "bots", "run"]
    with client.BotProcess(command, env=settings, cwd=folder, log=f"{folder}/log") as bot:
        rig.wait_ready()
        warm = People(rig)
        for number in range(WARM_UP):
            warm.ask(number)
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 3))
        idle, since = bot.rss_mb(), rig.mark()
        people = People(rig)
        asking = people.ask_on()
        peak, cpu = idle, bot.cpu()
        end = time.monotonic() + 30 + 2 * chosen.chats / 25
        wanted = {str(chat) for chat in chats}
        while time.monotonic() < end:
            time.sleep(1)
            peak = max(peak, bot.rss_mb())
            if rig.count(methods=["sendMessage"], text_re="/stop ends it", since=since) >= len(chats):
                break
        time.sleep(3)
        people.stop()
        asking.join()
        cpu = bot.cpu() - cpu
        calls = rig.calls(methods=["sendMessage"], since=since)
    posts = [c for c in calls if str(c["params"]["chat_id"]) in wanted and c["status"] == 200]
    each = Counter(str(call["params"]["chat_id"]) for call in posts)
    took = max(c["ts"] for c in posts) - min(c["ts"] for c in posts)
    refused = [call for call in calls if call["status"] != 200]
    twice, lost = sum(1 for n in each.values() if n > 1), len(wanted) - len(each)
    late = sorted(people.seconds)
    p50, p95 = late[len(late) // 2], late[int(0.95 * len(late))]
    print(
        f"{len(posts)} posts in {took:.0f} s, {len(posts) / took:.1f}/s; lost {lost}, twice {twice}, refused "
        f"{len(refused)} (429: {sum(c['status'] == 429 for c in refused)}); {len(late)} commands answered "
        f"meanwhile, p50 {p50:.2f} s, p95 {p95:.2f} s, longest {late[-1]:.2f} s, unanswered "
        f"{people.unanswered}; memory {idle:.0f} MB idle, at most {peak - idle:+.0f} MB above; "
        f"{cpu:.0f} s of CPU"
    )
    bad = rig.violations(severity=["reject", "tolerated"])
    print(f"{len(bad)} faulty requests", *bad[:3])
    in_limits = p95 < LATE_SECONDS and peak - idle <= GROWTH_MB and not people.unanswered
    return in_limits and not (lost or twice or refused or bad)


def main() -> int:
    """Start the rig, and the program against it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rig", type=Path)
    parser.add_argument("--chats", type=int, default=3000)
    parser.add_argument("--port", type=int, default=8491)
    chosen = parser.parse_args()
    sys.path.insert(0, str(chosen.rig))
    client = importlib.import_module("client")
    command = [sys.executable, "server.py", "--port", str(chosen.port), "--flood", "enforce"]
    server = subprocess.Popen(command, cwd=chosen.rig, stdout=subprocess.DEVNULL)  # noqa: S603 - our own rig
    try:
        with tempfile.TemporaryDirectory() as folder:
            return 0 if run(client, chosen, folder) else 1
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
