"""Drive the real program through a stand-in for Discord and report what it did wrong.

    python -m tests.bench.discord_rig RIG_FOLDER [--command "python -m bots run"] [--only NAME]

RIG_FOLDER holds the rig's `server.py` and `harness.py`. Exit code 1 if anything failed.
"""

import argparse
import asyncio
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.commands import COMMANDS, Command
from core.phrases import load_phrases
from core.schedule import Plan
from core.sqlstore import SqlStore
from core.store import Subscription
from tests.bench.routes import NEAR, WAYS, WORDS, Way

ROOT = Path(__file__).parents[2]
TOKEN = "rig.token.for-the-bench-only"  # noqa: S105 - the rig's own
OFFERED = [c for c in COMMANDS if c.is_on("discord")]
OPTIONS = {c.name: c.takes for c in OFFERED if WORDS[c.takes] and not c.parts}
MENU = "Check this claim"
QUESTION = "is it addictive"
CALLBACK = "POST /interactions/*"
CREATE = "POST /channels/*/messages"
MANAGE_SERVER = 1 << 5
SOON = 8.0


class Bench:
    """One rig, one bot process, and what went wrong so far."""

    def __init__(self, folder: Path, command: str) -> None:
        sys.path.insert(0, str(folder))
        import harness
        import server

        self.server, self.harness = server, harness
        self.command, self.failed, self.people = command, [], 0
        self.checks = 0
        self.lives: list[list[tuple[float, str]]] = []
        self.database = Path(tempfile.mkdtemp()) / "bench.db"

    async def start(self) -> None:
        self.rig = await self.server.Rig(token=TOKEN, approved=()).start()
        self.thread = self.server._thread(self.rig, self.rig.general, {"name": "thread"}, 11)
        self.post = self.server._thread(self.rig, self.rig.forum, {"name": "post"}, 11)
        self.foreign = self.rig.add_guild("Without the bot", bot=False)
        everyone = self.rig.guild["roles"][0]
        rights = str(int(everyone["permissions"]) | MANAGE_SERVER)
        self.mods = {**everyone, "id": self.rig.snow(), "name": "mods", "permissions": rights}
        self.rig.guild["roles"].append(self.mods)
        await self.boot()
        await self.rig.wait(lambda: len(self.rig.commands()) == len(OFFERED) + len({MENU}), 15, "commands")

    async def boot(self) -> None:
        extra = {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "CONTENT_PATH": str(ROOT / "content.yaml"),
            "LOG_LEVEL": "DEBUG",
        }
        self.bot = await self.harness.Bot(
            shlex.split(self.command), self.rig, extra_env=extra, cwd=str(ROOT)
        ).start()
        self.lives.append(self.bot.lines)

    def person(self) -> dict[str, Any]:
        """Somebody new, who has asked nothing yet."""
        self.people += 1
        return self.rig.add_user(f"person{self.people}")

    def manager(self) -> dict[str, Any]:
        """Somebody new who may manage the server."""
        person = self.person()
        self.rig.guild["_members"][person["id"]]["roles"].append(self.mods["id"])
        return person

    def check(self, is_right: object, what: str) -> None:
        self.checks += 1
        if not is_right:
            self.failed.append(what)
            print(f"  FAILED {what}")

    async def told(self, command: str) -> str:
        """What a command of the program prints beside the bot."""
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{self.database}", "PYTHONPATH": str(ROOT)}
        program = (sys.executable, "-m", "bots", command)
        pipe = asyncio.subprocess.PIPE
        run = await asyncio.create_subprocess_exec(*program, env=environment, cwd=ROOT, stdout=pipe)
        return (await run.communicate())[0].decode()

    def text(self, message: dict[str, Any] | None) -> str:
        return self.server.visible_text(message) if message else ""

    def answers_to(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            m
            for m in self.rig.bot_messages()
            if (m.get("message_reference") or {}).get("message_id") == message["id"]
        ]

    async def settled(self, interaction: Any, seconds: float = SOON) -> None:
        """Until the interaction's answer is on the screen."""

        def shown() -> bool:
            if interaction.type == 3:
                return bool(interaction.followups) or interaction.ack_type in (4, 7)
            return bool(interaction.final and self.text(interaction.response))

        try:
            await self.rig.wait(shown, seconds, "answer")
        except TimeoutError:
            return


PLACES: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "server": lambda b: {},
    "thread": lambda b: {"channel": b.thread},
    "forum post": lambda b: {"channel": b.post},
    "private chat": lambda b: {"context": "bot_dm"},
    "private chat, user install": lambda b: {"context": "bot_dm", "install": "user"},
    "other chat, user install": lambda b: {"context": "private", "install": "user"},
    "server, user install": lambda b: {"install": "user"},
    "server, both installs": lambda b: {"install": "both"},
    "server without the bot": lambda b: {
        "guild": b.foreign,
        "install": "user",
        "channel": next(c for c in b.rig.channels.values() if c.get("guild_id") == b.foreign["id"]),
    },
}


