"""What a content file holds, as typed values."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from core.reply import BUTTON_TITLE, utf16_length

NOT_REVIEWED = "not clinically reviewed"


_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ADDRESS = r"^https?://[^\s/.]+\.[^\s]+$"
_ONE_LINE = r"^\s*\S.*\s*$"
_BODY = r"^\s*(\S+\s+){59,109}\S+\s*$"

_BLANK = re.compile("[\u034f\u115f\u1160\u2800\u3164\ufe00-\ufe0f\uffa0]")
"""Characters that fonts leave empty, though Unicode counts them as letters, marks or symbols."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A check with words of our own, and as much of it as a JSON Schema can say."""

    check: Callable[[Any], Any]
    schema: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, inner: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(inner), **self.schema}


def _at_most(units: int) -> _Rule:
    """At most so many UTF-16 units; the schema counts characters, which are never more."""

    def check(value: str) -> str:
        length = utf16_length(value)
        if length > units:
            raise PydanticCustomError(
                "too_long", f"is {length} characters long; shorten it to at most {units}"
            )
        return value

    return _Rule(check, {"maxLength": units})


def _visible(value: str) -> str:
    if all(unicodedata.category(character)[0] in "CZ" for character in _BLANK.sub("", value)):
        raise PydanticCustomError("invisible", "shows nothing; write something that can be seen")
    return value


def _one_line(value: str) -> str:
    if "\n" in value:
        raise PydanticCustomError("line_break", "has a line break; write it on one line")
    return value


def _body_words(value: str) -> str:
    words = len(value.split())
    if not 60 <= words <= 110:
        raise PydanticCustomError("words", f"has {words} words; write 60 to 110")
    return value


def _day(value: object) -> object:
    if not isinstance(value, str) or not re.search(_DAY, value):
        raise PydanticCustomError("day", "is no date; write it like 2026-11-22")
    return value


def _year(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch("[1-9][0-9]{0,4}", value):
        raise PydanticCustomError("year", "should be a year, like 2021, or empty")
    return value


def _contact(value: str) -> str:
    if not re.search(r"\d|\w\.\w", value):
        raise PydanticCustomError("contact", "names no number and no site; write what to call, text or open")
    return value


def _web_address(value: str) -> str:
    if not re.search(_ADDRESS, value):
        raise PydanticCustomError("address", "is no web address; write it like https://doi.org/...")
    return value


def _distinct(values: list[str]) -> list[str]:
    seen: set[str] = set()
    for at, value in enumerate(values):
        folded = value.casefold()
        if folded in seen:
            message = "{value} stands here twice; remove one"
            raise PydanticCustomError("twice", message, {"value": repr(value), "at": at})
        seen.add(folded)
    return values


Text = Annotated[str, Field(min_length=1), AfterValidator(_visible)]
Line = Annotated[Text, _Rule(_one_line, {"pattern": _ONE_LINE})]
Contact = Annotated[Line, AfterValidator(_contact)]
Body = Annotated[Text, _Rule(_body_words, {"pattern": _BODY})]
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": _DAY}),
]
Year = Annotated[int, Field(ge=1900, le=2100), BeforeValidator(_year)]
WebAddress = Annotated[str, _Rule(_web_address, {"pattern": _ADDRESS}), _at_most(200)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{3,32}$")]
_DISTINCT = _Rule(_distinct, {"uniqueItems": True})
Kind = Literal["myth", "fact"]
Verdict = Literal[
    "false", "misleading", "half-true", "well-supported", "supported-with-limits", "limited-evidence"
]
Strength = Literal["strong", "moderate", "limited", "very limited", "expert opinion"]
VERDICTS = {"myth": get_args(Verdict)[:3], "fact": get_args(Verdict)[3:]}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)


