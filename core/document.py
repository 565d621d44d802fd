"""A YAML text as plain lists, dicts and strings, with the line of every value."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from core.errors import Fault
from core.indentation import slipped

Path = tuple[str | int, ...]
"""Where a value stands: `("entries", 3, "title")`."""

Finding = tuple[Path, str]
"""A place in the file, and what is wrong there."""

MAX_BYTES = 5_000_000
"""A file over this is a mistake: 1,000 full entries are about 4 MB."""

MAX_DEPTH = 12
"""The schema nests five deep; more is a YAML bomb or a slip."""

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
"""Unquoted, these mean nothing. All else is text, so that `no`, `false` and 1-2 stay what was typed."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_BREAK = re.compile(r"[\x85\u2028\u2029]")
_TURN = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_HIDDEN = re.compile(r"[\u00ad\u200b\u2060\ufeff]")
_CURLY = re.compile(r"[“‘„][^“‘„”’]*[”’“]")
_WIDE_INDENT = re.compile(r" *[\u00a0\u2000-\u200a\u202f\u3000]")
_KEY = re.compile(r" *([a-z_]+):(?: |$)")
_INDENTING_TAB = re.compile(r"[ -]*\t")


class _TooDeepError(Exception):
    """The text nests over `MAX_DEPTH` deep."""


class Document:
    """What a YAML text says, and every fault of its form.

    Attributes:
        data: nested lists, dicts, strings and None; None if the text can't be read.
        faults: what is wrong with the text, and what `report` added.
    """

    def __init__(self, raw: bytes) -> None:
        self.data: Any = None
        self.faults: list[Fault] = []
        self._lines: dict[Path, int] = {(): 1}
        self._names: dict[Path, str] = {}
        self._swallowed: dict[Path, int] = {}
        self._rows: list[str] = []
        self._last: yaml.Event | None = None
        self._is_wild = False
        text = self._decode(raw)
        if text is not None:
            self._take(text)

    def report(self, path: Path, message: str, *, warns: bool = False) -> None:
        """Add a fault at `path`; where nothing stands there, at the line of what it belongs to."""
        if path in self._swallowed and path not in self._lines:
            # It is there, but the text above it goes on over it.
            message = "is read as a part of the text above; indent it less"
            self.faults.append(Fault(self._swallowed[path], self._show(path), message))
            return
        known = next(path[:n] for n in range(len(path), -1, -1) if path[:n] in self._lines)
        self.faults.append(Fault(self._lines[known], self._show(path), message, warns))

    def _decode(self, raw: bytes) -> str | None:
        if len(raw) > MAX_BYTES:
            self.report((), f"the file is over {MAX_BYTES // 1_000_000} MB; shorten it")
            return None
        try:
            text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.faults.append(Fault(line, "", "this is not UTF-8; save the file as UTF-8"))
            return None
        self._rows = text.split("\n")
        for number, row in enumerate(self._rows, 1):
            if not row.isascii() and _WIDE_INDENT.match(row):
                message = "this line starts with a space that is no ordinary one; type the spaces anew"
                self.faults.append(Fault(number, "", message))
        if self.faults:
            return None
        if "\t" not in text and not _BREAK.search(text):
            return text
        for number, row in enumerate(self._rows, 1):
            if "\t" in row:
                self.faults.append(Fault(number, "", "this line has a tab; use spaces"))
            if _BREAK.search(row):
                self.faults.append(Fault(number, "", "this line has an invisible line break; type it anew"))
        if any(_INDENTING_TAB.match(row) for row in self._rows):
            return None
        # YAML ends a line at an invisible break and editors don't: later line numbers would be wrong.
        return _BREAK.sub(" ", text.replace("\t", " "))

    def _take(self, text: str) -> None:
        """Take over what the text says, in one pass over its events, unless it can't be read."""
        events = self._events(text)
        plain: Any = None
        try:
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent) and not self._is_wild:
                    plain = self._plain(next(events), events, ())
        except yaml.MarkedYAMLError as error:
            self.faults.append(_unreadable(error, self._last, text.split("\n")))
        except yaml.reader.ReaderError as error:
            # The C loader counts in bytes.
            line = text.encode().count(b"\n", 0, error.position) + 1
            self.faults.append(Fault(line, "", "this has a character YAML forbids; remove it"))
        except _TooDeepError:
            message = f"nested over {MAX_DEPTH} deep; check the indentation and brackets"
            self.faults.append(Fault(_line(self._last), "", message))
        else:
            if not self._is_wild:
                self.data = {} if plain is None else plain

    def _events(self, text: str) -> Iterator[yaml.Event]:
        """The events of the text; anchors and tags are faults that hinder no further reading."""
        depth = documents = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if type(event) is yaml.ScalarEvent and not event.tag and not event.anchor:
                # Nine of ten are these, and nothing below concerns them.
                self._last = event
                yield event
                continue
            depth += _step(event)
            documents += isinstance(event, yaml.DocumentStartEvent)
            if message := _wildness(event, documents):
                self.faults.append(Fault(_line(event), "", message))
                self._is_wild = self._is_wild or isinstance(event, yaml.AliasEvent) or documents > 1
            # What stopped the parser is looked for after the event before.
            self._last = event
            if depth > MAX_DEPTH:
                raise _TooDeepError
            yield event

    def _plain(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Any:
        """What starts with `event`, the rest of it taken from `events`."""
        self._lines[path] = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            self._judge_text(event, path)
            is_null = event.value in _NULL and event.implicit[0]
            return None if is_null else event.value.strip()
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return None

    def _judge_text(self, event: yaml.ScalarEvent, path: Path) -> None:
        if not event.value.isprintable() and _CONTROL.search(event.value):
            self.report(path, "has a control character, written with \\ in quotes; remove it")
        if not event.value.isascii():
            self._judge_letters(event, path)
        if event.start_mark and event.end_mark and event.start_mark.line < event.end_mark.line:
            self._judge_lines(event.style, path, range(event.start_mark.line + 1, event.end_mark.line + 1))
        end = event.end_mark if event.value and not event.style else None
        if end and self._rows[end.line][end.column :].lstrip().startswith("#"):
            message = "text after # is a comment to YAML; put the text in quotes"
            self.faults.append(Fault(end.line + 1, self._show(path), message))

    def _judge_lines(self, style: str | None, path: Path, lines: range) -> None:
        """Look for items and keys that have slipped into a text, of which `lines` go on with it."""
        if not style:
            item = next((line for line in lines if self._rows[line].lstrip().startswith("- ")), None)
            if item is not None:
                message = "is read as a part of the text above; start both in the same column"
                self.faults.append(Fault(item + 1, self._show(path), message))
        elif style in "|>":
            for line in lines[:-1]:
                if key := _KEY.match(self._rows[line]):
                    self._swallowed[*path[:-1], key[1]] = line + 1

    def _judge_letters(self, event: yaml.ScalarEvent, path: Path) -> None:
        if _CURLY.fullmatch(event.value) and not event.style:
            self.report(path, "has curly quotes around it, which would be shown; remove them, or use ' or \"")
        if _HIDDEN.search(event.value) and _HIDDEN.sub("", event.value).strip():
            self.report(path, "has an invisible character; remove it, or type the words anew")
        if _TURN.search(event.value):
            self.report(path, "has an invisible character that turns the text around; remove it")

    def _sequence(self, events: Iterator[yaml.Event], path: Path) -> list[Any]:
        plain: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            plain.append(self._plain(event, events, (*path, len(plain))))
        return plain

    def _mapping(self, events: Iterator[yaml.Event], path: Path) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent) or not event.value.isprintable():
                self.faults.append(Fault(line, self._show(path), "a key should be one word"))
                _skip(event, events)
                _skip(next(events), events)
                continue
            key = str(event.value)
            here = (*path, key)
            if key in plain:
                message = f"is written twice (first on line {self._lines[here]}); remove one"
                self.faults.append(Fault(line, self._show(here), message))
                _skip(next(events), events)
                continue
            plain[key] = self._plain(next(events), events, here)
            self._lines[here] = line
            if key == "id" and isinstance(plain[key], str) and plain[key] and plain[key].isprintable():
                self._names[path] = plain[key]
        return plain

    def _show(self, path: Path) -> str:
        """The place as editors know it: list items by their id where they have one."""
        shown = ""
        for n, part in enumerate(path):
            if isinstance(part, int):
                shown += f"[{self._names.get(path[: n + 1], part)}]"
            else:
                shown += f".{part}" if shown else part
        return shown


