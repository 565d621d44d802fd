"""What the bot says where nobody asked it: measured on texts, so that it stays as quiet as it was."""

from core.listen import asks_the_group
from tests.bench.unasked import rows
from tests.room import EDITION


def test_it_stays_out_of_talk_and_answers_what_it_is_sure_of() -> None:
    talk, as_questions, unanswerable, asked = rows(EDITION)
    assert (talk.messages, talk.answered) == (401, 0)
    assert as_questions.answered <= 2
    assert (unanswerable.messages, asked.messages) == (789, 1026)
    assert unanswerable.answered <= 3
    assert asked.wrong <= 9
    assert asked.answered >= 350


def test_the_thresholds_are_stricter_than_those_for_who_asks() -> None:
    model = EDITION.index.model
    assert model.unasked_inside >= model.sure_inside + 0.2
    assert model.unasked_right >= model.sure_right + 0.2


def test_a_question_says_what_it_is_about() -> None:
    assert asks_the_group("is it addictive?")
    assert EDITION.index.unasked("is it addictive?") is None
    assert EDITION.index.find("is it addictive?").entry_id == "m-very-addictive"
    assert EDITION.index.unasked("is ketamine addictive?") == "m-very-addictive"
    assert EDITION.index.unasked("x") is None
