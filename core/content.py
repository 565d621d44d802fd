"""What a content file holds, as typed values."""

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct, json

from core.form import Unfit, rule
from core.reply import BUTTON_TITLE, utf16_length

NOT_REVIEWED = "not clinically reviewed"


_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ADDRESS = r"^https?://[^\s/.]+\.[^\s]+$"
_ONE_LINE = r"^\s*\S.*\s*$"
_BODY = r"^\s*(\S+\s+){59,109}\S+\s*$"

_BLANK = re.compile("[\u034f\u115f\u1160\u2800\u3164\ufe00-\ufe0f\uffa0]")
"""Characters that fonts leave empty, though Unicode counts them as letters, marks or symbols."""


def _at_most(units: int) -> Meta:
    """At most so many UTF-16 units; the schema counts characters, which are never more."""

    def check(value: str) -> str:
        length = utf16_length(value)
        if length > units:
            raise Unfit(f"is {length} characters long; shorten it to at most {units}")
        return value

    return rule(check, maxLength=units)


def _lists(least: int, most: int | None = None) -> Meta:
    def check(values: list[Any]) -> list[Any]:
        if len(values) < least:
            raise Unfit(f"lists {len(values)}; write at least {least}")
        if most and len(values) > most:
            raise Unfit(f"lists {len(values)}; keep at most {most}")
        return values

    return rule(check, minItems=least, **({"maxItems": most} if most else {}))


def _matching(pattern: str, words: str) -> Meta:
    """Text like that; `{!r}` in `words` stands for what is written."""

    def check(value: str) -> str:
        if not re.search(pattern, value):
            raise Unfit(words.format(value))
        return value

    return rule(check, pattern=pattern)


def _visible(value: str) -> str:
    if not value:
        raise Unfit("is empty; write something")
    if all(unicodedata.category(character)[0] in "CZ" for character in _BLANK.sub("", value)):
        raise Unfit("shows nothing; write something that can be seen")
    return value


def _one_line(value: str) -> str:
    if "\n" in value:
        raise Unfit("has a line break; write it on one line")
    return value


def _body_words(value: str) -> str:
    words = len(value.split())
    if not 60 <= words <= 110:
        raise Unfit(f"has {words} words; write 60 to 110")
    return value


def _day(value: object) -> date:
    if not isinstance(value, str) or not re.search(_DAY, value):
        raise Unfit("is no date; write it like 2026-11-22")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Unfit("is no date of the calendar; write it like 2026-11-22") from None


