"""A chat room for tests: the real app on the shipped content, a clock to set, a seeded generator."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from msgspec import structs

from core.app import App
from core.chat import Facts, Request
from core.content import Content
from core.daily import Daily, DailyRun, Poster
from core.delivery import Pacer
from core.draft import load_content
from core.edition import Edition, build_edition
from core.phrases import load_phrases
from core.reply import Reply
from core.safety import load_guards
from core.sqlstore import SqlStore
from core.turn import Deps
from tests.samples import biased

CONTENT = load_content(Path(__file__).parent.parent / "content.yaml")
GUARDS = load_guards()
DOUBTFUL = GUARDS.with_classifier(biased(-0.9, -9.0, -9.0))
"""Have a doubt about whatever is said."""
EDITION = build_edition(CONTENT, GUARDS)
EDITION.index.warm()
PHRASES = load_phrases()
PERSON = Request("telegram", "7", "7")
GROUP = Request("telegram", "-100", "7", private=False, bot_link="https://t.me/bot?start=hi")


@dataclass
class FixedFacts:
    """Platform facts that a test decides."""

    admin: bool = False
    postable: bool = True
    hearing: bool = True

    async def is_admin(self, request: Request) -> bool:
        return self.admin

    async def may_post(self, request: Request) -> bool:
        return self.postable

    async def hears(self, request: Request) -> bool:
        return self.hearing


class Scripted(App):
    """Answers everything the same, after a while."""

    def __init__(self, room: "Room", reply: Reply | None, seconds: float = 0) -> None:
        super().__init__(room.edition, room.deps)
        self._reply, self._seconds = reply, seconds

    async def handle(self, request: Request, facts: Facts) -> Reply | None:
        await asyncio.sleep(self._seconds)
        return self._reply


@dataclass
class Room:
    """Send with `say` and `press`; `now` is the time."""

    edition: Edition = EDITION
    seed: int = 1
    database: str = "sqlite://"
    facts: FixedFacts = field(default_factory=FixedFacts)
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.store = SqlStore(self.database)
        self.beats: dict[str, datetime] = {}
        self.deps = Deps(self.store, PHRASES, self._tick, Random(self.seed), b"secret", self.beats)
        self.app = App(self.edition, self.deps)

    def daily(self, platform: str) -> DailyRun:
        """What runs the platform's daily posts, on the room's clock."""

        async def run(bot_key: str, poster: Poster, pacer: Pacer, stop: asyncio.Event) -> None:
            sender = Daily(
                platform=platform,
                bot_key=bot_key,
                poster=poster,
                pacer=pacer,
                store=self.store,
                edition=lambda: self.edition,
                phrases=PHRASES,
                clock=self._tick,
                monotonic=time.monotonic,
                sleep=asyncio.sleep,
                rng=Random(self.seed),
                beats=self.beats,
            )
            await sender.run(stop)

        return run

    def _tick(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    async def say(self, text: str, request: Request = PERSON) -> Reply:
        reply = await self.app.handle(replace(request, text=text), self.facts)
        assert reply is not None
        return reply

    async def silence(self, text: str, request: Request) -> bool:
        return await self.app.handle(replace(request, text=text), self.facts) is None

    async def press(self, action: str, request: Request = PERSON) -> Reply:
        reply = await self.app.handle(replace(request, action=action, message_key="42"), self.facts)
        assert reply is not None
        return reply

    def use(self, content: Content) -> None:
        self.app.edition = build_edition(content, GUARDS)


SHARED = "pca"
"""A keyword of two entries: neither can be the answer to it, whatever the search makes of other words."""

SHARED_BY = ["f-opioid-sparing", "f-post-surgery"]


def without(entry_id: str) -> Content:
    """The shipped content with one entry withdrawn."""
    kept = [
        structs.replace(entry, related=[other for other in entry.related if other != entry_id])
        for entry in CONTENT.entries
        if entry.id != entry_id
    ]
    return structs.replace(CONTENT, entries=kept)


def actions(reply: Reply) -> list[str]:
    """What the reply's buttons carry."""
    return [button.action for row in reply.buttons for button in row]
