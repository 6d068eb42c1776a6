"""Messages that are no events, nearly events, or events in a shape that nobody would think of; from a seed."""

import json
import time
from collections.abc import Callable
from random import Random
from typing import Any, Final

from fraudbrain_deploy.faults.events import Events, Made
from fraudbrain_deploy.faults.kinds import POISON

LIMIT: Final = 65_536
_SCALARS: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**40),
    *(
        0.0,
        -0.0,
        0.5,
        1e15,
        1e300,
        5e-324,
        "",
        "0",
        "1",
        "\u0000",
        "\ufeff",
        "a" * 65,
        "ü" * 64,
        "a" * 129,
        "\U0001f4b3",
    ),
    *([], {}, [[]], {"": {}}, [None], {"a": [1, {"b": 2}]}),
)
_NUMBERS: Final = (
    *(
        "1e400",
        "-1e400",
        "1E5",
        "1.0",
        "100.0",
        "1e0",
        "-0",
        "-0.0",
        "01",
        "+1",
        ".5",
        "1.",
        "0x10",
        "1_000",
        "1e",
        "--1",
    ),
    *("NaN", "Infinity", "-Infinity", "9" * 19, "9" * 40, "9" * 4_000, "1" + "0" * 20_000, "0." + "3" * 20_000),
    *("1e-400", "123456789012345678", "9223372036854775807", "9223372036854775808", "0e99999999999"),
)
_BAD_UTF8: Final = (
    *(b"\x80", b"\xff", b"\xc3", b"\xc0\xaf", b"\xe2\x82", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf4\x90\x80\x80"),
    *(b"\xf8\x88\x80\x80\x80", b"\xfe\xff", b"\xef\xbb\xbf"),
)
_ESCAPES: Final = (
    *(r"\ud800", r"\udc00", r"\ud800\ud800", r"\udbff\udfff", r"\ud83d\ude00", r"\udc00\ud800", r"\u0000", r"\u00e9"),
    *(r"\x41", r"\u12", r"\uZZZZ", r"\u 041", "\\", r"\"", "\t", "\n", "\x00", "\x7f", "\u2028"),
)
_PLACES: Final = (b'"event_id":"', b'"note":"', b'"payee_id":"', b'"channel":"', b'"type":"', b'"surplus":"')


class Fuzzed:
    """An endless stream, in which each kind has the same share; a campaign's own poison has two. `intended` says
    what is certain of the ending."""

    def __init__(self, seed: int, count: int) -> None:
        self._chance = Random(f"fuzzed {seed}")
        self._events = Events(seed, count, [POISON], usual=0.01)
        self._made = 0
        self._kinds: tuple[Callable[[], Made], ...] = (
            self._events.next,
            self._events.next,
            self._noise,
            self._mutated,
            self._other_value,
            self._nested,
            self._number,
            self._bytes_that_are_no_text,
            self._escaped,
            self._twice,
            self._reframed,
        )

    def next(self) -> Made:
        """The next message."""
        self._made += 1
        if self._chance.random() < 0.01:  # large: they would be most of the bytes
            return self._sized()
        return self._chance.choice(self._kinds)()

    def _noise(self) -> Made:
        """Bytes without sense, or of the signs of JSON alone."""
        length = self._chance.choice((1, 2, 5, 30, 300))
        signs = self._chance.choice((bytes(range(256)), b'{}[]",:0123456789.eE+-\\u nulltruefalse', b"{[", b'"\\'))
        return self._made_of(bytes(self._chance.choice(signs) for _ in range(length)))

    def _mutated(self) -> Made:
        """A good event with pieces removed, repeated, moved, or of another."""
        value, other = bytearray(self._text()), self._text()
        for _ in range(self._chance.choice((1, 1, 2, 4, 16))):
            at, length = self._chance.randrange(len(value) + 1), self._chance.choice((1, 1, 2, 8, 40))
            start = self._chance.randrange(len(other))
            match self._chance.randrange(4):
                case 0:
                    del value[at : at + length]
                case 1:
                    value[at:at] = value[at : at + length]
                case 2:
                    value[at : at + length] = other[start : start + length]
                case 3:
                    value[at:at] = self._chance.randbytes(length)
        return self._made_of(bytes(value))

    def _other_value(self) -> Made:
        """One value of the event is another, at any place; or is gone, or one is there that nobody declared."""
        event = self._event()
        place = self._chance.choice((event, event["fields"]))
        name = self._chance.choice((*place, "surplus"))
        if self._chance.random() < 0.1:
            place.pop(name, None)
        else:
            place[name] = self._chance.choice(_SCALARS)
        return self._made_of(_json(event))

    def _nested(self) -> Made:
        """Brackets, some of them closed: as the whole, as a field, or where nobody declared anything."""
        depth = self._chance.choice((2, 30, 127, 128, 254, 255, 256, 257, 900, 1_100, 5_000, 30_000))
        opening, closing = self._chance.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
        depth = min(depth, LIMIT // (len(opening) + len(closing)) - 100)
        inner = (
            opening * depth
            + self._chance.choice(("", "0"))
            + closing * self._chance.choice((0, depth - 1, depth, depth))
        )
        return self._made_of(self._with(inner, self._chance.choice(("", "payee_id", "amount", "fields", "surplus"))))

    def _number(self) -> Made:
        """A number that is huge, tiny, or none."""
        return self._made_of(
            self._with(self._chance.choice(_NUMBERS), self._chance.choice(("amount", "event_time", "surplus")))
        )

    def _bytes_that_are_no_text(self) -> Made:
        return self._made_of(self._inserted(self._chance.choice(_BAD_UTF8)))

    def _escaped(self) -> Made:
        """Escapes, good ones and bad ones: half of a surrogate pair is no character."""
        return self._made_of(self._inserted(self._chance.choice(_ESCAPES).encode()))

    def _twice(self) -> Made:
        """A name twice in one object, with the same value or another."""
        event = self._event()
        inside = self._chance.random() < 0.5
        place = event["fields"] if inside else event
        name = self._chance.choice((*place,))
        other = self._chance.choice((place[name], place[name], "login", *_SCALARS))
        again = f"{json.dumps(name)}:{json.dumps(other)}"
        text = _json(place).decode()
        text = f"{{{again},{text[1:]}" if self._chance.random() < 0.5 else f"{text[:-1]},{again}}}"
        if inside:
            text = _json(event | {"fields": 0}).decode().replace('"fields":0', f'"fields":{text}')
        return self._made_of(text.encode())

    def _reframed(self) -> Made:
        """More or less around the event than it needs, or the event in another encoding."""
        value = self._text()
        kind = self._chance.randrange(9)
        if kind == 8:  # a good one: JSON allows white space
            return self._made_of(b" \t\r\n" + value.replace(b":", b" :\n") + b"\n ")
        text = value.decode()
        framed = (
            *(text.encode("utf-16"), text.encode("utf-32"), b"\xef\xbb\xbf" + value, value + value, value + b"\x00"),
            *(b"[" + value + b"]", json.dumps(text).encode(), b"\x00\x00\x00\x00\x01" + value),
        )
        return self._made_of(framed[kind])

    def _sized(self) -> Made:
        """A good event padded to about the limit, or to ten times it."""
        size = self._chance.choice((LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 1, 2 * LIMIT, 10 * LIMIT))
        event = self._event()
        event["surplus"] = ""
        event["surplus"] = "x" * (size - len(_json(event)))
        return self._made_of(_json(event))

    def _event(self) -> dict[str, Any]:
        account = f"odd-{self._chance.randrange(500)}"
        fields = {"account_id": account, "payee_id": "p-01", "amount": self._chance.randrange(10**6), "channel": "app"}
        fields["note"] = "rent"
        now = int(time.time() * 1000)
        return {"event_id": f"odd-{self._made}", "type": "transfer", "event_time": now - 3_600_000, "fields": fields}

    def _text(self) -> bytes:
        return _json(self._event())

    def _with(self, value: str, name: str) -> bytes:
        """An event with a value of any form under a name, or the value alone."""
        if not name:
            return value.encode()
        event = self._event()
        place = event if name in event or name == "surplus" else event["fields"]
        place[name] = "HERE"
        return _json(event).replace(b'"HERE"', value.encode())

    def _inserted(self, piece: bytes) -> bytes:
        event = self._event() | {"surplus": ""}
        place = self._chance.choice(_PLACES)
        return _json(event).replace(place, place + piece)

    def _made_of(self, value: bytes) -> Made:
        """With the account's key if the text still names it, as a source would send it."""
        start = value.find(b'"account_id":"odd-')
        key = value[start + 14 : value.find(b'"', start + 14)] if start >= 0 else b"odd"
        return Made(key, value, "oversize" if len(value) > LIMIT else "")


def _json(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