MEMBERS = ("server", "thread", "forum post", "private chat", "server, both installs")
"""Where the bot itself is, and what is of use only there is offered."""


async def commands(b: Bench) -> None:
    """Every command in every place, bare, with all that it takes, and with the private option."""
    sorry = load_phrases().say("error.title")
    for place, where in PLACES.items():
        for command in OFFERED:
            if command.member and place not in MEMBERS:
                continue
            for options in _filled(command):
                # What has to do with settings is hidden from those who don't manage the server.
                person = b.manager() if command.member else b.person()
                it = await b.rig.slash(person, command.name, options, **where(b))
                b.check(it.text and not it.errors, f"/{command.name} {options} in {place}")
                b.check(sorry not in (it.text or sorry), f"/{command.name} {options} in {place}: {it.text}")
                b.check(
                    it.ephemeral or "private" not in options, f"/{command.name} private in {place} was public"
                )


def _filled(command: Command) -> list[dict[str, Any]]:
    """The options to try a command with."""
    words = WORDS[command.takes]
    full: dict[str, Any] = {command.takes: words} if words else {}
    if command.parts:
        full = dict(zip(command.parts, words.split(), strict=False))
    must = command.takes == "question"
    return [full if must else {}, full, {**full, "private": True}]


async def hostile(b: Bench) -> None:
    """Queries that try to ping, to break out, or to be too much."""
    for words in (
        "@everyone @here",
        f"<@{b.rig.bob['id']}> <@&{b.rig.guild['id']}>",
        "**bold** `code` ||spoiler|| [a](http://b.c)",
        "\u202ertl \u200b\u200b z\u0351\u0352\u0353algo",
        "x" * 6000,
        "\n\n# big\n> quote",
        "how many mg should i take",
        "where can i buy it",
        "i want to kill myself",
    ):
        for name, option in OPTIONS.items():
            it = await b.rig.slash(b.person(), name, {option: words})
            b.check(it.text and not it.errors, f"/{name} {words[:20]!r}")
            b.check(it.ephemeral or "kill" not in words, "a crisis card in a server was public")
        if "kill" in words:
            continue
        said = b.rig.say(b.person(), words[:1900], mention_bot=True)
        await b.rig.wait(lambda said=said: b.answers_to(said), SOON, f"answer to {words[:20]!r}")
    card = await b.rig.ask(b.person(), "i want to kill myself", mention_bot=True)
    b.check("988" in b.text(card), "a crisis in a server went without help")
    b.check(not card.get("message_reference"), "a crisis card quotes who is in danger")
    b.check("discord.com/users" in b.text(card), "a crisis card without the way into a private chat")


async def buttons(b: Bench) -> None:
    """Every kind of button, wherever one leads, in a server, a thread, a private chat, another chat."""
    for place in ("server", "thread", "private chat", "other chat, user install"):
        where, seen = PLACES[place](b), set()
        names = ("start", "myth", "fact", "topics")
        shown = [(await b.rig.slash(b.person(), name, {}, **where)).response for name in names]
        pressed = 0
        while shown and pressed < 150:
            message = shown.pop()
            for row in list(message["components"]):
                for button in row["components"]:
                    action = button["custom_id"]
                    if action in seen or message["id"] not in b.rig.messages_by_id:
                        continue
                    seen.add(action)
                    pressed += 1
                    owner = b.rig.meta[message["id"]]["visible_to"]
                    # The same message may have been edited by an earlier press.
                    if not any(
                        action == c.get("custom_id") for r in message["components"] for c in r["components"]
                    ):
                        continue
                    it = await b.rig.click(owner or b.person(), message, custom_id=action)
                    b.check(it.acked and not it.errors, f"button {action} in {place}")
                    if it.response:
                        b.check(b.text(it.response), f"button {action} in {place} showed nothing")
                        shown.append(it.response)
        b.check(pressed > 20, f"only {pressed} buttons in {place}")
        print(f"  {place}: {pressed} buttons")
    for place, where in PLACES.items():
        for name, way in WAYS.items():
            await _take(b, f"[{name}] in {place}", way, place, where(b))


