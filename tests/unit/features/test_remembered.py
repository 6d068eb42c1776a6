"""The newest events of a subject, against a list that forgets nothing."""

from hypothesis import given, strategies as st

from fraudbrain_shared.features import Profile, recall, remember
from fraudbrain_shared.features.remembered import REMEMBERED_MS, hash64
from fraudbrain_shared.scenario.profile_state import REMEMBERED_BYTES, REMEMBERED_EVENTS

ids = st.one_of(st.integers(0, 40), st.integers(-(2**63), 2**63 - 1))
events = st.lists(st.tuples(ids, st.integers(-(2**63), 2**63 - 1), st.integers(0, 4 * 86_400_000)), max_size=80)


@given(events, st.lists(ids, max_size=5))
def test_known_are_the_last_32_within_a_day_of_the_clock(history: list[tuple[int, int, int]], asked: list[int]) -> None:
    profile, naive = Profile("c"), dict[int, tuple[int, int]]()
    for event_id, payload, time in history:
        profile.clock = max(profile.clock, time)
        naive.pop(event_id, None)
        naive[event_id] = payload, time
        remember(profile, event_id, payload, time)
    last = dict(list(naive.items())[-REMEMBERED_EVENTS:])
    for each in (*asked, *naive):
        known = last.get(each)
        is_young = known is not None and known[1] >= profile.clock - REMEMBERED_MS
        assert recall(profile, each) == (known[0] if known and is_young else None)
    assert len(profile.remembered) <= REMEMBERED_EVENTS * REMEMBERED_BYTES


def test_an_id_that_only_shows_across_two_events_is_new() -> None:
    profile = Profile("c", clock=0x7172737475)
    remember(profile, 0x0102030405060708, 0x1112131415161718, 0x7172737475)
    inside = int.from_bytes(profile.remembered[4:12], "big")
    assert recall(profile, inside) is None


def test_the_hash_is_the_same_in_every_process() -> None:
    assert hash64(b"event") == 8893683814735462158
