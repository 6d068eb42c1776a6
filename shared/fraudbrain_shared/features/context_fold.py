"""The context's fold: what events and labels add to an entity, in any order, over all subjects.

An entity's state is a function of the *set* of what was folded, not of its order: batches may be cut
anywhere and parts joined. Its hops end with the newest record of the feature, and older ones are dropped
by that alone. The clock is needed only to read it (`context_view`).
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features.hops import WindowState, add, joined
from fraudbrain_shared.records import ContextState, Label, Labelled
from fraudbrain_shared.scenario.context_table import MAX_CONTEXT_BYTES
from fraudbrain_shared.scenario.description import LABEL, ContextFeature, Scenario
from fraudbrain_shared.scenario.event_types import event_struct
from fraudbrain_shared.scenario.feature_functions import (
    ContextFolds,
    compile_context_folds,
    context_features_on,
)

EntityStates = dict[str, WindowState]
"""An entity's states by feature id."""


class ContextInput(NamedTuple):
    """One value for one feature of one entity. `time` is the event's, or when the label was known, UTC ms."""

    entity: str
    id: str
    feature: str
    time: int
    value: int


class OversizeState(ValueError):
    """An entity's state is longer than a record may hold: a value broke the bounds its scenario declares."""


class ContextFold:
    """How a scenario folds events and labels into what is known of entities. Holds no data."""

    def __init__(self, scenario: Scenario) -> None:
        types = scenario.event_types.values()
        self._features = {(each.entity, each.id): each for each in scenario.context.values()}
        self._of_events = {each.name: _TypeFold(scenario, each.name, each.name) for each in types}
        self._of_labels = {each.name: _TypeFold(scenario, each.name, LABEL) for each in types}
        self._structs: dict[str, type[Any]] = {each.name: event_struct(each, scenario.subject) for each in types}

    def of_event(self, event: AdmittedEvent) -> list[ContextInput]:
        """What an event adds to the entities that it names; one that it names twice counts once."""
        return self._of_events[event.type].inputs(event, event.event_time, None)

    def of_labelled(self, labelled: Labelled) -> list[ContextInput]:
        """What the first label of an event adds; a later one corrects data sets, never the context.

        Raises msgspec.ValidationError where the event is not one of the scenario's.
        """
        if labelled.correction:
            return []
        event = labelled.event
        admitted = msgspec.convert(event, self._structs[event.type], from_attributes=True)
        return self._of_labels[event.type].inputs(admitted, labelled.label.known_at, labelled.label)

    def add(self, states: EntityStates, given: ContextInput) -> None:
        """Folds a value into its entity's states."""
        feature = self._features[given.entity, given.feature]
        state = states.get(given.feature)
        if state is None:
            state = states[given.feature] = WindowState([])
        last_time, last_value = state.last_time, state.last_value
        first = _first_kept(feature, max(last_time, given.time))
        add(state, given.value, given.time, first=first, hop_ms=feature.hop_ms)
        if given.time == last_time:  # of two at one time neither is first: the larger value stands
            state.last_value = max(last_value, given.value)

    def joined(self, entity: str, left: EntityStates, right: EntityStates) -> EntityStates:
        """The states of both parts of an entity's history together."""
        both = {}
        for feature_id in sorted(left.keys() | right.keys()):
            state = joined(left.get(feature_id, _EMPTY), right.get(feature_id, _EMPTY))
            first = _first_kept(self._features[entity, feature_id], state.last_time)
            state.hops = [hop for hop in state.hops if hop.index >= first]
            both[feature_id] = state
        return both

    def record(self, entity: str, id_: str, states: EntityStates) -> ContextState:
        """The record of an entity's states. Raises OversizeState where it is longer than 4 KiB."""
        raw = {feature_id: msgspec.Raw(msgspec.json.encode(states[feature_id])) for feature_id in sorted(states)}
        length = len(msgspec.json.encode(raw))
        if length > MAX_CONTEXT_BYTES:
            raise OversizeState(f"the state of {entity} takes {length} bytes; at most {MAX_CONTEXT_BYTES} are allowed")
        return ContextState(entity, id_, raw)

    def states_of(self, record: ContextState) -> EntityStates:
        """The states in a record, of features that the scenario still has. Raises msgspec.DecodeError."""
        return {
            feature_id: msgspec.json.decode(raw, type=WindowState)
            for feature_id, raw in record.states.items()
            if (record.entity, feature_id) in self._features
        }


class _TypeFold:
    """What events of one type, or their labels, add to the context."""

    def __init__(self, scenario: Scenario, type_name: str, on: str) -> None:
        event_type = scenario.event_types[type_name]
        # Only decided events are labelled; of others a feature on labels may not even be well typed.
        features = context_features_on(scenario, event_type, on) if on != LABEL or event_type.decide else ()
        self._features: Sequence[ContextFeature] = features
        self._evaluate: ContextFolds | None = compile_context_folds(scenario, event_type, on) if features else None
        self._fields = {
            feature.entity: [field.name for field in event_type.fields.values() if field.entity == feature.entity]
            for feature in features
        }

    def inputs(self, event: AdmittedEvent, time: int, label: Label | None) -> list[ContextInput]:
        if self._evaluate is None:
            return []
        results = self._evaluate(event.fields, event.event_time, label)
        inputs = []
        for place, feature in enumerate(self._features):
            where, value = results[2 * place], results[2 * place + 1]
            if where is True and isinstance(value, int):  # neither unknown nor in error
                named = dict.fromkeys(getattr(event.fields, name) for name in self._fields[feature.entity])
                inputs += [
                    ContextInput(feature.entity, id_, feature.id, time, value) for id_ in named if id_ is not None
                ]
        return inputs


def _first_kept(feature: ContextFeature, newest_ms: int) -> int:
    return (newest_ms - feature.window_ms) // feature.hop_ms


_EMPTY: Final = WindowState([])
