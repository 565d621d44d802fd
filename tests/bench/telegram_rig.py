"""Runs the real program against a simulated Telegram, and tells what went wrong.

    python -m tests.bench.telegram_rig RIG [--port N] [--only NAME]

RIG is a folder with the rig's `server.py` and `client.py`. Every check prints a
line; the exit code is 1 if one failed, or if the rig saw a faulty request.
"""

import argparse
import asyncio
import importlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.database import Use
from core.phrases import load_phrases
from core.schedule import Plan
from core.sqlstore import SqlStore
from core.store import Subscription
from tests.bench.routes import WAYS, Way, typed

ROOT = Path(__file__).parents[2]
TOKEN = "123456789:" + "A" * 35
SENT = ["sendMessage"]
INVENTED = "result.can_send_reactions"
"""A right that the rig itself tells of administrators, and that the Bot API (10.1) doesn't have."""


class Checks:
    """The rig, the program under test, and what was found."""

    def __init__(self, client: Any, base: str) -> None:
        self.client, self.base = client, base
        self.rig = client.RigClient(base)
        self.failed: list[str] = []
        self.count = 0
        self.people = 0

    def that(self, claim: str, holds: object, detail: object = "") -> None:
        """Note one result."""
        self.count += 1
        if not holds:
            self.failed.append(claim)
        print(f"{'ok  ' if holds else 'FAIL'} {claim} {detail if not holds else ''}".rstrip(), flush=True)

    def person(self) -> int:
        """Somebody new, so that no limit of an earlier check applies."""
        self.people += 1
        return int(self.rig.add_user(first_name=f"P{self.people}")["id"])

    @contextmanager
    def bot(self, *, errors: int = 0, **environment: str) -> Iterator[Any]:
        """The real program, until the end of the block; its log may hold so many errors."""
        with tempfile.TemporaryDirectory() as folder:
            settings = {
                "TELEGRAM_TOKEN": TOKEN,
                "TELEGRAM_API_URL": self.base,
                "CONTENT_PATH": str(ROOT / "content.yaml"),
                "DATABASE_URL": f"sqlite:///{folder}/rig.db",
                "LOG_LEVEL": "DEBUG",
                "PYTHONPATH": str(ROOT),
                **environment,
            }
            process = self.client.BotProcess([sys.executable, "-m", "bots", "run"], env=settings, cwd=folder)
            with process:
                yield process
                leaked = process.leaks(TOKEN, TOKEN.partition(":")[2])
                self.that("no token in the log", not leaked, leaked[:1])
                lines = process.log().splitlines()
                found = [line for line in lines if " ERROR " in line or "Traceback" in line]
                self.that(f"{errors or 'no'} errors in the log", len(found) == errors, found[:3])
                noise = [line for line in lines if "error=" in line]
                print("     log:", *(noise[-3:] or ["no trouble"]), sep="\n       ")

    def answers(self, text: str, claim: str, **where: Any) -> dict[str, Any] | None:
        """Say something and expect one answer."""
        call = self.rig.ask(text, **where)
        self.that(claim, call is not None and call["status"] == 200)
        return call if call and call["status"] == 200 else None

    def quiet(self, text: str, claim: str, **where: Any) -> None:
        """Say something and expect nothing."""
        self.that(claim, self.rig.silence(text, seconds=0.7, **where))

    def posts(self, chat: int) -> int:
        """How many daily posts reached the chat."""
        calls = self.rig.calls(methods=SENT, chat_id=chat, text_re="/stop ends it")
        return sum(1 for call in calls if call["result"])

    def taken(self, chat: int, since: int) -> int:
        """How many messages reached the chat."""
        return sum(1 for call in self.rig.calls(methods=SENT, chat_id=chat, since=since) if call["result"])


def commands(checks: Checks) -> None:
    """Every command, in every kind of chat."""
    rig, sorry = checks.rig, load_phrases().say("error.title")
    with checks.bot():
        rig.wait_ready()
        for kind, open_place in PLACES.items():
            # Twenty messages a minute is all that a group may get.
            for texts in (typed()[:12], typed()[12:]):
                place = open_place(checks)
                for text in texts:
                    call = place.ask(text)
                    shown = checks.client.shown(call) if call and call["status"] == 200 else ""
                    checks.that(f"{kind}: {text}", shown and sorry not in shown, shown[:80])
                    if call:
                        topic = call["params"].get("message_thread_id")
                        checks.that(f"{kind}: {text} in its topic", str(topic) == str(place.topic), topic)
        channel = rig.add_chat(type="channel", title="channel", bot="administrator")["id"]
        since = rig.mark()
        rig.channel_post(chat=channel, text="good morning")
        time.sleep(0.5)
        checks.that("channel: talk is left alone", not rig.count(methods=SENT, chat_id=channel, since=since))
        _menu(checks)


class Place:
    """A new chat of some kind, and somebody in it."""

    def __init__(self, checks: Checks, kind: str, standing: str = "", **how: Any) -> None:
        self._rig = checks.rig
        self.user = checks.person()
        self.topic: int | None = None
        self._how = how
        forum = kind.startswith("forum")
        self.chat: int = self.user
        if kind == "channel":
            self.chat = self._rig.add_chat(type="channel", title=kind, bot="administrator")["id"]
        elif kind != "private":
            made = "supergroup" if forum else kind
            self.chat = self._rig.add_chat(type=made, title=kind, is_forum=forum)["id"]
        if kind == "forum topic":
            self.topic = self._how["thread_id"] = self._rig.create_topic(chat=self.chat, name="T")[
                "message_thread_id"
            ]
        if standing:
            self._rig.set_member(chat=self.chat, user=self.user, status=standing)
        self.is_channel = kind == "channel"
        self.is_admins = bool(standing) or "anonymous" in how or kind in ("private", "channel")

    def ask(self, text: str) -> dict[str, Any] | None:
        """Say it; the answer, if one came."""
        if not self.is_channel:
            answer: dict[str, Any] | None = self._rig.ask(
                text, user=self.user, chat=self.chat, timeout=8, **self._how
            )
            return answer
        since = self._rig.mark()
        self._rig.channel_post(chat=self.chat, text=text)
        calls = self._rig.wait(methods=SENT, chat_id=self.chat, since=since, timeout=8)["calls"]
        return calls[0] if calls else None


