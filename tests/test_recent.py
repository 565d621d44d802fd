from core.recent import Recent, Seen


def test_what_was_set_last_is_known() -> None:
    held: Recent[str, int] = Recent()
    held.set("a", 1)
    held.set("a", 2)
    assert held.get("a") == 2
    assert held.get("b") is None


def test_the_key_set_longest_ago_goes_first() -> None:
    held: Recent[str, int] = Recent(size=2)
    for key in ("a", "b", "a", "c"):
        held.set(key, 1)
    assert [key for key in "abc" if held.get(key)] == ["a", "c"]


def test_what_is_dropped_is_not_known() -> None:
    held: Recent[str, int] = Recent()
    held.set("a", 1)
    for _ in range(2):
        held.drop("a")
        assert held.get("a") is None


def test_so_many_that_were_seen_last_are_known_and_no_more_than_twice() -> None:
    seen: Seen[int] = Seen(size=10)
    for number in range(100):
        seen.add(number)
        assert all(late in seen for late in range(max(0, number - 9), number + 1))
        assert sum(early in seen for early in range(100)) <= 20
