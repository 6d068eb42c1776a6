"""The context: what events and labels add to entities, and which entities are to be published anew."""

import logging
from collections.abc import Iterable, Mapping
from math import inf
from typing import Final

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features import ContextFold, ContextInput, EntityStates, OversizeState
from fraudbrain_shared.features.hops import WindowState
from fraudbrain_shared.records import ContextState, Labelled
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.topics import context_key, split_key

_LOG = logging.getLogger(__name__)
PREFIX: Final = b"context|"
PUBLISH_EVERY_S: Final = 10.0
"""The shortest time between two records of an entity while traffic is live."""

_NEXT: Final = 0  # the commit that is to come: commits count from 1

Entity = tuple[str, str]


class _EntityRow(msgspec.Struct):
    """An entity as it is kept; `commit` is the one that changed it last."""

    commit: int
    states: dict[str, WindowState]


class Context:
    """The entities of one scenario. `rows` are those kept, `published_to` the last commit of which all is published."""

    def __init__(self, scenario: Scenario, rows: Mapping[bytes, bytes], published_to: int) -> None:
        self._fold = ContextFold(scenario)
        kinds = {each.entity for each in scenario.context.values()}
        ids = {each.id for each in scenario.context.values()}
        self._states: dict[Entity, EntityStates] = {}
        self._unsaved: set[Entity] = set()
        self._due: dict[Entity, int] = {}  # unpublished, with the commit that changed it first
        self._published_s: dict[Entity, float] = {}
        decode = msgspec.msgpack.Decoder(_EntityRow).decode
        for row, value in rows.items():
            if not row.startswith(PREFIX):
                continue
            kind, id_ = split_key(row.removeprefix(PREFIX), parts=2)
            kept = decode(value)
            if kind in kinds:  # an older scenario's kinds and features are nobody's
                self._states[kind, id_] = {name: state for name, state in kept.states.items() if name in ids}
                if kept.commit > published_to:
                    self._due[kind, id_] = kept.commit

    def add_events(self, events: Iterable[AdmittedEvent]) -> None:
        """Fold admitted events."""
        for event in events:
            self._add(self._fold.of_event(event))

    def add_labelled(self, labelled: Iterable[Labelled]) -> None:
        """Fold labels; corrections add nothing."""
        for each in labelled:
            try:
                self._add(self._fold.of_labelled(each))
            except (msgspec.ValidationError, KeyError):
                _LOG.warning("a labelled event is not one of this scenario: it adds nothing to the context")

    def changes(self, commit: int) -> dict[bytes, bytes | None]:
        """The rows that changed since this was last asked, as of this commit."""
        changed: dict[bytes, bytes | None] = {}
        for kind, id_ in self._unsaved:
            row = _EntityRow(commit, self._states[kind, id_])
            changed[PREFIX + context_key(kind, id_)] = msgspec.msgpack.encode(row)
            if self._due.get((kind, id_)) == _NEXT:
                self._due[kind, id_] = commit
        self._unsaved = set()
        return changed

    def published_to(self, commit: int) -> int:
        """The last commit of which nothing is unpublished, `commit` being the last of all."""
        return min(self._due.values(), default=commit + 1) - 1

    def take_records(self, now_s: float | None) -> list[ContextState]:
        """The records to publish, in order: all that changed, or at `now_s` those that may be published again."""
        due = sorted(self._due)
        if now_s is not None:
            due = [each for each in due if self._published_s.get(each, -inf) + PUBLISH_EVERY_S <= now_s]
            self._published_s |= dict.fromkeys(due, now_s)
        return [record for entity in due if (record := self._take(entity)) is not None]

    def _take(self, entity: Entity) -> ContextState | None:
        del self._due[entity]
        try:
            return self._fold.record(*entity, self._states[entity])
        except OversizeState as error:
            _LOG.warning("not published: %s", error)
            return None

    def _add(self, inputs: Iterable[ContextInput]) -> None:
        for each in inputs:
            entity = each.entity, each.id
            self._fold.add(self._states.setdefault(entity, {}), each)
            self._unsaved.add(entity)
            self._due.setdefault(entity, _NEXT)