PLACES: dict[str, Callable[[Checks], Place]] = {
    "private": lambda c: Place(c, "private"),
    "group": lambda c: Place(c, "group"),
    "group, as an admin": lambda c: Place(c, "group", "administrator"),
    "supergroup": lambda c: Place(c, "supergroup"),
    "supergroup, as an admin": lambda c: Place(c, "supergroup", "administrator"),
    "supergroup, as an anonymous admin": lambda c: Place(c, "supergroup", anonymous=True),
    "forum, general topic": lambda c: Place(c, "forum"),
    "forum topic": lambda c: Place(c, "forum topic"),
    "forum topic, as an admin": lambda c: Place(c, "forum topic", "administrator"),
    "channel": lambda c: Place(c, "channel"),
}


def _menu(checks: Checks) -> None:
    time.sleep(1.5)
    stored = checks.rig.commands()
    checks.that("menus by scope", len(stored) >= 3, stored)
    card = checks.rig.card()
    checks.that("descriptions", "with sources" in str(card), card)


def addressing(checks: Checks) -> None:
    """Who is meant, and who isn't."""
    rig = checks.rig
    rig.declare_bot(token=TOKEN, username="the_rig_bot")
    with checks.bot():
        rig.wait_ready()
        rig.set_privacy(on=False)
        group = rig.add_chat(type="supergroup", title="G")["id"]
        where = {"chat": group, "user": checks.person()}
        checks.answers("/myth@the_rig_bot", "command to this bot", **where)
        checks.quiet("/myth@other_bot", "command to another bot", **where)
        checks.quiet("is it addictive?", "talk among people", **where)
        checks.quiet("/weather", "another bot's command", **where)
        checks.answers("@the_rig_bot is it addictive?", "mention", **where)
        last = rig.last_bot_message(group)
        checks.answers("is it safe?", "reply to the bot", reply_to=last["message_id"], **where)
        checks.quiet("/myth", "sent via this bot", via_bot=123456789, **where)
        checks.answers("/forget", "anonymous admin", chat=group, user=checks.person(), anonymous=True)
        refused = rig.ask("/forget", chat=group, user=checks.person())
        checks.that("members can't delete", refused and "admins" in checks.client.shown(refused))
        channel = rig.add_chat(type="channel", title="C", bot="administrator")["id"]
        checks.answers("/myth", "speaking as a channel", chat=group, user=checks.person(), as_channel=channel)
        since = rig.mark()
        rig.channel_post(chat=channel, text="/myth", auto_forward_to=group)
        rig.wait(methods=SENT, chat_id=channel, since=since)
        time.sleep(0.7)
        checks.that(
            "a post and its copy in the group get one answer", rig.count(methods=SENT, since=since) == 1
        )
        _captions_and_edits(checks)
        _topics(checks)


def _captions_and_edits(checks: Checks) -> None:
    rig, user = checks.rig, checks.person()
    size = {"file_id": "x", "file_unique_id": "y", "width": 1, "height": 1}
    entity = {"type": "bot_command", "offset": 0, "length": 5}
    picture = {"photo": [size], "caption": "/myth addictive", "caption_entities": [entity]}
    checks.answers("", "caption of a picture", user=user, extra=picture)
    said = rig.say(user=user, text="/myth")
    rig.wait_idle()
    since = rig.mark()
    for text in ("/myth addictive", "/fact"):
        rig.edit(chat=user, message_id=said["message"]["message_id"], text=text, user=user)
    time.sleep(0.7)
    checks.that(
        "an answered message is not answered again when edited", not rig.count(methods=SENT, since=since)
    )
    checks.quiet("/myth", "older than ten minutes", user=checks.person(), date=time.time() - 700)
    checks.answers(
        "I want to kill myself", "crisis, however old", user=checks.person(), date=time.time() - 700
    )
    since = rig.mark()
    rig.fault(preset="duplicate")
    rig.say(user=checks.person(), text="/myth")
    time.sleep(1)
    checks.that("an update that comes twice is answered once", rig.count(methods=SENT, since=since) == 1)
    rig.clear_faults()
    for odd in (
        "\u202e/myth",
        "/ask " + "a\u0301" * 4000,
        "/ask \u200b\u200b",
        "/ask <b>&amp;*_[x](y)",
        "/ask 💊" * 50,
    ):
        checks.answers(odd, f"odd text {odd[:8]!a}", user=checks.person())


def _topics(checks: Checks) -> None:
    rig, user = checks.rig, checks.person()
    forum = rig.add_chat(type="supergroup", title="F", is_forum=True)["id"]
    topic = rig.create_topic(chat=forum, name="T")["message_thread_id"]
    rig.close_topic(chat=forum, thread_id=topic)
    since = rig.mark()
    rig.say(chat=forum, user=user, thread_id=topic, text="/myth")
    rig.wait(methods=SENT, since=since)
    time.sleep(0.7)
    checks.that("closed topic: tried once, quietly", rig.count(methods=SENT, since=since) == 1)
    checks.answers("/myth", "the rest of the forum goes on", chat=forum, user=checks.person())


def buttons(checks: Checks) -> None:
    """Every button in every kind of chat; all that come of a command, two deep; forged and old ones."""
    rig = checks.rig
    seen: set[str] = set()
    with checks.bot():
        rig.wait_ready()
        for kind, open_place in PLACES.items():
            for name, way in WAYS.items():
                _take(checks, f"{kind}: [{name}]", way, open_place(checks))
        for text in typed():
            first = checks.client.buttons(rig.ask(text, user=checks.person()) or {})
            for data in [button["callback_data"] for button in first]:
                if data.partition(":")[0] not in seen:
                    seen.add(data.partition(":")[0])
                    _walk(checks, text, data)
        _odd_presses(checks)
        rig.wait_idle(quiet=1.0)
        checks.that("every press was answered", not any(rig.unanswered().values()), rig.unanswered())


