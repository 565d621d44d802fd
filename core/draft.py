"""A content file as an editor leaves it: read, and every fault in it named at once."""

import errno
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from core.content import VERDICTS, Content
from core.document import MAX_BYTES, Document, Finding
from core.document import Path as Place
from core.errors import ContentError, Fault
from core.form import Form
from core.references import cross_findings

MAX_FAULTS = 500
"""Enough to mend a file by; a generated wreck shouldn't fill the screen."""

ADVICE = "set CONTENT_PATH to a content file"

Part = TypeVar("Part", bound=Struct)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is sound in a content file, each part with its place; other parts may have faults.

    Attributes:
        parts: every group of values that is sound in itself, whatever is wrong elsewhere.
        not_covered: its lines that are text.
        content: the whole, if its form is sound everywhere.
    """

    parts: tuple[tuple[Place, Struct], ...] = ()
    not_covered: tuple[tuple[Place, str], ...] = ()
    content: Content | None = None

    def of(self, kind: type[Part]) -> list[tuple[Place, Part]]:
        """The sound parts of a kind, in the order of the file."""
        return [(place, part) for place, part in self.parts if isinstance(part, kind)]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule beyond the form of a content file.

    Attributes:
        find: names the places of a draft that break it.
        warns: what it finds wants a look soon, and stops nothing.
    """

    find: Callable[[Draft], Iterable[Finding]]
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What examining a file gave: its content, if nothing stops it, and every fault and warning by line."""

    content: Content | None
    faults: tuple[Fault, ...]


def examine(path: Path, checks: Sequence[Check] = (), *, advice: str = ADVICE) -> Report:
    """Read a content file and hold it against its form and `checks`; nothing is raised.

    `advice` says what to do if it can't be read.
    """
    try:
        raw = _read(path)
    except OSError as error:
        message = f"can't be read ({error.strerror}); {advice}"
        return Report(None, (Fault(1, "", message),))
    return examine_text(raw, checks)


def examine_text(raw: bytes, checks: Sequence[Check] = ()) -> Report:
    """Like `examine`, for UTF-8 YAML of at most `MAX_BYTES`."""
    document = Document(raw)
    draft = _draft(document)
    for check in checks:
        for place, message in check.find(draft):
            document.report(place, message, warns=check.warns)
    faults = sorted(dict.fromkeys(document.faults), key=lambda fault: (fault.line, fault.path))[:MAX_FAULTS]
    stopped = any(not fault.warns for fault in document.faults)
    return Report(None if stopped else draft.content, tuple(faults))


def load_content(path: Path, checks: Sequence[Check] = ()) -> Content:
    """The content of a file that has no faults, by `checks` neither.

    Raises:
        ContentError: it can't be read or has faults; carries all of them.
    """
    return _sound(examine(path, checks), path.name)


def parse_content(raw: bytes, file: str = "content.yaml", checks: Sequence[Check] = ()) -> Content:
    """Like `load_content`, for the text of a file of that name."""
    return _sound(examine_text(raw, checks), file)


def _sound(report: Report, file: str) -> Content:
    if report.content is None:
        raise ContentError(file, [fault for fault in report.faults if not fault.warns])
    return report.content


def _read(path: Path) -> bytes:
    # Opening a pipe would wait for somebody to write to it.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _draft(document: Document) -> Draft:
    """What of a document is sound; the faults of its form are reported to it."""
    data = document.data
    if data is None:
        return Draft()
    if not isinstance(data, dict):
        document.report((), "should start with 'bot:', 'safety:', 'categories:' and 'entries:'")
        return Draft()
    form = Form()
    content = form.fit(data, Content)
    for place, message in (*form.findings, *cross_findings(data, VERDICTS)):
        document.report(place, message)
    listed = data.get("not_covered")
    lines = enumerate(listed if isinstance(listed, list) else ())
    not_covered = tuple((("not_covered", n), line) for n, line in lines if isinstance(line, str))
    return Draft(tuple(form.parts), not_covered, content)
