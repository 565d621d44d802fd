"""Every command and every button, and how to reach it: what the drivers of both rigs go through."""

from dataclasses import dataclass

from core.buttons import ACTIONS
from core.commands import COMMANDS

WORDS = {
    "nothing": "",
    "words": "addictive",
    "question": "is it safe",
    "claim": "is it safe",
    "daily": "9:00 UTC",
    "listen": "on",
}
"""Something to type after a command, by what it takes."""

NEAR, FAR = "migraine or fibro", "is methadone addictive?"
"""What several entries come near to, and what none does."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is typed, and the buttons pressed one after the other, by what their actions begin with.

    Attributes:
        alone: only where nobody else reads.
        menu: from the menu of a message that says the words, where the platform has such menus.
        admins: of use to admins only.
        unasked: said to nobody, in a Telegram group that lets the bot listen.
    """

    text: str
    steps: tuple[str, ...]
    alone: bool = False
    menu: bool = False
    admins: bool = False
    unasked: bool = False


WAYS = {
    "next": Way("/myth addictive", ("next",)),
    "more": Way("/myth addictive", ("more",)),
    "rel": Way("/myth addictive", ("rel",)),
    "show": Way("/myth addictive", ("rel", "show")),
    "up": Way("/myth addictive", ("up",)),
    "down": Way("/myth addictive", ("down",)),
    "cat": Way("/topics", ("cat",)),
    "topics": Way("/topics", ("cat", "topics")),
    "none": Way(f"/ask {NEAR}", ("none",)),
    "editors": Way(f"/ask {FAR}", ("editors",), alone=True),
    "send": Way(f"/ask {FAR}", ("editors", "send"), alone=True),
    "unsent": Way(f"/ask {FAR}", ("editors", "unsent"), alone=True),
    "check": Way(NEAR, ("check",), menu=True),
    "share": Way("is it addictive", ("share",), menu=True),
    "daily": Way("/daily 9:00 UTC", ("daily",), admins=True),
    "unasked": Way("is ketamine addictive?", ("unasked",), unasked=True),
}
"""To every button, by its name in `core.buttons.ACTIONS`."""


def typed() -> list[str]:
    """Every command, bare and with what it takes."""
    pairs = [(f"/{c.name}", f"/{c.name} {WORDS[c.takes]}") for c in COMMANDS]
    return list(dict.fromkeys(text.strip() for pair in pairs for text in pair))


def untold() -> set[str]:
    """Buttons that have no way here, and ways to what is no button any more."""
    return ACTIONS.keys() ^ WAYS.keys()