class Source(_Model):
    """Where a statement comes from."""

    label: Annotated[Line, _at_most(24)] = Field(description="Shown under the answer: 'FDA 2023'.")
    authors: Line = Field(description="People or body that wrote it.")
    title: Line
    year: Year | None = Field(description="Empty if undated.")
    published_in: Line = Field(description="Journal or site.")
    url: WebAddress = Field(description="DOI as https://doi.org/..., or the official page.")
    checked: Day = Field(description="The day somebody last opened it.")


class Evidence(_Model):
    """How sure science is, and why."""

    strength: Strength
    why: Line


class Review(_Model):
    """The last review; `by` stays 'not clinically reviewed' until a clinician has done it."""

    date: Day
    by: Line


class Entry(_Model):
    """One myth or fact."""

    id: Slug = Field(description="Never changed, never used again for another entry.")
    kind: Kind
    title: Annotated[Line, _at_most(BUTTON_TITLE)] = Field(description="Fits a phone button.")
    claim: Annotated[Line, _at_most(100)] = Field(description="The sentence as people say it.")
    verdict: Verdict
    answer: Annotated[Line, _at_most(200)] = Field(description="Stands alone, as a notification.")
    body: Body = Field(description="60 to 110 words.")
    must_not_miss: Line = Field(description="The caveat.")
    ask_your_clinician: Annotated[Line, _at_most(300)]
    evidence: Evidence
    sources: Annotated[list[Source], Field(min_length=1, max_length=6)]
    keywords: Annotated[list[Line], Field(min_length=1), _DISTINCT]
    phrasings: Annotated[list[Line], Field(min_length=20), _DISTINCT]
    category: Slug
    related: Annotated[list[Slug], Field(max_length=6), _DISTINCT]
    reviewed: Review


class Helpline(_Model):
    """A number or address for people in danger."""

    country: Line
    name: Line
    contact: Contact = Field(description="What to call, text or open.")
    owner: Line = Field(description="Who runs it.")
    source: WebAddress = Field(description="The page the number was read on.")
    checked: Day


class Crisis(_Model):
    """What somebody in danger reads, before anything else."""

    message: Line = Field(description="One kind sentence.")
    act_now: Line = Field(description="Stands before the emergency numbers.")
    short: Line = Field(description="The short form, within minutes of the full card.")
    emergency: Annotated[list[Helpline], Field(min_length=1)]
    helplines: Annotated[list[Helpline], Field(min_length=1)]


class Declined(_Model):
    """What somebody reads who asks for a dose, or for a way to get the drug."""

    message: Line
    advice: Line
    entry: Slug = Field(description="The nearest entry that is safe to offer.")
    helplines: list[Helpline] = Field(default_factory=list)


class Safety(_Model):
    """The replies that come before any entry."""

    crisis: Crisis
    dosing: Declined
    sourcing: Declined


class Bot(_Model):
    """Who the bot is."""

    name: Annotated[Line, _at_most(64)]
    topic: Annotated[Line, _at_most(64)] = Field(description="What it knows about, in a few words.")
    topic_words: Annotated[list[Line], Field(min_length=1), _DISTINCT] = Field(
        description="Names of the topic itself: too common here to tell entries apart."
    )
    about: Annotated[Line, _at_most(512)]
    standing_line: Annotated[Line, _at_most(100)] = Field(description="Closes every answer.")
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
    editorial_policy: Annotated[Line, _at_most(1500)]


class Category(_Model):
    """A heading under which /topics lists entries."""

    id: Slug
    title: Annotated[Line, _at_most(BUTTON_TITLE)]


class Content(_Model):
    """A whole content file."""

    bot: Bot
    safety: Safety
    categories: Annotated[list[Category], Field(min_length=1)]
    entries: Annotated[list[Entry], Field(min_length=1)]
    not_covered: Annotated[list[Line], _DISTINCT] = Field(
        default_factory=list,
        description="Questions that sound near but have no entry: the bot stays silent on their like.",
    )

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with that id, or None if it was withdrawn."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)


def content_schema() -> dict[str, Any]:
    """The JSON Schema of a content file, for editors' completion and squiggles."""
    schema = Content.model_json_schema()
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "content.yaml"}
