"""Every error the program raises on purpose; the class says what its catcher may do."""

from collections.abc import Sequence
from dataclasses import dataclass


class KetaFactsError(Exception):
    """Root of the tree: nothing outside it is expected."""


class BadInput(KetaFactsError):
    """A person's request can't be carried out; say why and go on.

    Args:
        key: the phrase that explains it.
        fields: what the phrase's braces are filled with.
    """

    def __init__(self, key: str, **fields: str) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields


class SettingsError(KetaFactsError):
    """The environment can't be used; print the one line and exit with 2."""


class StoreError(KetaFactsError):
    """The database can't be used (newer, locked, unreachable); print the one line and exit with 2."""


class StoreHeld(StoreError):
    """Another process leads on the database; try again soon."""


class StoreAway(StoreError):
    """The database can't be reached; try again after a while."""


class StoreTrouble(KetaFactsError):
    """One call to the database failed and changed nothing; the next may work.

    Args:
        reason: the error's kind and code, such as `OperationalError SQLITE_FULL`; never its words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenRefused(KetaFactsError):
    """The platform does not accept the token; this platform can't run, others can."""


class Unreachable(KetaFactsError):
    """The platform can't be reached at the start; try again after a while."""


class RetryLater(KetaFactsError):
    """The platform surely did not take the message; try it again.

    Args:
        seconds: how long to wait first.
        everywhere: the wait is for every chat, not for this one alone.
    """

    def __init__(self, seconds: float, *, everywhere: bool = False) -> None:
        super().__init__(f"retry in {seconds:.1f} s")
        self.seconds = seconds
        self.everywhere = everywhere


class Unconnected(RetryLater):
    """No connection came about: the platform, or the way to it, may be down."""


class Unsure(KetaFactsError):
    """The connection broke or the platform failed after sending: it may have arrived; retry once."""


class ChatGone(KetaFactsError):
    """The chat can't be written to any more; stop, keep its settings.

    Args:
        reason: a short word for logs and status: `kicked`, `blocked`, `no_rights`, `deleted`, ...
        moved_to: the chat's new key, where the platform names one.
    """

    def __init__(self, reason: str, moved_to: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.moved_to = moved_to


class Undeliverable(KetaFactsError):
    """One message can't be delivered (question deleted, token expired); drop it, log a line."""


def named(error: BaseException) -> str:
    """What a log may tell of an error: its kind, never its words, which may quote what a person typed."""
    kind = type(error).__qualname__
    return f"{kind} ({error.reason})" if isinstance(error, StoreTrouble) else kind


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a content file.

    `line` counts from 1; `path` names the place as an editor sees it
    (`entries[m-cure].title`), empty for the file as a whole. One that `warns`
    wants a look soon, and stops nothing.
    """

    line: int
    path: str
    message: str
    warns: bool = False

    def show(self, file: str) -> str:
        """`content.yaml:12: entries[m-cure].title: 34 characters; at most 32`."""
        where = f"{self.path}: " if self.path else ""
        return f"{file}:{self.line}: {where}{'warning: ' if self.warns else ''}{self.message}"


class ContentError(KetaFactsError):
    """A content file can't be used; show every fault, keep what is running."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        super().__init__(f"{file}: {len(faults)} fault(s)")
        self.file = file
        self.faults = tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.path)))

    def lines(self) -> list[str]:
        """Every fault as one line of text, in the order of the file."""
        return [fault.show(self.file) for fault in self.faults]
