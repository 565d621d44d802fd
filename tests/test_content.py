import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.content import Category, Entry, Helpline, content_schema
from core.document import Finding
from core.draft import Check, Draft, examine_text, load_content, parse_content
from core.errors import BadInput, ChatGone, ContentError, Fault, KetaFactsError, RetryLater
from tests.samples import NO_BODY, SOUND, planted, refusal_of, sound

ROOT = Path(__file__).parent.parent
SOUND_BYTES = SOUND.encode()

MYTH = "entries[m-tea-cures]"
FACT = "entries[f-tea-warm]"
A_DAY = "write it like 2026-11-22"
A_YEAR = "should be a year, like 2021, or empty"
AS_TEXT = "should be text; put text with ': ' or brackets in quotes"
AS_LIST = "should be a list: lines that start with '- '"
AS_GROUP = "should be a group of 'key: value' lines"
EMPTY = "is empty; write something"
SLUG = "use 3 to 32 of a-z, 0-9 and -"
ALIAS = "uses an alias (*name); write it out, or put text that starts with * in quotes"
ANCHOR = "uses an anchor (&name); remove it, or put text that starts with & in quotes"
TAG = "uses a tag (!name); remove it, or put text that starts with ! in quotes"
DEEP = "nested over 12 deep; check the indentation and brackets"
QUOTE = "is no YAML: look for the missing end of the quote that opens here"
INDENTED = "is no YAML"
SWALLOWED = "is read as a part of the text above; start both in the same column"
CUT = "text after # is a comment to YAML; put the text in quotes"
TURNED = "has an invisible character that turns the text around; remove it"
FORBIDDEN = "this has a character YAML forbids; remove it"
TOP = "should start with 'bot:', 'safety:', 'categories:' and 'entries:'"
SOURCE = (
    "      - {label: L, authors: A, title: T, year: , published_in: P,"
    " url: 'https://example.org', checked: 2026-09-01}"
)
WITHOUT_ANYTHING = [(1, key, "is missing; add it") for key in ("bot", "categories", "entries", "safety")]

Expected = list[tuple[int, str, str]]