def _year(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch("[1-9][0-9]{0,4}", value):
        raise Unfit("should be a year, like 2021, or empty")
    year = int(value)
    if year < 1900:
        raise Unfit("is too early for a year; write 1900 or later")
    if year > 2100:
        raise Unfit("is too late for a year; write 2100 or earlier")
    return year


def _contact(value: str) -> str:
    if not re.search(r"\d|\w\.\w", value):
        raise Unfit("names no number and no site; write what to call, text or open")
    return value


def _distinct(values: list[str | None]) -> list[str | None]:
    seen: set[str] = set()
    for at, value in enumerate(values):
        if value is None:  # has a fault of its own
            continue
        if value.casefold() in seen:
            raise Unfit(f"{value!r} stands here twice; remove one", at)
        seen.add(value.casefold())
    return values


Text = Annotated[str, rule(_visible, minLength=1)]
Line = Annotated[Text, rule(_one_line, pattern=_ONE_LINE)]
Contact = Annotated[Line, rule(_contact)]
Body = Annotated[Text, rule(_body_words, pattern=_BODY)]
Day = Annotated[date, rule(_day, pattern=_DAY)]
Year = Annotated[int, rule(_year, minimum=1900, maximum=2100)]
WebAddress = Annotated[
    str, _matching(_ADDRESS, "is no web address; write it like https://doi.org/..."), _at_most(200)
]
Slug = Annotated[str, _matching(r"^[a-z0-9-]{3,32}$", "is {!r}; use 3 to 32 of a-z, 0-9 and -")]
Language = Annotated[
    str, _matching(r"^[a-z]{2}(-[A-Z]{2})?$", "is {!r}; use a language code such as en or de-AT")
]
_DISTINCT = rule(_distinct, uniqueItems=True)
Kind = Literal["myth", "fact"]
Verdict = Literal[
    "false", "misleading", "half-true", "well-supported", "supported-with-limits", "limited-evidence"
]
Strength = Literal["strong", "moderate", "limited", "very limited", "expert opinion"]
VERDICTS = {"myth": get_args(Verdict)[:3], "fact": get_args(Verdict)[3:]}


class _Model(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Source(_Model, frozen=True):
    """Where a statement comes from."""

    label: Annotated[Line, _at_most(24), Meta(description="Shown under the answer: 'FDA 2023'.")]
    authors: Annotated[Line, Meta(description="People or body that wrote it.")]
    title: Line
    year: Annotated[Year | None, Meta(description="Empty if undated.")]
    published_in: Annotated[Line, Meta(description="Journal or site.")]
    url: Annotated[WebAddress, Meta(description="DOI as https://doi.org/..., or the official page.")]
    checked: Annotated[Day, Meta(description="The day somebody last opened it.")]


class Evidence(_Model, frozen=True):
    """How sure science is, and why."""

    strength: Strength
    why: Line


class Review(_Model, frozen=True):
    """The last review; `by` stays 'not clinically reviewed' until a clinician has done it."""

    date: Day
    by: Line


class Entry(_Model, frozen=True):
    """One myth or fact."""

    id: Annotated[Slug, Meta(description="Never changed, never used again for another entry.")]
    kind: Kind
    title: Annotated[Line, _at_most(BUTTON_TITLE), Meta(description="Fits a phone button.")]
    claim: Annotated[Line, _at_most(100), Meta(description="The sentence as people say it.")]
    verdict: Verdict
    answer: Annotated[Line, _at_most(200), Meta(description="Stands alone, as a notification.")]
    body: Annotated[Body, Meta(description="60 to 110 words.")]
    must_not_miss: Annotated[Line, Meta(description="The caveat.")]
    ask_your_clinician: Annotated[Line, _at_most(300)]
    evidence: Evidence
    sources: Annotated[list[Source], _lists(1, 6)]
    keywords: Annotated[list[Line], _lists(1), _DISTINCT]
    phrasings: Annotated[list[Line], _lists(20), _DISTINCT]
    category: Slug
    related: Annotated[list[Slug], _lists(0, 6), _DISTINCT]
    reviewed: Review


class Helpline(_Model, frozen=True):
    """A number or address for people in danger."""

    country: Line
    name: Line
    contact: Annotated[Contact, Meta(description="What to call, text or open.")]
    owner: Annotated[Line, Meta(description="Who runs it.")]
    source: Annotated[WebAddress, Meta(description="The page the number was read on.")]
    checked: Day


class Crisis(_Model, frozen=True):
    """What somebody in danger reads, before anything else."""

    message: Annotated[Line, Meta(description="One kind sentence.")]
    act_now: Annotated[Line, Meta(description="Stands before the emergency numbers.")]
    short: Annotated[Line, Meta(description="The short form, within minutes of the full card.")]
    emergency: Annotated[list[Helpline], _lists(1)]
    helplines: Annotated[list[Helpline], _lists(1)]


class Declined(_Model, frozen=True):
    """What somebody reads who asks for a dose, or for a way to get the drug."""

    message: Line
    advice: Line
    entry: Annotated[Slug, Meta(description="The nearest entry that is safe to offer.")]
    helplines: list[Helpline] = []


class Safety(_Model, frozen=True):
    """The replies that come before any entry."""

    crisis: Crisis
    dosing: Declined
    sourcing: Declined


class Bot(_Model, frozen=True):
    """Who the bot is."""

    name: Annotated[Line, _at_most(64)]
    topic: Annotated[Line, _at_most(64), Meta(description="What it knows about, in a few words.")]
    topic_words: Annotated[
        list[Line],
        _lists(1),
        _DISTINCT,
        Meta(description="Names of the topic itself: too common here to tell entries apart."),
    ]
    about: Annotated[Line, _at_most(512)]
    standing_line: Annotated[Line, _at_most(100), Meta(description="Closes every answer.")]
    language: Language
    editorial_policy: Annotated[Line, _at_most(1500)]


class Category(_Model, frozen=True):
    """A heading under which /topics lists entries."""

    id: Slug
    title: Annotated[Line, _at_most(BUTTON_TITLE)]


class Content(_Model, frozen=True):
    """A whole content file."""

    bot: Bot
    safety: Safety
    categories: Annotated[list[Category], _lists(1)]
    entries: Annotated[list[Entry], _lists(1)]
    not_covered: Annotated[
        list[Line],
        _DISTINCT,
        Meta(description="Questions that sound near but have no entry: the bot stays silent on their like."),
    ] = []

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with that id, or None if it was withdrawn."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)


def content_schema() -> dict[str, Any]:
    """The JSON Schema of a content file, for editors' completion and squiggles."""
    parts = json.schema(Content)["$defs"]
    whole = {**parts.pop("Content"), "title": "content.yaml"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": parts}
