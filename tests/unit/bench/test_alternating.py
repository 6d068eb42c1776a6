import gc

import pytest

from fraudbrain_shared.testing.alternating import alternate, ratio


def test_works_take_turns_after_one_uncounted_run_of_each() -> None:
    order: list[str] = []
    works = {name: lambda name=name: order.append(name) for name in "ab"}
    found = alternate(works, cases=1, rounds=3, slice_s=0)
    assert "".join(order) == "ab" + "ab" * 3
    assert {name: len(rounds) for name, rounds in found.items()} == {"a": 3, "b": 3}


def test_what_costs_ten_times_as_much_is_found_to() -> None:
    works = {name: lambda times=times: sum(range(times)) for name, times in (("ten", 200_000), ("one", 20_000))}
    found = alternate(works, cases=1, rounds=9, slice_s=0.002)
    assert ratio(found["ten"], found["one"]) == pytest.approx(10, rel=0.5)


def test_a_ratio_is_the_median_of_the_rounds_so_one_disturbed_round_does_not_count() -> None:
    assert ratio([10, 90, 11], [1, 1, 1]) == 11
    assert ratio([10, 90, 11], [1, 9, 1]) == 10


def test_garbage_collection_is_as_it_was_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        alternate({"bad": lambda: 1 // 0}, cases=1, rounds=1, slice_s=0)
    assert gc.isenabled()