def _take(checks: Checks, claim: str, way: Way, place: Place) -> None:
    """Go the way to a button in a new chat; where it doesn't lead, the button must not be offered."""
    rig = checks.rig
    # What nobody asked for has a scenario of its own.
    if way.menu or way.unasked or (way.admins and not place.is_admins):
        return
    place.ask(way.text)
    for step in way.steps:
        message = rig.last_bot_message(place.chat, with_buttons=True) or {}
        offered = [button["callback_data"] for button in checks.client.buttons(message)]
        fitting = [data for data in offered if data.partition(":")[0] == step]
        if way.alone and place.chat < 0:
            checks.that(f"{claim} isn't offered", not fitting, offered)
            return
        checks.that(f"{claim} is offered", fitting, offered)
        if not fitting:
            return
        since = rig.mark()
        pressed = rig.press_last(place.chat, user=place.user, data=fitting[0])
        told = (pressed["record"]["answer"] or {}).get("text")
        if not told:
            got = rig.wait(methods=[*SENT, "editMessageText"], chat_id=place.chat, since=since, timeout=8)
            told = got["complete"] and got["calls"][0]["status"] == 200
        checks.that(claim, pressed["record"]["answered"] and told)


def _walk(checks: Checks, text: str, data: str) -> None:
    """Press a button of the answer to `text`, then each button that comes of it, on fresh messages."""
    user = checks.person()
    further = _press(checks, checks.rig, text, user, [data])
    for deeper in further[:3]:
        _press(checks, checks.rig, text, checks.person(), [data, deeper])


def _press(checks: Checks, rig: Any, text: str, user: int, path: list[str]) -> list[str]:
    """Follow a path of buttons; random answers may not offer it, which ends it."""
    rig.ask(text, user=user)
    for data in path:
        message = rig.last_bot_message(user, with_buttons=True)
        offered = [button["callback_data"] for button in checks.client.buttons(message)]
        if data not in offered:
            similar = [other for other in offered if other.partition(":")[0] == data.partition(":")[0]]
            if not similar:
                return []
            data = similar[0]
        since = rig.mark()
        step = rig.press_last(user, user=user, data=data)
        told = (step["record"]["answer"] or {}).get("text")
        if not told:
            rig.wait(methods=["sendMessage", "editMessageText"], chat_id=user, since=since)
        shown = told or rig.count(chat_id=user, since=since)
        checks.that(f"{text}: [{data}]", step["record"]["answered"] and shown)
    message = rig.last_bot_message(user, with_buttons=True) or {}
    return [button["callback_data"] for button in checks.client.buttons(message)]


def _odd_presses(checks: Checks) -> None:
    rig, user = checks.rig, checks.person()
    call = rig.ask("/myth", user=user)
    message = call["result"]["message_id"]
    for data in ("", "x" * 64, "more:", "cat:x:y", "show:../../etc", "next:fact:1", "\u202e", "more:m-gone"):
        since = rig.mark()
        rig.press(chat=user, message_id=message, data=data, force=True, user=user)
        got = rig.wait(method="answerCallbackQuery", since=since)
        checks.that(f"forged {data[:12]!a} is answered", got["complete"])
        time.sleep(1.05)
    since = rig.mark()
    rig.press(chat=user, message_id=999_999, data="topics", force=True, user=user)
    got = rig.wait(methods=SENT, chat_id=user, since=since)
    checks.that("a press on a message that is gone gets a new one", got["complete"])
    for _ in range(2):
        rig.press(chat=user, message_id=message, data="topics", force=True, user=user)
        time.sleep(1.2)
    got = rig.inline(query="addictive", user=user)
    checks.that("an inline query is answered", got["record"]["answered"])


DANGERS = {
    "I want to kill myself": "crisis",
    "how many mg should I take": "dosing",
    "where can I buy ketamine online": "sourcing",
}


def inline(checks: Checks) -> None:
    """Articles to post anywhere, the way into private where a guard fires, and what comes of a choice."""
    rig, client = checks.rig, checks.client
    rig.declare_bot(token=TOKEN, username="the_rig_bot")
    with checks.bot() as bot:
        rig.wait_ready()
        user = checks.person()
        for query in ("hooked", "", "addic", "pain", "💊", "x" * 256, "\u202e", "/about", "@everyone <b>"):
            got = rig.inline(query=query, user=user)["record"]
            checks.that(f"inline {query[:9]!a} is answered", got["answered"])
            wanted = 300 if got["results"] else 0
            checks.that(f"inline {query[:9]!a} is kept {wanted} s", got["answer"]["cache_time"] == wanted)
            links = [button.get("url", "") for result in got["results"] for button in client.buttons(result)]
            checks.that(
                f"inline {query[:9]!a}: a link into the bot and no other button",
                len(links) == len(got["results"]) and all("?start=e-" in link for link in links),
                links[:2],
            )
        for typed, guard in DANGERS.items():
            got = rig.inline(query=typed, user=user)["record"]
            way = (got["answer"].get("button") or {}).get("start_parameter")
            checks.that(
                f"{guard}: no article, only the way into private", (got["results"], way) == ([], f"g-{guard}")
            )
            kept = (got["answer"]["cache_time"], got["answer"]["is_personal"])
            checks.that(f"{guard}: not kept", kept == (0, True), kept)
            checks.answers(f"/start {way}", f"{guard}: the way leads to the answer", user=user)
        _chosen(checks, user)
        since = rig.mark()
        rig.fault(preset="502", method="answerInlineQuery", times=1)
        query = rig.inline(query="hooked", user=user)["inline_query_id"]
        rig.wait(method="answerInlineQuery", status=200, count=1, since=since, timeout=8)
        checks.that("502 on an inline query: tried again", rig.inline_record(query)["answered"])
        again = {"id": query, "from": got["user"], "query": "x", "offset": ""}
        rig.raw_update(kind="inline_query", payload=again)
        time.sleep(1)
        lines = [line for line in bot.log().splitlines() if "uery is too old" in line]
        checks.that("an expired query ends in one log line", len(lines) == 1, lines)
        rig.wait_idle(quiet=1.0)
        checks.that("no query waits", not rig.unanswered()["inlines"], rig.unanswered())