async def _take(b: Bench, claim: str, way: Way, place: str, where: dict[str, Any]) -> None:
    """Go the way to a button; where it doesn't lead, the button must not be offered."""
    if way.unasked or (way.admins and place not in MEMBERS):
        return
    person = b.manager() if way.admins else b.person()
    offered_there = "private chat" in place if way.alone else not (way.menu and "private chat" in place)
    if way.menu:
        shown = await checked(b, where, way.text)
        person = shown.user
    else:
        name, _, words = way.text.removeprefix("/").partition(" ")
        command = next(c for c in OFFERED if c.name == name)
        options = dict(zip(command.parts, words.split(), strict=False)) or {command.takes: words}
        shown = await b.rig.slash(person, name, options if words else {}, **where)
    for step in way.steps:
        message = shown.response
        offered = [c["custom_id"] for row in message["components"] for c in row["components"]]
        fitting = [action for action in offered if action.partition(":")[0] == step]
        if not offered_there:
            b.check(not fitting, f"{claim}: offered")
            return
        if not fitting:
            b.check(False, f"{claim}: {step} isn't offered, but {offered} under {b.text(message)[:200]}")
            return
        shown = await b.rig.click(person, message, custom_id=fitting[0])
        b.check(shown.acked and not shown.errors and b.text(shown.response), claim)


async def forged(b: Bench) -> None:
    """Buttons of other versions, and ones nobody ever made."""
    it = await b.rig.slash(b.person(), "myth", {})
    for action in (
        "",
        "x",
        "show:",
        "show:gone",
        "cat:x:y",
        "cat:basics:99999",
        "next:\u202e",
        "more:" + "é" * 95,
    ):
        message = it.response
        message["components"][0]["components"][0]["custom_id"] = action[:100] or " "
        pressed = await b.rig.click(b.person(), message, custom_id=action[:100] or " ")
        b.check(pressed.acked and not pressed.errors, f"forged {action!r}")


async def autocomplete(b: Bench) -> None:
    """Suggestions for every option, none where a guard fires."""
    for place, where in PLACES.items():
        for name, option in OPTIONS.items():
            for typed in ("", "a", "add", "zzzzzz", "\u202e", "x" * 6000, "**"):
                it = await b.rig.autocomplete(b.person(), name, option, typed, **where(b))
                b.check(
                    it.choices is not None and not it.errors, f"autocomplete /{name} {typed[:9]!r} in {place}"
                )
            for danger in DANGERS:
                it = await b.rig.autocomplete(b.person(), name, option, danger, **where(b))
                b.check(it.choices == [], f"suggestions for {danger!r}, /{name} in {place}")
    it = await b.rig.autocomplete(b.person(), "ask", "question", "add")
    b.check(it.choices, "no suggestion for a common word")


DANGERS = ("i want to kill myself", "how many mg should i take", "where can i buy it online")


async def menus(b: Bench) -> None:
    """A message's menu: for the asker alone, shared on a press, or said in words why not; never in danger."""
    for place, where in PLACES.items():
        kept = place in ("server, user install", "server without the bot")
        it = await checked(b, where(b), QUESTION)
        alone = "private chat" in place
        b.check(it.text and not it.errors, f"{MENU} in {place}")
        b.check(it.ephemeral is not alone, f"{MENU} in {place}: seen by others")
        labels = [c.get("label") for row in it.response["components"] for c in row["components"]]
        b.check(("Share" in labels) is not alone, f"Share in {place}: {labels}")
        if not alone:
            shared = await b.rig.click(it.user, it.response, label="Share")
            said = b.text(shared.response)
            b.check(shared.acked and not shared.errors, f"Share in {place}")
            b.check(shared.ephemeral is kept, f"Share in {place}: {said[:60]}")
            b.check(("keeps my answers private" in said) is kept, f"Share in {place} says {said[:60]}")
        for danger in DANGERS:
            it = await checked(b, where(b), danger)
            actions = [c.get("custom_id", "") for row in it.response["components"] for c in row["components"]]
            b.check(it.text and it.ephemeral is not alone, f"{danger!r} in {place}: seen by others")
            b.check(not any(a.startswith("share") for a in actions), f"{danger!r} in {place}: to be shared")
        for odd in ("", "@everyone @here", "\u202ertl", "x" * 2000, "does it help migraine or fibro"):
            it = await checked(b, where(b), odd)
            b.check(it.text and not it.errors, f"{MENU} on {odd[:9]!r} in {place}")
    it = await checked(b, {}, NEAR)
    actions = [c.get("custom_id", "") for row in it.response["components"] for c in row["components"]]
    pick = next(action for action in actions if action.startswith("check:"))
    picked = await b.rig.click(it.user, it.response, custom_id=pick)
    share = pick.replace("check:", "share:")
    b.check(picked.ack_type == 7 and share in str(it.response), "an entry picked can't be shared")
    it = await checked(b, {}, QUESTION)
    b.rig.deny_bot(b.rig.general, "SEND_MESSAGES")
    shared = await b.rig.click(it.user, it.response, label="Share")
    b.check(
        shared.ephemeral and "may not write" in b.text(shared.response), "Share without the right to write"
    )
    b.rig.deny_bot(b.rig.general)


