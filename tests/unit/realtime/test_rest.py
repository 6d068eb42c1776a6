"""Profiles of subjects that come often stay as they are folded, the others are put to rest."""

from typing import Any

from fraudbrain_realtime.profiles import Profiles
from fraudbrain_shared.admission import Admission
from fraudbrain_shared.features import Profile, ProfileFold, decode_profile
from fraudbrain_shared.scenario import load_scenario
from tests.unit.realtime.test_loop import payment


def test_a_profile_rests_once_a_flush_passes_without_it() -> None:
    scenario, profiles, rows = load_scenario("cards"), Profiles(epoch=1, limit=100), dict[str, bytes]()
    fold, admission = ProfileFold(scenario), Admission(scenario)
    profiles.scanned()
    numbers = iter(range(100))

    def known(card: str) -> Profile:
        profile = profiles.get(card)
        assert profile is not None
        return profile

    def flush(*cards: str) -> list[str]:
        for card in cards:
            event: Any = admission.admit(payment(f"e{next(numbers)}", card=card), card.encode(), 2**60)
            profile = known(card)
            profile.epoch = 1
            fold.fold(profile, event)
            profiles.changed(profile)
        rows.update(profiles.take_unsaved())
        profiles.saved()
        return [card for card in ("a", "b", "c") if known(card).states is not None]

    assert flush("a", "b") == ["a", "b"]
    assert flush("b", "c") == ["b", "c"]
    assert flush("a") == ["a"]
    for card, row in rows.items():
        assert fold.joined(decode_profile(row), Profile(card)) == fold.joined(known(card), Profile(card))
