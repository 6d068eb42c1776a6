"""Profiles of subjects that come often stay as they are folded, the others are put to rest."""

from typing import Any

from fraudbrain_realtime.checkpoint import Checkpoint
from fraudbrain_realtime.partition import PartitionState
from fraudbrain_realtime.stores.memory import MemoryStore
from fraudbrain_shared.admission import Admission
from fraudbrain_shared.features import Profile, ProfileFold, decode_profile
from fraudbrain_shared.scenario import load_scenario
from tests.unit.realtime.test_loop import payment


class Committing:
    """A broker that confirms each commit at once."""

    def commit(self, offsets: Any, done: Any) -> None:
        done(offsets)


def test_a_profile_rests_once_a_flush_passes_without_it() -> None:
    scenario, store = load_scenario("cards"), MemoryStore()
    fold, admission, state = ProfileFold(scenario), Admission(scenario), PartitionState(0, 0)
    broker: Any = Committing()
    checkpoint = Checkpoint(state, broker, store, lambda: 0.0, epoch=1, interval_s=1.0)

    def flush(*cards: str) -> list[str]:
        for card in cards:
            event: Any = admission.admit(payment(f"e{state.position}", card=card), card.encode(), 2**60)
            fold.fold(state.profiles.setdefault(card, Profile(card)), event)
            state.dirty.add(card)
            state.position += 1
        checkpoint.finish()
        return sorted(card for card, profile in state.profiles.items() if profile.states is not None)

    assert flush("a", "b") == ["a", "b"]
    assert flush("b", "c") == ["b", "c"]
    assert flush("a") == ["a"]
    assert flush() == ["a"]
    for card, row in store.load(0, ["a", "b", "c"]).items():
        assert fold.joined(decode_profile(row), Profile(card)) == fold.joined(state.profiles[card], Profile(card))