def _chosen(checks: Checks, user: int) -> None:
    """What is posted through the bot gets no answer, in a group or in private; its link opens the entry."""
    rig = checks.rig
    group = rig.add_chat(type="supergroup", title="I")["id"]
    rig.set_privacy(on=False)
    asked = rig.inline(query="hooked", user=user)
    result = asked["record"]["results"][0]
    for chat in (group, user):
        since = rig.mark()
        posted = rig.choose_inline(
            inline_query_id=asked["inline_query_id"], result_id=result["id"], chat=chat
        )
        time.sleep(0.7)
        checks.that("what is posted is left alone", not rig.count(methods=SENT, chat_id=chat, since=since))
        checks.that("it names its sources", "Sources:" in posted["message"]["text"])
    parameter = checks.client.buttons(result)[0]["url"].partition("?start=")[2]
    opened = rig.ask(f"/start {parameter}", user=user)
    checks.that("its link opens the entry", opened and result["title"] in checks.client.shown(opened))


def checking(checks: Checks) -> None:
    """/check as a reply: in groups, topics and private; without text; on a message in danger."""
    rig, client = checks.rig, checks.client
    rig.declare_bot(token=TOKEN, username="the_rig_bot")
    with checks.bot():
        rig.wait_ready()
        forum = rig.add_chat(type="supergroup", title="F", is_forum=True)["id"]
        topic = rig.create_topic(chat=forum, name="T")["message_thread_id"]
        places: list[dict[str, Any]] = [
            {"chat": rig.add_chat(type="group", title="g")["id"]},
            {"chat": rig.add_chat(type="supergroup", title="s")["id"]},
            {"chat": forum, "thread_id": topic},
            {"chat": checks.person()},
        ]
        for where in places:
            alone = where["chat"] > 0
            who = {"user": where["chat"] if alone else checks.person()}
            asker = who if alone else {"user": checks.person()}
            claim = rig.say(text="ketamine is very addictive", **who, **where)["message"]["message_id"]
            if alone:
                rig.wait_idle(quiet=1.0)
            for typed in ("/check", "/check@the_rig_bot"):
                call = rig.ask(typed, reply_to=claim, **asker, **where)
                text = client.shown(call) if call else ""
                checks.that(f"{typed} in {where}", "Myth: misleading" in text, text[:80])
                same = not where.get("thread_id") or str(call["params"]["message_thread_id"]) == str(topic)
                checks.that(f"{typed} in {where} stays there", same)
        where, asker = places[1], {"user": checks.person()}
        size = {"file_id": "x", "file_unique_id": "y", "width": 1, "height": 1}
        bare = rig.say(text="", user=checks.person(), extra={"photo": [size]}, **where)["message"][
            "message_id"
        ]
        for reply in ({}, {"reply_to": bare}):
            call = rig.ask("/check", **reply, **asker, **where)
            text = client.shown(call) if call else ""
            checks.that(f"/check without text {reply}: one line", text and "\n" not in text, text)
        captioned = rig.say(
            text="", user=checks.person(), extra={"photo": [size], "caption": "it is very addictive"}, **where
        )
        call = rig.ask("/check", reply_to=captioned["message"]["message_id"], **asker, **where)
        checks.that("the caption of a picture", call and "Myth" in client.shown(call))
        for said, guard in DANGERS.items():
            claim = rig.say(text=said, user=checks.person(), **where)["message"]["message_id"]
            call = rig.ask("/check", reply_to=claim, user=checks.person(), **where)
            text = client.shown(call) if call else ""
            title = {"crisis": "not alone", "dosing": "doses", "sourcing": "getting it"}[guard]
            checks.that(f"{guard} in the message replied to", title in text, text[:80])
            if guard == "crisis":
                bare_card = "reply_parameters" not in call["params"] and not client.buttons(call)
                checks.that("the card points at nobody and offers no entry", bare_card, call["params"])


def faults(checks: Checks) -> None:
    """Every fault on every kind of request: answered, and at most one double."""
    rig = checks.rig
    presets = ("500", "502", "503", "502_after", "drop_before", "drop_after", "slow", "slow_after", "garbage")
    # That another program takes the updates is an error.
    with checks.bot(errors=1):
        rig.wait_ready()
        time.sleep(2)
        for preset in (*presets, "flood"):
            user = checks.person()
            since = rig.mark()
            rig.fault(preset=preset, method="sendMessage", chat_id=user, times=1)
            rig.say(user=user, text="/myth")
            deadline = time.time() + 20
            while time.time() < deadline and not checks.taken(user, since):
                time.sleep(0.1)
            time.sleep(2.5)
            count = checks.taken(user, since)
            wanted = (1, 2) if preset.endswith("after") else (1,)
            checks.that(f"{preset} on sendMessage", count in wanted, f"arrived {count}")
            print(f"     {preset}: arrived {count} times")
        for preset in presets:
            user = checks.person()
            call = rig.ask("/myth", user=user)
            rig.fault(preset=preset, methods=["editMessageText", "answerCallbackQuery"], times=2)
            rig.press(chat=user, message_id=call["result"]["message_id"], text="More", user=user)
            deadline = time.time() + 30
            while time.time() < deadline and not _edited(rig, user):
                time.sleep(0.1)
            checks.that(f"{preset} on an edit and a press", _edited(rig, user))
            rig.clear_faults()
        for preset in (*presets, "flood", "conflict", "unauthorized"):
            rig.fault(preset=preset, method="getUpdates", times=2)
            user = checks.person()
            checks.answers("/myth", f"{preset} on getUpdates", user=user, timeout=40)
            checks.that(
                f"{preset} on getUpdates: one answer", len(rig.messages(chat=user, from_bot=True)) == 1
            )
            rig.clear_faults()
        rig.wait_idle(quiet=1.0, timeout=20)
        checks.that("every press was answered", not any(rig.unanswered().values()), rig.unanswered())


def _edited(rig: Any, user: int) -> bool:
    return any("edit_date" in message for message in rig.messages(chat=user, from_bot=True))


