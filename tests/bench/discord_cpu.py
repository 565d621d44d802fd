"""CPU, memory and cold start against a bare discord.py bot that answers with a text of the same length.

    python tests/bench/discord_cpu.py RIG_FOLDER [--command "python -m bots run"] [--n 2000] [--concurrency 8]

Both bots run on the same rig, by turns, so that other load on the machine hits both.
"""

import argparse
import asyncio
import compileall
import json
import os
import shlex
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOKEN = "rig.token.for-the-bench-only"  # noqa: S105 - the rig's own
WORDS = (
    "addictive",
    "bladder",
    "is it legal",
    "horse",
    "memory",
    "sleep",
    "opioids",
    "liver",
    "driving",
    "nasal",
)
ASKS_EACH = 10
"""Questions one person asks: below what the bot slows down."""

BARE = """
import os
import discord
from discord import app_commands

TEXT = "x" * int(os.environ["LENGTH"])


class Bare(discord.Client):
    def __init__(self):
        super().__init__(intents=discord.Intents.default())
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self):
        await self.tree.sync()


bot = Bare()


@bot.tree.command(description="A myth")
async def myth(interaction: discord.Interaction, words: str = ""):
    await interaction.response.send_message(TEXT)


bot.run(os.environ["DISCORD_TOKEN"], log_handler=None)
"""


class Side:
    """One bot on a rig of its own."""

    def __init__(self, server: Any, harness: Any, command: str, extra: dict[str, str]) -> None:
        self.server, self.harness, self.command, self.extra = server, harness, command, extra
        self.count = 0

    async def start(self) -> None:
        self.rig = await self.server.Rig(
            token=TOKEN, ratelimit="headers", log_events=False, keep_requests=1000
        ).start()
        self.bot = self.harness.Bot(shlex.split(self.command), self.rig, extra_env=self.extra, cwd=str(ROOT))
        began = time.monotonic()
        await self.bot.start()
        await self.rig.wait(lambda: any(c["name"] == "myth" for c in self.rig.commands()), 30, "/myth")
        self.length = len((await self.rig.slash(self.rig.alice, "myth", {})).text)
        self.first_seconds, self.first_cpu = time.monotonic() - began, self.bot.cpu()

    async def one(self, options: dict[str, str]) -> None:
        if self.count % ASKS_EACH == 0:
            self.person = self.rig.add_user(f"p{self.count}")
        self.count += 1
        it = await self.rig.slash(self.person, "myth", options, timeout=10)
        if not it.text:
            raise RuntimeError(f"no answer: {it.errors}")
        self.rig.interactions.pop(it.id, None)
        self.rig.by_token.pop(it.token, None)
        self.rig.messages_by_id.pop(it.original, None)
        self.rig.meta.pop(it.original, None)
        self.rig.channel_messages[self.rig.general["id"]].clear()

    async def cpu_ms(self, n: int, concurrency: int, *, keyword: bool) -> float:
        left = iter(range(n))

        async def worker() -> None:
            for number in left:
                await self.one({"words": WORDS[number % len(WORDS)]} if keyword else {})

        before = self.bot.cpu()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        return (self.bot.cpu() - before) / n * 1000

    async def stop(self) -> None:
        await self.bot.stop()
        await self.rig.stop()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--command", default=f"{sys.executable} -m bots run")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    sys.path.insert(0, str(chosen.folder))
    import harness
    import server

    # As after any first start, unless PYTHONDONTWRITEBYTECODE is set; the libraries always are.
    for package in ("bots", "core"):
        compileall.compile_dir(ROOT / package, quiet=1)
    os.environ.pop("TELEGRAM_TOKEN", None)
    folder = Path(tempfile.mkdtemp())
    (folder / "bare.py").write_text(BARE)
    extra = {"DATABASE_URL": f"sqlite:///{folder / 'bench.db'}", "CONTENT_PATH": str(ROOT / "content.yaml")}
    ours = Side(server, harness, chosen.command, extra)
    await ours.start()
    bare = Side(server, harness, f"{sys.executable} {folder / 'bare.py'}", {"LENGTH": str(ours.length)})
    await bare.start()
    for side in (ours, bare):
        await side.cpu_ms(200, chosen.concurrency, keyword=True)
    spent: dict[str, list[float]] = {"bare": [], "keyword": [], "random": []}
    for _ in range(chosen.rounds):
        n, c = chosen.n // chosen.rounds, chosen.concurrency
        spent["bare"].append(await bare.cpu_ms(n, c, keyword=False))
        spent["keyword"].append(await ours.cpu_ms(n, c, keyword=True))
        spent["random"].append(await ours.cpu_ms(n, c, keyword=False))
    cpu = {name: round(statistics.median(values), 3) for name, values in spent.items()}
    print(json.dumps({"text_length": ours.length, "cpu_ms_per_answer": cpu}))
    ratios = {name: round(cpu[name] / cpu["bare"], 2) for name in ("keyword", "random")}
    memory = round(ours.bot.rss_mb() - bare.bot.rss_mb(), 1)
    start = {"ours": round(ours.first_seconds, 2), "bare": round(bare.first_seconds, 2)}
    print(json.dumps({"ratio": ratios, "memory_over_bare_mb": memory, "seconds_to_first_answer": start}))
    work = {"ours": round(ours.first_cpu, 2), "bare": round(bare.first_cpu, 2)}
    print(json.dumps({"cpu_seconds_to_first_answer": work}))
    print(json.dumps({"violations": len(ours.rig.report()["violations"])}))
    await ours.stop()
    await bare.stop()


if __name__ == "__main__":
    asyncio.run(main())
