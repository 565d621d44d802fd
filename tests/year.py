"""A year of trouble on a simulated clock, the sender of daily posts in the middle of it, and a judge."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from core import daily, schedule
from core.app import App
from core.chat import Request
from core.errors import Unconnected, Unsure
from core.sqlstore import SqlStore
from core.store import Outcome, Subscription
from core.turn import Deps
from tests.room import EDITION, PHRASES, FixedFacts
from tests.stage import Kill, Stage

START = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = timedelta(hours=6)
ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "America/Santiago"),
    *("Australia/Lord_Howe", "Africa/Cairo", "Europe/London", "America/Los_Angeles", "America/Sao_Paulo"),
)
TIMES = (time(9), time(18, 30), time(2, 30), time(0, 10), time(7, 45), time(1, 30))


@dataclass(frozen=True)
class Wanted:
    """From `since` on, a chat wants its post at this time in this zone."""

    since: datetime
    at: time
    zone: str


@dataclass(frozen=True)
class Span:
    """From `begin` to `end`, something is down; `kind` says how it fails."""

    begin: datetime
    end: datetime
    kind: str = ""


@dataclass
class Trouble:
    """What happens in the year.

    Attributes:
        wishes: what each chat wants, in order.
        down: when the process does not run; some are over in a second.
        outages: when the platform fails: `refuses`, `drops` (before) or `answers badly`.
        updates: when a zone starts to follow the rules of another.
        kills: the numbers of the posts at which the process is killed, before or after they arrive.
    """

    end: datetime
    wishes: dict[str, list[Wanted]]
    down: list[Span]
    outages: list[Span]
    updates: list[tuple[datetime, str, str]]
    kills: dict[int, str]

    def rules(self, zone: str, at: datetime) -> ZoneInfo:
        """The zone as the tz database has it then."""
        followed = [to for when, of, to in self.updates if of == zone and when <= at]
        return ZoneInfo(followed[-1] if followed else zone)


def trouble(seed: int, chats: int, days: int = 365) -> Trouble:
    """A year from one seed."""
    rng, end = Random(seed), START + timedelta(days=days)

    def moment() -> datetime:
        return START + timedelta(seconds=rng.uniform(86400, days * 86400))

    def spans(count: int, longest_hours: float, kinds: Sequence[str]) -> list[Span]:
        starts = [moment() for _ in range(max(1, count * days // 365))]
        return sorted(
            (
                Span(t, t + timedelta(hours=longest_hours * rng.random() ** 4, seconds=1), rng.choice(kinds))
                for t in starts
            ),
            key=lambda span: span.begin,
        )

    wishes = {str(n): [Wanted(START, rng.choice(TIMES), rng.choice(ZONES))] for n in range(chats)}
    for chat in wishes.values():
        for _ in range(rng.choice((0, 1, 2))):
            chat.append(Wanted(moment(), rng.choice(TIMES), rng.choice(ZONES)))
        chat.sort(key=lambda wanted: wanted.since)
    return Trouble(
        end=end,
        wishes=wishes,
        down=spans(120, 60, ("",)),
        outages=spans(30, 9, ("refuses", "drops", "answers badly")),
        updates=sorted(
            [(moment(), "America/Sao_Paulo", "America/Noronha"), (moment(), "Europe/London", "Africa/Lagos")]
        ),
        kills={rng.randrange(chats * days): rng.choice(("before", "after")) for _ in range(days // 5)},
    )


@dataclass
class Year(Stage):
    """The platform of such a year."""

    trouble: Trouble = field(default_factory=lambda: trouble(1, 1))
    dead: bool = False
    begun: int = 0
    killed: int = 0
    unknown: int = 0

    async def post(self, subscription: Subscription, reply: object, nonce: str) -> str:  # type: ignore[override]
        if self.dead:
            raise Kill
        self.begun += 1
        kill = self.trouble.kills.get(self.begun)
        self.dead = kill is not None
        self.killed += self.dead
        if kill == "before":
            raise Kill
        outage = next((o.kind for o in self.trouble.outages if o.begin <= self.now < o.end), None)
        if outage == "refuses":
            raise Unconnected(1)
        if outage == "drops":
            raise Unsure
        self._take(subscription, reply, nonce)  # type: ignore[arg-type]
        if kill == "after":
            raise Kill
        if outage == "answers badly":
            self.unknown += 1
            raise Unsure
        return str(len(self.sent))


class MortalStore(SqlStore):
    """Writes nothing once the process is dead."""

    year: Year

    async def record(self, outcomes: Sequence[Outcome]) -> None:
        """See `SqlStore.record`."""
        if self.year.dead:
            raise Kill
        await super().record(outcomes)


@contextmanager
def changing_zones(year: Year) -> Iterator[None]:
    """The tz database of the year, and no grace for a process that is killed."""
    real = schedule.open_zone, daily.tz_version, daily.finish, daily.reopen_zones
    applied = lambda: [u for u in year.trouble.updates if u[0] <= year.now]  # noqa: E731
    schedule.open_zone = lambda key: year.trouble.rules(key, year.now)  # type: ignore[assignment]
    daily.reopen_zones = lambda: None
    daily.tz_version = lambda: f"update {len(applied())}"  # type: ignore[assignment]
    daily.finish = partial(daily.finish, seconds=0.0)  # type: ignore[assignment]
    try:
        yield
    finally:
        schedule.open_zone, daily.tz_version, daily.finish, daily.reopen_zones = real  # type: ignore[assignment]


async def live(year: Year, url: str = "sqlite://") -> None:
    """Run the real sender and the real command through the year, restarting it whenever it dies.

    The database outlives the sender; in memory unless `url` says otherwise, as syncing would take minutes.
    """
    rng = Random(7)
    wishes = sorted(
        ((w.since, chat, w) for chat, ws in year.trouble.wishes.items() for w in ws), key=lambda wish: wish[0]
    )
    year.now = START
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    store = MortalStore(url)
    store.year = year
    with changing_zones(year):
        while year.now < year.trouble.end:
            year.dead = False
            try:
                await _one_life(year, store, wishes, rng)
            except Kill:
                year.now += timedelta(seconds=rng.uniform(0.3, 30))
            down = [d.end for d in year.trouble.down if d.begin <= year.now < d.end]
            year.now = max([year.now, *down])
    await store.close()


async def _one_life(
    year: Year, store: MortalStore, wishes: list[tuple[datetime, str, Wanted]], rng: Random
) -> None:
    app = App(EDITION, Deps(store, PHRASES, year.clock, rng, b"secret"))
    sender = year.daily(store, seed=rng.randrange(10**6))
    ends = min((d.begin for d in year.trouble.down if d.begin > year.now), default=year.trouble.end)
    while year.now < min(ends, year.trouble.end):
        while wishes and wishes[0][0] <= year.now:
            _, chat, wish = wishes.pop(0)
            words = f"/daily {wish.at:%H:%M} {wish.zone} every day"
            await app.handle(Request("telegram", chat, chat, text=words), FixedFacts(admin=True))
        await sender.housekeep()
        await sender.step()
        (first, *_) = [*(await store.agenda(1)), None]
        until = [first.next_due] if first and first.next_due else []
        until += [wish[0] for wish in wishes[:1]] + [ends, year.now + timedelta(hours=1)]
        # The sender looks around every second; where in it a second ends is chance.
        pause = max(min(until) - year.now, timedelta(0)) + timedelta(seconds=rng.random())
        year.now += pause
        year.slept += pause.total_seconds()


@dataclass(frozen=True)
class Sheet:
    """How posts compare with what was wanted, in chat days."""

    right: int = 0
    late: int = 0
    missed: int = 0
    excused: int = 0
    double: int = 0
    wrong: int = 0

    def row(self) -> str:
        """As a row of a table: on the minute, late but made up for, missed, double, at a wrong hour."""
        return f"{self.right} | {self.late} | {self.missed} | {self.double} | {self.wrong}"


def judge(year: Trouble, posts: dict[str, list[datetime]]) -> Sheet:
    """Hold posts against the slots; 36 hours around a change of wishes or rules count for nothing."""
    counts: Counter[str] = Counter()
    for chat, wishes in year.wishes.items():
        slots = list(_slots(year, wishes))
        taken: dict[datetime, list[datetime]] = defaultdict(list)
        for post in sorted(posts.get(chat, [])):
            if _is_exempt(year, wishes, post) or post >= year.end - timedelta(days=1):
                continue
            slot = max((s for s in slots if s <= post), default=None)
            if slot is None or post - slot > WINDOW:
                counts["wrong"] += 1
            else:
                taken[slot].append(post)
        for slot in slots:
            if _is_exempt(year, wishes, slot) or slot >= year.end - timedelta(days=2):
                continue
            got = taken.get(slot, [])
            counts["double"] += max(len(got) - 1, 0)
            if got:
                counts["right" if got[0] - slot < timedelta(minutes=1) else "late"] += 1
            else:
                counts["missed" if is_reachable(year, slot) else "excused"] += 1
    return Sheet(**counts)


def is_reachable(year: Trouble, slot: datetime) -> bool:
    """Whether a post could be expected in the window.

    Where only the process was down, any two seconds are enough; after an
    outage of the platform, the pause before the next try may be an hour.
    """
    end = slot + WINDOW
    near = [o for o in year.outages if o.begin < end and o.end > slot]
    spans = sorted([*near, *(d for d in year.down if d.begin < end and d.end > slot)], key=lambda s: s.begin)
    needed = timedelta(minutes=75) if near else timedelta(minutes=2)
    free = slot
    for span in spans:
        if span.begin - free >= needed:
            return True
        free = max(free, span.end)
    return end - free >= needed


def _slots(year: Trouble, wishes: list[Wanted]) -> Iterator[datetime]:
    for wanted, following in zip(wishes, [*wishes[1:], None], strict=True):
        end = following.since if following else year.end
        day = wanted.since.date() - timedelta(days=1)
        while day <= end.date() + timedelta(days=1):
            due = _due(year, wanted, day)
            if wanted.since <= due < end:
                yield due
            day += timedelta(days=1)


def _due(year: Trouble, wanted: Wanted, day: date) -> datetime:
    rough = datetime.combine(day, wanted.at, UTC)
    return datetime.combine(day, wanted.at, year.rules(wanted.zone, rough)).astimezone(UTC)


def _is_exempt(year: Trouble, wishes: list[Wanted], at: datetime) -> bool:
    zones = {wanted.zone for wanted in wishes}
    changes = [wanted.since for wanted in wishes] + [when for when, of, _ in year.updates if of in zones]
    return any(abs(at - change) < timedelta(hours=36) for change in changes)


def by_chat(year: Year) -> dict[str, list[datetime]]:
    """When each chat got its posts."""
    posts: dict[str, list[datetime]] = defaultdict(list)
    for sent in year.sent:
        posts[sent.chat_key].append(sent.at)
    return posts


def repeats(year: Year) -> int:
    """Messages that came again under the same nonce."""
    return len(year.sent) - len({sent.nonce for sent in year.sent})


def distinct(year: Year) -> Year:
    """The year with each post only once: without the repeats that its guarantee allows."""
    seen: set[str] = set()
    kept = []
    for sent in year.sent:
        if sent.nonce not in seen:
            seen.add(sent.nonce)
            kept.append(sent)
    return replace(year, sent=kept)
