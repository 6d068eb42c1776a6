"""Dead letters and a world to replay them in: notes and a topic in memory, which a run may die on at any step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec

from fraudbrain_deploy.dead_letters import Headers, Letter
from fraudbrain_deploy.dead_letters_replay import Candidate, Note, Replayed, Replayer
from fraudbrain_shared.records import DeadLetter, Reason
from fraudbrain_shared.records.dead_letter import REPLAY_OF_HEADER
from fraudbrain_shared.scenario import Scenario

NOW_MS = 1_700_000_000_000
TOPIC = "fraudbrain.cards.events"


def payment(event_id: str, *, card: str = "c1", amount: int = 1_000, time: int = NOW_MS) -> bytes:
    fields = {"card_id": card, "terminal_id": "t1", "amount": amount}
    return msgspec.json.encode({"event_id": event_id, "type": "payment", "event_time": time, "fields": fields})


def letter(
    offset: int,
    value: bytes,
    *,
    reason: Reason = Reason.TOO_NEW,
    key: bytes | None = b"c1",
    topic: str = TOPIC,
    attempt: int = 1,
    headers: Headers = (),
) -> Letter:
    told = DeadLetter(reason, "why", topic, 0, offset, NOW_MS - 1, "w1", "build 1", attempt, 5, {"rules": "r1"})
    return Letter(0, offset, NOW_MS + offset, told, key, value, headers)


class Killed(BaseException):
    """The run's process is no more."""


@dataclass
class World:
    """What outlives a run: the notes, the topic, the decisions, the time."""

    notes: dict[bytes, bytes] = field(default_factory=dict)
    log: list[tuple[bytes | None, bytes, Headers]] = field(default_factory=list)
    decided: set[bytes] = field(default_factory=set)
    now_ms: int = NOW_MS + 1_000
    runs: int = 0
    meanwhile: Callable[[], object] | None = None
    """What happens once, after a run has read its notes and before it writes its own."""
    before_send: Callable[[], object] | None = None
    """What happens once, after a run has written its notes and before it sends."""

    def replay(
        self, scenario: Scenario, *letters: Letter, is_dry: bool = False, fate: Random | None = None, chunk: int = 64
    ) -> Replayed:
        """A run; with `fate` it may be killed."""
        self.runs += 1
        replayer = Replayer(
            scenario,
            decided=self._decided,
            notes=_Notes(self, fate),
            events=_Events(self, fate),
            now_ms=lambda: self.now_ms,
            run=f"run-{self.runs}",
            events_topic=TOPIC,
        )
        return replayer.take(letters, is_dry=is_dry, chunk=chunk)

    def _decided(self, candidates: Sequence[Candidate]) -> set[bytes]:
        return {each.row for each in candidates} & self.decided


def _perhaps_killed(fate: Random | None) -> None:
    if fate is not None and fate.random() < 0.1:
        raise Killed


class _Notes:
    def __init__(self, world: World, fate: Random | None) -> None:
        self._world, self._kept, self._fate = world, world.notes, fate

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Note]:
        found = {key: msgspec.json.decode(self._kept[key], type=Note) for key in keys if key in self._kept}
        happens, self._world.meanwhile = self._world.meanwhile, None
        if happens is not None:
            happens()
        return found

    def replace(self, key: bytes, note: Note, *, old: Note | None) -> bool:
        _perhaps_killed(self._fate)
        fits = self._kept.get(key) == (None if old is None else msgspec.json.encode(old))
        if fits:
            self._kept[key] = msgspec.json.encode(note)
        _perhaps_killed(self._fate)
        return fits


class _Events:
    def __init__(self, world: World, fate: Random | None) -> None:
        self._world, self._log, self._fate = world, world.log, fate
        self._in_flight: list[tuple[bytes | None, bytes, Headers]] = []

    def ends(self) -> dict[int, int]:
        return {0: len(self._log)}

    def replays_since(self, offsets: Mapping[int, int]) -> set[str]:
        values = (dict(headers).get(REPLAY_OF_HEADER) for _, _, headers in self._log[offsets[0] :])
        return {value.decode() for value in values if value}

    def wait_turn(self) -> None:
        happens, self._world.before_send = self._world.before_send, None
        if happens is not None:
            happens()

    def send(self, key: bytes | None, value: bytes, headers: Headers) -> None:
        self._in_flight.append((key, value, headers))
        self._die_with_some_of_it_on_its_way()

    def flush(self) -> None:
        self._die_with_some_of_it_on_its_way()
        self._log += self._in_flight
        self._in_flight = []
        _perhaps_killed(self._fate)

    def _die_with_some_of_it_on_its_way(self) -> None:
        try:
            _perhaps_killed(self._fate)
        except Killed:
            assert self._fate is not None
            self._log += self._in_flight[: self._fate.randint(0, len(self._in_flight))]
            raise
