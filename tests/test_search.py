"""What the search answers, offers and leaves alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from string import ascii_lowercase

import pytest
from msgspec import structs

from core.accept import load_model
from core.content import Content, Entry
from core.draft import load_content
from core.recall import Recall
from core.search import Found, Index, Match, settle
from core.words import words
from tests.bench import fit_search
from tests.room import CONTENT as ROOM_CONTENT
from tests.room import EDITION, Room
from tests.samples import entry_with

CONTENT = Path(__file__).parents[1] / "content.yaml"
TOPIC = ("lantern", "lanterns")


def an_entry(entry_id: str, title: str, claim: str, keywords: list[str], phrasings: list[str]) -> Entry:
    """An entry with what the search reads."""
    kind = "myth" if entry_id.startswith("m-") else "fact"
    return entry_with(
        id=entry_id,
        kind=kind,
        title=title,
        claim=claim,
        answer=f"{claim} That is the short of it.",
        keywords=keywords,
        phrasings=phrasings,
    )


ENTRIES = (
    an_entry(
        "m-very-smoky",
        "Do they smoke?",
        "Lanterns fill a room with smoke.",
        ["smoke", "smoky", "soot", "fumes"],
        [
            "will it make my room smoky",
            "how bad are the fumes indoors",
            "does a lantern leave soot on the wall",
        ],
    ),
    an_entry(
        "f-paraffin",
        "Paraffin burns longest",
        "Paraffin burns longer than candles.",
        ["paraffin", "lamp oil", "kerosene", "burning time"],
        ["how long does paraffin last", "is kerosene better than a candle", "which oil burns longest"],
    ),
    an_entry(
        "m-blows-out",
        "Wind blows them out?",
        "A storm always puts a lantern out.",
        ["wind", "storm", "stormproof", "hurricane"],
        ["does it stay lit in a storm", "will wind blow it out", "can I use it outside in a gale"],
    ),
    an_entry(
        "f-storm-glass",
        "Storm glass",
        "Storm glass keeps the flame alive.",
        ["storm", "chimney", "glass"],
        ["what is the glass for", "do I need the chimney", "why is there glass round the flame"],
    ),
)


@pytest.fixture(scope="module")
def index() -> Index:
    """An index of four entries."""
    return Index(ENTRIES, TOPIC, ["what is for dinner", "who won the match yesterday"], ["toaster oven"])


@pytest.mark.parametrize(
    ("said", "entry_id"),
    [
        ("paraffin", "f-paraffin"),
        ("kerosene", "f-paraffin"),
        ("Paraffin burns longest", "f-paraffin"),
        ("a storm always puts a lantern out", "m-blows-out"),
        ("hurricanes", "m-blows-out"),
        ("chimneys", "f-storm-glass"),
        ("smoking", "m-very-smoky"),
        ("parafin", "f-paraffin"),
        ("hurricnae", "m-blows-out"),
        ("keros", "f-paraffin"),
        ("lantern paraffin", "f-paraffin"),
        ("PARAFFIN", "f-paraffin"),
        ("🔥🔥 *paraffin*!!! 😀", "f-paraffin"),
        ("𝐩𝐚𝐫𝐚𝐟𝐟𝐢𝐧", "f-paraffin"),
        ("lamp-oil?", "f-paraffin"),
    ],
)
def test_a_name_answers_at_once(index: Index, said: str, entry_id: str) -> None:
    found = index.find(said)

    assert (found.entry_id, found.choices, found.how) == (entry_id, (), "name")


def test_a_name_borne_by_two_entries_is_offered(index: Index) -> None:
    found = index.find("storm")

    assert found.entry_id is None
    assert set(found.choices) == {"m-blows-out", "f-storm-glass"}


@pytest.mark.parametrize(("kind", "entry_id"), [("myth", "m-blows-out"), ("fact", "f-storm-glass")])
def test_the_preferred_kind_breaks_a_tie_of_names(index: Index, kind: str, entry_id: str) -> None:
    assert index.find("storm", prefer_kind=kind).entry_id == entry_id


def test_another_kind_is_still_found(index: Index) -> None:
    assert index.find("paraffin", prefer_kind="myth").entry_id == "f-paraffin"


@pytest.mark.parametrize("said", ["does the storm glass matter", "storm or glass or wind"])
def test_the_preferred_kind_goes_first_only_when_near(index: Index, said: str) -> None:
    plain = index.find(said).candidates
    preferred = index.find(said, prefer_kind="myth").candidates
    best_myth = next(match for match in plain if match.kind == "myth")

    first = best_myth if 2 * best_myth.probability >= plain[0].probability else plain[0]
    assert preferred[0] == first
    assert set(preferred) == set(plain)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "   ",
        "?!",
        "😀",
        "the",
        "is it",
        "xqzt",
        "zebra crossing",
        "lantern",
        "LANTERNS lantern",
        "lanter",
    ],
)
def test_nothing_close_gives_nothing(index: Index, said: str) -> None:
    found = index.find(said)

    assert (found.entry_id, found.choices) == (None, ())


def test_a_question_is_ranked_with_its_reasons(index: Index) -> None:
    found = index.find("how long does the paraffin in it last")

    assert found.candidates[0].entry_id == "f-paraffin"
    assert dict(found.candidates[0].scores)["nearest"] > 0.5
    assert found.how == "ranked"
    assert 0 <= found.inside <= 1
    assert "out_nearest" in dict(found.features)


def test_a_sure_answer_tells_its_runners_up() -> None:
    bold = replace(load_model(), sure_inside=0.0, sure_right=0.0)
    found = Index(ENTRIES, TOPIC, model=bold).find("does the flame stay lit in a storm outside")

    assert found.entry_id == "m-blows-out"
    assert found.choices == ()
    assert found.also == tuple(m.entry_id for m in found.candidates[1:3] if m.probability >= 0.03)


def test_a_name_can_be_ranked_too(index: Index) -> None:
    assert index.rank("paraffin").candidates[0].entry_id == "f-paraffin"
    assert index.rank("paraffin").how == "ranked"


def test_the_preferred_kind_goes_before_a_near_equal() -> None:
    twins = [
        an_entry("f-dusk", "At dusk", "Light it at dusk.", ["dusk"], ["when do I light the wick"]),
        an_entry("m-dawn", "At dawn", "Light it at dawn.", ["dawn"], ["when do I light the wick"]),
    ]
    index = Index(twins, TOPIC)

    for kind, entry_id in (("fact", "f-dusk"), ("myth", "m-dawn")):
        assert index.find("when should I light the wick", kind).candidates[0].entry_id == entry_id


def test_a_shy_index_offers_nothing() -> None:
    shy = replace(load_model(), sure_inside=1.1, offer_inside=1.1)
    found = Index(ENTRIES, TOPIC, model=shy).find("does the flame stay lit in a storm outside")

    assert (found.entry_id, found.choices, found.also) == (None, (), ())


def test_a_name_from_most_entries_is_ranked() -> None:
    same = [structs.replace(entry, keywords=[*entry.keywords, "light"]) for entry in ENTRIES]

    assert Index(same, TOPIC).find("light").how == "ranked"


def test_a_typo_in_a_question_is_mended(index: Index) -> None:
    found = index.find("how long does the parafin in it last")

    assert found.candidates[0].entry_id == "f-paraffin"
    assert dict(found.features)["unknown"] == 0


def test_a_slip_in_the_first_letter_still_competes(index: Index) -> None:
    assert index.find("any good the baraffin stuff").candidates[0].entry_id == "f-paraffin"


def test_at_most_three_are_offered(index: Index) -> None:
    for said in ("does it burn in a storm", "which one for outside", "glass or oil or wind or smoke"):
        assert len(index.find(said).choices) <= 3


def test_naming_something_else_argues_for_silence(index: Index) -> None:
    plain = index.find("how long does a toaster last").inside
    warned = Index(ENTRIES, TOPIC, (), ["toaster"]).find("how long does a toaster last").inside

    assert warned < plain


def test_a_question_like_those_not_covered_argues_for_silence(index: Index) -> None:
    said = "who won the storm match yesterday"
    without = Index(ENTRIES, TOPIC).find(said)

    assert index.find(said).inside < without.inside


def test_a_question_listed_as_not_covered_gets_nothing_at_all(index: Index) -> None:
    line = "how long does paraffin last in a lamp"
    assert Index(ENTRIES, TOPIC).find(line).entry_id or Index(ENTRIES, TOPIC).find(line).choices
    found = Index(ENTRIES, TOPIC, not_covered=[line]).find("How long does PARAFFIN last in a lamp??")
    assert (found.entry_id, found.choices, found.how) == (None, (), "not covered")


@pytest.mark.parametrize(
    "said",
    ["what are the side effects of humira", "will adalimumab damage my bladder", "is methadone addictive?"],
)
def test_a_medicine_no_entry_speaks_of_gets_no_look_alike(said: str) -> None:
    found = EDITION.index.find(said)
    assert (found.entry_id, found.choices) == (None, ())


def test_a_long_paste_is_read_in_its_beginning(index: Index) -> None:
    found = index.find("how long does paraffin last " + "and so on " * 1_000)

    assert found.candidates[0].entry_id == "f-paraffin"


@pytest.mark.parametrize("said", ['title:"(', "storm AND (", "^~*?\\", "a:b:c", "\x00storm\x00", "-storm +"])
def test_query_language_is_only_text(index: Index, said: str) -> None:
    assert isinstance(index.find(said), Found)


def test_the_same_question_gets_the_same_answer(index: Index) -> None:
    again = Index(ENTRIES, TOPIC, ["what is for dinner", "who won the match yesterday"], ["toaster oven"])

    for said in ("storm", "does it stay lit", "which oil", "soot on glass"):
        assert index.find(said) == index.find(said) == again.find(said)


def test_no_entries_give_nothing() -> None:
    assert Index((), TOPIC).find("paraffin") == Found()


def test_the_first_questions_may_come_from_several_threads_at_once(index: Index) -> None:
    """What it needs is made then, while another thread may be warming it."""
    question = "which oil is it"
    cold = Index(ENTRIES, TOPIC, ["what is for dinner", "who won the match yesterday"], ["toaster oven"])
    with ThreadPoolExecutor(5) as threads:
        warming = threads.submit(cold.warm)
        found = list(threads.map(cold.find, [question] * 4))
    warming.result()
    assert found == [index.find(question)] * 4


def test_warming_changes_no_answer(index: Index) -> None:
    warm = Index(ENTRIES, TOPIC, ["what is for dinner", "who won the match yesterday"], ["toaster oven"])
    warm.warm()

    assert warm.find("which oil is it") == index.find("which oil is it")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("smoke", "smoke"),
        ("smoek", "smoke"),
        ("smke", "smoke"),
        ("smocke", "smoke"),
        ("spoke", "smoke"),
        ("spike", "spike"),
        ("parrafin", "paraffin"),
        ("parafin", "paraffin"),
        ("kerosine", "kerosene"),
        ("hurr", "hurricane"),
        ("dog", "dog"),
    ],
)
def test_a_slip_is_read_as_the_known_word_nearest_to_it(typed: str, meant: str) -> None:
    known = ["smoke", "paraffin", "kerosene", "hurricane"]
    assert Recall([known], frozenset()).meant(typed) == meant


def test_a_piece_of_a_name_is_not_the_name(shipped: Index) -> None:
    for typed in ("topics", "more", "e"):
        assert shipped.find(typed).how != "name"


def test_nothing_typed_is_kept() -> None:
    recall = Recall([["smoke"]], frozenset())
    for word in ("smoke", "canary", "smokke"):
        recall.idf(recall.meant(word))
    assert "canary" not in repr(vars(recall))


@pytest.fixture(scope="module")
def content() -> Content:
    """The shipped entries."""
    if not CONTENT.exists():
        pytest.skip("the shipped content isn't there")
    return load_content(CONTENT)


@pytest.fixture(scope="module")
def shipped(content: Content) -> Index:
    """An index of the shipped entries."""
    return Index(content.entries, content.bot.topic_words, content.not_covered)


@pytest.mark.parametrize("entry", ROOM_CONTENT.entries, ids=lambda entry: entry.id)
async def test_an_entry_is_the_first_answer_to_its_own_names(entry: Entry, room: Room) -> None:
    """Its claim, its title, and each of its keywords that no other entry shares."""
    others = {
        " ".join(words(keyword))
        for other in ROOM_CONTENT.entries
        for keyword in other.keywords
        if other is not entry
    }
    names = [name for name in entry.keywords if " ".join(words(name)) not in others]
    for name in (entry.claim, entry.title, *names):
        for route in (f"/{entry.kind} {name}", f"/ask {name}"):
            assert (await room.say(route)).entry_id == entry.id, route


def test_a_left_out_phrasing_is_looked_up_all_the_same() -> None:
    """With /myth or /fact it is the answer or among the three offered; a tenth is left out at a time."""
    shares = fit_search.report(fit_search.load_material(), load_model())
    assert shares.phrasings > 2_000
    assert shares.looked_up >= 0.8


def test_phrasings_shipped_lead_to_their_entry(content: Content, shipped: Index) -> None:
    asked = [(entry.id, phrasing) for entry in content.entries for phrasing in entry.phrasings]
    found = sum(_leads_to(shipped.find(phrasing), entry_id) for entry_id, phrasing in asked)

    assert found / len(asked) >= 0.95


def test_a_topic_word_shipped_finds_nothing_alone(content: Content, shipped: Index) -> None:
    assert [word for word in content.bot.topic_words if shipped.find(word) != Found()] == []


def test_random_keys_and_signs_find_next_to_nothing(shipped: Index) -> None:
    """What is left are slips by chance: `hgad` is as near to "head" as a person's own slip."""
    rng = Random(5)
    signs = "#$%&/()=?!*+-_.,;:<>|@^~{}[]'§°€"
    kinds = [
        lambda: " ".join(
            "".join(rng.choices(ascii_lowercase, k=rng.randint(2, 9))) for _ in range(rng.randint(1, 5))
        ),
        lambda: "".join(rng.choices(signs, k=rng.randint(1, 300))),
        lambda: "".join(rng.choices(signs + ascii_lowercase + "0123456789 ", k=rng.randint(1, 80))),
    ]
    noise = [kind() for _ in range(500) for kind in kinds]
    found = [shipped.find(text) for text in noise]
    assert sum(bool(one.entry_id or one.choices) for one in found) <= 5


def _leads_to(found: Found, entry_id: str) -> bool:
    return entry_id == found.entry_id or entry_id in found.choices


@pytest.mark.parametrize(
    ("found", "nearest"),
    [
        (Found("m-a"), "m-a"),
        (Found(None, ("m-a", "m-b"), right=0.51), "m-a"),
        (Found(None, ("m-a", "m-b"), right=0.5), None),
        (Found(None, (), right=0.9), None),
    ],
)
def test_one_entry_is_the_nearest_only_if_that_is_clear(found: Found, nearest: str | None) -> None:
    assert found.nearest == nearest


def test_words_looked_up_are_offered_where_a_question_would_be_answered() -> None:
    matches = [Match(entry_id, "fact", 0.5, ()) for entry_id in ("f-tea", "f-snow")]
    model = load_model()
    assert settle(matches, 0.6, 0.9, model) == ("f-tea", ())
    assert settle(matches, 0.6, 0.9, model.for_look_up()) == (None, ("f-tea", "f-snow"))
