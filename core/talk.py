"""What is said to the bot itself, out of manners or about it: no question for the content."""

import re
from enum import StrEnum
from functools import cache

from core.words import words

LONGEST = 16
"""Words. Who writes more than that has something to ask."""


class Talk(StrEnum):
    """What it is."""

    GREETING = "greeting"
    THANKS = "thanks"
    HELP = "help"
    ABOUT = "about"
    PRIVACY = "privacy"
    REACTION = "reaction"


_BOT = r"(?:you|u|ya|(?:this|the) (?:chat ?)?bot|bot)"
_IS = r"(?:is|are|r)"
_ARE_YOU = r"(?:(?:are|r) (?:you|u)|is (?:this|it|the bot|this bot)(?: even| really| actually)?)"
_HELLO = (
    r"(?:hi+|hello+|hey+|heya|hiya|howdy|yo|greetings|hola|hallo|bonjour|"
    r"good (?:morning|afternoon|evening|day|night)|morning|evening)"
)
_THANKS = r"(?:thanks|thank (?:you|u)|thx|thnx|ty|tysm|cheers|much appreciated|many thanks)"
_GIVEN = r"(?:help\w*|info\w*|answer\w*|reply|expla\w+|advice|links?|that|this)"
_MADE = (
    r"(?:made|makes|built|created|wrote|writes|runs|owns|programmed|developed|funds|pays(?: for)?|is behind)"
)
_SOMEONE = (
    r"(?:(?:chat)?bot|robot|ai|human(?: being)?|(?:real )?person|machine|chat ?gpt|gpt|llm|computer|"
    r"(?:medical |real |actual )*(?:doctor|dr|nurse|clinician|pharmacist|professional))"
)
_TRUE = r"(?:reliable|trustworthy|accurate|up to date|legit)"
_KEEP = r"(?:store|save|keep|log|record|share|sell|read|track|remember)"
_MINE = r"(?:my|our|these|any|the|this|what i)"

_NOISE = (
    r"(?:ok|okay|k|lol|lmao|rofl|(?:ha)+h?|(?:he){2,}|wow|nice|cool|interesting|yes|yeah|yep|no|nope|h?m+|oh|ah|"
    r"sure|same|amen|wtf|omg|xd|got it|i see|good to know|makes sense|good point|fair enough|never ?mind)"
)

# The whole of what was said, in folded words: whatever else it holds may be a question.
_WAYS = {
    Talk.GREETING: (
        rf"{_HELLO}(?: (?:there|all|everyone|everybody|guys|folks|again|bot))*"
        r"(?: how (?:are|r) (?:you|u|things)(?: doing)?(?: today)?)?",
        r"how (?:are|r) (?:you|u|things)(?: doing)?(?: today)?",
        r"(?:whats|what is) up",
    ),
    Talk.THANKS: (
        rf"(?:ok |okay |great |oh |wow |ah |perfect |lovely )*{_THANKS}(?: (?:so|very|really))*"
        r"(?: (?:much|a lot|a bunch|a million|again|bot|you|mate|x+))*"
        rf"(?: for (?:(?:your|the|that|this|all|quick|kind) )*{_GIVEN})?",
        r"(?:(?:thats|that is|that was|this is|this was) )?(?:(?:so|very|really) )?(?:helpful|great|useful)"
        rf"(?: {_THANKS})?",
        r"good bot",
    ),
    Talk.REACTION: (rf"{_NOISE}(?: {_NOISE})*",),
    Talk.HELP: (
        rf"(?:what|how) (?:can|do|does|could) {_BOT} (?:do|work|help|help me|know|offer)(?: with)?(?: here)?",
        r"what (?:can|could|should|may) i (?:ask|do|type|say)(?: (?:you|u|here|this bot))?",
        rf"how (?:do|can|should) i (?:use|work) (?:{_BOT}|this)",
        r"how does this work here",
    ),
    Talk.ABOUT: (
        rf"(?:who|what) (?:the (?:hell|heck) )?(?:{_IS} {_BOT}|{_BOT} {_IS})(?: (?:exactly|really|then))?",
        rf"(?:so )?who (?:\w+ )?{_MADE} {_BOT}",
        rf"who (?:is|are) (?:behind|running|making) (?:{_BOT}|this)",
        rf"{_ARE_YOU} (?:just )?(?:an? |even a )?(?:real |actual )?{_SOMEONE}"
        rf"(?: or (?:an? )?(?:real )?{_SOMEONE})?",
        rf"am i (?:talking|speaking|chatting) (?:to|with) an? (?:real )?{_SOMEONE}",
        rf"where (?:do|does) {_BOT} get (?:your|its|the|this|that|all this) (?:\w+ )?\w+(?: from)?",
        rf"(?:can|should) i (?:really )?(?:trust|believe) {_BOT}",
        rf"{_IS} {_BOT} {_TRUE}",
        rf"how {_TRUE} {_IS} {_BOT}",
    ),
    Talk.PRIVACY: (
        rf"(?:do|does|will|can) {_BOT} {_KEEP} {_MINE}(?: \w+){{1,4}}",
        r"(?:is|are) (?:this|our|the|my)(?: (?:chat|conversation|bot|messages|questions))? "
        r"(?:private|confidential|anonymous)(?: here)?",
        r"who (?:can|will|else can) (?:see|read) (?:this|my|our|what i)(?: \w+){0,3}",
    ),
}


@cache
def _patterns() -> dict[Talk, re.Pattern[str]]:
    # Made when first needed: they would be a hundredth of each start.
    return {
        talk: re.compile(rf"(?:(?:{_HELLO}|so|and|but|wait|ok|sorry|btw|um) )*?(?:{'|'.join(ways)})")
        for talk, ways in _WAYS.items()
    }


def heard(text: str) -> Talk | None:
    """What `text` is, if all of it is that; marks and emoji without a word are a reaction."""
    said = words(text)
    if not said:
        return Talk.REACTION if any(mark.isprintable() and not mark.isspace() for mark in text) else None
    if len(said) > LONGEST:
        return None
    line = " ".join(said)
    return next((talk for talk, pattern in _patterns().items() if pattern.fullmatch(line)), None)