async def checked(b: Bench, where: dict[str, Any], words: str) -> Any:
    """Somebody says the words there, and somebody else uses that message's menu."""
    given = dict(where)
    asker, context = b.person(), given.pop("context", "guild")
    guild, place = given.pop("guild", None), given.pop("channel", None)
    channel = place or b.rig.general
    if context == "bot_dm":
        channel = b.rig.dm_channel(asker)
    elif context == "private":
        # The rig takes the chats between people that it made itself for the bot's own.
        channel = {"id": b.rig.snow(), "type": 1, "flags": 0, "recipients": [b.rig.bob], "_foreign": True}
        b.rig.channels[channel["id"]] = channel
    said = b.rig.make_message(channel, b.rig.bob if guild is None else asker, {"content": words})
    return await b.rig.context_menu(asker, MENU, said, context=context, **given)


async def messages(b: Bench) -> None:
    """Mentions, replies, private messages; silence for everything else."""
    for channel in (b.rig.general, b.thread, b.post, None):
        for text in (QUESTION, "/myth", "/fact sleep", "/help", ""):
            user = b.person()
            where = channel or b.rig.dm_channel(user)
            said = b.rig.say(user, text, where, mention_bot=channel is not None)
            answer = await b.rig.wait(lambda said=said: b.answers_to(said), SOON, f"answer to {text!r}")
            b.check(b.text(answer[0]) and answer[0]["channel_id"] == where["id"], f"message {text!r}")
    said = b.rig.say(b.person(), QUESTION, mention_bot=True)
    answer = (await b.rig.wait(lambda: b.answers_to(said), SOON))[0]
    reply = b.rig.say(b.person(), "is it safe", reply_to=answer)
    await b.rig.wait(lambda: b.answers_to(reply), SOON, "answer to a reply")
    before = len(b.rig.bot_messages())
    b.rig.say(b.person(), QUESTION)
    b.rig.say(b.person(), "@everyone " + QUESTION)
    b.rig.edit_message(said, "is it legal")
    b.rig.make_message(b.rig.general, {**b.rig.bob, "bot": True}, {"content": f"<@{b.rig.bot['id']}> hi"})
    await asyncio.sleep(0.5)
    b.check(len(b.rig.bot_messages()) == before, "answered what was not meant for it")


FAULTS: dict[str, dict[str, Any]] = {
    "502 before": {"kind": "status", "status": 502},
    "502 after": {"kind": "status_after", "status": 502},
    "503 before": {"kind": "status", "status": 503},
    "dropped before": {"kind": "drop"},
    "dropped after": {"kind": "drop_after"},
    "reset before": {"kind": "reset"},
    "reset after": {"kind": "reset_after"},
    "2 s slow before": {"kind": "delay", "seconds": 2},
    "2 s slow after": {"kind": "delay_after", "seconds": 2},
    "5 s slow before": {"kind": "delay", "seconds": 5},
    "5 s slow after": {"kind": "delay_after", "seconds": 5},
    "429": {"kind": "ratelimit", "retry_after": 1.0},
    "429 everywhere": {"kind": "ratelimit", "retry_after": 0.5, "global_": True},
    "garbage": {"kind": "garbage"},
}


async def faults(b: Bench) -> None:
    """One broken request for a command, a button and a message: one answer each, in time."""
    asked: dict[str, list[dict[str, Any]]] = {name: [] for name in FAULTS}
    for name, fault in FAULTS.items():
        for _ in range(2 if "s slow" not in name else 1):
            start = await b.rig.slash(b.person(), "myth", {})
            b.rig.fault(CALLBACK, **fault)
            it = await b.rig.slash(b.person(), "myth", {"words": QUESTION}, timeout=4)
            await b.settled(it)
            b.check(
                b.text(it.response) and it.latency_ms and it.latency_ms < 3000, f"command under {name}: lost"
            )
            b.check(len(it.followups) == 0, f"command under {name}: doubled")
            for label in ("Another myth", "More"):
                b.rig.fault(CALLBACK, **fault)
                it = await b.rig.click(b.person(), start.response, label=label, timeout=4)
                await b.settled(it)
                shown = len(it.followups) + (it.ack_type == 4)
                b.check(shown == 1, f"button {label} under {name}: {shown} answers")
            b.rig.fault(CREATE, **fault)
            said = b.rig.say(b.person(), QUESTION, b.rig.daily, mention_bot=True)
            asked[name].append(said)
            try:
                await b.rig.wait(lambda said=said: b.answers_to(said), 20, "answer")
            except TimeoutError:
                b.check(False, f"message under {name}: lost")
    await asyncio.sleep(6)
    for name, said_then in asked.items():
        counts = [len(b.answers_to(said)) for said in said_then]
        b.check(max(counts) < 2, f"message under {name}: doubled")
        print(f"  {name}: {len(counts)} asked, {counts.count(0)} lost, {sum(n > 1 for n in counts)} doubled")