def _line(event: yaml.Event | None) -> int:
    """The line, from 1, on which an event starts."""
    return event.start_mark.line + 1 if event and event.start_mark else 1


def _step(event: yaml.Event) -> int:
    """How many levels deeper the events after this one are."""
    if isinstance(event, yaml.CollectionStartEvent):
        return 1
    return -1 if isinstance(event, yaml.CollectionEndEvent) else 0


def _skip(event: yaml.Event, events: Iterator[yaml.Event]) -> None:
    """Leave out what starts with `event`."""
    depth = 0
    while depth := depth + _step(event):
        event = next(events)


def _wildness(event: yaml.Event, documents: int) -> str:
    if isinstance(event, yaml.AliasEvent):
        return "uses an alias (*name); write it out, or put text that starts with * in quotes"
    if getattr(event, "tag", None):
        return "uses a tag (!name); remove it, or put text that starts with ! in quotes"
    if getattr(event, "anchor", None):
        return "uses an anchor (&name); remove it, or put text that starts with & in quotes"
    if isinstance(event, yaml.DocumentStartEvent) and documents > 1:
        return "starts a second document (---); remove this line"
    return ""


def _unreadable(error: yaml.MarkedYAMLError, last: yaml.Event | None, rows: Sequence[str]) -> Fault:
    """What stopped the parser after the event `last`, on the line to look at."""
    opened = _open_quote(error, last)
    if opened:
        message = "is no YAML: look for the missing end of the quote that opens here"
        return Fault(opened, "", message)
    problem, mark = str(error.problem), error.problem_mark or error.context_mark
    if "could not find expected ':'" in problem:
        # Where the key would have begun.
        mark = error.context_mark
    # Something left open is noticed after the last line, which no editor shows.
    line = slipped(rows, min(mark.line, len(rows) - 1), problem) if mark else 0
    return Fault(line + 1, "", _syntax(problem))


def _open_quote(error: yaml.MarkedYAMLError, last: yaml.Event | None) -> int | None:
    """The line, from 1, of a quote that never closes, or that another quote closed lines below."""
    problem, context = str(error.problem), str(error.context)
    if error.context_mark and "quoted scalar" in context and "unexpected" in problem:
        return error.context_mark.line + 1
    if isinstance(last, yaml.ScalarEvent) and last.style in ("'", '"') and last.start_mark and last.end_mark:
        first, final = last.start_mark.line, last.end_mark.line
        if error.problem_mark and first < final == error.problem_mark.line:
            return first + 1
    return None


def _syntax(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return "is no YAML: there is a ': ' inside text, or the line is indented wrongly; use quotes"
    if "found character that cannot start" in problem:
        return "is no YAML: text starts with a special character; put it in quotes"
    return f"is no YAML ({problem}); look for a missing quote or wrong indentation here or just above"
