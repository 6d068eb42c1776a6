import pytest

from fraudbrain_shared.controls import GRACE_MS, TimeLine, acts_from
from fraudbrain_shared.topics import EVENTS_RETENTION_MS

T0 = 1_700_000_000_000


def line(*published: tuple[str, int]) -> TimeLine[str]:
    made = TimeLine("own")
    for version, append_time in published:
        made.add(version, append_time)
    return made


def test_a_version_acts_from_exactly_the_grace_after_its_record() -> None:
    found = line(("a", T0), ("b", T0 + 10_000))
    starts = T0 + GRACE_MS, T0 + 10_000 + GRACE_MS
    assert [found.at(time).value for start in starts for time in (start - 1, start)] == ["own", "a", "a", "b"]
    assert found.at(starts[0]) == ("a", *starts)
    assert acts_from(T0) == starts[0]


def test_the_newest_is_known_before_it_acts() -> None:
    found = line(("a", T0))
    assert (found.newest, found.at(T0).value) == ("a", "own")


def test_a_clock_set_back_brings_no_version_before_its_predecessor() -> None:
    found = line(("a", T0), ("b", T0 - 60_000))
    assert found.at(T0 + GRACE_MS - 1).value == "own"
    assert found.at(T0 + GRACE_MS).value == "b"


def test_of_two_records_at_the_same_time_the_later_acts() -> None:
    assert line(("a", T0), ("b", T0)).at(T0 + GRACE_MS).value == "b"


def test_in_place_of_one_taken_out_acts_the_one_before() -> None:
    found = line(("a", T0), ("b", T0 + 10_000), ("c", T0 + 20_000))
    found.remove(found.at(T0 + 10_000 + GRACE_MS).value)
    assert found.at(T0 + 10_000 + GRACE_MS).value == "a"
    assert found.at(T0 + 20_000 + GRACE_MS).value == "c"
    found.remove("c")
    assert found.newest == "a"
    with pytest.raises(ValueError, match="taken out"):
        found.remove("own")


def test_versions_older_than_any_event_are_forgotten() -> None:
    month = EVENTS_RETENTION_MS
    found = line(*((f"v{number}", T0 + number * month) for number in range(100)))
    assert len(found) < 6
    assert found.at(T0 + 98 * month + GRACE_MS).value == "v98"
