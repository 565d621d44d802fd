"""Plain data held against declared types: what of it is sound, and every fault, in words that help."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import FieldInfo, fields

from core.document import Finding
from core.document import Path as Place


class Unfit(Exception):
    """What is wrong with a value, in words that say what to do, and at which item if it is a list."""

    def __init__(self, words: str, *at: int) -> None:
        super().__init__(words)
        self.at = at


def rule(check: Callable[[Any], Any], **schema: Any) -> Meta:
    """A rule of an annotated type: `check` returns the value or raises Unfit; a JSON Schema says `schema`."""
    return Meta(extra={"check": check}, extra_json_schema=schema)


class Form:
    """What is sound in plain data, and what is wrong with it.

    Attributes:
        parts: every group of values that is sound in itself, with its place, inner ones first.
        findings: every fault.
    """

    def __init__(self) -> None:
        self.parts: list[tuple[Place, Struct]] = []
        self.findings: list[Finding] = []

    def fit(self, held: Any, wanted: Any, place: Place = ()) -> Any:
        """`held`, which stands at `place`, as a value of type `wanted`; None for a group with any fault."""
        kind, *notes = get_args(wanted) if get_origin(wanted) is Annotated else (wanted,)
        if get_origin(kind) is Union:
            return None if held is None else self.fit(held, get_args(kind)[0], place)
        try:
            value = self._shaped(held, kind, place)
            for note in notes:
                value = note.extra["check"](value) if note.extra else value
        except Unfit as unfit:
            self.findings.append(((*place, *unfit.at), str(unfit)))
            return None
        return value

    def _shaped(self, held: Any, kind: Any, place: Place) -> Any:
        origin, inner = get_origin(kind), get_args(kind)
        if held is None and origin is list:
            raise Unfit("is empty; write lines that start with '- ', or [] for none")
        if held is None:
            raise Unfit("is empty; write something")
        if origin is Literal:
            if held not in inner:
                raise Unfit(f"is {held!r}; use one of: {', '.join(inner[:-1])} or {inner[-1]}")
        elif origin is list:
            if not isinstance(held, list):
                raise Unfit("should be a list: lines that start with '- '")
            return [self.fit(item, inner[0], (*place, n)) for n, item in enumerate(held)]
        elif issubclass(kind, Struct):
            if not isinstance(held, dict):
                raise Unfit("should be a group of 'key: value' lines")
            return self._group(held, kind, place)
        elif kind is str and not isinstance(held, str):
            raise Unfit("should be text; put text with ': ' or brackets in quotes")
        return held

    def _group(self, held: dict[str, Any], kind: type[Struct], place: Place) -> Struct | None:
        known, values, before = _fields(kind), {}, len(self.findings)
        for key in sorted(held.keys() - known.keys()):
            near = get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else "remove it"
            self.findings.append(((*place, key), f"is no known key; {advice}"))
        for name, field in known.items():
            if name in held:
                values[name] = self.fit(held[name], field.type, (*place, name))
            elif field.required:
                self.findings.append(((*place, name), "is missing; add it"))
        if len(self.findings) > before:
            return None
        self.parts.append((place, kind(**values)))
        return self.parts[-1][1]


@cache
def _fields(kind: type[Struct]) -> dict[str, FieldInfo]:
    return {field.name: field for field in fields(kind)}
