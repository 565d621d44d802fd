"""What pydantic finds wrong in a content file, in words that say what to do."""

from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from core.document import Finding
from core.document import Path as Place

_MESSAGES = {
    "missing": "is missing; add it",
    "string_type": "should be text; put text with ': ' or brackets in quotes",
    "list_type": "should be a list: lines that start with '- '",
    "model_type": "should be a group of 'key: value' lines",
    "model_attributes_type": "should be a group of 'key: value' lines",
    "dict_type": "should be a group of 'key: value' lines",
    "greater_than_equal": "is too early for a year; write 1900 or later",
    "less_than_equal": "is too late for a year; write 2100 or earlier",
    "string_too_short": "is empty; write something",
    "date_from_datetime_parsing": "is no date of the calendar; write it like 2026-11-22",
    "date_parsing": "is no date of the calendar; write it like 2026-11-22",
}


def worded(detail: ErrorDetails, whole: type[BaseModel]) -> Finding:
    """An error of validating `whole`, as a place and a sentence that says what to do."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    path = detail["loc"]
    if kind == "extra_forbidden":
        return path, _unknown(path, whole)
    if given is None and kind == "list_type":
        return path, "is empty; write lines that start with '- ', or [] for none"
    if given is None:
        return path, "is empty; write something"
    if kind == "twice":
        return (*path, context["at"]), detail["msg"]
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


def _keys_beside(place: Place, whole: type[BaseModel]) -> list[str]:
    """The keys that may stand where `place` does in `whole`."""
    model: Any = whole
    for part in place[:-1]:
        if isinstance(part, str):
            held = model.model_fields[part].annotation
            model = next(iter(get_args(held)), held)
    return list(model.model_fields)


def _unknown(place: Place, whole: type[BaseModel]) -> str:
    near = get_close_matches(str(place[-1]), _keys_beside(place, whole), n=1)
    return f"is no known key; did you mean {near[0]!r}?" if near else "is no known key; remove it"
