"""Plain data held against declared types: what of it is sound, and every fault, in words that help."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import fields

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

    def fit(self, held: Any, wanted: Any) -> Any:
        """`held` as a value of type `wanted`; None for a group with any fault."""
        return self._fit(held, _shape(wanted), ())

    def _fit(self, held: Any, shape: "_Shape", place: Place) -> Any:
        if held is None and shape.is_optional:
            return None
        try:
            value = self._shaped(held, shape, place)
            for check in shape.checks:
                value = check(value)
        except Unfit as unfit:
            self.findings.append(((*place, *unfit.at), str(unfit)))
            return None
        return value

    def _shaped(self, held: Any, shape: "_Shape", place: Place) -> Any:
        if held is None and shape.item:
            raise Unfit("is empty; write lines that start with '- ', or [] for none")
        if held is None:
            raise Unfit("is empty; write something")
        if shape.item:
            if not isinstance(held, list):
                raise Unfit("should be a list: lines that start with '- '")
            return [self._fit(item, shape.item, (*place, n)) for n, item in enumerate(held)]
        if shape.group:
            if not isinstance(held, dict):
                raise Unfit("should be a group of 'key: value' lines")
            return self._group(held, shape.group, place)
        if shape.options and held not in shape.options:
            *others, last = shape.options
            raise Unfit(f"is {held!r}; use one of: {', '.join(others)} or {last}")
        if shape.is_text and not isinstance(held, str):
            raise Unfit("should be text; put text with ': ' or brackets in quotes")
        return held

    def _group(self, held: dict[str, Any], kind: type[Struct], place: Place) -> Struct | None:
        known, values, before = _fields(kind), {}, len(self.findings)
        for key in sorted(held.keys() - known.keys()):
            self.findings.append(((*place, key), f"is no known key; {_advice(key, known)}"))
        for name, (shape, is_required) in known.items():
            if name in held:
                values[name] = self._fit(held[name], shape, (*place, name))
            elif is_required:
                self.findings.append(((*place, name), "is missing; add it"))
        if len(self.findings) > before:
            return None
        self.parts.append((place, kind(**values)))
        return self.parts[-1][1]


@dataclass(frozen=True, slots=True)
class _Shape:
    """A declared type, taken apart once for the thousands of values held against it.

    Attributes:
        checks: its rules, in order.
        is_optional: nothing may stand there.
        is_text: it is text.
        options: what alone it may be.
        item: what each of its items is, if it is a list.
        group: what it is, if it is a group of named values.
    """

    checks: tuple[Callable[[Any], Any], ...]
    is_optional: bool = False
    is_text: bool = False
    options: tuple[str, ...] = ()
    item: "_Shape | None" = None
    group: type[Struct] | None = None


def _shape(wanted: Any) -> _Shape:
    kind, *notes = get_args(wanted) if get_origin(wanted) is Annotated else (wanted,)
    checks = tuple(note.extra["check"] for note in notes if note.extra)
    inner = get_args(kind)
    if get_origin(kind) is Union:
        return replace(_shape(inner[0]), is_optional=True)
    if get_origin(kind) is Literal:
        return _Shape(checks, options=inner)
    if get_origin(kind) is list:
        return _Shape(checks, item=_shape(inner[0]))
    return _Shape(checks, is_text=kind is str, group=kind if issubclass(kind, Struct) else None)


@cache
def _fields(kind: type[Struct]) -> dict[str, tuple[_Shape, bool]]:
    """The shape of each value of a group, and whether it must be there."""
    return {field.name: (_shape(field.type), field.required) for field in fields(kind)}


def _advice(key: str, known: Iterable[str]) -> str:
    # Here, as only a file with faults needs it.
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "remove it"
