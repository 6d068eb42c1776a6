"""Which names a scenario may give: identifiers that no language it is written in claims for itself."""

import keyword
import re
from typing import Final

# https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax, RESERVED
CEL_RESERVED: Final = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop"}
    | {"namespace", "null", "package", "return", "true", "var", "void", "while"}
)
EVENT_ENVELOPE: Final = frozenset({"event_id", "event_time", "type"})

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SCENARIO_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def fault_of_name(name: str) -> str | None:
    """Why a thing that expressions read cannot be called `name`; None if it can."""
    if not _IDENTIFIER.fullmatch(name):
        return f"{name!r} is no name: letters, digits and _ only, a letter first, at most 64"
    if name in CEL_RESERVED or keyword.iskeyword(name):
        return f"{name} is a reserved word"
    return None


def fault_of_field_name(name: str) -> str | None:
    """The same for a field of an event, which stands beside the event's own id, time and type."""
    if name in EVENT_ENVELOPE:
        return f"every event has {name}; a field needs another name"
    return fault_of_name(name)


def fault_of_scenario_name(name: str) -> str | None:
    """The same for a scenario, whose name stands in the names of topics and tables."""
    if _SCENARIO_NAME.fullmatch(name):
        return None
    return f"{name!r} is no name for a scenario: lower-case letters, digits, _ and - only, at most 40"
