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
        self._kept_per = {name: each.per for name, each in scenario.parameters.items()}

    def subject(self, subject: str) -> str:
        """A subject as people may see it."""
        return masked(subject) if self._hides_subject else subject

    def id(self, entity: str, value: str) -> str:
        """The id of an entity, or the value of a field, as people may see it."""
        return masked(value) if entity in self._entities or entity in self._fields else value

    def parameter_id(self, parameter: str, id_: str) -> str:
        """The id under which a parameter's value is kept, as people may see it; empty for a global one."""
        per = self._kept_per.get(parameter)
        return self.id(per, id_) if per and id_ else id_

    def event(self, payload: bytes) -> bytes:
        """An event's JSON as people may see it, by the names of its fields; null stays null. Of what is no event nobody
        knows what it holds: nothing is shown."""
        event = msgspec.json.decode(payload)
        if event is None:
            return payload
        if not isinstance(event, dict) or not isinstance(event.get("fields"), dict):
            return msgspec.json.encode(MASK)
        fields = event["fields"]
        for name in self._fields & fields.keys():
            fields[name] = masked(fields[name]) if isinstance(fields[name], str) else MASK
        return msgspec.json.encode(event)

    def decision(self, decision: Decision) -> Decision:
        """A decision as people may see it; its features are numbers, and show nobody."""
        entities = {entity: self.id(entity, id_) for entity, id_ in decision.entities.items()}
        return msgspec.structs.replace(decision, subject=self.subject(decision.subject), entities=entities)
