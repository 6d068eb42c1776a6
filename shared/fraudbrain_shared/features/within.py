"""What is folded within a key: since its value last changed, in log order."""

from dataclasses import replace
from typing import Any, Final

from fraudbrain_shared.features.keeper import State
from fraudbrain_shared.features.shared_hops import SharedHops
from fraudbrain_shared.scenario.description import Lifetime
from fraudbrain_shared.scenario.profile_state import StateShape

KEY: Final = 1  # None before the first
CHANGED: Final = 2  # whether a change was seen: until then nobody knows since when the key has its value
INSIDE: Final = 3  # what was folded since: a lifetime's state


class WithinKey:
    """The keeper of what is folded within a key.

    A late event with another key belongs to the past: it changes nothing and is counted. An event whose key is
    unknown belongs nowhere.
    """

    def __init__(self, shape: StateShape) -> None:
        self._tag = shape.tag
        self.notes_misses = self.minds_misses = True
        endless = tuple(replace(each, span=Lifetime()) for each in shape.features)
        self.hops = SharedHops(StateShape("hops", 0, endless))
        self.form = f"{shape.tag}/{self.hops.form}"

    def start(self) -> State:
        return [self._tag, None, False, self.hops.start()]

    def adopted(self, state: State) -> State:
        return [*state[:INSIDE], self.hops.adopted(state[INSIDE])]

    def add(self, state: State, value: Any, key: Any, time: int, clock: int) -> int:
        if key is None:
            return 0
        if key != state[KEY] and not self._enter(state, key, time < clock):
            return 1
        return self.hops.add(state[INSIDE], value, None, time, clock)

    def miss(self, state: State, key: Any, time: int, clock: int) -> None:
        if key is not None and (key == state[KEY] or self._enter(state, key, time < clock)):
            self.hops.miss(state[INSIDE], None, time, clock)

    def _enter(self, state: State, key: Any, is_late: bool) -> bool:
        """Begins anew with another key; not for a late event, unless there was none before."""
        if state[KEY] is not None:
            if is_late:
                return False
            state[CHANGED] = True
            state[INSIDE] = self.hops.start()
        state[KEY] = key
        return True

    def joined(self, left: State, right: State, clock: int) -> State:
        if right[KEY] is None:
            return [*left[:INSIDE], self.hops.joined(left[INSIDE], right[INSIDE], clock)]
        if right[CHANGED] or left[KEY] is None:
            inside = self.hops.joined(self.hops.start(), right[INSIDE], clock)
            return [self._tag, right[KEY], right[CHANGED] or left[CHANGED], inside]
        if left[KEY] != right[KEY]:
            return [self._tag, right[KEY], True, self.hops.joined(self.hops.start(), right[INSIDE], clock)]
        return [self._tag, right[KEY], left[CHANGED], self.hops.joined(left[INSIDE], right[INSIDE], clock)]
