"""What `ketafacts check` asks of a content file beyond what the bot needs to run it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from core.content import Check, Content
from core.document import Finding
from core.safety import CLASSIFIER, Guards
from core.words import words

MAX_GRADE = 8.0
"""Flesch-Kincaid school grade that patients' texts should not exceed."""

WARN_AGE = timedelta(days=60)
FAIL_AGE = timedelta(days=90)
"""How long a crisis number may go unchecked."""


def content_checks(guards: Guards) -> list[Check]:
    """Rules on how entries read, how people's ways of asking are covered, and what `guards` would stop."""
    return [_reading_grade, _named_phrasings, _guarded_names(guards)]


def overdue(content: Content, today: date | None = None) -> tuple[list[str], list[str]]:
    """Crisis numbers that need a fresh look: warnings, then faults."""
    day = today or datetime.now(UTC).date()
    crisis, safety = content.safety.crisis, content.safety
    lines = [*crisis.emergency, *crisis.helplines, *safety.dosing.helplines, *safety.sourcing.helplines]
    warnings, faults = [], []
    for line in lines:
        age = day - line.checked
        named = f"safety: {line.name} ({line.country})"
        message = f"{named} was checked {age.days} days ago; call or open it, then renew 'checked'"
        # East of Greenwich it may be tomorrow already; later days would silence this check.
        if age < timedelta(days=-1):
            faults.append(f"{named} has a day in the future; write the day it was checked")
        elif age > FAIL_AGE:
            faults.append(message)
        elif age > WARN_AGE:
            warnings.append(f"warning: {message}")
    return warnings, faults


def _reading_grade(content: Content) -> Iterator[Finding]:
    # Half a second to import, and only checking needs it.
    import textstat

    for index, entry in enumerate(content.entries):
        text = " ".join((entry.answer, entry.body, entry.must_not_miss))
        grade = textstat.flesch_kincaid_grade(text)
        if grade > MAX_GRADE:
            message = (
                f"reads at school grade {grade:.1f}; use shorter words and sentences, at most {MAX_GRADE:.0f}"
            )
            yield ("entries", index, "body"), message


def _named_phrasings(content: Content) -> Iterator[Finding]:
    topic = {word for name in content.bot.topic_words for word in words(name)}
    for index, entry in enumerate(content.entries):
        unnamed = sum(1 for phrasing in entry.phrasings if not topic.intersection(words(phrasing)))
        if unnamed * 2 < len(entry.phrasings):
            message = (
                f"only {unnamed} of {len(entry.phrasings)} leave the topic unnamed; at least half should"
            )
            yield ("entries", index, "phrasings"), message


def _guarded_names(guards: Guards) -> Check:
    def check(content: Content) -> Iterator[Finding]:
        for index, entry in enumerate(content.entries):
            names = [
                ("title", entry.title),
                ("claim", entry.claim),
                *(("keywords", k) for k in entry.keywords),
            ]
            for field, name in names:
                ruling = guards.check(name)
                if ruling.guard and ruling.rule != CLASSIFIER:
                    message = f"{name!r} is met by the {ruling.guard} guard ({ruling.rule}); use other words"
                    yield ("entries", index, field), message

    return check
