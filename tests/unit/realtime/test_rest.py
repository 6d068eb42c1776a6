"""Profiles of subjects that come often stay as they are folded, the others are put to rest."""

from typing import Any

from fraudbrain_realtime.profiles import Profiles
from fraudbrain_shared.admission import Admission
from fraudbrain_shared.features import Profile, ProfileFold, decode_profile
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.description import LastValues
from tests.parity.features.history import with_feature
from tests.unit.realtime.test_loop import payment


def test_those_flushed_last_stay_as_they_are_folded_the_others_rest() -> None:
    scenario = with_feature(load_scenario("cards"), "recent", LastValues(3), ("streak",), value="event.amount")
    profiles, rows = Profiles(epoch=1, limit=100, warm=2), dict[str, bytes]()
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

    assert flush("b") == ["b"]
    assert flush("a") == ["a", "b"]
    assert flush("b") == ["a", "b"]
    assert flush("c") == ["b", "c"]
    assert len(flush("a", "b", "c")) == 2
    for card, row in rows.items():
        assert fold.joined(decode_profile(row), Profile(card)) == fold.joined(known(card), Profile(card))
