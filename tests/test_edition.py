"""What an edition decides with its guards and its index together."""

from dataclasses import replace

import pytest
from msgspec import structs

from core.edition import Edition, build_edition
from tests.room import CONTENT, EDITION, GUARDS, PHRASES
from tests.samples import biased


@pytest.fixture(scope="module")
def doubtful() -> Edition:
    """Shipped content under guards that find every text likely, but not very likely, to be on sourcing."""
    return replace(EDITION, guards=GUARDS.with_classifier(biased(-9.0, -9.0, -0.75)))


def test_a_doubt_is_enough_where_no_entry_is_likely_to_answer(doubtful: Edition) -> None:
    assert doubtful.check("what about that other thing you mentioned to him").guard == "sourcing"


@pytest.mark.parametrize("text", ["will infusions get me hooked like an addict?", "CRPS"])
def test_a_doubt_is_not_enough_where_an_entry_is_likely_to_answer(doubtful: Edition, text: str) -> None:
    assert doubtful.check(text).guard is None


def test_the_very_name_of_an_entry_is_no_guess_of_the_classifier() -> None:
    sure = biased(9.0, -9.0, -9.0)
    alarmed = replace(EDITION, guards=GUARDS.with_classifier(sure))
    assert alarmed.check("Only a party drug").guard is None
    assert alarmed.check("only at a party").guard == "crisis"


def test_an_entrys_card_is_written_once_an_edition() -> None:
    entry = CONTENT.entries[0]
    card = EDITION.card(entry, PHRASES)
    assert EDITION.card(entry, PHRASES) is card
    changed = structs.replace(entry, answer="It does not.")
    assert replace(EDITION, guards=GUARDS).card(changed, PHRASES).blocks[1].text == "It does not."


def test_danger_is_danger_whatever_an_entry_could_answer() -> None:
    assert EDITION.check("I want to kill myself, will infusions get me hooked?").guard == "crisis"


def test_a_ruling_on_words_of_the_content_is_kept_and_nothing_else_is() -> None:
    edition = replace(EDITION)
    assert edition.check("Bladder") is edition.check("BLADDER")
    assert edition.check("my bladder hurts") is not edition.check("my bladder hurts")
    assert edition.check("bladders!") is not edition.check("bladders!")


def test_where_nothing_was_typed_the_index_is_not_made() -> None:
    edition = build_edition(CONTENT, GUARDS)
    assert edition.check("").guard is None
    assert vars(edition.index).keys().isdisjoint(("_names", "_recall"))
    edition.check("bladder")
    assert "_recall" in vars(edition.index)