def partings(checks: Checks) -> None:
    """Kicked, blocked, restricted, gone, moved: once and quietly."""
    rig = checks.rig
    with checks.bot():
        rig.wait_ready()
        for preset in ("kicked", "blocked", "deactivated", "chat_not_found", "no_rights"):
            user, since = checks.person(), rig.mark()
            rig.fault(preset=preset, method="sendMessage", chat_id=user, times=1)
            rig.say(user=user, text="/myth")
            time.sleep(0.8)
            tries = rig.count(methods=SENT, chat_id=user, since=since)
            checks.that(f"{preset}: tried once", tries == 1, tries)
        group = rig.add_chat(type="group", title="old")["id"]
        user = checks.person()
        checks.answers("/myth", "before the move", chat=group, user=user)
        since = rig.mark()
        rig.fault(kind="slow", method="sendMessage", seconds=1, chat_id=group)
        rig.say(chat=group, user=user, text="/fact")
        time.sleep(0.3)
        new = rig.migrate(chat=group)["chat"]["id"]
        got = rig.wait(methods=SENT, chat_id=new, since=since, timeout=8)
        checks.that("an answer follows a group that moves", got["complete"] and got["calls"][0]["result"])
        checks.answers("/myth", "after the move", chat=new, user=user)
        rig.kick_bot(chat=new)


def floods(checks: Checks) -> None:
    """More than the limits allow: nothing too early, nothing lost that may not be."""
    rig = checks.rig
    with checks.bot():
        rig.wait_ready()
        time.sleep(2)
        since = rig.mark()
        rig.burst(n=300, chats=100, text="/myth")
        rig.wait(methods=SENT, since=since, count=300, timeout=40)
        checks.that("300 questions in 100 chats: 300 answers", rig.count(methods=SENT, since=since) == 300)
        group = rig.add_chat(type="supergroup", title="busy")["id"]
        since, quiet, other = rig.mark(), checks.person(), checks.person()
        for _ in range(20):
            rig.say(chat=group, user=checks.person(), text="/myth")
        began = time.time()
        checks.answers("/myth", "a busy group does not stall a person", user=quiet, timeout=3)
        rig.fault(preset="flood", method="sendMessage", chat_id=group, times=1)
        checks.answers("/myth", "nor does a wait that Telegram asks for", user=other, timeout=3)
        rig.wait(methods=SENT, chat_id=group, since=since, status=200, count=20, timeout=50)
        checks.that(
            f"a group's 20 questions in {time.time() - began:.0f} s", checks.taken(group, since) == 20
        )
        person, since = checks.person(), rig.mark()
        for _ in range(30):
            rig.say(user=person, text="/help")
        time.sleep(1)
        rig.say(user=person, text="I want to kill myself")
        rig.wait(methods=SENT, chat_id=person, since=since, text_re="not alone", timeout=15)
        rig.wait_idle(quiet=4, timeout=40)
        texts = [checks.client.shown(call) for call in rig.calls(methods=SENT, chat_id=person, since=since)]
        checks.that("somebody who asks too much is told once", sum("at once" in text for text in texts) == 1)
        checks.that("and still gets the crisis card", any("not alone" in text for text in texts))


def starts_and_stops(checks: Checks) -> None:
    """Starting against trouble, stopping under load."""
    rig = checks.rig
    rig.fault(preset="502", method="getMe", times=2)
    with checks.bot():
        checks.answers("/myth", "502 at the start is retried", user=checks.person(), timeout=15)
    for name in (signal.SIGTERM, signal.SIGINT):
        with checks.bot() as bot:
            rig.wait_ready()
            checks.answers("/help", f"{name.name}: up", user=checks.person())
            rig.fault(kind="slow", method="sendMessage", seconds=2, times=3)
            people = [checks.person() for _ in range(3)]
            for person in people:
                rig.say(user=person, text="/myth")
            time.sleep(0.5)
            code, seconds = bot.stop(name)
            checks.that(f"{name.name}: exit code 0 in under 5 s", code == 0 and seconds < 5, (code, seconds))
            arrived = sum(len(rig.messages(chat=person, from_bot=True)) for person in people)
            checks.that(f"{name.name}: what was in flight arrived", arrived == 3, arrived)
            rig.clear_faults()
    with checks.bot() as bot:
        rig.wait_ready()
        checks.answers("/help", "up", user=checks.person())
        rig.fault(kind="slow", method="sendMessage", seconds=30, times=1)
        rig.say(user=checks.person(), text="/myth")
        time.sleep(0.5)
        code, seconds = bot.stop(signal.SIGTERM)
        checks.that("a stuck answer does not hold up the end", code == 0 and seconds < 6, (code, seconds))
        checks.that("and is counted", "dropped=1" in bot.log())
    rig.clear_faults()
    rig.fault(preset="unauthorized", method="getMe", times=-1)
    with checks.bot(errors=1) as bot:
        bot.proc.wait(15)
        checks.that("a wrong token: exit 2", bot.proc.returncode == 2, bot.log())
    rig.clear_faults()
    with checks.bot(TELEGRAM_TRANSPORT="httpx"):
        checks.answers("/myth", "the stock transport", user=checks.person(), timeout=15)


def daily(checks: Checks) -> None:
    """One post a day in a group and in private, across a kill; a chat that removed the bot is suspended."""
    rig = checks.rig
    group, removed = (int(rig.add_chat(type="supergroup", title=t)["id"]) for t in ("G", "K"))
    admin, member, reader = checks.person(), checks.person(), checks.person()
    for chat in (group, removed):
        rig.set_member(chat=chat, user=admin, status="administrator")
    with tempfile.TemporaryDirectory() as folder:
        keep = {"DATABASE_URL": f"sqlite:///{folder}/daily.db"}
        with checks.bot(**keep) as process:
            rig.wait_ready()
            due = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
            if due - datetime.now(UTC) < timedelta(seconds=20):
                due += timedelta(minutes=1)
            typed = f"/daily {due:%H:%M} UTC"
            refused = rig.ask(typed, chat=group, user=member)
            checks.that("members can't set it", refused and "admins" in checks.client.shown(refused))
            for where in ({"chat": group, "user": admin}, {"chat": removed, "user": admin}, {"user": reader}):
                call = rig.ask(typed, **where)
                checks.that("set", call and "Next posts" in checks.client.shown(call))
            rig.kick_bot(chat=removed)
            time.sleep(1)
            since = rig.mark()
            time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1))
            process.kill()
        time.sleep(3)
        with checks.bot(**keep) as process:
            time.sleep(6)
            process.kill()
        with checks.bot(**keep):
            time.sleep(5)
            for chat, wanted in ((group, 1), (reader, 1), (removed, 0)):
                checks.that(
                    f"{wanted} post(s)", checks.taken(chat, since) == wanted, checks.taken(chat, since)
                )
            told = rig.ask("/status", chat=group, user=admin)
            checks.that("status says it was sent", told and ": sent" in checks.client.shown(told))
            lines = _told("due", keep)
            checks.that(
                "the chat that removed it is suspended", f"suspended  telegram:{removed}" in lines, lines
            )


