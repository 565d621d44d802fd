"""content.yaml as typed values, or every fault in it at once."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from core.document import MAX_BYTES, Document
from core.document import Path as Place
from core.errors import ContentError, Fault
from core.reply import BUTTON_TITLE, utf16_length

MAX_FAULTS = 500
"""Enough to mend a file by; a generated wreck shouldn't fill the screen."""

NOT_REVIEWED = "not clinically reviewed"

Finding = tuple[Place, str]
"""A place in the file, and what is wrong there."""


def _at_most(units: int) -> AfterValidator:
    def check(value: str) -> str:
        length = utf16_length(value)
        if length > units:
            raise PydanticCustomError(
                "too_long", f"is {length} characters long; shorten it to at most {units}"
            )
        return value

    return AfterValidator(check)


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
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise PydanticCustomError("day", "is no date; write it like 2026-11-22")
    return value


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/.]+\.[^\s]+", value):
        raise PydanticCustomError("address", "is no web address; write it like https://doi.org/...")
    return value


def _distinct(values: list[str]) -> list[str]:
    seen: set[str] = set()
    for value in values:
        folded = value.casefold()
        if folded in seen:
            raise PydanticCustomError("twice", "lists {value} twice; remove one", {"value": repr(value)})
        seen.add(folded)
    return values


