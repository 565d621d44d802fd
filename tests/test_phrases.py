import re
from pathlib import Path

from core.phrases import load_phrases

ROOT = Path(__file__).parent.parent


def test_every_phrase_is_used_and_every_used_phrase_exists() -> None:
    source = "".join(path.read_text() for folder in ("core", "bots") for path in (ROOT / folder).glob("*.py"))
    literal = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)+)["']""", source))
    families = tuple(re.findall(r"""f["']([a-z_]+(?:\.[a-z_]+)*\.)\{""", source))
    keys = load_phrases().keys()
    assert {key for key in keys if key not in literal and not key.startswith(families)} == set()
    prefixes = {key.split(".")[0] for key in keys}
    assert {key for key in literal if key.split(".")[0] in prefixes and key not in keys} == set()


def test_braces_are_filled_in() -> None:
    assert load_phrases().say("console.no_button", number=3) == "There is no button 3."
