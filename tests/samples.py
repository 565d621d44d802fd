"""A small sound content file, and ways to plant faults in it."""

from typing import Any

from msgspec import structs

from core.classifier import Classifier, Lexicon
from core.content import Content, Entry
from core.draft import parse_content
from core.errors import ContentError
from core.network import Head, Network

SOUND = """\
# A made-up topic, so that tests do not hang on what the shipped file says today.
bot:
  name: TeaFacts
  topic: tea at work
  topic_words: [Tea, teas, brew]
  about: Short answers on tea.
  standing_line: Information, not advice. Ask your host.
  language: en
  editorial_policy: Every entry names its sources.
safety:
  crisis:
    message: I am glad you said it.
    act_now: Call now if somebody is in danger.
    short: Help is there.
    emergency:
      - country: EU
        name: Emergency services
        contact: "112"
        owner: European emergency number
        source: https://example.org/112
        checked: 2026-10-01
    helplines:
      - country: US
        name: Lifeline
        contact: call or text 988
        owner: Lifeline
        source: https://example.org/988
        checked: 2026-10-01
  dosing:
    message: How much is for your host to say.
    advice: Ask your host.
    entry: m-tea-cures
    helplines:
      - country: US
        name: Tea Help
        contact: call 555
        owner: Tea board
        source: https://example.org/help
        checked: 2026-10-01
  sourcing:
    message: I do not sell tea.
    advice: Ask a shop.
    entry: f-tea-warm
categories:
  - id: basics
    title: What tea is
  - id: health
    title: Is it good for me?
entries:
  - id: m-tea-cures
    kind: myth
    title: Does tea cure colds?
    claim: Tea cures a cold.
    verdict: false
    answer: No. Tea does not cure a cold.
    body: >-
      Tea is a warm drink. It does not cure a cold. A cold goes away on its own. That takes a week or
      so. A warm drink can feel good on a sore throat. It can help you rest. It also gives you water,
      and you need that when you are ill. If you feel very ill, or it lasts for weeks, see a doctor.
      Do not put off a visit for a cup of tea. Do not stop a pill for it. Have a cup if you like it.
    must_not_miss: See a doctor if you feel very ill.
    ask_your_clinician: What can I do for my cold?
    evidence:
      strength: moderate
      why: A few small trials agree.
    sources:
      - label: Leaf 2020
        authors: Leaf A, Cup B.
        title: Tea and colds
        year: 2020
        published_in: Journal of Tea
        url: https://example.org/leaf
        checked: 2026-09-01
      - label: Tea board
        authors: Tea board
        title: About tea
        year:
        published_in: Tea board
        url: https://example.org/board
        checked: 2026-09-01
    keywords:
      - cure
      - cold
    phrasings:
      - does it cure a cold
      - will it cure my cold
      - is it a cure
      - can it heal me
      - does it kill germs
      - will I get well faster
      - cure for a cold
      - my gran says it cures colds
      - does a cup stop a cold
      - is it medicine
      - does tea cure colds
      - is tea a cure
      - tea for a cold
      - tea against germs
      - can tea heal
      - tea as medicine
      - will tea help my cold
      - tea and a sore throat
      - healing tea
      - does tea work
    category: health
    related:
      - f-tea-warm
    reviewed:
      date: 2026-09-02
      by: no
  - id: f-tea-warm
    kind: fact
    title: Is it always warm?
    claim: Most people drink it warm.
    verdict: well-supported
    answer: Most people drink it warm, and some drink it with ice.
    body: >-
      Most people drink tea warm. Some like it with ice. Both are fine. Hot water gets more taste out
      of the leaf. Cold water needs more time. Let it cool a bit if it is very hot, as it can burn
      your mouth. You can make it at home or at work. Put a leaf or a bag in a cup. Add the water.
      Wait for a while. Then take the bag out and have your drink. It is as easy as that for you.
    must_not_miss: Very hot drinks can burn you.
    ask_your_clinician: How hot is too hot for me?
    evidence: {strength: strong, why: You can see it in any cafe.}
    sources:
      - {label: Cup 2021, authors: Cup B., title: Warm, year: 2021, published_in: Cups,
         url: "https://example.org/cup", checked: 2026-09-01}
    keywords: [warm, hot, ice]
    phrasings: [is it warm, is it hot, with ice, served cold, how hot, too hot, warm or cold, iced, lukewarm,
      temperature, warm tea, hot tea, iced tea, cold tea, tea with ice, how hot is tea, is tea hot,
      tea temperature, lukewarm tea, tea served cold]
    category: basics
    related: [m-tea-cures]
    reviewed: {date: 2026-09-02, by: not clinically reviewed}
not_covered: [what is coffee]
"""
"""One myth, one fact, two categories; also says `false` and `no` without quotes."""

NO_BODY = dict.fromkeys(range(57, 61), "")
"""Removes the lines below the first `body:`, so that one line can replace it."""


def planted(edits: dict[int, str]) -> bytes:
    """`SOUND` with lines replaced: their number, from 1, to the new text; an empty text removes the line."""
    lines = SOUND.splitlines()
    kept = [edits.get(number, line) for number, line in enumerate(lines, 1)]
    return "".join(f"{line}\n" for line in kept if line).encode()


def sound() -> Content:
    """The content of `SOUND`."""
    return parse_content(SOUND.encode())


def biased(*outputs: float) -> Classifier:
    """A classifier that says the same of every text: the log odds of each guard."""
    return Classifier(Network([Head(output, ()) for output in outputs], b""), Lexicon({}, {}))


_MYTH = sound().entries[0]


def entry_with(**fields: Any) -> Entry:
    """An entry that holds these, unchecked, and for the rest what the myth of `SOUND` does."""
    return structs.replace(_MYTH, **fields)


def refusal_of(raw: bytes) -> ContentError | None:
    """The error with every fault of a content file; None if it is sound."""
    try:
        parse_content(raw)
    except ContentError as error:
        return error
    return None