# What is wrong; the file; line, path and words of every fault that should be found, in this order.
FAULTS: list[tuple[str, bytes, Expected]] = [
    # Keys
    (
        "unknown key at the top",
        planted({2: "colour: green\nbot:"}),
        [(2, "colour", "is no known key; remove it")],
    ),
    (
        "misspelt key",
        planted({7: "  standing_lin: Ask."}),
        [(2, "bot.standing_line", "is missing"), (7, "bot.standing_lin", "did you mean 'standing_line'?")],
    ),
    (
        "misspelt key in an entry",
        planted({52: "    tittle: Does tea cure colds?"}),
        [(50, f"{MYTH}.title", "is missing"), (52, f"{MYTH}.tittle", "did you mean 'title'?")],
    ),
    (
        "misspelt key in a source",
        planted({67: "      - labl: Leaf 2020"}),
        [
            (67, f"{MYTH}.sources[0].label", "is missing; add it"),
            (67, f"{MYTH}.sources[0].labl", "did you mean 'label'?"),
        ],
    ),
    (
        "unknown key without a value",
        planted({3: "  name: TeaFacts\n  colour:"}),
        [(4, "bot.colour", "is no known key; remove it")],
    ),
    (
        "known key in the wrong place",
        planted({3: "  name: TeaFacts\n  title: Tea"}),
        [(4, "bot.title", "is no known key; remove it")],
    ),
    (
        "merge key",
        planted({3: "  <<: {name: Tea}\n  name: TeaFacts"}),
        [(3, "bot.<<", "is no known key; remove it")],
    ),
    (
        "duplicate key",
        planted({3: "  name: TeaFacts\n  name: Tea"}),
        [(4, "bot.name", "is written twice (first on line 3); remove one")],
    ),
    (
        "duplicate key in an entry",
        planted({52: "    title: Tea?\n    title: Tea!"}),
        [(53, f"{MYTH}.title", "is written twice (first on line 52); remove one")],
    ),
    (
        "duplicate key at the top",
        planted({135: "not_covered: []\nbot: {}"}),
        [(136, "bot", "is written twice (first on line 2); remove one")],
    ),
    (
        "duplicate key in brackets",
        planted({124: "    evidence: {strength: strong, why: So., why: So.}"}),
        [(124, f"{FACT}.evidence.why", "is written twice (first on line 124); remove one")],
    ),
    ("key that is a list", planted({3: "  name: T\n  [a]: b"}), [(4, "bot", "a key should be one word")]),
    ("key of two lines", planted({3: '  name: T\n  "a\\nb": c'}), [(4, "bot", "a key should be one word")]),
    # Missing
    *[
        (f"missing {path}", planted(dict.fromkeys(removed, "")), [(at, path, "is missing; add it")])
        for removed, at, path in [
            (range(2, 10), 2, "bot"),
            (range(10, 44), 2, "safety"),
            (range(44, 49), 2, "categories"),
            ([3], 2, "bot.name"),
            ([4], 2, "bot.topic"),
            ([5], 2, "bot.topic_words"),
            ([6], 2, "bot.about"),
            ([7], 2, "bot.standing_line"),
            ([8], 2, "bot.language"),
            ([9], 2, "bot.editorial_policy"),
            (range(11, 29), 10, "safety.crisis"),
            ([12], 11, "safety.crisis.message"),
            ([13], 11, "safety.crisis.act_now"),
            ([14], 11, "safety.crisis.short"),
            (range(15, 22), 11, "safety.crisis.emergency"),
            ([18], 16, "safety.crisis.emergency[0].contact"),
            ([21], 16, "safety.crisis.emergency[0].checked"),
            (range(22, 29), 11, "safety.crisis.helplines"),
            ([27], 23, "safety.crisis.helplines[0].source"),
            ([30], 29, "safety.dosing.message"),
            ([32], 29, "safety.dosing.entry"),
            (range(40, 44), 10, "safety.sourcing"),
            ([46], 45, "categories[basics].title"),
            ([51], 50, f"{MYTH}.kind"),
            ([52], 50, f"{MYTH}.title"),
            ([53], 50, f"{MYTH}.claim"),
            ([54], 50, f"{MYTH}.verdict"),
            ([55], 50, f"{MYTH}.answer"),
            (range(56, 61), 50, f"{MYTH}.body"),
            ([61], 50, f"{MYTH}.must_not_miss"),
            ([62], 50, f"{MYTH}.ask_your_clinician"),
            (range(63, 66), 50, f"{MYTH}.evidence"),
            ([64], 63, f"{MYTH}.evidence.strength"),
            (range(66, 81), 50, f"{MYTH}.sources"),
            ([70], 67, f"{MYTH}.sources[0].year"),
            ([72], 67, f"{MYTH}.sources[0].url"),
            ([80], 74, f"{MYTH}.sources[1].checked"),
            (range(81, 84), 50, f"{MYTH}.keywords"),
            (range(84, 105), 50, f"{MYTH}.phrasings"),
            ([105], 50, f"{MYTH}.category"),
            (range(108, 111), 50, f"{MYTH}.reviewed"),
            ([110], 108, f"{MYTH}.reviewed.by"),
        ]
    ],
    (
        "entry without an id",
        planted({111: "  - kind: fact", 112: ""}),
        [
            (43, "safety.sourcing.entry", "'f-tea-warm' is not an entry"),
            (107, f"{MYTH}.related[0]", "'f-tea-warm' is not an entry; mend the id or remove it"),
            (111, "entries[1].id", "is missing; add it"),
        ],
    ),
    (
        "two categories without an id",
        planted({45: "  - title: What tea is", 46: "", 47: "  - title: Is it good for me?", 48: ""}),
        [
            (45, "categories[0].id", "is missing; add it"),
            (46, "categories[1].id", "is missing; add it"),
            (103, f"{MYTH}.category", "'health' is not in categories"),
            (130, f"{FACT}.category", "'basics' is not in categories"),
        ],
    ),
    (
        "no source",
        planted({66: "    sources: []", **dict.fromkeys(range(67, 81), "")}),
        [(66, f"{MYTH}.sources", "lists 0; write at least 1")],
    ),
    (
        "seven sources",
        planted({126: "\n".join([SOURCE] * 7), 127: ""}),
        [(125, f"{FACT}.sources", "lists 7; keep at most 6")],
    ),
    (
        "no entries",
        planted({49: "entries: []", **dict.fromkeys(range(50, 135), "")}),
        [(49, "entries", "lists 0; write at least 1")],
    ),
    (
        "no emergency number",
        planted({15: "    emergency: []", **dict.fromkeys(range(16, 22), "")}),
        [(15, "safety.crisis.emergency", "lists 0; write at least 1")],
    ),
    # Ids and what points to them
    (
        "duplicate id",
        planted({111: "  - id: m-tea-cures"}),
        [
            (43, "safety.sourcing.entry", "'f-tea-warm' is not an entry; name one that exists"),
            (107, f"{MYTH}.related[0]", "'f-tea-warm' is not an entry"),
            (111, f"{MYTH}.id", "'m-tea-cures' is used twice; give this one another id"),
            (133, f"{MYTH}.related[0]", "is the entry itself; remove it"),
        ],
    ),
    (
        "dangling related",
        planted({107: "      - f-tea-warm\n      - f-gone"}),
        [(108, f"{MYTH}.related[1]", "'f-gone' is not an entry; mend the id or remove it")],
    ),
    (
        "one-way related",
        planted({133: "    related: []"}),
        [
            (
                107,
                f"{MYTH}.related[0]",
                "'f-tea-warm' doesn't list 'm-tea-cures' in its own related; add it there",
            )
        ],
    ),
    (
        "related to an entry whose related is no list",
        planted({133: "    related: m-tea-cures"}),
        [(107, f"{MYTH}.related[0]", "add it there"), (133, f"{FACT}.related", AS_LIST)],
    ),
    (
        "self-related",
        planted({107: "      - f-tea-warm\n      - m-tea-cures"}),
        [(108, f"{MYTH}.related[1]", "is the entry itself; remove it")],
    ),
    (
        "related twice",
        planted({107: "      - f-tea-warm\n      - f-tea-warm"}),
        [(108, f"{MYTH}.related[1]", "'f-tea-warm' stands here twice; remove one")],
    ),
    (
        "seven related",
        planted({133: "    related: [m-tea-cures, a-1, a-2, a-3, a-4, a-5, a-6]"}),
        [
            (133, f"{FACT}.related", "lists 7; keep at most 6"),
            *[(133, f"{FACT}.related[{n}]", f"'a-{n}' is not an entry") for n in (1, 2, 3, 4, 5, 6)],
        ],
    ),
    (
        "related item that is a group",
        planted({107: "      - f-tea-warm\n      - a: b"}),
        [(108, f"{MYTH}.related[1]", AS_TEXT)],
    ),
    (
        "related left empty",
        planted({133: "    related:"}),
        [
            (107, f"{MYTH}.related[0]", "add it there"),
            (133, f"{FACT}.related", "is empty; write lines that start with '- ', or [] for none"),
        ],
    ),
    (
        "dosing entry that does not exist",
        planted({32: "    entry: m-gone"}),
        [(32, "safety.dosing.entry", "'m-gone' is not an entry; name one that exists")],
    ),
    (
        "sourcing entry that does not exist",
        planted({43: "    entry: f-gone"}),
        [(43, "safety.sourcing.entry", "'f-gone' is not an entry; name one that exists")],
    ),
    (
        "unknown category",
        planted({105: "    category: helth"}),
        [(105, f"{MYTH}.category", "'helth' is not in categories; add it there or use another")],
    ),
    (
        "duplicate category",
        planted({47: "  - id: basics"}),
        [
            (47, "categories[basics].id", "'basics' stands for two categories; rename one"),
            (105, f"{MYTH}.category", "'health' is not in categories"),
        ],
    ),
    (
        "capital letters in an id",
        planted({45: "  - id: Basics"}),
        [
            (45, "categories[Basics].id", f"is 'Basics'; {SLUG}"),
            (132, f"{FACT}.category", "'basics' is not in categories"),
        ],
    ),
    (
        "space in an id",
        planted({45: "  - id: the basics", 132: "    category: the basics"}),
        [(45, "categories[the basics].id", SLUG), (132, f"{FACT}.category", SLUG)],
    ),
    (
        "id of two letters",
        planted({45: "  - id: ab", 132: "    category: ab"}),
        [(45, "categories[ab].id", SLUG), (132, f"{FACT}.category", SLUG)],
    ),
    (
        "id of 33 letters",
        planted({32: f"    entry: {'m' * 33}"}),
        [(32, "safety.dosing.entry", SLUG), (32, "safety.dosing.entry", "is not an entry")],
    ),
    (
        "id that is a list",
        planted({45: "  - id: [basics]"}),
        [(45, "categories[0].id", AS_TEXT), (132, f"{FACT}.category", "'basics' is not in categories")],
    ),
    (
        "empty id",
        planted({45: "  - id: ''"}),
        [(45, "categories[0].id", SLUG), (132, f"{FACT}.category", "'basics' is not in categories")],
    ),
    # Choices
    (
        "bad kind",
        planted({51: "    kind: legend"}),
        [(51, f"{MYTH}.kind", "is 'legend'; use one of: myth or fact")],
    ),
    (
        "kind that is a list",
        planted({51: "    kind: [myth]"}),
        [(51, f"{MYTH}.kind", "use one of: myth or fact")],
    ),
    (
        "fact's verdict on a myth",
        planted({54: "    verdict: well-supported"}),
        [
            (
                54,
                f"{MYTH}.verdict",
                "'well-supported' doesn't fit a myth; use one of: false, misleading, half-true",
            )
        ],
    ),
    (
        "myth's verdict on a fact",
        planted({115: "    verdict: half-true"}),
        [
            (
                115,
                f"{FACT}.verdict",
                "'half-true' doesn't fit a fact; use one of: well-supported, supported-with-limits, limited",
            )
        ],
    ),
    (
        "unknown verdict",
        planted({54: "    verdict: wrong"}),
        [(54, f"{MYTH}.verdict", "is 'wrong'; use one of: false, misleading, half-true")],
    ),
    (
        "verdict in capitals",
        planted({54: "    verdict: False"}),
        [(54, f"{MYTH}.verdict", "is 'False'; use one of: false,")],
    ),
    (
        "verdict that is a list",
        planted({54: "    verdict: [false]"}),
        [(54, f"{MYTH}.verdict", "is ['false']; use one of: false,")],
    ),
    (
        "verdict that is a group",
        planted({54: "    verdict: {a: b}"}),
        [(54, f"{MYTH}.verdict", "use one of: false,")],
    ),
    ("empty verdict", planted({54: "    verdict:"}), [(54, f"{MYTH}.verdict", EMPTY)]),
    (
        "unknown strength",
        planted({64: "      strength: huge"}),
        [
            (
                64,
                f"{MYTH}.evidence.strength",
                "is 'huge'; use one of: strong, moderate, limited, very limited or expert opinion",
            )
        ],
    ),
    (
        "bad language",
        planted({8: "  language: English"}),
        [(8, "bot.language", "is 'English'; use a language code such as en or de-AT")],
    ),
    # Dates, years, addresses
    (
        "day first",
        planted({21: "        checked: 22.11.2026"}),
        [(21, "safety.crisis.emergency[0].checked", f"is no date; {A_DAY}")],
    ),
    (
        "slashes in a date",
        planted({28: "        checked: 2026/10/01"}),
        [(28, "safety.crisis.helplines[0].checked", f"is no date; {A_DAY}")],
    ),
    (
        "date without zeros",
        planted({73: "        checked: 2026-9-1"}),
        [(73, f"{MYTH}.sources[0].checked", f"is no date; {A_DAY}")],
    ),
    (
        "date with a time",
        planted({73: "        checked: 2026-09-01 10:00"}),
        [(73, f"{MYTH}.sources[0].checked", f"is no date; {A_DAY}")],
    ),
    (
        "word for a date",
        planted({109: "      date: yesterday"}),
        [(109, f"{MYTH}.reviewed.date", f"is no date; {A_DAY}")],
    ),
    (
        "30 February",
        planted({109: "      date: 2026-02-30"}),
        [(109, f"{MYTH}.reviewed.date", f"is no date of the calendar; {A_DAY}")],
    ),
    (
        "29 February in a common year",
        planted({109: "      date: 2027-02-29"}),
        [(109, f"{MYTH}.reviewed.date", f"is no date of the calendar; {A_DAY}")],
    ),
    (
        "month 13",
        planted({109: "      date: 2026-13-01"}),
        [(109, f"{MYTH}.reviewed.date", f"is no date of the calendar; {A_DAY}")],
    ),
    (
        "date in other digits",
        planted({109: "      date: ٢٠٢٦-١١-٢٢"}),
        [(109, f"{MYTH}.reviewed.date", f"is no date; {A_DAY}")],
    ),
    ("empty date", planted({39: "        checked:"}), [(39, "safety.dosing.helplines[0].checked", EMPTY)]),
    (
        "date that is a list",
        planted({39: "        checked: [2026-10-01]"}),
        [(39, "safety.dosing.helplines[0].checked", f"is no date; {A_DAY}")],
    ),
    (
        "year in words",
        planted({70: "        year: twenty-twenty"}),
        [(70, f"{MYTH}.sources[0].year", A_YEAR)],
    ),
    (
        "year with a fraction",
        planted({70: "        year: 2020.5"}),
        [(70, f"{MYTH}.sources[0].year", A_YEAR)],
    ),
    ("year 2020.0", planted({70: "        year: 2020.0"}), [(70, f"{MYTH}.sources[0].year", A_YEAR)]),
    ("year 2_020", planted({70: "        year: 2_020"}), [(70, f"{MYTH}.sources[0].year", A_YEAR)]),
    ("year that is a list", planted({70: "        year: [2020]"}), [(70, f"{MYTH}.sources[0].year", A_YEAR)]),
    (
        "year of 5,000 digits",
        planted({70: f"        year: {'9' * 5000}"}),
        [(70, f"{MYTH}.sources[0].year", A_YEAR)],
    ),
    (
        "year 20",
        planted({70: "        year: 20"}),
        [(70, f"{MYTH}.sources[0].year", "is too early for a year; write 1900 or later")],
    ),
    (
        "year 20200",
        planted({70: "        year: 20200"}),
        [(70, f"{MYTH}.sources[0].year", "is too late for a year; write 2100 or earlier")],
    ),
    (
        "address without a scheme",
        planted({72: "        url: example.org/leaf"}),
        [(72, f"{MYTH}.sources[0].url", "is no web address; write it like https://doi.org/...")],
    ),
    (
        "address with a space",
        planted({72: "        url: https://example.org/a leaf"}),
        [(72, f"{MYTH}.sources[0].url", "is no web address")],
    ),
    (
        "script for an address",
        planted({72: "        url: javascript:alert(1)"}),
        [(72, f"{MYTH}.sources[0].url", "is no web address")],
    ),
    (
        "bare DOI",
        planted({72: "        url: 10.1000/182"}),
        [(72, f"{MYTH}.sources[0].url", "is no web address")],
    ),
    (
        "helpline's address without a scheme",
        planted({27: "        source: example.org"}),
        [(27, "safety.crisis.helplines[0].source", "is no web address")],
    ),
    (
        "address of 201 characters",
        planted({72: "        url: https://example.org/" + "a" * 181}),
        [(72, f"{MYTH}.sources[0].url", "is 201 characters long; shorten it to at most 200")],
    ),
    # Lengths
    (
        "title of 33",
        planted({52: "    title: " + "a" * 33}),
        [(52, f"{MYTH}.title", "is 33 characters long; shorten it to at most 32")],
    ),
    (
        "title of 17 emoji, which count twice",
        planted({52: "    title: " + "🍵" * 17}),
        [(52, f"{MYTH}.title", "is 34 characters long; shorten it to at most 32")],
    ),
    (
        "claim of 101",
        planted({53: "    claim: " + "a" * 101}),
        [(53, f"{MYTH}.claim", "is 101 characters long; shorten it to at most 100")],
    ),
    (
        "answer of 201",
        planted({55: "    answer: " + "a" * 201}),
        [(55, f"{MYTH}.answer", "is 201 characters long; shorten it to at most 200")],
    ),
    (
        "answer of 101 emoji",
        planted({55: "    answer: " + "🍵" * 101}),
        [(55, f"{MYTH}.answer", "is 202 characters long; shorten it to at most 200")],
    ),
    (
        "question to ask of 301",
        planted({62: "    ask_your_clinician: " + "a" * 301}),
        [(62, f"{MYTH}.ask_your_clinician", "is 301 characters long; shorten it to at most 300")],
    ),
    (
        "label of 25",
        planted({67: "      - label: " + "a" * 25}),
        [(67, f"{MYTH}.sources[0].label", "is 25 characters long; shorten it to at most 24")],
    ),
    (
        "standing line of 101",
        planted({7: "  standing_line: " + "a" * 101}),
        [(7, "bot.standing_line", "is 101 characters long; shorten it to at most 100")],
    ),
    (
        "bot's name of 65",
        planted({3: "  name: " + "a" * 65}),
        [(3, "bot.name", "is 65 characters long; shorten it to at most 64")],
    ),
    (
        "topic of 65",
        planted({4: "  topic: " + "a" * 65}),
        [(4, "bot.topic", "is 65 characters long; shorten it to at most 64")],
    ),
    (
        "about of 513",
        planted({6: "  about: " + "a" * 513}),
        [(6, "bot.about", "is 513 characters long; shorten it to at most 512")],
    ),
    (
        "policy of 1,501",
        planted({9: "  editorial_policy: " + "a" * 1501}),
        [(9, "bot.editorial_policy", "is 1501 characters long; shorten it to at most 1500")],
    ),
    (
        "category's title of 33",
        planted({46: "    title: " + "a" * 33}),
        [(46, "categories[basics].title", "is 33 characters long; shorten it to at most 32")],
    ),
    (
        "body of 59 words",
        planted({56: "    body: " + "tea " * 59, **NO_BODY}),
        [(56, f"{MYTH}.body", "has 59 words; write 60 to 110")],
    ),
    (
        "body of 111 words",
        planted({56: "    body: " + "tea " * 111, **NO_BODY}),
        [(56, f"{MYTH}.body", "has 111 words; write 60 to 110")],
    ),
    ("19 phrasings", planted({104: ""}), [(84, f"{MYTH}.phrasings", "lists 19; write at least 20")]),
    (
        "no keywords",
        planted({128: "    keywords: []"}),
        [(128, f"{FACT}.keywords", "lists 0; write at least 1")],
    ),
    (
        "duplicate keyword",
        planted({83: "      - cure"}),
        [(83, f"{MYTH}.keywords[1]", "'cure' stands here twice; remove one")],
    ),
    (
        "duplicate keyword in other case",
        planted({128: "    keywords: [warm, hot, WARM]"}),
        [(128, f"{FACT}.keywords[2]", "'WARM' stands here twice; remove one")],
    ),
    (
        "curly quotes in place of YAML's",
        planted({7: "  standing_line: “Ask your doctor.”"}),
        [(7, "bot.standing_line", "has curly quotes around it, which would be shown; remove them")],
    ),
    (
        "a zero-width space between letters",
        planted({7: "  standing_line: A\u200bsk."}),
        [(7, "bot.standing_line", "has an invisible character; remove it")],
    ),
    (
        "a line indented with a no-break space",
        planted({7: "\u00a0 standing_line: Ask."}),
        [(7, "", "this line starts with a space that is no ordinary one; type the spaces anew")],
    ),
    (
        "duplicate phrasing",
        planted({104: "      - Healing TEA"}),
        [(104, f"{MYTH}.phrasings[19]", "'Healing TEA' stands here twice; remove one")],
    ),
    (
        "duplicate topic word",
        planted({5: "  topic_words: [tea, Tea]"}),
        [(5, "bot.topic_words[1]", "'Tea' stands here twice; remove one")],
    ),
    (
        "question not covered, twice",
        planted({135: "not_covered: [coffee, coffee]"}),
        [(135, "not_covered[1]", "'coffee' stands here twice; remove one")],
    ),
    (
        "19 phrasings, one of them a group",
        planted({103: "      - note: tea", 104: ""}),
        [(84, f"{MYTH}.phrasings", "lists 19; write at least 20"), (103, f"{MYTH}.phrasings[18]", AS_TEXT)],
    ),
    (
        "duplicate keyword after two that are no text",
        planted({128: "    keywords: [[ice], [ice], warm, WARM]"}),
        [
            (128, f"{FACT}.keywords[0]", AS_TEXT),
            (128, f"{FACT}.keywords[1]", AS_TEXT),
            (128, f"{FACT}.keywords[3]", "'WARM' stands here twice; remove one"),
        ],
    ),
    # Emptiness and types
    ("empty text", planted({53: "    claim:"}), [(53, f"{MYTH}.claim", EMPTY)]),
    ("text of nothing", planted({53: "    claim: ''"}), [(53, f"{MYTH}.claim", EMPTY)]),
    ("text of spaces", planted({53: "    claim: '   '"}), [(53, f"{MYTH}.claim", EMPTY)]),
    *[
        (
            f"claim of U+{ord(blank):04X}",
            planted({53: f"    claim: '{blank} {blank}'"}),
            [(53, f"{MYTH}.claim", "shows nothing; write something that can be seen")],
        )
        for blank in "\u200b\u3164\u2800\ufe0f\u00ad\U000e0041"
    ],
    ("empty item", planted({83: "      -"}), [(83, f"{MYTH}.keywords[1]", EMPTY)]),
    ("empty group", planted({124: "    evidence:"}), [(124, f"{FACT}.evidence", EMPTY)]),
    (
        "line break in a line",
        planted({52: '    title: "Does tea\\ncure colds?"'}),
        [(52, f"{MYTH}.title", "has a line break; write it on one line")],
    ),
    (
        "line break in a block",
        planted({53: "    claim: |\n      Tea cures\n      a cold."}),
        [(53, f"{MYTH}.claim", "has a line break; write it on one line")],
    ),
    ("list for text", planted({53: "    claim: [tea]"}), [(53, f"{MYTH}.claim", AS_TEXT)]),
    ("group for text", planted({53: "    claim:\n      tea: cures"}), [(53, f"{MYTH}.claim", AS_TEXT)]),
    (
        "item read as a group for its colon",
        planted({83: "      - note: cold"}),
        [(83, f"{MYTH}.keywords[1]", AS_TEXT)],
    ),
    ("text for a list", planted({128: "    keywords: warm"}), [(128, f"{FACT}.keywords", AS_LIST)]),
    ("group for a list", planted({128: "    keywords: {warm: hot}"}), [(128, f"{FACT}.keywords", AS_LIST)]),
    ("text for a group", planted({124: "    evidence: strong"}), [(124, f"{FACT}.evidence", AS_GROUP)]),
    ("list for a group", planted({124: "    evidence: [strong]"}), [(124, f"{FACT}.evidence", AS_GROUP)]),
    ("text for an entry", planted({135: "  - just text"}), [(135, "entries[2]", AS_GROUP)]),
    (
        "text for a category",
        planted({48: "    title: Is it good for me?\n  - risks"}),
        [(49, "categories[2]", AS_GROUP)],
    ),
    (
        "every part of the wrong type",
        b"bot: []\nsafety: []\ncategories: {a: b}\nentries: three\n",
        [(1, "bot", AS_GROUP), (2, "safety", AS_GROUP), (3, "categories", AS_LIST), (4, "entries", AS_LIST)],
    ),
    (
        "text for dosing",
        planted({29: "  dosing: ask", **dict.fromkeys(range(30, 40), "")}),
        [(29, "safety.dosing", AS_GROUP)],
    ),
    # Characters
    ("tab as indentation", planted({3: "\tname: TeaFacts"}), [(3, "", "this line has a tab; use spaces")]),
    (
        "tab inside text",
        planted({52: "    title: Does\ttea cure colds?"}),
        [(52, "", "this line has a tab; use spaces")],
    ),
    (
        "tabs on two lines",
        planted({52: "    title:\tTea", 53: "    claim:\tTea"}),
        [(52, "", "use spaces"), (53, "", "use spaces")],
    ),
    (
        "tab inside text, and another fault",
        planted({52: "    title: Does\ttea cure colds?", 51: "    kind: legend"}),
        [(51, f"{MYTH}.kind", "is 'legend'"), (52, "", "use spaces")],
    ),
    ("tab after a dash", planted({83: "      -\tcold"}), [(83, "", "this line has a tab; use spaces")]),
    (
        "text turned around",
        planted({52: "    title: Tea \u202eseruc", 53: '    claim: "Tea \\u2066."'}),
        [(52, f"{MYTH}.title", TURNED), (53, f"{MYTH}.claim", TURNED)],
    ),
    (
        "line separator, and another fault",
        planted({52: "    title: Tea\u2028cures", 54: "    verdict: wrong"}),
        [(52, "", "this line has an invisible line break"), (54, f"{MYTH}.verdict", "is 'wrong'")],
    ),
    (
        "Latin-1 bytes",
        SOUND_BYTES.replace(b"Does tea cure", b"Does th\xe9 cure"),
        [(52, "", "this is not UTF-8; save the file as UTF-8")],
    ),
    ("UTF-16 file", SOUND.encode("utf-16"), [(1, "", "this is not UTF-8; save the file as UTF-8")]),
    (
        "half an emoji",
        SOUND_BYTES.replace(b"Does tea", b"Does \xed\xa0\xbd"),
        [(52, "", "this is not UTF-8")],
    ),
    ("control character", planted({52: "    title: Tea\a?"}), [(52, "", FORBIDDEN)]),
    ("zero byte", planted({52: "    title: Tea\0?"}), [(52, "", FORBIDDEN)]),
    (
        "control character after emoji, which are four bytes",
        planted({9: "  editorial_policy: " + "🍵" * 300, 52: "    title: \x7f"}),
        [(52, "", FORBIDDEN)],
    ),
    (
        "control character written with a backslash",
        planted({52: '    title: "Tea\\a"'}),
        [(52, f"{MYTH}.title", "has a control character, written with \\ in quotes; remove it")],
    ),
    (
        "line separator",
        planted({52: "    title: Tea\u2028cures"}),
        [(52, "", "this line has an invisible line break; type it anew")],
    ),
    (
        "next-line character",
        planted({52: "    title: Tea\x85cures"}),
        [(52, "", "this line has an invisible line break; type it anew")],
    ),
    # YAML that is no YAML, or too much of it
    (
        "colon in text",
        planted({52: "    title: Tea: a cure"}),
        [(52, "", "there is a ': ' inside text, or the line is indented wrongly; use quotes")],
    ),
    (
        "wrong indentation",
        planted({4: "   topic: tea"}),
        [(4, "", "the line is indented wrongly; use quotes")],
    ),
    # Lines that have slipped, named by themselves and not where that was noticed
    ("first key slipped right", planted({3: "    name: TeaFacts"}), [(3, "", INDENTED)]),
    ("first key slipped left", planted({12: "   message: I am glad."}), [(12, "", INDENTED)]),
    ("first of two keys slipped right", planted({64: "       strength: moderate"}), [(64, "", INDENTED)]),
    ("key slipped under a key that is none", planted({53: "      claim: Tea."}), [(53, "", INDENTED)]),
    ("key of a long group slipped left", planted({11: " crisis:"}), [(11, "", INDENTED)]),
    ("key of a long group slipped right", planted({11: "    crisis:"}), [(11, "", INDENTED)]),
    ("key of a list at the left edge", planted({84: "phrasings:"}), [(84, "", INDENTED)]),
    ("first item slipped right", planted({45: "   - id: basics"}), [(45, "", INDENTED)]),
    ("first item slipped onto its keys", planted({67: "        - label: Leaf 2020"}), [(67, "", INDENTED)]),
    ("item slipped left", planted({86: "     - will it cure my cold"}), [(86, "", INDENTED)]),
    (
        "item among entries",
        planted({95: "  - is it medicine"}),
        [(95, "", INDENTED), (96, "entries[1]", SWALLOWED)],
    ),
    ("top key slipped right", planted({2: " bot:"}), [(2, "", INDENTED)]),
    ("text slipped left", planted({58: "    so."}), [(58, "", INDENTED)]),
    ("key without a colon", planted({4: "  topic tea"}), [(4, "", INDENTED)]),
    (
        "key slipped left in a long file",
        planted({89: "".join(f"      - q{n}\n" for n in range(300)), 105: "     category: health"}),
        [(405, "", INDENTED)],
    ),
    (
        "comments and empty lines between",
        planted({64: "     # why\n\n       strength: moderate"}),
        [(66, "", INDENTED)],
    ),
    (
        "nothing but a comment where it ends",
        planted({135: "not_covered: [a"}) + b"# end",
        [(136, "", INDENTED)],
    ),
    (
        "forbidden character far below a line that slipped",
        planted({3: "    name: TeaFacts", 9: "  editorial_policy: " + "x" * 50_000, 52: "    title: \a"}),
        [(4, "", INDENTED)],
    ),
    (
        "endless line near one that slipped",
        planted({3: "    name: TeaFacts", 9: "  editorial_policy: " + "x" * 100_000}),
        [(4, "", INDENTED)],
    ),
    (
        "item slipped right",
        planted({86: "        - will it cure my cold"}),
        [(84, f"{MYTH}.phrasings", "lists 19"), (86, f"{MYTH}.phrasings[0]", SWALLOWED)],
    ),
    (
        "item slipped right where none is missed",
        planted({83: "       - cold"}),
        [(83, f"{MYTH}.keywords[0]", SWALLOWED)],
    ),
    (
        "first item slipped left",
        planted({82: "     - cure"}),
        [(83, f"{MYTH}.keywords[0]", SWALLOWED)],
    ),
    (
        "key slipped right into the text above",
        planted({61: "      must_not_miss: See a doctor."}),
        [(61, f"{MYTH}.must_not_miss", "is read as a part of the text above; indent it less")],
    ),
    (
        "text that starts with @",
        planted({52: "    title: @tea"}),
        [(52, "", "text starts with a special character; put it in quotes")],
    ),
    (
        "text that starts with %",
        planted({52: "    title: %tea"}),
        [(52, "", "text starts with a special character; put it in quotes")],
    ),
    (
        "bracket left open",
        planted({5: "  topic_words: [tea, teas"}),
        [(6, "", "look for a missing quote or wrong indentation here or just above")],
    ),
    ("quote left open", planted({135: 'not_covered: ["coffee]'}), [(135, "", QUOTE)]),
    ("quote left open far above", planted({52: '    title: "Tea?'}), [(52, "", QUOTE)]),
    ("quote that a later one closes", planted({18: '        contact: "112'}), [(18, "", QUOTE)]),
    (
        "a contact that reaches nobody",
        planted({18: "        contact: TODO"}),
        [
            (
                18,
                "safety.crisis.emergency[0].contact",
                "names no number and no site; write what to call, text or open",
            )
        ],
    ),
    (
        "apostrophe in a quote that a later one closes",
        planted({52: "    title: 'Tea?", 53: "    claim: 'Tea.'"}),
        [(52, "", QUOTE)],
    ),
    (
        "second text after a quote of several lines",
        planted({53: '    claim: "Tea\n      cures"\n    - x'}),
        [(55, "", "is no YAML")],
    ),
    # Comments that cut text
    (
        "number sign in text",
        planted({53: "    claim: Tea is the #1 cure."}),
        [(53, f"{MYTH}.claim", CUT)],
    ),
    (
        "number sign on a later line of text",
        planted({55: "    answer: No. Tea\n      is the #1 drink."}),
        [(56, f"{MYTH}.answer", CUT)],
    ),
    ("number sign in an item", planted({83: "      - the é #1 cold"}), [(83, f"{MYTH}.keywords[1]", CUT)]),
    (
        "half an emoji written with a backslash",
        planted({52: '    title: "\\uD83C"'}),
        [(52, "", "is no YAML (found invalid Unicode character escape code)")],
    ),
    (
        "YAML of another version",
        b"%YAML 3.0\n---\n" + SOUND_BYTES,
        [(1, "", "is no YAML (found incompatible YAML document)")],
    ),
    ("anchor", planted({52: "    title: &tea Tea?"}), [(52, "", ANCHOR)]),
    (
        "the same anchor twice",
        planted({52: "    title: &tea Tea?", 128: "    keywords: &tea [warm, hot]"}),
        [(52, "", ANCHOR), (128, "", ANCHOR)],
    ),
    ("anchor on a list", planted({128: "    keywords: &all [warm, hot]"}), [(128, "", ANCHOR)]),
    ("alias", planted({52: "    title: *tea"}), [(52, "", ALIAS)]),
    (
        "anchor and alias",
        planted({52: "    title: &tea Tea?", 53: "    claim: *tea"}),
        [(52, "", ANCHOR), (53, "", ALIAS)],
    ),
    ("tag", planted({52: "    title: !tea Tea?"}), [(52, "", TAG)]),
    (
        "tag for a Python object",
        b"bot: !!python/object/apply:os.system [exit]\n",
        [(1, "", TAG), (1, "bot", AS_GROUP), *WITHOUT_ANYTHING[1:]],
    ),
    (
        "tag, and other faults",
        planted({52: "    title: !tea Tea?", 54: "    verdict: wrong"}),
        [(52, "", TAG), (54, f"{MYTH}.verdict", "is 'wrong'")],
    ),
    ("tag for a number", planted({70: "        year: !!int 2020"}), [(70, "", TAG)]),
    (
        "billion laughs",
        b"a: &a [lol, lol]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n, n, n - 1, n - 1) for n in b"bcdefghi"),
        [
            (1, "", ANCHOR),
            *[(line, "", part) for line in (2, 3, 4, 5, 6, 7, 8, 9) for part in (ANCHOR, ALIAS)],
        ],
    ),
    ("10,000 brackets", b"bot: " + b"[" * 10_000, [(1, "", DEEP)]),
    ("10,000 pairs of brackets", b"bot: " + b"[" * 10_000 + b"]" * 10_000, [(1, "", DEEP)]),
    ("10,000 braces", b"bot:\n  " + b"{a: " * 10_000, [(2, "", DEEP)]),
    ("10,000 dashes", b"bot:\n " + b"- " * 10_000, [(2, "", DEEP)]),
    ("1,000 steps of indentation", b"".join(b" " * n + b"a:\n" for n in range(1_000)), [(13, "", DEEP)]),
    (
        "second document",
        SOUND_BYTES + b"---\nbot: {}\n",
        [(136, "", "starts a second document (---); remove this line")],
    ),
    (
        "empty second document",
        SOUND_BYTES + b"---\n",
        [(136, "", "starts a second document (---); remove this line")],
    ),
    # Whole files
    ("file of 10 MB", b"#" * 10_000_000, [(1, "", "the file is over 5 MB; shorten it")]),
    (
        "file one byte too long",
        SOUND_BYTES + b"#" * (5_000_001 - len(SOUND_BYTES)),
        [(1, "", "the file is over 5 MB; shorten it")],
    ),
    ("empty file", b"", WITHOUT_ANYTHING),
    ("file of comments", b"# nothing\n\n", WITHOUT_ANYTHING),
    ("file of a mark alone", b"\xef\xbb\xbf", WITHOUT_ANYTHING),
    ("file that says null", b"null\n", WITHOUT_ANYTHING),
    ("text as the whole file", b"hello\n", [(1, "", TOP)]),
    ("empty text as the whole file", b"''\n", [(1, "", TOP)]),
    ("list as the whole file", b"- bot\n- safety\n", [(1, "", TOP)]),
    # Many at once
    (
        "several faults",
        planted(
            {
                3: "  name:",
                21: "        checked: soon",
                54: "    verdict: well-supported",
                72: "        url: x",
                83: "      - cure",
                105: "    category: tea",
                116: "    answer: []",
                133: "    related: [f-gone]",
            }
        ),
        [
            (3, "bot.name", EMPTY),
            (21, "safety.crisis.emergency[0].checked", "is no date"),
            (54, f"{MYTH}.verdict", "doesn't fit a myth"),
            (72, f"{MYTH}.sources[0].url", "is no web address"),
            (83, f"{MYTH}.keywords[1]", "'cure' stands here twice"),
            (105, f"{MYTH}.category", "'tea' is not in categories"),
            (107, f"{MYTH}.related[0]", "'f-tea-warm' doesn't list 'm-tea-cures'"),
            (116, f"{FACT}.answer", AS_TEXT),
            (133, f"{FACT}.related[0]", "'f-gone' is not an entry"),
        ],
    ),
]


