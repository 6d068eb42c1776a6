"""The bytes of decisions."""

from typing import Any, Final

import msgspec

from fraudbrain_shared.expressions.compiler import function_of
from fraudbrain_shared.records import Decision

_FIELDS: Final = msgspec.structs.fields(Decision)
_NO_PARAMETERS: Final = msgspec.Raw(b"{}")


def _field(field: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    if field.name == "parameters":
        return field.name, msgspec.Raw, _NO_PARAMETERS
    if field.required:
        return field.name, field.type
    if field.default is not msgspec.NODEFAULT:
        return field.name, field.type, field.default
    return field.name, field.type, msgspec.field(default_factory=field.default_factory)


_Written = msgspec.defstruct("_Written", map(_field, _FIELDS), frozen=True, gc=False, omit_defaults=True)
_VALUES: Final = ", ".join("parameters" if each.name == "parameters" else f"decision.{each.name}" for each in _FIELDS)
_written = function_of("written", ("decision", "parameters"), [f"return _Written({_VALUES})"], {"_Written": _Written})


class DecisionEncoder:
    """Makes the bytes of decisions, the same as of any record. For one thread.

    Decisions by the same values share one dict of parameters, a third of the work: its bytes are kept.
    """

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._parameters: dict[str, float] = {}
        self._encoded = _NO_PARAMETERS

    def encode(self, decision: Decision) -> bytes:
        """The decision as JSON."""
        parameters = decision.parameters
        if parameters is not self._parameters:
            self._parameters = parameters
            self._encoded = msgspec.Raw(self._encode(parameters)) if parameters else _NO_PARAMETERS
        return self._encode(_written(decision, self._encoded))
