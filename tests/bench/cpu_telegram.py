"""CPU time per answer, memory and start of the real program, against a bare bot on the stock library.

    python tests/bench/cpu_telegram.py RIG [--port 8295] [--answers 400] [--rounds 3]

RIG is a folder with the rig's `server.py` and `client.py`. Both bots get the same
updates at the same pace from the same server; the bare one answers each with
a fixed text as long as ours. The bots take turns, so that the machine's load
falls on both. Exit code 1 if a goal is missed.
"""

import argparse
import compileall
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOKEN = "123456789:" + "A" * 35
PACE = 20
"""Updates a second: under the limit of 25 answers a second, so that nothing waits."""

CPU_GOAL, MEMORY_GOAL_MB, START_GOAL = 0.6, 40.0, 2.5

BARE = """
import os
from telegram.ext import Application, MessageHandler, filters
async def answer(update, context):
    await update.effective_message.reply_text(os.environ["ANSWER"])
build = Application.builder().token(os.environ["TELEGRAM_TOKEN"])
app = build.base_url(os.environ["TELEGRAM_API_URL"] + "/bot").concurrent_updates(True).build()
app.add_handler(MessageHandler(filters.TEXT, answer))
app.run_polling()
"""


class Bench:
    """One server, and a bot at a time."""

    def __init__(self, client: Any, base: str, folder: str) -> None:
        self.client, self.base, self.folder = client, base, folder
        self.rig = client.RigClient(base)

    def start(self, which: str, answer: str) -> Any:
        """A started bot process."""
        environment = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.base,
            "CONTENT_PATH": str(ROOT / "content.yaml"),
            "DATABASE_URL": f"sqlite:///{self.folder}/bench-{time.time_ns()}.db",
            "PYTHONPATH": str(ROOT),
            "ANSWER": answer,
        }
        command = ["-m", "bots", "run"] if which.startswith("ours") else ["-c", BARE]
        if which == "ours over httpx":
            environment["TELEGRAM_TRANSPORT"] = "httpx"
        return self.client.BotProcess([sys.executable, *command], env=environment, cwd=self.folder).start()

    def round(self, which: str, text: str, answer: str, count: int) -> dict[str, float]:
        """Figures of one bot on `count` messages `text`, after a warm-up."""
        self.rig.reset()
        since = self.rig.mark()
        user = self.rig.add_user(first_name="First")["id"]
        self.rig.say(user=user, text=text)
        began = time.time()
        bot = self.start(which, answer)
        try:
            first = self.rig.wait(method="sendMessage", since=since, timeout=30)["calls"][0]
            start, start_cpu = first["done"] - began, bot.cpu()
            self._ask(text, 100)
            time.sleep(1)
            cpu, since = bot.cpu(), self.rig.mark()
            self._ask(text, count)
            self.rig.wait(method="sendMessage", since=since, count=count, timeout=60)
            answered = self.rig.count(method="sendMessage", since=since)
            used = bot.cpu() - cpu
            return {
                "cpu_ms": used / answered * 1000,
                "rss_mb": bot.rss_mb(),
                "start_s": start,
                "start_cpu_s": start_cpu,
                "n": answered,
            }
        finally:
            bot.stop()

    def _ask(self, text: str, count: int) -> None:
        """`count` messages of different people, ten at a time."""
        people = [self.rig.add_user(first_name="P")["id"] for _ in range(min(count, 100))]
        begin = time.time()
        for number in range(count):
            if number % 10 == 0:
                time.sleep(max(0.0, begin + number / PACE - time.time()))
            self.rig.say(user=people[number % len(people)], text=text)

    def length(self, text: str) -> str:
        """A text as long as our answer."""
        self.rig.declare_bot(token=TOKEN)
        since = self.rig.mark()
        for _ in range(10):
            self.rig.say(user=self.rig.add_user(first_name="P")["id"], text=text)
        bot = self.start("ours", "")
        calls = self.rig.wait(method="sendMessage", since=since, count=10, timeout=30)["calls"]
        bot.stop()
        lengths = [len(self.client.shown(call)) for call in calls]
        return ("a b" * 2000)[: round(statistics.mean(lengths))]


def main() -> int:
    """Print the figures; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rig", type=Path)
    parser.add_argument("--port", type=int, default=8295)
    parser.add_argument("--answers", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--httpx", action="store_true", help="measure the stock transport as well")
    chosen = parser.parse_args()
    sys.path.insert(0, str(chosen.rig))
    client = importlib.import_module("client")
    # As after any first start, unless PYTHONDONTWRITEBYTECODE is set; the libraries always are.
    for package in ("bots", "core"):
        compileall.compile_dir(ROOT / package, quiet=1)
    command = [sys.executable, "server.py", "--port", str(chosen.port)]
    server = subprocess.Popen(command, cwd=chosen.rig, stdout=subprocess.DEVNULL)  # noqa: S603 - our own rig
    met = True
    try:
        time.sleep(3)
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(client, f"http://127.0.0.1:{chosen.port}", folder)
            for text in ("/myth", "/myth addictive"):
                met = _compare(bench, text, chosen.answers, chosen.rounds, httpx=chosen.httpx) and met
    finally:
        server.terminate()
        server.wait()
    return 0 if met else 1


def _compare(bench: Bench, text: str, answers: int, rounds: int, *, httpx: bool) -> bool:
    answer = bench.length(text)
    kinds = ["bare", "ours"] + (["ours over httpx"] if httpx else [])
    got: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            got[kind].append(bench.round(kind, text, answer, answers))
    middle = {
        kind: {key: round(statistics.median(row[key] for row in rows), 2) for key in rows[0]}
        for kind, rows in got.items()
    }
    for kind, row in middle.items():
        print(json.dumps({"text": text, "characters": len(answer), "bot": kind, **row}))
    bare, ours = middle["bare"], middle["ours"]
    cpu, memory = ours["cpu_ms"] / bare["cpu_ms"], ours["rss_mb"] - bare["rss_mb"]
    start = ours["start_s"] / bare["start_s"]
    work = ours["start_cpu_s"] / bare["start_cpu_s"]
    print(f"  cpu {cpu:.2f} of bare, memory {memory:+.1f} MB", end=", ")
    print(f"start {start:.2f} times bare ({work:.2f} in CPU time)", flush=True)
    return cpu <= CPU_GOAL and memory <= MEMORY_GOAL_MB and start <= START_GOAL


if __name__ == "__main__":
    sys.exit(main())