@pytest.mark.parametrize(("raw", "expected"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_planted_fault_is_named_with_its_line_and_place(raw: bytes, expected: Expected) -> None:
    refusal = refusal_of(raw)
    assert refusal is not None
    found = refusal.faults
    assert [(fault.line, fault.path) for fault in found] == [(line, path) for line, path, _ in expected]
    for fault, (_, _, part) in zip(found, expected, strict=True):
        assert part in fault.message


def test_the_table_has_no_name_twice_and_no_file_twice() -> None:
    assert len({name for name, _, _ in FAULTS}) == len(FAULTS)
    assert len({raw for _, raw, _ in FAULTS}) == len(FAULTS)


def test_a_fault_is_shown_as_file_line_place_and_message() -> None:
    with pytest.raises(ContentError) as caught:
        parse_content(planted({52: "    title: " + "a" * 33, 72: "        url: x"}))
    assert caught.value.lines() == [
        "content.yaml:52: entries[m-tea-cures].title: is 33 characters long; shorten it to at most 32",
        "content.yaml:72: entries[m-tea-cures].sources[0].url: is no web address;"
        " write it like https://doi.org/...",
    ]


def test_a_fault_of_the_whole_file_has_no_place() -> None:
    with pytest.raises(ContentError) as caught:
        parse_content(b"hello", "mine.yaml")
    assert caught.value.lines() == [
        "mine.yaml:1: should start with 'bot:', 'safety:', 'categories:' and 'entries:'"
    ]


def test_at_most_500_faults_are_shown() -> None:
    refusal = refusal_of(b"bot: {}\n" * 600)
    assert refusal is not None
    assert len(refusal.faults) == 500


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(SOUND_BYTES, id="as it is"),
        pytest.param(b"\xef\xbb\xbf" + SOUND_BYTES, id="with a byte order mark"),
        pytest.param(SOUND_BYTES.replace(b"\n", b"\r\n"), id="with Windows line ends"),
        pytest.param(SOUND_BYTES.rstrip(), id="without a last line end"),
        pytest.param(b"---\n" + SOUND_BYTES, id="with a document start"),
        pytest.param(b"# Tea\n---\n" + SOUND_BYTES, id="with a comment before the document start"),
        pytest.param(SOUND_BYTES + b"...\n", id="with a document end"),
        pytest.param(SOUND_BYTES + b"#" * (5_000_000 - len(SOUND_BYTES)), id="of exactly 5 MB"),
        pytest.param(planted({135: ""}), id="without not_covered"),
        pytest.param(planted({33: "", **dict.fromkeys(range(34, 40), "")}), id="without dosing helplines"),
        pytest.param(planted({50: '  - id: " m-tea-cures "'}), id="with spaces around an id"),
        pytest.param(planted({52: "    title: " + "🍵" * 16}), id="with a title of 16 emoji"),
        pytest.param(planted({52: "    title: " + "é" * 32}), id="with a title of 32 accented letters"),
        pytest.param(planted({56: "    body: " + "tea " * 60, **NO_BODY}), id="with a body of 60 words"),
        pytest.param(planted({56: "    body: " + "tea " * 110, **NO_BODY}), id="with a body of 110 words"),
        pytest.param(planted({8: "  language: de-AT"}), id="with a language and country"),
        pytest.param(planted({73: '        checked: "2026-09-01"'}), id="with a date in quotes"),
        pytest.param(planted({77: "        year: # undated"}), id="with a comment after a key"),
        pytest.param(planted({53: "    claim: 'Tea #1.' # old"}), id="with a comment after a quote"),
        pytest.param(planted({56: "    body: >- # the text"}), id="with a comment before a block"),
        pytest.param(
            planted({128: "    keywords: [hot, # warm\n      ice] # cold"}), id="with comments in a list"
        ),
        pytest.param(planted({53: "    claim: Tea is C#1."}), id="with a # inside a word"),
    ],
)
def test_a_file_is_accepted(raw: bytes) -> None:
    assert refusal_of(raw) is None
    assert parse_content(raw).entries[0].id == "m-tea-cures"