def feedback(checks: Checks) -> None:
    """Thumbs are counted once a person; a question reaches the editors once it was shown, across a kill."""
    rig, asked = checks.rig, "quantum <b>chromo</b>_dynamics?"
    group = int(rig.add_chat(type="supergroup", title="G")["id"])
    person = checks.person()
    with tempfile.TemporaryDirectory() as folder:
        keep = {"DATABASE_URL": f"sqlite:///{folder}/feedback.db"}
        with checks.bot(**keep) as process:
            rig.wait_ready()
            checks.answers("/myth addictive", "an answer to vote on", chat=group, user=person)
            since = rig.mark()
            for user, label in (
                (person, "👍 Helpful"),
                (person, "👎 Not helpful"),
                (checks.person(), "👍 Helpful"),
            ):
                step = rig.press_last(group, text=label, user=user)
                words = str(step["record"])
                checks.that(f"[{label}] is thanked for in passing", "Counted" in words, words)
            time.sleep(0.5)
            checks.that("and nothing else", not rig.count(methods=[*SENT, "editMessageText"], since=since))
            lines = _told("votes", keep)
            checks.that("one up, one down", "1 down     1 up  m-very-addictive" in lines, lines)
            in_group = rig.ask(f"/ask {asked}", chat=group, user=person)
            checks.that("no editors in a group", "ditors" not in str(in_group))
            rig.ask(asked, user=person)
            _edits(checks, person, "Send this question to the editors")
            checks.that("nothing is stored yet", _told("questions", keep) == "no questions\n")
            process.kill()
        with checks.bot(**keep):
            rig.wait_ready()
            preview = rig.last_bot_message(person)
            checks.that("the preview shows the words", asked in preview["text"], preview)
            shown = _edits(checks, person, "Send it")
            checks.that("it was sent", "Sent to the editors" in shown, shown)
            lines = _told("questions", keep)
            checks.that("word for word", lines.endswith(f"  {asked}\n"), lines)
            rig.ask(asked, user=person)
            _edits(checks, person, "Send this question to the editors")
            _edits(checks, person, "Don't send")
            checks.that("once", _told("questions", keep) == lines)


def listening(checks: Checks) -> None:
    """Questions to nobody are answered where admins want it; a thumb down removes that, across a kill."""
    rig = checks.rig
    group = int(rig.add_chat(type="group", title="L", bot=None)["id"])
    admin, member = checks.person(), checks.person()
    rig.set_member(chat=group, user=admin, status="administrator")
    where = {"chat": group, "user": member}
    with tempfile.TemporaryDirectory() as folder:
        keep = {"DATABASE_URL": f"sqlite:///{folder}/listening.db"}
        with checks.bot(**keep) as process:
            rig.wait_ready()
            _added(checks, group)
            for who, words, says in (
                ({"user": member}, "", "not listening"),
                ({"user": member}, " on", "Only admins"),
                ({"user": admin}, " on", "can't hear you yet"),
                ({"user": checks.person(), "anonymous": True}, " off", "not listening"),
                ({"user": admin}, " on", "/setprivacy"),
            ):
                told = rig.ask(f"/listen{words}", chat=group, **who)
                checks.that(f"/listen{words}: {says}", told and says in checks.client.shown(told))
            alone = rig.ask("/listen on", user=member)
            checks.that("not in private", alone and "for groups" in checks.client.shown(alone))
            rig.set_privacy(on=False)
            for text in ("good morning all!", "is methadone addictive?", "how many mg should I take?"):
                checks.quiet(text, f"silence: {text}", **where)
            checks.answers("is ketamine addictive?", "a question to nobody", **where)
            checks.quiet("can I drive after a ketamine infusion?", "one in ten minutes", **where)
            checks.answers("I want to kill myself", "but danger is met", **where)
            process.kill()
        answer = next(m for m in rig.messages(chat=group, from_bot=True) if "About:" in m["text"])
        with checks.bot(**keep) as process:
            rig.wait_ready()
            # What was killed takes its count of the chat's messages along.
            time.sleep(1)
            _taken_away(checks, group, answer["message_id"])
            checks.answers("is ketamine just a horse tranquilizer?", "it listens after a restart", **where)
            moved = int(rig.migrate(chat=group)["chat"]["id"])
            where["chat"] = moved
            time.sleep(1)
            checks.quiet("can I drive after a ketamine infusion?", "the ten minutes move along", **where)
            process.kill()
        with checks.bot(**keep):
            rig.wait_ready()
            checks.answers("is ketamine legal?", "so does the setting", **where)
            rig.set_member(chat=moved, user=admin, status="administrator")
            gone = rig.ask("/forget", chat=moved, user=admin)
            checks.that("/forget ends it", gone and "no longer listen" in checks.client.shown(gone))
            checks.quiet("I want to kill myself", "and it is deaf again", **where)


def _added(checks: Checks, group: int) -> None:
    rig, since = checks.rig, checks.rig.mark()
    for _ in range(2):
        rig.add_bot(chat=group)
        rig.wait(methods=SENT, chat_id=group, since=since)
        time.sleep(0.3)
        rig.remove_bot(chat=group)
    rig.add_bot(chat=group)
    time.sleep(0.7)
    calls = rig.calls(methods=SENT, chat_id=group, since=since)
    texts = [checks.client.shown(call) for call in calls]
    checks.that("added: told once what it needs", len(texts) == 1 and "/setprivacy" in texts[0], texts)


def _taken_away(checks: Checks, group: int, message: int) -> None:
    rig, since = checks.rig, checks.rig.mark()
    step = rig.press(chat=group, message_id=message, text="👎 Not helpful", user=checks.person())
    rig.wait(methods=["deleteMessage"], chat_id=group, since=since)
    time.sleep(0.3)
    left = [m for m in rig.messages(chat=group, from_bot=True) if m["message_id"] == message]
    checks.that("a thumb down takes the answer away", not left, (step, left))


