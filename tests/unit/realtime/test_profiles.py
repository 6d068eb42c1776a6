"""Which profiles are in memory when not all can be."""

from fraudbrain_realtime.profiles import Profiles
from fraudbrain_shared.features import Profile


def lacking(profiles: Profiles, subjects: str) -> str:
    return "".join(subject for subject in subjects if profiles.lacks(subject))


def test_what_was_touched_longest_ago_is_put_away_first() -> None:
    profiles = Profiles(1, 4, warm=2)
    for subject in "abcdef":
        profiles.loaded(subject, None)
    profiles.keep_to_limit()
    assert lacking(profiles, "abcdef") == "ab"
    assert profiles.get("c") is not None
    for subject in "gh":
        profiles.loaded(subject, None)
        profiles.keep_to_limit()
    assert lacking(profiles, "cdefgh") == "de"


def test_what_is_not_saved_stays() -> None:
    profiles = Profiles(1, 2, warm=2)
    for subject in "abcd":
        profiles.changed(Profile(subject))
    profiles.keep_to_limit()
    assert lacking(profiles, "abcd") == ""
    profiles.take_unsaved()
    profiles.keep_to_limit()
    assert lacking(profiles, "abcd") == ""
    profiles.saved()
    profiles.keep_to_limit()
    assert len(profiles) == 2
