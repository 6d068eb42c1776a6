"""The Python types that events are decoded into, generated from a scenario's description.

What a description promises (ranges, lengths, what is required) is checked while decoding, once.
"""

from typing import Annotated, Any, ClassVar, Final, Literal, Union

import msgspec
from msgspec import Meta

from fraudbrain_shared.scenario.description import EventType, Field, Scenario
from fraudbrain_shared.scenario.scope import whole_range

MAX_EVENT_ID_LENGTH: Final = 128
MAX_EVENT_TIME_MS: Final = 253_402_300_799_999  # the year 9999 ends, and with it the timestamps of CEL
# A subject is part of a row's key, an entity of a record's: both are short whatever the scenario says.
MAX_KEY_LENGTH: Final = 256


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What every event has beside its fields. `type` is the tag by which it was decoded."""

    event_id: Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID_LENGTH)]
    event_time: Annotated[int, Meta(ge=0, le=MAX_EVENT_TIME_MS)]
    fields: msgspec.Struct
    type: ClassVar[str]


class _Untyped(msgspec.Struct, tag="", tag_field="type"):
    """Makes of a single event type a union as well: only in a union must the tag be present.

    Nothing decodes into it: no text is both as long and as short as its field must be.
    """

    declared_type: Annotated[str, Meta(min_length=1, max_length=0)]


def event_struct(event_type: EventType, subject: str = "") -> type[Envelope]:
    """The struct of one event type: the envelope, and under `fields` a struct of the declared fields.

    Undeclared fields are ignored, so that a producer may add some; an absent optional one is None.
    The `subject` is never empty.
    """
    fields = msgspec.defstruct(
        f"{event_type.name}_fields",
        [_declaration(field, is_subject=field.name == subject) for field in _required_first(event_type)],
        frozen=True,
        gc=False,
    )
    struct: type[Any] = msgspec.defstruct(
        event_type.name,
        [("fields", fields)],
        bases=(Envelope,),
        namespace={"type": event_type.name},
        tag=event_type.name,
        tag_field="type",
        frozen=True,
        gc=False,
    )
    return struct


def decoder(scenario: Scenario) -> msgspec.json.Decoder[Any]:
    """A decoder of JSON into the structs of all event types of a scenario, told apart by `type`.

    It raises msgspec.ValidationError for what breaks the description, msgspec.DecodeError for
    what is no JSON.
    """
    structs = [event_struct(each, scenario.subject) for each in scenario.event_types.values()]
    return msgspec.json.Decoder(Union[(_Untyped, *structs)])


def _required_first(event_type: EventType) -> list[Field]:
    return sorted(event_type.fields.values(), key=lambda field: field.optional)


def _declaration(field: Field, *, is_subject: bool) -> tuple[Any, ...]:
    """A field as msgspec wants it: name, type with constraints, and a default if it is optional."""
    declared: Any = _constrained(field, is_subject=is_subject)
    if field.optional:
        return field.name, declared | None, None
    return field.name, declared


def _constrained(field: Field, *, is_subject: bool) -> Any:
    match field.type:
        case "string":
            longest = MAX_KEY_LENGTH if is_subject or field.entity else None
            bound = min(filter(None, (field.max_length, longest)), default=None)
            return Annotated[str, Meta(min_length=1 if is_subject else None, max_length=bound)]
        case "int" | "timestamp" | "duration":
            low, high = whole_range(field)
            return Annotated[int, Meta(ge=low, le=high)]
        case "double":
            return Annotated[float, Meta(ge=field.min, le=field.max)]
        case "bool":
            return bool
        case "enum":
            return Literal[field.values]
        case "strings":
            text = Annotated[str, Meta(max_length=field.max_length)]
            return Annotated[tuple[text, ...], Meta(max_length=field.max_items)]