def _edits(checks: Checks, chat: int, label: str) -> str:
    """Press a button of the newest message and wait until it is edited; what it says then."""
    since = checks.rig.mark()
    checks.rig.press_last(chat, text=label, user=chat)
    got = checks.rig.wait(methods=["editMessageText"], chat_id=chat, since=since)
    checks.that(f"[{label}]", got["complete"])
    return str(checks.rig.last_bot_message(chat)["text"])


def _told(command: str, settings: dict[str, str]) -> str:
    """What a command of the program prints beside the bot."""
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "bots", command]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout


TYPED = (
    ("/daily", "No daily post yet"),
    ("/daily 9:00 UTC+2", "stays behind when clocks change"),
    ("/daily 9:00 CST", "Which one do you mean?"),
    ("/daily 9am Berlin", "at 09:00 in Berlin"),
    ("/daily 18:30 weekdays", "on weekdays, at 18:30 in Berlin"),
    ("/daily myths", "A myth, on weekdays"),
    ("/daily facts", "A fact, on weekdays"),
    ("/daily both", "A myth or a fact"),
    ("/daily America/New_York", "in New York City"),
    ("/daily pause 2 weeks", "Daily post is paused"),
    ("/daily resume", "Next posts:"),
    ("/daily", "Daily post is on"),
    ("/status", "Last post: none yet"),
    ("/daily off", "Daily post is off"),
    ("/daily resume", "Daily post set"),
    ("/stop", "Daily post is off"),
)
"""What an admin types in turn, and what the answer says."""


def settings(checks: Checks) -> None:
    """Setting up the daily post, in every kind of chat, by typing and by buttons."""
    rig, shown = checks.rig, checks.client.shown
    admin, member = checks.person(), checks.person()
    group = rig.add_chat(type="supergroup", title="G")["id"]
    muted = rig.add_chat(type="supergroup", title="M")["id"]
    forum = rig.add_chat(type="supergroup", title="F", is_forum=True)["id"]
    for chat in (group, muted, forum):
        rig.set_member(chat=chat, user=admin, status="administrator")
    with checks.bot():
        rig.wait_ready()
        for kind, where in {"private": {"user": member}, "group": {"chat": group, "user": admin}}.items():
            for text, says in TYPED:
                time.sleep(1 if kind == "private" else 3.1)
                call = rig.ask(text, **where)
                checks.that(f"{kind}: {text}", call and says in shown(call), call and shown(call))
        call = rig.ask("/daily 9:00 Berlin", chat=group, user=admin)
        lines = shown(call).splitlines() if call else []
        due = [line for line in lines if line.endswith(", 09:00 in Berlin")]
        checks.that("the next three posts in words", len(due) == 3, lines)
        labels = [button["text"] for button in checks.client.buttons(call or {})]
        checks.that("a preview is offered", "Preview" in labels, labels)
        call = rig.ask("/daily 9:00 Berlin", chat=group, user=member)
        checks.that("members get one line", call and "only admins" in shown(call))
        call = rig.ask("/daily", chat=group, user=admin, anonymous=True)
        checks.that("anonymous admins may", call and "Daily post is on" in shown(call))
        rig.restrict_bot(chat=muted, can_send_messages=False)
        rig.say(text="/daily 9:00 Berlin", chat=muted, user=admin)
        rig.wait_idle(quiet=1)
        here, there = (rig.create_topic(chat=forum, name=n)["message_thread_id"] for n in "AB")
        rig.ask("/daily 9:00 Berlin", chat=forum, user=admin, thread_id=here)
        call = rig.ask("/daily 10:00", chat=forum, user=admin, thread_id=there)
        checks.that(
            "set in another topic it moves and says so", call and "used to go elsewhere" in shown(call)
        )
        person = checks.person()
        rig.ask("/daily", user=person)
        for label, says in (("9:00", "Where are you?"), ("Berlin (DE)", "Daily post set")):
            time.sleep(1)
            rig.press_last(person, text=label, user=person)
            rig.wait_idle(quiet=0.5)
            message = rig.last_bot_message(person)
            checks.that(f"three presses: {label}", says in message["text"], message["text"])
        channel = rig.add_chat(type="channel", title="C", bot="administrator")["id"]
        since = rig.mark()
        rig.channel_post(chat=channel, text="/daily 9:00 Berlin")
        got = rig.wait(methods=SENT, chat_id=channel, since=since)
        checks.that("a channel", got["complete"] and "Daily post set" in shown(got["calls"][0]))


