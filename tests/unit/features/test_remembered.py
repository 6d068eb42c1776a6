"""The newest events of a subject, against a list that forgets nothing."""

from hypothesis import given, strategies as st

from fraudbrain_shared.features import Profile, recall, remember
from fraudbrain_shared.features.remembered import REMEMBERED_MS, hash64
from fraudbrain_shared.scenario.profile_state import REMEMBERED_BYTES, REMEMBERED_EVENTS

hashes = st.binary(min_size=8, max_size=8)
ids = st.one_of(st.sampled_from([bytes([each] * 8) for each in range(40)]), hashes)
events = st.lists(st.tuples(ids, hashes, st.integers(0, 4 * 86_400_000)), max_size=80)


@given(events, st.lists(ids, max_size=5))
def test_known_are_the_last_32_within_a_day_of_the_clock(
    history: list[tuple[bytes, bytes, int]], asked: list[bytes]
) -> None:
    profile, naive = Profile("c"), dict[bytes, tuple[bytes, int]]()
    for event_id, payload, time in history:
        if recall(profile, event_id) is None:
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
    remember(profile, b"event-id", b"payload.", 0x7172737475)
    assert recall(profile, profile.remembered[4:12]) is None
    assert recall(profile, b"event-id") == b"payload."


def test_the_hash_is_the_same_in_every_process() -> None:
    assert hash64(b"event") == bytes.fromhex("b8e1f80bd70ae078")
