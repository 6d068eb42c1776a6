"""Which records are events, by the words of the documentation: `json` reads them, plain conditions check them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

MAX_BYTES: Final = 65_536
MAX_AHEAD_MS: Final = 300_000
MAX_DEPTH: Final = 256
_YEAR_10000_MS: Final = 253_402_300_800_000
_INT64: Final = range(-(2**63), 2**63)

MALFORMED: Final = frozenset({"framing", "schema", "range", "unknown_type"})
"""A reader may meet another defect before the one that makes the rest unreadable."""

_TOO_LONG: Final = 40
"""Digits beyond which a whole number is in no range, whatever they are."""


class _Object(dict[str, Any]):
    """A JSON object. Where a name stands twice the last value counts, and each is checked."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        super().__init__(members)
        self.members = members

    def values_of(self, name: str) -> list[Any]:
        if len(self.members) == len(self):
            return [self[name]] if name in self else []
        return [value for each, value in self.members if each == name]


Defects = set[str]
Check = Callable[[Any, Defects], None]


def parsed(value: bytes | None) -> Any:
    """The JSON in a value. Raises ValueError where it is none in UTF-8, or nested too deep."""
    text = (value or b"").decode()
    if _is_too_deep(text):
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    event = _DECODER.decode(text)
    if "\\u" in text:
        json.dumps(event, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return event


def _is_too_deep(text: str) -> bool:
    depth, is_inside, is_escaped = 0, False, False
    for sign in text if text.count("[") + text.count("{") > MAX_DEPTH else "":
        if is_inside:
            is_inside = is_escaped or sign != '"'
            is_escaped = not is_escaped and sign == "\\"
        elif sign == '"':
            is_inside = True
        elif sign in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif sign in "]}":
            depth -= 1
    return False


def defects_of(value: bytes | None, key: bytes | None, append_ms: int) -> tuple[frozenset[str], Any]:
    """The reasons that would be right for its dead letter, none for an event; and the event."""
    if value is None:
        return frozenset({"framing"}), None
    if len(value) > MAX_BYTES:
        return frozenset({"oversize"}), None
    try:
        event = parsed(value)
    except (ValueError, RecursionError):
        return MALFORMED, None
    defects: Defects = set()
    _event(event, defects)
    if not defects:
        if event["event_time"] > append_ms + MAX_AHEAD_MS:
            defects.add("too_new")
        if key is None or key != event["fields"]["account_id"].encode():
            defects.add("key_mismatch")
    return frozenset(defects), event


def _event(event: Any, defects: Defects) -> None:
    if not isinstance(event, _Object):
        defects.add("schema")
        return
    kind = event.get("type")
    for told in event.values_of("type") or [None]:
        if not isinstance(told, str) or not told:
            defects |= {"schema", "unknown_type"}
        elif told not in FIELDS or told != kind:
            defects.add("unknown_type")
    for name, check in _ENVELOPE.items():
        _required(event, name, check, defects)
    for fields in event.values_of("fields") or [None]:
        if not isinstance(fields, _Object):
            defects.add("schema")
            continue
        for name, check in FIELDS.get(kind, {}).items() if isinstance(kind, str) else ():
            if name == "note":
                _optional(fields, name, check, defects)
            else:
                _required(fields, name, check, defects)


def _required(container: _Object, name: str, check: Check, defects: Defects) -> None:
    if name not in container:
        defects.add("schema")
    for value in container.values_of(name):
        check(value, defects)


def _optional(container: _Object, name: str, check: Check, defects: Defects) -> None:
    for value in container.values_of(name):
        if value is not None:
            check(value, defects)


def _text(shortest: int, longest: int) -> Check:
    def check(value: Any, defects: Defects) -> None:
        if not isinstance(value, str):
            defects.add("schema")
        elif not shortest <= len(value) <= longest:
            defects.add("range")

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: Any, defects: Defects) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            defects.add("schema")
        elif not low <= value <= high:
            defects.add("range")
            if value not in _INT64:
                defects.add("schema")

    return check


def _word(*words: str) -> Check:
    def check(value: Any, defects: Defects) -> None:
        if value not in words:
            defects.add("schema")

    return check


def _truth(value: Any, defects: Defects) -> None:
    if not isinstance(value, bool):
        defects.add("schema")


def _number(digits: str) -> int:
    return int(digits[:_TOO_LONG])  # Python refuses thousands of them


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse, parse_int=_number, object_pairs_hook=_Object)
_ENVELOPE: Final[Mapping[str, Check]] = {"event_id": _text(1, 128), "event_time": _whole(0, _YEAR_10000_MS - 1)}
FIELDS: Final[Mapping[str, Mapping[str, Check]]] = {
    "transfer": {
        "account_id": _text(1, 64),
        "payee_id": _text(0, 64),
        "amount": _whole(0, 1_000_000_000),
        "channel": _word("app", "web", "branch"),
        "note": _text(0, 100),
    },
    "login": {"account_id": _text(1, 64), "device": _text(0, 64), "ok": _truth},
}