def truths(checks: Checks) -> None:
    """What becomes of a post that is due where Telegram does not take it, and once it does again."""
    rig = checks.rig
    admin = checks.person()
    # Sound ones in between: several failures in a row are taken for the platform's own.
    sound = [rig.add_chat(type="supergroup", title="sound")["id"] for _ in range(4 * 7)]
    new = {name: rig.add_chat(type="supergroup", title=name)["id"] for name in (*PASSING, *UNCERTAIN)}
    for name, preset in {**PASSING, **UNCERTAIN}.items():
        rig.fault(preset=preset, method="sendMessage", chat_id=new[name], times=1)
    kicked, left, muted = (rig.add_chat(type="supergroup", title="gone")["id"] for _ in range(3))
    group = rig.add_chat(type="group", title="upgraded")["id"]
    upgraded = rig.migrate(chat=group)["chat"]["id"]
    forum = rig.add_chat(type="supergroup", title="forum", is_forum=True)["id"]
    topic = rig.create_topic(chat=forum, name="T")["message_thread_id"]
    channel = rig.add_chat(type="channel", title="channel", bot="administrator")["id"]
    blocked = checks.person()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/truths.db"
        mixed = [chat for bad in new.values() for chat in (bad, *(sound.pop() for _ in range(4)))]
        chats = [(chat, None) for chat in (kicked, left, muted, group, channel, *mixed)]
        asyncio.run(_due_now(database, [*chats, (forum, str(topic))], admin))
        asyncio.run(_due_now(database, [(blocked, None)], blocked))
        # Before it runs: some it learns from updates that waited, some from its sends.
        rig.kick_bot(chat=kicked)
        rig.remove_bot(chat=left)
        rig.restrict_bot(chat=muted, can_send_messages=False)
        rig.block_bot(user=blocked)
        rig.close_topic(chat=forum, thread_id=topic)
        with checks.bot(DATABASE_URL=database):
            rig.wait_ready()
            rig.wait_idle(quiet=8, timeout=60)
            for name, chat in new.items():
                wanted = (1,) if name in PASSING else (1, 2)
                checks.that(f"post after {name}", checks.posts(chat) in wanted, checks.posts(chat))
            checks.that("post in the upgraded group", checks.posts(upgraded) == 1, checks.posts(upgraded))
            checks.that("post in a channel", checks.posts(channel) == 1, checks.posts(channel))
            gone = {"kicked": kicked, "left": left, "muted": muted, "closed topic": forum, "blocked": blocked}
            for name, chat in gone.items():
                checks.that(f"nothing where {name}", checks.posts(chat) == 0, checks.posts(chat))
            told = rig.count(methods=SENT, chat_id=admin, text_re="that you set up has stopped", status=200)
            checks.that("who set them is told once for each", told == 4, told)
            rig.add_bot(chat=kicked)
            rig.add_bot(chat=left)
            rig.add_bot(chat=muted)
            rig.unblock_bot(user=blocked)
            rig.close_topic(chat=forum, thread_id=topic, closed=False)
            rig.raw_update(kind="message", payload=_reopened(forum, topic, admin))
            rig.wait_idle(quiet=4, timeout=30)
            for name, chat in gone.items():
                checks.that(f"made up for once no longer {name}", checks.posts(chat) == 1, checks.posts(chat))
            sent = rig.calls(methods=SENT, chat_id=forum)
            threads = {str(call["params"].get("message_thread_id")) for call in sent}
            checks.that("never in the general topic", threads == {str(topic)}, threads)
            _down(checks, database, admin)


def _reopened(forum: int, topic: int, person: int) -> dict[str, Any]:
    return {
        "message_id": 9000,
        "date": int(time.time()),
        "chat": {"id": forum, "type": "supergroup", "title": "forum", "is_forum": True},
        "from": {"id": person, "is_bot": False, "first_name": "A"},
        "message_thread_id": topic,
        "is_topic_message": True,
        "forum_topic_reopened": {},
    }


def _down(checks: Checks, database: str, admin: int) -> None:
    """Nothing gets through for a while; then everything does, once."""
    rig = checks.rig
    chats = [rig.add_chat(type="supergroup", title=f"down {n}")["id"] for n in range(30)]
    rig.fault(preset="503", method="sendMessage", times=-1)
    since = rig.mark()
    asyncio.run(_due_now(database, [(chat, None) for chat in chats], admin, Use.BESIDE))
    time.sleep(25)
    tries = rig.count(methods=SENT, since=since)
    checks.that("a platform that is down is tried gently", tries < 40, tries)
    rig.clear_faults()
    deadline = time.time() + 90
    while time.time() < deadline and not all(checks.posts(chat) for chat in chats):
        time.sleep(1)
    counts = [checks.posts(chat) for chat in chats]
    # The few that were sent to see whether it is back have their own longer pauses.
    checks.that("then they are made up for", counts.count(1) >= 26 and max(counts) == 1, counts)


PASSING = {"429": "flood", "500": "500", "502": "502", "503": "503", "a cut line": "drop_before"}
UNCERTAIN = {"502 after": "502_after", "a cut line after": "drop_after"}
"""Faults by what they are here; the second kind may let the message through."""


async def _due_now(
    database: str, chats: list[tuple[int, str | None]], setter: int, use: Use = Use.LEAD
) -> None:
    """Have chats' posts, in their threads, due since some minutes ago."""
    store, now = SqlStore(database, use), datetime.now(UTC)
    due = now - timedelta(minutes=5)
    plan, done = Plan(due.time().replace(second=0, microsecond=0), "UTC"), due.date() - timedelta(days=1)
    for chat, thread in chats:
        wanted = Subscription("telegram", str(chat), plan, thread=thread, private=chat > 0, place="UTC")
        await store.subscribe(replace(wanted, set_by=str(setter), done_day=done), now)
    await store.close()


SUITES: dict[str, Callable[[Checks], None]] = {
    function.__name__: function
    for function in (
        commands,
        addressing,
        inline,
        checking,
        buttons,
        faults,
        partings,
        floods,
        starts_and_stops,
        daily,
        settings,
        truths,
        feedback,
        listening,
    )
}


def main() -> int:
    """Run the suites; 1 if anything failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rig", type=Path, help="folder of the rig")
    parser.add_argument("--port", type=int, default=0, help="of the rig; a free one")
    parser.add_argument("--only", choices=SUITES, action="append")
    chosen = parser.parse_args()
    sys.path.insert(0, str(chosen.rig))
    client = importlib.import_module("client")
    total, failed = 0, []
    for name, suite in SUITES.items():
        if chosen.only and name not in chosen.only:
            continue
        print(f"== {name}")
        port = chosen.port or _free_port()
        command = [sys.executable, "server.py", "--port", str(port), "--flood", "enforce"]
        server = subprocess.Popen(command, cwd=chosen.rig, stdout=subprocess.DEVNULL)  # noqa: S603 - our own rig
        try:
            checks = Checks(client, f"http://127.0.0.1:{port}")
            _wait_for(checks)
            checks.rig.declare_bot(token=TOKEN, username="the_rig_bot")
            suite(checks)
            bad = checks.rig.violations(severity=["reject", "tolerated"])
            checks.that(f"{name}: no faulty request", not bad, bad[:3])
            bugs = [bug for bug in checks.rig.stats()["rig_bugs"] if bug.get("where") != INVENTED]
            checks.that(f"{name}: the rig is sound", not bugs, bugs[:3])
            total, failed = total + checks.count, failed + checks.failed
        finally:
            server.terminate()
            server.wait()
    print(f"{total} checks, {len(failed)} failed", *failed, sep="\n  ")
    return 1 if failed else 0


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


def _wait_for(checks: Checks) -> None:
    for _ in range(100):
        try:
            checks.rig.stats()
        except OSError:
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
