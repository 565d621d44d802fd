from random import Random

from core.pick import draw_from

IDS = ["a", "b", "c", "d"]


def a_round(seen: list[str], ids: list[str], rng: Random, draws: int) -> list[str]:
    draw = draw_from(ids, rng)
    for _ in range(draws):
        drawn = draw(seen)
        seen = [drawn.entry_id] if drawn.restarts else [*seen, drawn.entry_id]
    return seen


def test_a_round_gives_every_entry_once() -> None:
    assert sorted(a_round([], IDS, Random(1), 4)) == IDS


def test_second_round_starts_after_all_seen() -> None:
    draw = draw_from(IDS, Random(1))
    assert draw(["a", "b", "c"]).restarts is False
    assert draw(["a", "b", "c", "d"]).restarts is True


def test_a_new_round_never_opens_with_the_last_entry_of_the_old_one() -> None:
    draw = draw_from(IDS, Random(3))
    opened = {draw(["a", "b", "c", "d"]).entry_id for _ in range(100)}
    assert opened == {"a", "b", "c"}


def test_a_single_entry_is_given_again_and_again() -> None:
    assert draw_from(["a"], Random(1))(["a"]).entry_id == "a"


def test_withdrawn_entries_are_skipped_and_new_ones_join_the_round() -> None:
    drawn = draw_from(["a", "b", "new"], Random(1))(["a", "b", "withdrawn"])
    assert drawn.entry_id == "new"
    assert drawn.restarts is False


def test_every_entry_is_as_likely_as_the_others() -> None:
    draw = draw_from(IDS, Random(7))
    firsts = [draw([]).entry_id for _ in range(4000)]
    assert all(850 < firsts.count(entry_id) < 1150 for entry_id in IDS)
