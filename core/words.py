"""Text as plain lower-case words: what search and safety compare."""

import re
import unicodedata

LONGEST = 12_000
"""Characters looked at: more than any platform lets a person send at once."""

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´ʼ"), None)
_LATIN = re.compile("[a-z]")
_TWINS = str.maketrans("аеорсухкмтвнієјѕαορτικυνχ", "aeopcyxkmtbhiejsaoptikuvx")
"""Cyrillic and Greek letters that look like Latin ones."""
_LIKE_LATIN = re.compile(f"[{''.join(map(chr, _TWINS))}]")


def fold(text: str) -> str:
    """`text` without case, accents, look-alike forms, apostrophes and invisible characters.

    Bold, full-width and circled letters become plain ones (NFKD); Cyrillic and Greek letters that look
    like Latin ones do in a word that has Latin ones too.
    """
    if text.isascii():
        return text[:LONGEST].replace("'", "").replace("`", "").lower()
    # First, as NFKD would make a space and an accent of the acute; again for full-width apostrophes.
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST].translate(_APOSTROPHES))
    decomposed = decomposed.translate(_APOSTROPHES).casefold()
    if decomposed.isascii():
        return decomposed
    visible = "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf", "Me"))
    return _WORD.sub(_in_one_script, visible) if _LIKE_LATIN.search(visible) else visible


def _in_one_script(found: re.Match[str]) -> str:
    word = found.group()
    return word.translate(_TWINS) if _LATIN.search(word) else word


def words(text: str) -> list[str]:
    """The words of `text` in order: runs of letters and digits, folded."""
    return _WORD.findall(fold(text))