async def expired(b: Bench) -> None:
    """What can't be answered any more ends in a log line."""
    b.rig.fault(CALLBACK, "error", status=404, code=10062)
    await b.rig.slash(b.person(), "myth", {}, timeout=1)
    said = b.rig.say(b.person(), QUESTION, mention_bot=True)
    b.rig.delete_message(said)
    b.rig.deny_bot(b.rig.daily, "SEND_MESSAGES")
    b.rig.say(b.person(), QUESTION, b.rig.daily, mention_bot=True)
    await asyncio.sleep(1)
    b.rig.deny_bot(b.rig.daily, "EMBED_LINKS")
    b.rig.say(b.person(), QUESTION, b.rig.daily, mention_bot=True)
    await asyncio.sleep(1)
    b.rig.deny_bot(b.rig.daily, "READ_MESSAGE_HISTORY")
    n = len(b.rig.messages(b.rig.daily, bot_only=True))
    b.rig.say(b.person(), QUESTION, b.rig.daily, mention_bot=True)
    await b.rig.wait(
        lambda: len(b.rig.messages(b.rig.daily, bot_only=True)) > n, SOON, "answer without history"
    )
    b.rig.deny_bot(b.rig.daily)
    closed = b.person()
    b.rig.dm_closed.add(closed["id"])
    b.rig.say(closed, QUESTION, b.rig.dm_channel(closed))
    gone = b.rig.add_channel(name="gone")
    b.rig.say(b.person(), QUESTION, gone, mention_bot=True)
    b.rig.delete_channel(gone)
    left = b.rig.guild_join("Leaving")
    room = next(c for c in b.rig.channels.values() if c.get("guild_id") == left["id"])
    b.rig.say(b.person(), QUESTION, room, mention_bot=True)
    b.rig.guild_leave(left)
    await asyncio.sleep(1)
    await alive(b, "what can't be answered")


async def alive(b: Bench, after: str) -> None:
    it = await b.rig.slash(b.person(), "help", {}, timeout=10)
    b.check(it.text, f"no answer after {after}")


async def gateway(b: Bench) -> None:
    """Lost, refused and repeated connections while people ask: nothing lost, nothing doubled."""
    rig = b.rig
    troubles: dict[str, Callable[[], Any]] = {
        "drop": rig.gw_abort,
        "close 4000": lambda: rig.gw_close(4000),
        "close 1000": lambda: rig.gw_close(1000),
        "op 7": rig.gw_reconnect,
        "op 9 resumable": lambda: rig.gw_invalid(True),
        "op 9": lambda: rig.gw_invalid(False),
        "duplicate READY": rig.gw_duplicate_ready,
        "repeated events": lambda: rig.gw_replay_last(8),
    }
    for name, trouble in troubles.items():
        asked = [rig.say(b.person(), f"{QUESTION} {n}", rig.general, mention_bot=True) for n in range(3)]
        trouble()
        # While a dead session is replaced, Discord itself loses what is said; resumed ones get it.
        resumes = name not in ("op 9",)
        if resumes:
            asked += [
                rig.say(b.person(), f"{QUESTION} {n}", rig.general, mention_bot=True) for n in range(3, 5)
            ]
        await rig.wait(lambda: any(s.ready_sent for s in rig.live()), 20, f"READY after {name}")
        lost = 0
        for said in asked:
            try:
                await rig.wait(lambda said=said: b.answers_to(said), 15, "answer")
            except TimeoutError:
                lost += 1
        await asyncio.sleep(0.3)
        doubled = sum(len(b.answers_to(said)) - 1 for said in asked if b.answers_to(said))
        b.check(not lost, f"{lost} lost after {name}")
        b.check(not doubled, f"{doubled} doubled after {name}")
        await alive(b, name)
        print(f"  {name}: {len(asked)} asked, {lost} lost, {doubled} doubled")
    rig.refuse_gateway = 2
    rig.gw_abort()
    await rig.wait(
        lambda: any(s.ready_sent for s in rig.live()) and not rig.refuse_gateway, 30, "READY again"
    )
    await alive(b, "a refused connection")


async def flood(b: Bench) -> None:
    """Many people at once, and one person who asks without end."""
    before = b.rig.counts["429 global"]
    people = [b.person() for _ in range(120)]
    its = await asyncio.gather(*(b.rig.slash(p, "myth", {"words": QUESTION}, timeout=10) for p in people))
    for it in its:
        await b.settled(it)
    late = [it for it in its if not it.text or not it.latency_ms or it.latency_ms > 3000]
    b.check(not late, f"{len(late)} of {len(its)} late or lost in a flood")
    b.check(b.rig.counts["429 global"] == before, "ran into the global limit")
    one = b.person()
    for _ in range(40):
        it = await b.rig.slash(one, "help", {})
        b.check(it.text, "no answer to somebody who asks without end")
    b.check(it.ephemeral, "asking without end is not slowed down")
    said = [b.rig.say(b.person(), QUESTION, b.rig.general, mention_bot=True) for _ in range(15)]
    for message in said:
        await b.rig.wait(lambda message=message: b.answers_to(message), 60, "answer in a busy channel")


