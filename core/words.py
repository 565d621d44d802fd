"""Text as plain lower-case words: what search and safety compare."""

import re
import unicodedata

LONGEST = 12_000
"""Characters looked at: more than any platform lets a person send at once."""

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´ʼ"), None)


def fold(text: str) -> str:
    """`text` without case, accents, look-alike forms, apostrophes and invisible characters.

    Bold, full-width and circled letters become plain ones (NFKD).
    """
    if text.isascii():
        return text[:LONGEST].replace("'", "").replace("`", "").lower()
    # First, as NFKD would make a space and an accent of the acute; again for full-width apostrophes.
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST].translate(_APOSTROPHES))
    decomposed = decomposed.translate(_APOSTROPHES).casefold()
    if decomposed.isascii():
        return decomposed
    return "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf", "Me"))


def words(text: str) -> list[str]:
    """The words of `text` in order: runs of letters and digits, folded."""
    return _WORD.findall(fold(text))
