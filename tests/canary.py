"""Marks that are typed on every route there is, to be looked for wherever they must not be."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

from core.chat import Request, Surface
from core.commands import Command
from tests import discord_wire, wire

PREFIX = "xqzcanary"
"""Nothing in the project begins like this."""

QUESTIONS = (
    "{}",
    "is ketamine addictive {}",
    "does it help migraine or fibro {}",
    "I want to kill myself {}",
    "how many mg should i take {}",
    "where can I buy ketamine {}",
    "9:00 {} everyday",
    "pause {} weeks",
    "\ud800{}",
    "{0}" * 40,
)
"""What is typed around a mark, so that every kind of answer comes: none, sure, unsure, guarded, settings."""

OVERHEARD = ("is ketamine just a horse tranquilizer? {}", *QUESTIONS)
"""What members say among themselves; the first is what a bot that listens may answer."""

LISTENING = -77
"""The key of a group that lets the bot listen."""

SENDS = "send"
"""The one button that stores what it is pressed under: the preview's, in a private chat."""

_NUMBERS = count(1_000)


class Marks:
    """Gives out marks and knows the route that each took."""

    def __init__(self) -> None:
        # By number, so that the marks themselves are in nothing but what was typed.
        self.routes: dict[int, str] = {}

    def new(self, route: str) -> str:
        """A text that nobody else types."""
        number = next(_NUMBERS)
        self.routes[number] = route
        return f"{PREFIX}{number}z"

    def found(self, text: str | bytes) -> list[str]:
        """The routes whose marks are in the text, in whatever case."""
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        numbers = dict.fromkeys(map(int, re.findall(rf"{PREFIX}(\d+)z", shown.lower())))
        return [self.routes[number] for number in numbers if number in self.routes]


Update = dict[str, Any]


class Telegram:
    """Every kind of update with marks in all that people can choose: words, names, titles, forged buttons."""

    def __init__(self, marks: Marks, commands: Sequence[Command], actions: Iterable[str]) -> None:
        self._marks, self._commands, self._actions = marks, commands, tuple(actions)

    def updates(self, questions: Sequence[str] = QUESTIONS) -> Iterator[Update]:
        for name in self.by_kind:
            yield from self.by_kind[name](self, questions)

    def _typed(self, questions: Sequence[str]) -> Iterator[Update]:
        commands = [f"/{command.name}" for command in self._commands]
        for question in questions:
            for lead in (*commands, ""):
                yield {"message": self._message(f"{lead} {question}")}
        for lead in ("/unknown", "/ask@other_bot", "@fact_bot", "/ask@fact_bot", *commands):
            yield {"message": self._message(f"{lead} {{}}", group=True)}
        for text in ("", "/check"):
            answered = self._message("{}", group=True, **{"from": wire.ME.to_dict()})
            yield {"message": self._message(f"{text} {{}}", group=True, reply_to_message=answered)}
            yield {"message": self._message(text or "{}", reply_to_message=self._message("{}"))}
        for question in OVERHEARD:
            there = {"id": LISTENING, "type": "supergroup", "title": self._mark("title")}
            yield {"message": {**self._message(question, group=True), "chat": there}}
        yield {"message": {**self._message(None), "caption": self._mark("caption")}}
        yield {"message": {**self._message("{}"), "chat": {"title": self._mark("no chat")}}}
        yield {"message": self._message("{}", group=True, migrate_to_chat_id=-next(_NUMBERS))}
        yield {"message": self._message("{}", date=wire.NOW - 601)}
        yield {"message": self._message("{}", date=self._mark("malformed"))}

    def _edited(self, _questions: Sequence[str]) -> Iterator[Update]:
        yield {"edited_message": self._message("/ask {}")}

    def _posted(self, _questions: Sequence[str]) -> Iterator[Update]:
        yield {"channel_post": self._message("/ask {}", group=True, **{"from": None})}

    def _repaired(self, _questions: Sequence[str]) -> Iterator[Update]:
        yield {"edited_channel_post": self._message("/ask {}", group=True, **{"from": None})}

    def _pressed(self, _questions: Sequence[str]) -> Iterator[Update]:
        for action in (*self._actions, "unknown", ""):
            for group in (False, True):
                under = self._message("{}", group=group)
                if group or action != SENDS:
                    length = len(under["text"])
                    under["entities"] = [{"type": "blockquote", "offset": 0, "length": length}]
                yield {"callback_query": self._press(f"{action}:{self._mark(f'[{action}]')}", under)}
                yield {"callback_query": self._press(action, under)}
        yield {"callback_query": self._press(self._mark("[forged]"), None)}

    def _inline(self, questions: Sequence[str]) -> Iterator[Update]:
        for question in questions:
            text = question.format(self._mark("inline"))
            yield {"inline_query": {"id": "1", "from": self._person(), "query": text, "offset": ""}}

    def _standing(self, _questions: Sequence[str]) -> Iterator[Update]:
        me = {"user": wire.ME.to_dict()}
        yield {
            "my_chat_member": {
                "chat": self._chat(group=True),
                "from": self._person(),
                "date": wire.NOW,
                "old_chat_member": {"status": "member", **me},
                "new_chat_member": {"status": "left", **me},
            }
        }

    by_kind: ClassVar[dict[str, Callable[["Telegram", Sequence[str]], Iterator[Update]]]] = {
        "message": _typed,
        "edited_message": _edited,
        "channel_post": _posted,
        "edited_channel_post": _repaired,
        "callback_query": _pressed,
        "inline_query": _inline,
        "my_chat_member": _standing,
    }

    def press_under(self, call: dict[str, Any], action: str) -> Update:
        """A button of an answer that came, as the person who got it presses it."""
        kind = "private" if int(call["chat_id"]) > 0 else "supergroup"
        chat = {"id": int(call["chat_id"]), "type": kind, "title": self._mark("title")}
        under = wire.message(call["text"], chat, entities=call["entities"])
        return {"callback_query": self._press(action, under)}

    def _mark(self, route: str) -> str:
        return self._marks.new(f"telegram {route}")

    def _message(self, text: str | None, *, group: bool = False, **more: Any) -> dict[str, Any]:
        said = text.format(self._mark(text)) if text else text
        return wire.message(said, self._chat(group=group), **{"from": self._person(), **more})

    def _chat(self, *, group: bool) -> dict[str, Any]:
        # Each in a chat of its own, so that no limit makes answers wait.
        if group:
            return {"id": -next(_NUMBERS), "type": "supergroup", "title": self._mark("title")}
        return {"id": next(_NUMBERS), "type": "private", "first_name": self._mark("name")}

    def _person(self) -> dict[str, Any]:
        names = {name: self._mark(name) for name in ("first_name", "last_name", "username")}
        return {"id": next(_NUMBERS), "is_bot": False, "language_code": "en", **names}

    def _press(self, data: str, under: dict[str, Any] | None) -> dict[str, Any]:
        return {**wire.press(data, under), "from": self._person()}