def test_words_that_yaml_takes_for_something_else_stay_text() -> None:
    raw = planted({54: "    verdict: false", 82: "      - yes", 83: "      - 1.0", 110: "      by: no"})
    entry = parse_content(raw).entries[0]
    assert entry.verdict == "false"
    assert entry.keywords == ["yes", "1.0"]
    assert entry.reviewed.by == "no"


def test_an_unquoted_date_is_a_day() -> None:
    assert sound().entries[0].reviewed.date.isoformat() == "2026-09-02"


def test_a_year_may_be_empty() -> None:
    assert [source.year for source in sound().entries[0].sources] == [2020, None]


def test_an_entry_is_found_by_its_id() -> None:
    entry = sound().entry("f-tea-warm")
    assert entry is not None
    assert entry.title == "Is it always warm?"
    assert sound().entry("f-gone") is None


def test_a_file_that_is_missing_gives_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        load_content(tmp_path / "gone.yaml")
    assert caught.value.lines() == [
        "gone.yaml:1: can't be read (No such file or directory); set CONTENT_PATH to a content file"
    ]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ContentError) as caught:
        load_content(tmp_path / "pipe.yaml")
    assert caught.value.lines()[0].startswith("pipe.yaml:1: can't be read (not an ordinary file)")


def test_a_folder_for_a_file_gives_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        load_content(tmp_path)
    assert len(caught.value.lines()) == 1
    assert (
        "can't be read (not an ordinary file); set CONTENT_PATH to a content file" in caught.value.lines()[0]
    )


