"""What is kept of many keys in a bounded memory, and that what is lost is never taken for what never was."""

from hypothesis import given, strategies as st

from fraudbrain_shared.newest import Newest

keys = st.integers(0, 40).map(str)


@given(st.integers(1, 12), st.lists(st.tuples(keys, st.booleans()), max_size=120))
def test_the_newest_are_kept_and_all_others_that_had_a_value_are_known_to_have_been_put_away(
    most: int, steps: list[tuple[str, bool]]
) -> None:
    kept = Newest(most)
    alive: dict[str, bytes] = {}
    for number, (key, is_put) in enumerate(steps):
        value = str(number).encode()
        if is_put:
            kept.put(key, value)
            alive.pop(key, None)
            alive[key] = value
        else:
            kept.remove(key)
            alive.pop(key, None)
    assert len(kept) <= most
    order = kept.oldest_first()
    assert order == [key for key in alive if key in order]
    assert set(order) >= set(list(alive)[len(alive) - len(order) :])
    for key, value in alive.items():
        assert kept.get(key) == (value if key in order else None)
        assert key in order or kept.was_put_away(key)


def test_hardly_any_key_that_never_had_a_value_is_taken_for_one_that_was_put_away() -> None:
    kept = Newest(10_000)
    for number in range(20_000):
        kept.put(f"terminal|{number}", b"x")
    assert kept.put_away >= 10_000
    assert all(kept.was_put_away(f"terminal|{number}") for number in range(10_000))
    assert sum(kept.was_put_away(f"never|{number}") for number in range(10_000)) < 100


def test_nothing_was_put_away_where_there_is_room() -> None:
    kept = Newest(3)
    for key in "abc":
        kept.put(key, b"x")
    assert (kept.put_away, kept.was_put_away("d"), kept.get("a")) == (0, False, b"x")
