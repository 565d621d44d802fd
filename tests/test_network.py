"""A network is what its weights say, whatever else is asked of it."""

from hypothesis import given
from hypothesis import strategies as st

from core.network import ZERO, Head, Network, Unit, slot

PLAIN = Head(0.5, (Unit(0.1, 0.0, 2.0), Unit(0.2, -0.3, -1.0)))
OTHER = Head(-1.0, (Unit(1.0, 0.0, 1.0),))
ROWS = {"tea": (10, 0, 1), "cup": (-20, 5, 3), "pot": (127, -128, 0)}
SLOTS = 64


def brewed() -> Network:
    """A network in which `ROWS` stand where their names say; any other slot holds no weight."""
    weights = bytearray([ZERO]) * (3 * SLOTS)
    for name, row in ROWS.items():
        start = 3 * slot(name, SLOTS)
        weights[start : start + 3] = bytes(ZERO + step for step in row)
    return Network([PLAIN, OTHER], bytes(weights))


NETWORK = brewed()
FEATURES = st.lists(st.tuples(st.sampled_from([*ROWS, "milk"]), st.integers(1, 15)), max_size=20)


def test_units_count_where_they_are_positive() -> None:
    assert NETWORK.outputs(NETWORK.sum([("tea", 1)]), 1.0) == [0.5 + 2.0 * 1.0, -1.0 + 1.0]
    assert NETWORK.outputs(NETWORK.sum([("cup", 1)]), 1.0) == [0.5 - (1.0 - 0.3), -1.0 + 3.0]


def test_each_feature_counts_its_share_and_so_many_times() -> None:
    once = NETWORK.outputs(NETWORK.sum([("tea", 1)]), 1.0)
    assert NETWORK.outputs(NETWORK.sum([("tea", 2)]), 0.5) == once
    assert NETWORK.outputs(NETWORK.sum([("tea", 1), ("tea", 1)]), 0.5) == once


def test_what_has_no_weight_counts_nothing() -> None:
    assert NETWORK.outputs(NETWORK.sum([("milk", 7)]), 1.0) == [0.5, -1.0] == NETWORK.outputs(0, 1.0)


@given(FEATURES, FEATURES)
def test_sums_are_added_and_taken_away_as_numbers(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    assert NETWORK.sum(first + second) - NETWORK.sum(first) == NETWORK.sum(second)
    steps = sum(times * ROWS[name][2] for name, times in first if name in ROWS)
    assert NETWORK.outputs(NETWORK.sum(first), 1.0)[1] == -1.0 + steps


def test_a_network_without_units_puts_out_its_biases() -> None:
    assert Network([Head(0.5, ()), Head(-2.0, ())], b"").outputs(0, 1.0) == [0.5, -2.0]
