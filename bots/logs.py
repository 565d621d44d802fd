"""Logging that tells nobody's words, names or tokens, whatever a library wants to say."""

import logging
from collections.abc import Iterable

OURS = ("bots", "core")

MASK = "<token>"


class Discreet(logging.Formatter):
    """Writes the project's own lines whole, and of a library's only what can't hold a secret.

    A library's values, exception texts and stacks may quote messages and
    addresses; its sentence without the values, the exception's kind and the
    host that it names stay.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        if record.name.partition(".")[0] not in OURS:
            record = self._reduced(record)
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        return line

    def _reduced(self, record: logging.LogRecord) -> logging.LogRecord:
        kind = record.exc_info[0] if record.exc_info else None
        said = str(record.msg).splitlines()[0] if record.msg else ""
        message = f"{said} error={kind.__qualname__}" if kind else said
        # What aiohttp could not connect to; its words would tell the whole address.
        host = getattr(record.exc_info[1], "host", "") if record.exc_info else ""
        message += f" host={host}" if host else ""
        where = (record.name, record.levelno, record.pathname, record.lineno)
        return logging.LogRecord(*where, message, None, None)


def start_logging(level: str, secrets: Iterable[str] = ()) -> None:
    """Write the log to standard error: our own lines from `level`, libraries' from WARNING up."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in OURS:
        logging.getLogger(name).setLevel(level)