async def restart(b: Bench) -> None:
    """Buttons work and commands stay as they are after a restart; stopping is quick and quiet."""
    it = await b.rig.slash(b.person(), "myth", {})
    claim = await checked(b, {}, QUESTION)
    writes = b.rig.counts["command writes"]
    began = time.monotonic()
    code = await b.bot.stop()
    b.check(code == 0, f"exit code {code}")
    b.check(time.monotonic() - began < 5, "slow to stop")
    await b.boot()
    await asyncio.sleep(1)
    pressed = await b.rig.click(b.person(), it.response, label="Another myth")
    b.check(pressed.text, "a button did not survive the restart")
    shared = await b.rig.click(claim.user, claim.response, label="Share")
    b.check(shared.text and not shared.ephemeral, "Share did not survive the restart")
    b.check(b.rig.counts["command writes"] == writes, "commands were registered again")


async def daily(b: Bench) -> None:
    """One post a day in a channel and in private, across a kill."""
    owner, reader = b.rig.owner, b.person()
    due = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    if due - datetime.now(UTC) < timedelta(seconds=15):
        due += timedelta(minutes=1)
    typed = {"time": f"{due:%H:%M}", "place": "UTC"}
    try:
        await b.rig.slash(reader, "daily", typed)
    except Exception as error:  # noqa: BLE001 - the rig's own class
        b.check("hidden" in str(error), f"members: {error}")
    else:
        b.check(False, "members are offered /daily")
    # In a channel of its own: what other scenarios find and set stays apart.
    room = b.rig.add_channel(name="posts")
    places: tuple[tuple[Any, dict[str, Any]], ...] = (
        (owner, {"channel": room}),
        (reader, {"context": "bot_dm"}),
    )
    for who, where in places:
        it = await b.rig.slash(who, "daily", typed, **where)
        b.check("Next posts" in (it.text or ""), f"/daily {where}: {it.text}")
    before = sum("/stop ends it" in str(m) for m in b.rig.bot_messages())
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1))
    for seconds in (3, 6):
        b.bot.proc.kill()
        await asyncio.sleep(seconds)
        await b.boot()
        await asyncio.sleep(seconds)
    posts = sum("/stop ends it" in str(m) for m in b.rig.bot_messages()) - before
    b.check(posts == 2, f"daily posts: {posts}, not 2")
    print(f"  daily posts {posts}")


PASSING = (
    "429",
    "429 everywhere",
    "502 before",
    "503 before",
    "dropped before",
    "502 after",
    "dropped after",
)
"""Faults after which a post comes all the same, and once."""


async def settings(b: Bench) -> None:
    """Setting up the daily post by options, with suggestions, in a channel, a thread and a private chat."""
    owner = b.rig.owner
    steps: tuple[tuple[dict[str, str], str], ...] = (
        ({}, "No daily post yet"),
        ({"time": "9:00", "place": "UTC+2"}, "stays behind when clocks change"),
        ({"time": "9:00", "place": "CST"}, "Which one do you mean?"),
        ({"time": "9am", "place": "Berlin (DE)"}, "at 09:00 in Berlin"),
        ({"time": "18:30", "days": "weekdays", "kind": "myths"}, "A myth, on weekdays, at 18:30 in Berlin"),
        ({"action": "pause 2 weeks"}, "Daily post is paused"),
        ({"action": "resume"}, "Next posts:"),
        ({"action": "off"}, "Daily post is off"),
        ({"time": "7:00", "action": "resume"}, "One thing at a time"),
        ({"action": "resume"}, "Daily post set"),
    )
    for place in ("server", "private chat"):
        where = PLACES[place](b)
        who = owner if place == "server" else b.person()
        for options, says in steps:
            it = await b.rig.slash(who, "daily", options, **where)
            b.check(says in (it.text or ""), f"/daily {options} in {place}: {it.text}")
        for part, typed, offers in (
            ("time", "9", "9:00"),
            ("place", "berl", "Berlin (DE)"),
            ("days", "w", "weekdays"),
        ):
            it = await b.rig.autocomplete(who, "daily", part, typed, **where)
            offered = [choice["value"] for choice in it.choices or []]
            b.check(offers in offered, f"{part} {typed} offers {offered}")
    it = await b.rig.slash(owner, "daily", {"action": "preview"})
    b.check(it.ephemeral and "/stop ends it" in (it.text or ""), f"preview: {it.text}")
    it = await b.rig.slash(owner, "status")
    b.check(it.ephemeral and "none yet" in (it.text or ""), f"status: {it.text}")
    it = await b.rig.slash(owner, "daily", {"time": "10:00"}, channel=b.thread)
    b.check("used to go elsewhere" in (it.text or ""), f"in a thread: {it.text}")
    b.rig.deny_bot(b.rig.daily, "EMBED_LINKS")
    it = await b.rig.slash(owner, "daily", {"time": "9:00", "place": "Berlin"}, channel=b.rig.daily)
    b.check("I may not post here" in (it.text or ""), f"without rights: {it.text}")
    b.rig.deny_bot(b.rig.daily)
    for where in ({}, {"context": "bot_dm"}):
        it = await b.rig.slash(owner, "stop", **where)
        b.check("off" in (it.text or "") or "no daily post" in (it.text or ""), f"stop: {it.text}")