def requests(marks: Marks, commands: Sequence[Command], actions: Iterable[str]) -> Iterator[Request]:
    """Every command, surface and button in every kind of place, as core gets them, likely or not."""
    alone = Request("telegram", "7", "7")
    group = replace(alone, chat_key="-100", private=False, bot_link="https://t.me/bot?start=hi")
    whispers = replace(group, platform="discord", can_whisper=True, may_share=True)
    mark = marks.new("core")
    typed = [f"/{command.name} {question}" for command in commands for question in QUESTIONS]
    typed += [*OVERHEARD, "/{}", "/start e-{}", "/start g-{}"]
    overheard = replace(group, chat_key=str(LISTENING), addressed=False)
    for place in (alone, group, overheard, whispers, replace(whispers, private=True)):
        for text in typed:
            for surface in Surface:
                said = replace(place, text=text.format(mark), surface=surface)
                yield said
                yield replace(said, text="/check", replied_text=said.text)
        for action in actions:
            pressed = replace(place, surface=Surface.BUTTON, message_key="1")
            yield replace(pressed, action=f"{action}:{mark}")
            if action != SENDS or place.can_whisper or not place.private:
                yield replace(pressed, action=action, quoted=mark)


Event = tuple[str, dict[str, Any]]


class Discord:
    """Every command as registered, with its options, and every event that carries what people choose."""

    def __init__(self, marks: Marks, registered: Sequence[dict[str, Any]], actions: Iterable[str]) -> None:
        self._marks, self._registered, self._actions = marks, registered, tuple(actions)

    def events(self, questions: Sequence[str] = QUESTIONS) -> Iterator[Event]:
        for command in self._registered:
            for place in self._places():
                for data, kind in self._uses(command, questions if "guild_id" in place else ("{}",)):
                    yield "INTERACTION_CREATE", self._interaction(data, kind, place)
        for action in (*self._actions, "unknown"):
            for place in self._places():
                said = self._message("{}", **self._embedded())
                if action == SENDS and place.get("context") == 1:
                    said.pop("embeds")
                data = {"custom_id": f"{action}:{self._mark(f'[{action}]')}", "component_type": 2}
                for press in (data, {**data, "custom_id": action}):
                    yield "INTERACTION_CREATE", self._interaction(press, 3, place, message=said)
        for kind in (1, 5, 9):
            words = {"custom_id": self._mark("modal"), "components": [{"value": self._mark("modal")}]}
            yield "INTERACTION_CREATE", self._interaction(words, kind, {})
        yield from self._said(questions)

    def _said(self, questions: Sequence[str]) -> Iterator[Event]:
        for question in questions:
            yield "MESSAGE_CREATE", self._message(question, place=discord_wire.DM, mention=False)
            yield "MESSAGE_CREATE", self._message(question)
        answered = self._message("{}", **self._embedded())
        thread = {"place": discord_wire.THREAD, "referenced_message": answered, "type": 19}
        yield "MESSAGE_CREATE", self._message("/check {}", **thread)
        yield "MESSAGE_CREATE", self._message("/check", **thread)
        yield "MESSAGE_CREATE", {**self._message("{}"), "author": self._mark("malformed")}
        yield "MESSAGE_UPDATE", self._message("{}")
        yield "GUILD_UPDATE", {**discord_wire.server(), "name": self._mark("server")}
        yield "THREAD_UPDATE", {"id": self._mark("malformed"), "name": self._mark("thread")}
        yield "XQZ_UNKNOWN", {"text": self._mark("unknown event")}

    def press_under(self, shown: dict[str, Any], action: str) -> Event:
        """A button of an answer in a private chat."""
        said = {**self._message(""), "embeds": shown["embeds"]}
        data = {"custom_id": action, "component_type": 2}
        return "INTERACTION_CREATE", self._interaction(data, 3, discord_wire.in_bot_dm(), message=said)

    def _uses(
        self, command: dict[str, Any], questions: Sequence[str]
    ) -> Iterator[tuple[dict[str, Any], int]]:
        """The data of a command, and of typing in each of its options."""
        name, kind = command["name"], command["type"]
        if kind == 3:
            said = self._message("{}", **self._embedded())
            yield (
                {
                    "name": name,
                    "type": 3,
                    "resolved": {"messages": {said["id"]: said}},
                    "target_id": said["id"],
                },
                2,
            )
            return
        parts = [option["name"] for option in command["options"] if option["type"] == 3]
        yield {"name": name, "type": 1, "options": []}, 2
        for question in questions if parts else ():
            typed = [
                {"name": part, "type": 3, "value": question.format(self._mark(f"/{name} {part}"))}
                for part in parts
            ]
            yield {"name": name, "type": 1, "options": typed}, 2
            for option in typed:
                yield {"name": name, "type": 1, "options": [{**option, "focused": True}]}, 4

    def _places(self) -> tuple[dict[str, Any], ...]:
        manager = {"user": self._person(), "roles": [], "permissions": "32", "nick": self._mark("nick")}
        personal = {"context": 2, "authorizing_integration_owners": {"1": discord_wire.ALICE}}
        return {"member": manager, "guild_id": discord_wire.SERVER}, discord_wire.in_bot_dm(), personal

    def _interaction(
        self, data: dict[str, Any], kind: int, place: dict[str, Any], **more: Any
    ) -> dict[str, Any]:
        who = {"user": self._person(), "roles": [], "permissions": "32", "nick": self._mark("nick")}
        fields = {**place, **more}
        fields["member"] = None if fields.get("context") == 1 else who
        if fields["member"] is None:
            fields["user"] = self._person()
        return discord_wire.interaction({"id": "1", **data}, kind, **fields)

    def _message(self, text: str, **more: Any) -> dict[str, Any]:
        words = text.format(self._mark(text)) if text else text
        return {**discord_wire.message(words, **more), "author": self._person()}

    def _embedded(self) -> dict[str, Any]:
        return {"embeds": [{"title": self._mark("title"), "description": f"> {self._mark('quotation')}"}]}

    def _person(self) -> dict[str, Any]:
        names = {name: self._mark(name) for name in ("username", "global_name")}
        return {**discord_wire.user(str(next(_NUMBERS))), **names}

    def _mark(self, route: str) -> str:
        return self._marks.new(f"discord {route}")
