"""What `ketafacts check` asks of a content file beyond what the bot needs to run it."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

from msgspec import Struct

from core.content import Bot, Entry, Helpline
from core.document import Finding, Path
from core.draft import Check, Draft
from core.safety import CLASSIFIER, Guards
from core.words import fold, words

MAX_GRADE = 8.0
"""Flesch-Kincaid school grade that patients' texts should not exceed."""

WARN_AGE = timedelta(days=60)
FAIL_AGE = timedelta(days=90)
"""How long a crisis number may go unchecked."""

ZONES = timedelta(days=1)
"""How far an editor east of Greenwich may be ahead of UTC."""

_NO_TEXT = frozenset(("id", "category", "url", "source"))
"""Fields that hold names and addresses."""

_NUMBER = (
    r"(?:\d+(?:[.,/]\d+)*|half|quarter|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty"
    r"|fifty|hundred)"
)
_UNIT = (
    r"(?:mgs?|mcgs?|ug|\u03bcg|ng|g|(?:milli|micro|nano)?gram(?:me)?s?|mls?|cc|(?:milli|centi)?lit(?:er|re)s?"
    r"|iu|units?|drops?|puffs?|sprays?|tablets?|pills?|capsules?|lozenges?|troches?|vials?|ampoules?)"
)
_DOSE = re.compile(
    rf"(?<![\w.]){_NUMBER}(?:\s*(?:-|\u2013|to|or)\s*{_NUMBER})?[\s-]*(?:of\s+a\s+|an?\s+)?{_UNIT}(?!\w)"
)
"""A number with a unit in which drugs are measured, in folded text; `mg/kg/min` begins with one."""


def content_checks(guards: Guards, today: date) -> list[Check]:
    """Rules on how entries read and are found, on doses, on dates, and on what `guards` would stop."""
    return [
        Check(_reading_grade),
        Check(_doses),
        Check(_named_phrasings),
        Check(_repeated_phrasings),
        Check(partial(_guarded_names, guards)),
        Check(partial(_guarded_phrasings, guards), warns=True),
        Check(partial(_future_days, today)),
        Check(partial(_old_numbers, today, FAIL_AGE, timedelta.max)),
        Check(partial(_old_numbers, today, WARN_AGE, FAIL_AGE), warns=True),
    ]


def _reading_grade(draft: Draft) -> Iterator[Finding]:
    # Half a second to import, and only checking needs it.
    import textstat

    for place, entry in draft.of(Entry):
        text = " ".join((entry.answer, entry.body, entry.must_not_miss))
        grade = textstat.flesch_kincaid_grade(text)
        if grade > MAX_GRADE:
            message = (
                f"reads at school grade {grade:.1f}; use shorter words and sentences, at most {MAX_GRADE:.0f}"
            )
            yield (*place, "body"), message


def _doses(draft: Draft) -> Iterator[Finding]:
    for place, part in draft.parts:
        for where, text in _shown(place, part):
            if dose := _DOSE.search(fold(text)):
                yield where, f"gives a dose ({dose[0]}); leave the amount out"


def _shown(place: Path, part: Struct) -> Iterator[tuple[Path, str]]:
    """Every text of a part itself that readers may see, with its place; phrasings and keywords are none."""
    for name in part.__struct_fields__:
        held = getattr(part, name)
        if isinstance(held, str) and name not in _NO_TEXT:
            yield (*place, name), held


def _named_phrasings(draft: Draft) -> Iterator[Finding]:
    for _, bot in draft.of(Bot):
        topic = {word for name in bot.topic_words for word in words(name)}
        for place, entry in draft.of(Entry):
            unnamed = sum(1 for phrasing in entry.phrasings if not topic.intersection(words(phrasing)))
            if unnamed * 2 < len(entry.phrasings):
                message = (
                    f"only {unnamed} of {len(entry.phrasings)} leave the topic unnamed; at least half should"
                )
                yield (*place, "phrasings"), message


def _repeated_phrasings(draft: Draft) -> Iterator[Finding]:
    """The same words twice: which entry they should lead to, or whether to any, would be a guess."""
    first: dict[str, str] = {}
    lines = [
        ((*place, "phrasings", n), entry.id, line)
        for place, entry in draft.of(Entry)
        for n, line in enumerate(entry.phrasings)
    ]
    lines += [(place, "not_covered", line) for place, line in draft.not_covered]
    for place, home, line in lines:
        # Emoji have no words, and stand for themselves.
        said = " ".join(words(line)) or line
        if said in first:
            yield place, f"{line!r} stands in {first[said]} already; keep it in one place"
        first.setdefault(said, home)


def _guarded_names(guards: Guards, draft: Draft) -> Iterator[Finding]:
    for place, entry in draft.of(Entry):
        keywords = [(("keywords", n), keyword) for n, keyword in enumerate(entry.keywords)]
        for where, name in ((("title",), entry.title), (("claim",), entry.claim), *keywords):
            yield from _guarded(guards, (*place, *where), name)


def _guarded_phrasings(guards: Guards, draft: Draft) -> Iterator[Finding]:
    for place, entry in draft.of(Entry):
        for n, phrasing in enumerate(entry.phrasings):
            yield from _guarded(guards, (*place, "phrasings", n), phrasing)


def _guarded(guards: Guards, place: Path, text: str) -> Iterator[Finding]:
    """Only what a rule stops: no editor can tell what the classifier takes offence at."""
    ruling = guards.check(text)
    if ruling.guard and ruling.rule != CLASSIFIER:
        yield place, f"{text!r} is met by the {ruling.guard} guard ({ruling.rule}); use other words"


def _future_days(today: date, draft: Draft) -> Iterator[Finding]:
    days = [((*place, "checked"), line.checked) for place, line in draft.of(Helpline)]
    for place, entry in draft.of(Entry):
        days.append(((*place, "reviewed", "date"), entry.reviewed.date))
        for n, source in enumerate(entry.sources):
            where = (*place, "sources", n)
            days.append(((*where, "checked"), source.checked))
            if source.year and source.year > today.year:
                yield (*where, "year"), f"{source.year} is in the future; write the year it came out"
    for place, day in days:
        if day > today + ZONES:
            yield place, f"{day} is in the future; write the day it was done"


def _old_numbers(today: date, above: timedelta, up_to: timedelta, draft: Draft) -> Iterator[Finding]:
    for place, line in draft.of(Helpline):
        age = today - line.checked
        if above < age <= up_to:
            message = f"{line.name} ({line.country}) was checked {age.days} days ago"
            yield (*place, "checked"), f"{message}; call or open it, then write today's date"
