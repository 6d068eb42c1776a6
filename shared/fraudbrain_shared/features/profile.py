"""A subject's profile: what the fast tier has folded from the subject's own events."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features.hops import Number, WindowState, add, summarise
from fraudbrain_shared.features.reads import READS, Reading
from fraudbrain_shared.scenario.description import ProfileFeature, Scenario, Window
from fraudbrain_shared.scenario.rules import compile_folds

REMEMBERED_EVENTS: Final = 32
REMEMBERED_MS: Final = 24 * 60 * 60 * 1000


class Remembered(msgspec.Struct, array_like=True, gc=False):
    """The newest events of a subject by hashes of id and payload, to know a duplicate by."""

    ids: list[int] = []
    payloads: list[int] = []
    times: list[int] = []


class Profile(msgspec.Struct, array_like=True, gc=False):
    """Everything folded for one subject, as it stands in a row of the profile store.

    `epoch` and `last_applied` say up to which offset, `clock` is the largest event time folded
    (UTC ms, −1 before the first), `windows` hold the features' states by feature id.
    """

    subject: str
    epoch: int = 0
    last_applied: int = -1
    clock: int = -1
    late_dropped: int = 0
    remembered: Remembered = msgspec.field(default_factory=Remembered)
    windows: dict[str, WindowState] = {}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Profile)


def encode_profile(profile: Profile) -> bytes:
    """The profile as the bytes of a row."""
    return _encoder.encode(profile)


def decode_profile(row: bytes) -> Profile:
    """The profile in a row's bytes. Raises msgspec.DecodeError where they are no profile."""
    return _decoder.decode(row)


def hash64(data: bytes) -> int:
    """A signed 64-bit hash that is the same in every process."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True)


class ProfileFold:
    """How a scenario folds events into profiles and reads features from them. Holds no data."""

    def __init__(self, scenario: Scenario) -> None:
        features = list(scenario.profile.values())
        self._features = features
        self._by_type: dict[str, tuple[Callable[..., Sequence[object]], list[ProfileFeature]]] = {
            name: (
                compile_folds(scenario, event_type),
                [feature for feature in features if feature.on == name],
            )
            for name, event_type in scenario.event_types.items()
        }
        self._reads = [(feature, [READS[read] for read in feature.read]) for feature in features]

    def read(self, profile: Profile, event_time: int) -> tuple[Reading, ...]:
        """The profile's features as of just before an event, in the scenario's order.

        Windows end at the profile's clock or at the event's time, whichever is later.
        """
        now = max(profile.clock, event_time)
        values: list[Reading] = []
        for feature, reads in self._reads:
            state = profile.windows.get(feature.id, _EMPTY)
            span = feature.span
            if not isinstance(span, Window):
                raise NotImplementedError(f"profile.{feature.name}: only windows can be read yet")
            summary = summarise(state, first=(now - span.length_ms) // span.hop_ms, hop_ms=span.hop_ms)
            values.extend([read(summary, now) for read in reads])
        return tuple(values)

    def fold(self, profile: Profile, event: AdmittedEvent) -> None:
        """Adds the event to the profile's windows. A late event enters its own hop if that is kept."""
        time = event.event_time
        clock = profile.clock = max(profile.clock, time)
        evaluate, features = self._by_type[event.type]
        inputs = evaluate(event.fields, time)
        for position, feature in enumerate(features):
            where, value = inputs[2 * position], inputs[2 * position + 1]
            if where is True and isinstance(value, int | float):  # neither unknown nor in error
                self._fold_one(profile, feature, value, time, clock)

    @staticmethod
    def _fold_one(profile: Profile, feature: ProfileFeature, value: Number, time: int, clock: int) -> None:
        state = profile.windows.get(feature.id)
        if state is None:
            state = profile.windows[feature.id] = WindowState([])
        span = feature.span
        if not isinstance(span, Window):
            raise NotImplementedError(f"profile.{feature.name}: only windows can be folded yet")
        first = (clock - span.length_ms) // span.hop_ms
        if not add(state, value, time, first=first, hop_ms=span.hop_ms):
            profile.late_dropped += 1


_EMPTY: Final = WindowState([])


def recall(profile: Profile, event_id: int) -> int | None:
    """The payload's hash under which the event is remembered, or None if it is new.

    Remembered are the last 32 events in fold order within 24 h of the profile's clock.
    """
    remembered = profile.remembered
    if event_id not in remembered.ids:
        return None
    place = remembered.ids.index(event_id)
    if remembered.times[place] < profile.clock - REMEMBERED_MS:
        return None
    return remembered.payloads[place]


def remember(profile: Profile, event_id: int, payload: int, time: int) -> None:
    """Notes the event, forgetting the oldest beyond the bound and one that had outlived its 24 h."""
    remembered = profile.remembered
    if event_id in remembered.ids:
        _forget(remembered, remembered.ids.index(event_id))
    elif len(remembered.ids) == REMEMBERED_EVENTS:
        _forget(remembered, 0)
    remembered.ids.append(event_id)
    remembered.payloads.append(payload)
    remembered.times.append(time)


def _forget(remembered: Remembered, place: int) -> None:
    del remembered.ids[place], remembered.payloads[place], remembered.times[place]