Text = Annotated[str, Field(min_length=1)]
Line = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
Day = Annotated[date, BeforeValidator(_day)]
WebAddress = Annotated[str, AfterValidator(_web_address), _at_most(200)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{3,32}$")]
Kind = Literal["myth", "fact"]
Verdict = Literal[
    "false", "misleading", "half-true", "well-supported", "supported-with-limits", "limited-evidence"
]
Strength = Literal["strong", "moderate", "limited", "very limited", "expert opinion"]
VERDICTS = {"myth": get_args(Verdict)[:3], "fact": get_args(Verdict)[3:]}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Source(_Model):
    """Where a statement comes from."""

    label: Annotated[Line, _at_most(24)] = Field(description="Shown under the answer: 'FDA 2023'.")
    authors: Line = Field(description="People or body that wrote it.")
    title: Line
    year: Annotated[int, Field(ge=1900, le=2100)] | None = Field(description="Empty if undated.")
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
    body: Annotated[Text, AfterValidator(_body_words)] = Field(description="60 to 110 words.")
    must_not_miss: Line = Field(description="The caveat.")
    ask_your_clinician: Annotated[Line, _at_most(300)]
    evidence: Evidence
    sources: Annotated[list[Source], Field(min_length=1, max_length=6)]
    keywords: Annotated[list[Line], Field(min_length=1), AfterValidator(_distinct)]
    phrasings: Annotated[list[Line], Field(min_length=20), AfterValidator(_distinct)]
    category: Slug
    related: Annotated[list[Slug], Field(max_length=6), AfterValidator(_distinct)]
    reviewed: Review


class Helpline(_Model):
    """A number or address for people in danger."""

    country: Line
    name: Line
    contact: Line = Field(description="What to call, text or open.")
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
    topic_words: Annotated[list[Line], Field(min_length=1), AfterValidator(_distinct)] = Field(
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
    not_covered: Annotated[list[Line], AfterValidator(_distinct)] = Field(
        default_factory=list,
        description="Questions that sound near but have no entry: the bot stays silent on their like.",
    )

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with that id, or None if it was withdrawn."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)


Check = Callable[[Content], Iterable[Finding]]
"""A further rule: reads sound content, names places that break it."""


def load_content(path: Path, checks: Sequence[Check] = ()) -> Content:
    """Read and check a content file, by `checks` too.

    Raises:
        ContentError: it can't be read or has faults; carries all of them.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"can't be read ({error.strerror}); set CONTENT_PATH to a content file"
        raise ContentError(path.name, [Fault(1, "", message)]) from error
    return parse_content(raw, path.name, checks)


def parse_content(raw: bytes, file: str = "content.yaml", checks: Sequence[Check] = ()) -> Content:
    """The content in `raw`, UTF-8 YAML of at most `MAX_BYTES`.

    Raises:
        ContentError: it has faults; carries all of them.
    """
    document = Document(raw)
    content = _validate(document, checks)
    if content is None or document.faults:
        raise ContentError(file, document.faults[:MAX_FAULTS])
    return content


def _validate(document: Document, checks: Sequence[Check]) -> Content | None:
    """The content a document holds; its faults are reported to the document."""
    data = document.data
    if data is None:
        return None
    if not isinstance(data, dict):
        document.report((), "should start with 'bot:', 'safety:', 'categories:' and 'entries:'")
        return None
    listed = data["entries"] if isinstance(data.get("entries"), list) else []
    content = None
    try:
        content = Content.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            document.report(*_finding(detail))
    for place, message in _cross_findings(data, listed):
        document.report(place, message)
    if content is None:
        return None
    for check in checks:
        for place, message in check(content):
            document.report(place, message)
    return content


def content_schema() -> dict[str, Any]:
    """The JSON Schema of a content file, for editors' completion and squiggles."""
    schema = Content.model_json_schema()
    schema["title"] = "content.yaml"
    return schema


def _keys_beside(place: Place) -> list[str]:
    """The keys that may stand where `place` does."""
    model: Any = Content
    for part in place[:-1]:
        if isinstance(part, str):
            held = model.model_fields[part].annotation
            model = next(iter(get_args(held)), held)
    return list(model.model_fields)


def _unknown(place: Place) -> str:
    near = get_close_matches(str(place[-1]), _keys_beside(place), n=1)
    return f"is no known key; did you mean {near[0]!r}?" if near else "is no known key; remove it"


_MESSAGES = {
    "missing": "is missing; add it",
    "string_type": "should be text; put text with ': ' or brackets in quotes",
    "list_type": "should be a list: lines that start with '- '",
    "model_type": "should be a group of 'key: value' lines",
    "model_attributes_type": "should be a group of 'key: value' lines",
    "dict_type": "should be a group of 'key: value' lines",
    "int_parsing": "should be a year, like 2021, or empty",
    "int_parsing_size": "should be a year, like 2021, or empty",
    "int_type": "should be a year, like 2021, or empty",
    "int_from_float": "should be a year, like 2021, or empty",
    "greater_than_equal": "is too early for a year; write 1900 or later",
    "less_than_equal": "is too late for a year; write 2100 or earlier",
    "string_too_short": "is empty; write something",
    "date_from_datetime_parsing": "is no date of the calendar; write it like 2026-11-22",
    "date_parsing": "is no date of the calendar; write it like 2026-11-22",
}


def _finding(detail: ErrorDetails) -> Finding:
    """A pydantic error as a place and a sentence that says what to do."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    path = detail["loc"]
    if kind == "extra_forbidden":
        return path, _unknown(path)
    if given is None and kind == "list_type":
        return path, "is empty; write lines that start with '- ', or [] for none"
    if given is None:
        return path, "is empty; write something"
    if kind == "literal_error":
        return path, f"is {given!r}; use one of: {str(context['expected']).replace(chr(39), '')}"
    if kind == "string_pattern_mismatch":
        if path[-1] == "language":
            return path, f"is {given!r}; use a language code such as en or de-AT"
        return path, f"is {given!r}; use 3 to 32 of a-z, 0-9 and -"
    if kind in ("too_short", "too_long") and "actual_length" in context:
        few = kind == "too_short"
        limit = context["min_length" if few else "max_length"]
        advice = "write at least" if few else "keep at most"
        return path, f"lists {context['actual_length']}; {advice} {limit}"
    return path, _MESSAGES.get(kind, detail["msg"])


def _cross_findings(data: dict[str, Any], entries: list[Any]) -> Iterator[Finding]:
    """What only several parts together can get wrong; `data` may have other faults."""
    named = [(i, e) for i, e in enumerate(entries) if isinstance(e, dict)]
    ids = _first_index(named)
    categories = data.get("categories")
    headings = [
        c.get("id") for c in (categories if isinstance(categories, list) else []) if isinstance(c, dict)
    ]
    for n, heading in enumerate(headings):
        if isinstance(heading, str) and heading in headings[:n]:
            yield ("categories", n, "id"), f"{heading!r} stands for two categories; rename one"
    for index, entry in named:
        entry_id, kind, verdict = entry.get("id"), entry.get("kind"), entry.get("verdict")
        if isinstance(entry_id, str) and ids[entry_id] != index:
            yield ("entries", index, "id"), f"{entry_id!r} is used twice; give this one another id"
        fitting = VERDICTS.get(str(kind), ())
        others = {v for verdicts in VERDICTS.values() for v in verdicts} - set(fitting)
        if fitting and isinstance(verdict, str) and verdict in others:
            yield (
                ("entries", index, "verdict"),
                f"{verdict!r} doesn't fit a {kind}; use one of: {', '.join(fitting)}",
            )
        category = entry.get("category")
        if isinstance(category, str) and headings and category not in headings:
            yield (
                ("entries", index, "category"),
                f"{category!r} is not in categories; add it there or use another",
            )
        if isinstance(entry_id, str):
            yield from _related_findings(index, entry, entries, ids)
    safety = data.get("safety")
    for name in ("dosing", "sourcing"):
        part = safety.get(name) if isinstance(safety, dict) else None
        offered = part.get("entry") if isinstance(part, dict) else None
        if isinstance(offered, str) and ids and offered not in ids:
            yield ("safety", name, "entry"), f"{offered!r} is not an entry; name one that exists"


def _first_index(named: list[tuple[int, dict[str, Any]]]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for index, entry in named:
        if isinstance(entry.get("id"), str):
            ids.setdefault(entry["id"], index)
    return ids


def _related_findings(
    index: int, entry: dict[str, Any], entries: list[Any], ids: dict[str, int]
) -> Iterator[Finding]:
    related = entry.get("related")
    for n, other in enumerate(related if isinstance(related, list) else []):
        path = ("entries", index, "related", n)
        if not isinstance(other, str):
            continue
        if other == entry.get("id"):
            yield path, "is the entry itself; remove it"
        elif other not in ids:
            yield path, f"{other!r} is not an entry; mend the id or remove it"
        else:
            back = entries[ids[other]].get("related")
            if not isinstance(back, list) or entry.get("id") not in back:
                yield path, f"{other!r} doesn't list {entry.get('id')!r} in its own related; add it there"