async def truths(b: Bench) -> None:
    """What becomes of a post that is due where Discord does not take it, and once it does again."""
    rig = b.rig
    # Sound ones in between: several failures in a row are taken for the platform's own.
    new = {name: rig.add_channel(name=f"f{n}") for n, name in enumerate(PASSING)}
    sound = [rig.add_channel(name=f"s{n}") for n in range(4 * len(new))]
    for name, channel in new.items():
        rig.fault(f"/channels/{channel['id']}/messages", **FAULTS[name])
    muted, hidden, gone = (rig.add_channel(name=name) for name in ("muted", "hidden", "gone"))
    locked = rig_thread(b, muted, "locked")
    parent = rig.add_channel(name="parent")
    archived = rig_thread(b, parent, "archived")
    closed = b.person()
    private = rig.dm_channel(closed)
    await b.bot.stop()
    mixed = [channel for bad in new.values() for channel in (bad, *(sound.pop() for _ in range(4)))]
    wanted = [(channel["id"], None) for channel in (*mixed, hidden, gone)]
    wanted += [(parent["id"], archived["id"]), (muted["id"], locked["id"])]
    await _due_now(b, wanted, rig.owner["id"])
    await _due_now(b, [(private["id"], None)], closed["id"], private=True)
    locked["thread_metadata"]["locked"] = archived["thread_metadata"]["archived"] = True
    rig.deny_bot(hidden, "VIEW_CHANNEL")
    rig.delete_channel(gone)
    rig.dm_closed.add(closed["id"])
    posts = lambda channel: sum("/stop ends it" in str(m) for m in rig.messages(channel, bot_only=True))  # noqa: E731
    await b.boot()
    await asyncio.sleep(20)
    for name, channel in new.items():
        b.check(posts(channel) == 1, f"{posts(channel)} posts after {name}")
    b.check(posts(archived) == 1, f"{posts(archived)} posts in an archived thread")
    for name, channel in {"hidden": hidden, "locked": locked, "closed": private}.items():
        b.check(posts(channel) == 0, f"{posts(channel)} posts where {name}")
    lines = await b.told("due")
    stopped = [line.split()[2:] for line in lines.splitlines() if line.startswith("suspended")]
    b.check(sorted(line[0] for line in stopped) == ["blocked", "deleted", "locked", "no_access"], f"{lines}")
    told = [m for m in rig.bot_messages() if "that you set up has stopped" in str(m)]
    b.check(len(told) == 3, f"who set them was told {len(told)} times, not 3")
    b.check(not posts(muted), "spilled from a thread into its channel")
    rig.deny_bot(hidden)
    locked["thread_metadata"]["locked"] = False
    rig.dispatch("THREAD_UPDATE", locked, guild=locked["guild_id"], intents=1)
    await asyncio.sleep(4)
    for name, channel in {"hidden": hidden, "locked": locked}.items():
        b.check(posts(channel) == 1, f"{posts(channel)} posts once no longer {name}")
    rig.dm_closed.discard(closed["id"])
    it = await rig.slash(closed, "daily", {"action": "resume"}, context="bot_dm")
    b.check("in a moment" in (it.text or ""), f"resumed: {it.text}")
    await asyncio.sleep(3)
    b.check(posts(private) == 1, f"{posts(private)} posts once resumed")
    print(f"  {len(stopped)} suspended, {len(told)} told")


def rig_thread(b: Bench, channel: dict[str, Any], name: str) -> dict[str, Any]:
    """A new thread of a channel."""
    thread: dict[str, Any] = b.server._thread(b.rig, channel, {"name": name}, 11)
    return thread


async def _due_now(
    b: Bench, places: list[tuple[str, str | None]], setter: str, *, private: bool = False
) -> None:
    """Have channels' posts, in their threads, due since some minutes ago."""
    store, now = SqlStore(f"sqlite:///{b.database}"), datetime.now(UTC)
    due = now - timedelta(minutes=5)
    plan, done = Plan(due.time().replace(second=0, microsecond=0), "UTC"), due.date() - timedelta(days=1)
    for channel, thread in places:
        wanted = Subscription("discord", channel, plan, thread=thread, private=private, place="UTC")
        await store.subscribe(replace(wanted, set_by=setter, done_day=done), now)
    await store.close()


