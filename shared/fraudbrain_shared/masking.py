"""What is shown of values that are about a person: outside topics and stores, never all of them.

A scenario marks such fields as `sensitive`. A subject or an entity is named by a field's value, so it is about a person
if any of the fields that name it is.
"""

from typing import Final

import msgspec

from fraudbrain_shared.records import Decision
from fraudbrain_shared.scenario.description import Scenario

MASK: Final = "•••"
_SHOWN: Final = 4
_LONG: Final = 12
"""Of shorter values the end would say too much."""


def masked(value: str) -> str:
    """A value as people may see it: of a long one the last four characters, as on a receipt."""
    return f"{MASK}{value[-_SHOWN:]}" if len(value) >= _LONG else MASK


class Mask:
    """Hides what a scenario calls sensitive."""

    def __init__(self, scenario: Scenario) -> None:
        fields = [(name, field) for kind in scenario.event_types.values() for name, field in kind.fields.items()]
        self._fields = {name for name, field in fields if field.sensitive}
        self._entities = {field.entity for _, field in fields if field.sensitive and field.entity}
        self._hides_subject = scenario.subject in self._fields

    def subject(self, subject: str) -> str:
        """A subject as people may see it."""
        return masked(subject) if self._hides_subject else subject

    def id(self, entity: str, value: str) -> str:
        """The id of an entity, or the value of a field, as people may see it."""
        return masked(value) if entity in self._entities or entity in self._fields else value

    def event(self, payload: bytes) -> bytes:
        """An event's JSON as people may see it, by the names of its fields. ValueError where it is no JSON object with
        `fields`: then nobody knows what it holds."""
        event = msgspec.json.decode(payload)
        if not isinstance(event, dict) or not isinstance(event.get("fields"), dict):
            raise ValueError("no event")
        fields = event["fields"]
        for name in self._fields & fields.keys():
            fields[name] = masked(fields[name]) if isinstance(fields[name], str) else MASK
        return msgspec.json.encode(event)

    def decision(self, decision: Decision) -> Decision:
        """A decision as people may see it; its features are numbers, and show nobody."""
        entities = {entity: self.id(entity, id_) for entity, id_ in decision.entities.items()}
        return msgspec.structs.replace(decision, subject=self.subject(decision.subject), entities=entities)