def test_a_file_is_named_without_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "tea.yaml"
    path.write_bytes(b"hello")
    with pytest.raises(ContentError) as caught:
        load_content(path)
    assert caught.value.lines()[0].startswith("tea.yaml:1: should start with")


def ice(draft: Draft) -> Iterator[Finding]:
    """A further rule, for tests."""
    for place, entry in draft.of(Entry):
        for n, word in enumerate(entry.keywords):
            if word in ("ice", "cold"):
                yield (*place, "keywords", n), "speaks of the cold; leave it out"


NO_ICE, LESS_ICE = Check(ice), Check(ice, warns=True)
COLD_MYTH = f"content.yaml:83: {MYTH}.keywords[1]: speaks of the cold; leave it out"
COLD_FACT = f"content.yaml:128: {FACT}.keywords[2]: speaks of the cold; leave it out"


def test_further_checks_report_places_too(tmp_path: Path) -> None:
    path = tmp_path / "content.yaml"
    path.write_text(SOUND, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_content(path, [NO_ICE])
    assert caught.value.lines() == [COLD_MYTH, COLD_FACT]


@pytest.mark.parametrize(
    ("edits", "lines"),
    [
        (
            {3: "  name:"},
            ["content.yaml:3: bot.name: is empty; write something", COLD_MYTH, COLD_FACT],
        ),
        (
            {52: "    title: " + "a" * 33},
            [
                f"content.yaml:52: {MYTH}.title: is 33 characters long; shorten it to at most 32",
                COLD_FACT,
            ],
        ),
        (
            {107: "      - f-gone"},
            [
                COLD_MYTH,
                f"content.yaml:107: {MYTH}.related[0]: 'f-gone' is not an entry; mend the id or remove it",
                COLD_FACT,
                f"content.yaml:133: {FACT}.related[0]: 'm-tea-cures' doesn't list 'f-tea-warm' in its own"
                " related; add it there",
            ],
        ),
        ({52: "    title: &tea Tea?"}, [f"content.yaml:52: {ANCHOR}", COLD_MYTH, COLD_FACT]),
        ({10: "safty:"}, None),
        ({44: "categories: none", **dict.fromkeys(range(45, 49), "")}, None),
    ],
)
def test_further_checks_judge_what_is_sound_whatever_is_wrong_elsewhere(
    edits: dict[int, str], lines: list[str] | None
) -> None:
    with pytest.raises(ContentError) as caught:
        parse_content(planted(edits), checks=[NO_ICE])
    if lines is None:
        assert sum("speaks of the cold" in line for line in caught.value.lines()) == 2
    else:
        found = caught.value.lines()
        assert [line[: len(start)] for line, start in zip(found, lines, strict=True)] == lines


def test_a_warning_is_told_and_stops_nothing() -> None:
    report = examine_text(SOUND_BYTES, [LESS_ICE])
    assert report.content == sound()
    assert [fault.show("content.yaml") for fault in report.faults] == [
        f"content.yaml:83: {MYTH}.keywords[1]: warning: speaks of the cold; leave it out",
        f"content.yaml:128: {FACT}.keywords[2]: warning: speaks of the cold; leave it out",
    ]
    assert parse_content(SOUND_BYTES, checks=[LESS_ICE]) == sound()


def test_a_file_that_is_refused_tells_its_faults_without_its_warnings() -> None:
    with pytest.raises(ContentError) as caught:
        parse_content(planted({3: "  name:"}), checks=[LESS_ICE])
    assert caught.value.lines() == ["content.yaml:3: bot.name: is empty; write something"]


def test_a_draft_holds_what_is_sound_with_its_place() -> None:
    drafts: list[Draft] = []
    raw = planted({21: "        checked: soon", 45: "  - id: B", 135: "not_covered: [a, [b], c]"})
    examine_text(raw, [Check(lambda draft: (drafts.append(draft), ())[1])])
    (draft,) = drafts
    assert draft.content is None
    assert [place for place, _ in draft.of(Helpline)] == [
        ("safety", "crisis", "helplines", 0),
        ("safety", "dosing", "helplines", 0),
    ]
    assert [place for place, _ in draft.of(Category)] == [("categories", 1)]
    assert [entry.id for _, entry in draft.of(Entry)] == ["m-tea-cures", "f-tea-warm"]
    assert draft.not_covered == ((("not_covered", 0), "a"), (("not_covered", 2), "c"))


def assert_judged(raw: bytes) -> None:
    """The file is sound, or is refused with lines that exist, each fault on one line of text."""
    refusal = refusal_of(raw)
    if refusal is not None:
        ends = len(re.findall(rb"\r\n|\r|\n", raw))
        assert refusal.faults
        assert all(1 <= fault.line <= ends + 1 for fault in refusal.faults)
        assert all("\n" not in line for line in refusal.lines())


@settings(deadline=None)
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_judged_without_a_crash(raw: bytes) -> None:
    assert_judged(raw)


@settings(deadline=None)
@given(
    at=st.integers(0, len(SOUND)),
    cut=st.integers(0, 40),
    put=st.text("-:?[]{},#&*!|>'\"%@` \n\\a0~", max_size=6),
)
def test_any_slip_of_the_hand_is_judged_without_a_crash(at: int, cut: int, put: str) -> None:
    assert_judged((SOUND[:at] + put + SOUND[at + cut :]).encode())


# The shipped file


def test_shipped_content_has_every_entry_of_the_evidence() -> None:
    assert {entry.id for entry in load_content(ROOT / "content.yaml").entries} == {
        "m-party-drug",
        "m-very-addictive",
        "m-not-safe",
        "m-severe-only",
        "f-chronic-pain",
        "f-rapid-onset",
        "f-mental-health",
        "f-infusions",
        "f-origin",
        "f-nmda",
        "f-opioid-sparing",
        "m-cure",
        "m-works-for-all",
        "m-fda-approved-pain",
        "m-at-home-same",
        "m-no-side-effects",
        "m-must-trip",
        "m-higher-dose",
        "m-horse",
        "m-bladder-street",
        "m-stop-meds",
        "m-same-esketamine",
        "m-knocked-out",
        "m-illegal",
        "m-oral-equal",
        "f-crps",
        "f-neuropathic",
        "f-fibromyalgia",
        "f-migraine",
        "f-post-surgery",
        "f-cancer-pain",
        "f-side-effects",
        "f-dissociation",
        "f-blood-pressure",
        "f-bladder-liver",
        "f-who-avoid",
        "f-interactions",
        "f-pregnancy",
        "f-driving",
        "f-infusion-day",
        "f-duration",
        "f-schedule-iii",
        "f-essential-med",
        "f-cost",
        "f-choose-clinic",
        "f-addiction-history",
    }


def test_shipped_entries_are_46() -> None:
    assert len(load_content(ROOT / "content.yaml").entries) == 46


def test_committed_schema_is_the_one_the_code_gives() -> None:
    """After a change of the model: `ketafacts schema > core/content.schema.json`."""
    committed = json.loads((ROOT / "core" / "content.schema.json").read_text(encoding="utf-8"))
    assert committed == content_schema()


def test_schema_is_for_editors_and_names_the_file() -> None:
    schema = content_schema()
    assert schema["title"] == "content.yaml"
    assert schema["required"] == ["bot", "safety", "categories", "entries"]
    assert schema["additionalProperties"] is False


def test_schema_underlines_what_it_can() -> None:
    schema = content_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    entry, source, bot = (schema["$defs"][name]["properties"] for name in ("Entry", "Source", "Bot"))
    longest = {name: part["maxLength"] for name, part in entry.items() if "maxLength" in part}
    assert longest == {"title": 32, "claim": 100, "answer": 200, "ask_your_clinician": 300}
    assert source["label"]["maxLength"] == 24
    assert source["url"]["maxLength"] == 200
    assert bot["about"]["maxLength"] == 512
    assert entry["phrasings"]["minItems"] == 20
    assert entry["phrasings"]["uniqueItems"] is True
    assert source["year"]["anyOf"][0] == {"maximum": 2100, "minimum": 1900, "type": "integer"}


@pytest.mark.parametrize(
    ("model", "field", "fitting", "wrong"),
    [
        ("Source", "url", "https://doi.org/10.1000/182", "10.1000/182"),
        ("Source", "checked", "2026-11-22", "22.11.2026"),
        ("Entry", "id", "m-tea", "M tea"),
        ("Entry", "title", "Does tea cure?\n", "Does\ntea"),
        ("Entry", "claim", "x", "   "),
        ("Entry", "body", "tea " * 60, "tea " * 59),
        ("Entry", "body", "tea " * 110 + "\n", "tea " * 111),
    ],
)
def test_schema_has_patterns(model: str, field: str, fitting: str, wrong: str) -> None:
    pattern = content_schema()["$defs"][model]["properties"][field]["pattern"]
    assert re.search(pattern, fitting)
    assert not re.search(pattern, wrong)


# The errors themselves


def test_faults_are_sorted_by_line_and_told_once() -> None:
    late, early = Fault(9, "bot", "is late"), Fault(2, "bot", "is early")
    error = ContentError("content.yaml", [late, early, late])
    assert error.lines() == ["content.yaml:2: bot: is early", "content.yaml:9: bot: is late"]


def test_faults_of_one_place_keep_their_order() -> None:
    faults = [Fault(1, "bot", word) for word in ("one", "two", "three", "four")]
    assert [fault.message for fault in ContentError("c", faults).faults] == ["one", "two", "three", "four"]


def test_bad_input_carries_its_phrase() -> None:
    error = BadInput("unknown_zone", zone="Mars")
    assert isinstance(error, KetaFactsError)
    assert (error.key, error.fields) == ("unknown_zone", {"zone": "Mars"})


def test_retry_later_carries_how_long() -> None:
    error = RetryLater(1.25, everywhere=True)
    assert str(error) == "retry in 1.2 s"
    assert (error.seconds, error.everywhere) == (1.25, True)
    assert RetryLater(3).everywhere is False


def test_chat_gone_carries_why_and_where_to() -> None:
    assert (ChatGone("kicked").reason, ChatGone("kicked").moved_to) == ("kicked", None)
    assert ChatGone("moved", "-1001").moved_to == "-1001"
