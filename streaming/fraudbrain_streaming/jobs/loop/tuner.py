"""The tuner: aggregates of the tuned parameters, asked at the ticks that the clock has passed."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.records import Decision, Labelled, ParameterValue
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.description import Parameter
from fraudbrain_shared.tuners import Observation, Observer, Tuner, moves, tuner_of
from fraudbrain_streaming.jobs.loop.controls import Controls

PREFIX: Final = b"tuner|"


class _Tuned:
    """A parameter that is moved, with its aggregates by id."""

    def __init__(self, parameter: Parameter, tuner: Tuner) -> None:
        self.parameter, self.tuner = parameter, tuner
        definition = hashlib.sha256(repr(parameter.tuning).encode()).hexdigest()[:16]
        # Another definition counts otherwise and begins anew.
        self.prefix = PREFIX + f"{parameter.name}|{definition}|".encode()
        self.states: dict[str, Any] = {}
        self.touched: set[str] = set()

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        decode = msgspec.msgpack.Decoder(type(self.tuner.empty())).decode
        for row, value in rows.items():
            if row.startswith(self.prefix):
                self.states[row.removeprefix(self.prefix).decode()] = decode(value)

    def add(self, seen: Observation) -> None:
        state = self.states.get(seen.id)
        if state is None:
            state = self.states[seen.id] = self.tuner.empty()
        self.tuner.add(state, seen)
        self.touched.add(seen.id)


class Tuning:
    """All tuned parameters of a scenario."""

    def __init__(self, scenario: Scenario, rows: Mapping[bytes, bytes]) -> None:
        self._observer = Observer(scenario)
        self._tuned = {
            each.name: _Tuned(each, tuner)
            for each in scenario.parameters.values()
            if (tuner := tuner_of(each)) is not None
        }
        for tuned in self._tuned.values():
            tuned.load(rows)

    def add_events(self, events: Iterable[AdmittedEvent]) -> None:
        """Count events, for surges."""
        for event in events:
            self._add(self._observer.of_event(event))

    def add_decisions(self, decisions: Iterable[Decision]) -> None:
        """Count scores, for budgets."""
        for decision in decisions:
            self._add(self._observer.of_decision(decision))

    def add_labelled(self, labelled: Iterable[Labelled]) -> None:
        """Count labels, for rates."""
        for each in labelled:
            self._add(self._observer.of_labelled(each))

    def moves(self, controls: Controls, *, since: int, after: int, until: int) -> Iterator[ParameterValue]:
        """What the ticks after `after` and up to `until` move, by parameter, id and tick."""
        for tuned in self._tuned.values():
            parameter = tuned.parameter
            every_ms = parameter.tuning.every_ms if parameter.tuning else 1
            if after // every_ms == until // every_ms:
                continue
            start = controls.start_of(parameter)
            for id_ in sorted(tuned.states):
                last, hold = controls.book.last(parameter.name, id_), controls.book.hold(parameter.name, id_)
                yield from moves(
                    parameter,
                    tuned.tuner,
                    tuned.states[id_],
                    last,
                    since=since,
                    after=after,
                    until=until,
                    start=start,
                    hold=hold,
                    id_=id_,
                )

    def changes(self, clock: int | None) -> dict[bytes, bytes | None]:
        """The rows that changed since this was last asked, without what no tick after the clock reads."""
        changed: dict[bytes, bytes | None] = {}
        for tuned in self._tuned.values():
            for id_ in tuned.touched:
                if clock is not None:
                    tuned.tuner.trim(tuned.states[id_], clock)
                changed[tuned.prefix + id_.encode()] = msgspec.msgpack.encode(tuned.states[id_])
            tuned.touched = set()
        return changed

    def _add(self, seen: Iterable[Observation]) -> None:
        for each in seen:
            self._tuned[each.parameter].add(each)
