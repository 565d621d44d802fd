"""Text as Discord takes it: nothing in it is markup, and a quotation can be read back word for word."""

import re

QUOTED = "> "
"""Starts a line of a quotation (Discord docs, Markdown Text 101)."""

# Discord shows any punctuation after a backslash as itself. Addresses stay bare so that they can be tapped.
_MARKUP = re.compile(
    r"(?P<address>https?://(?:[\w./?=&%+:#-](?!__))*[\w/])"
    r"|[\\`*_~|<>\[\]@]|:(?=\w+:)"
    r"|^[ \t]*(?:[-+#]|\d+\.)"
    r"|[\ud800-\udfff]",
    re.MULTILINE,
)
# Nothing in it that the above could mean: most texts, told so in a tenth of the time.
_PLAIN = re.compile(r"(?![ \t]*(?:[-+#]|\d+\.))[^\\`*_~|<>\[\]@:\n\ud800-\udfff]*")
_ESCAPED = re.compile(r"\\([\W_])")


def escape(text: str) -> str:
    """`text` so that Discord shows it as it is: no markup, no mention, no emoji code."""
    return text if _PLAIN.fullmatch(text) else _MARKUP.sub(_escaped, text)


def unescape(text: str) -> str:
    """The text that `escape` was given, unless that was no Unicode."""
    return _ESCAPED.sub(r"\1", text)


def quotation(text: str) -> str | None:
    """The first line of `text` that is a quotation, as it was before it was escaped."""
    quoted = next((line for line in text.split("\n") if line.startswith(QUOTED)), None)
    return unescape(quoted.removeprefix(QUOTED)) if quoted else None


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if match["address"]:
        return found
    return "\ufffd" if found >= "\ud800" else f"{found[:-1]}\\{found[-1]}"