async def thumbs(b: Bench, entry_id: str) -> tuple[int, int]:
    """How many thumbs down and up an entry has; an earlier scenario may have given some."""
    rows = [line.split() for line in (await b.told("votes")).splitlines()]
    return next(((int(row[0]), int(row[2])) for row in rows if row[-1] == entry_id), (0, 0))


async def feedback(b: Bench) -> None:
    """Thumbs are counted once a person; a question reaches the editors once it was shown, across a kill."""
    asked, person = "quantum *chromo*_dynamics?", b.person()
    earlier = await b.told("questions")
    before = await thumbs(b, "m-very-addictive")
    it = await b.rig.slash(person, "myth", {"words": "addictive"})
    for who, label in ((person, "👍 Helpful"), (person, "👎 Not helpful"), (b.person(), "👍 Helpful")):
        pressed = await b.rig.click(who, it.response, label=label)
        b.check("Counted" in (pressed.text or "") and pressed.ephemeral, f"{label}: {pressed.text}")
    after = await thumbs(b, "m-very-addictive")
    b.check(after == (before[0] + 1, before[1] + 1), f"votes: {before} {after}")
    loud = await b.rig.slash(b.person(), "ask", {"question": asked})
    b.check("ditors" not in str(loud.response), "editors are offered where others read")
    by_slash = (await b.rig.slash(person, "ask", {"question": asked}, context="bot_dm")).response
    by_message = await b.rig.dm(person, f"{asked} {asked}")
    for number, message in enumerate((by_slash, by_message), 1):
        preview = await b.rig.click(person, message, label="Send this question to the editors")
        b.check(asked in b.text(preview.response).replace("\\", ""), f"preview: {b.text(preview.response)}")
        told = await b.told("questions")
        b.check(told.count(asked) == number - 1, f"stored before it was sent: {told}")
        if number == 1:
            b.bot.proc.kill()
            await b.boot()
            await asyncio.sleep(1)
        done = await b.rig.click(person, preview.response, label="Send it")
        b.check("Sent to the editors" in b.text(done.response), f"sent: {b.text(done.response)}")
    kept = (await b.told("questions")).removeprefix(earlier)
    told = [line.partition("  ")[2] for line in kept.splitlines()]
    b.check(told == [asked, f"{asked} {asked}"], f"not word for word: {told}")


SCENARIOS: tuple[Callable[[Bench], Awaitable[None]], ...] = (
    daily,
    settings,
    truths,
    commands,
    hostile,
    buttons,
    forged,
    autocomplete,
    menus,
    messages,
    faults,
    expired,
    gateway,
    flood,
    restart,
    feedback,
)


def verdict(b: Bench) -> None:
    report = b.rig.report()
    for key in ("violations", "rig_errors", "unimplemented", "everyone_if_permitted", "role_pings", "notes"):
        b.check(not report[key], f"{key}: {str(report[key])[:800]}")
    pings = [
        m
        for m, meta in b.rig.meta.items()
        if meta["pings"]["users"] and b.rig.messages_by_id[m]["author"] is b.rig.bot
    ]
    b.check(not pings, f"{len(pings)} messages pinged somebody")
    log = "\n".join(line for life in b.lives for _, line in life)
    # discord.py itself calls a connection that was refused an error.
    errors = [line for line in log.splitlines() if " ERROR " in line and " ERROR discord." not in line]
    b.check(not errors, f"{len(errors)} errors in the log: {errors[:3]}")
    b.check(TOKEN not in log, "the token is in the log")
    b.check(QUESTION not in log, "what people wrote is in the log")
    b.check("Traceback" not in log, "an exception is in the log:\n" + b.bot.tail())
    print({k: report[k] for k in ("requests", "interactions", "rate_limited", "invalid_requests", "resumes")})


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--command", default=f"{sys.executable} -m bots run")
    parser.add_argument("--only", nargs="*", default=[])
    chosen = parser.parse_args()
    os.environ.pop("TELEGRAM_TOKEN", None)
    b = Bench(chosen.folder, chosen.command)
    await b.start()
    try:
        for scenario in SCENARIOS:
            if not chosen.only or scenario.__name__ in chosen.only:
                print(scenario.__name__)
                try:
                    await scenario(b)
                except Exception as error:  # noqa: BLE001 - the next scenario may still tell something
                    b.check(False, f"{scenario.__name__}: {type(error).__name__}: {error}")
        verdict(b)
    finally:
        await b.bot.stop()
        if b.failed:
            print(b.bot.tail())
        await b.rig.stop()
    print(f"{b.checks} checks, {len(b.failed)} failed")
    return 1 if b.failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
