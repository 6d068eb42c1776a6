"""Events of a campaign, made up from a seed: good ones, late ones, repeated ones, and what is none at all."""

import json
import time
from collections import deque
from collections.abc import Callable, Collection
from itertools import accumulate
from random import Random
from typing import Any, Final, NamedTuple

from fraudbrain_deploy.faults.kinds import DISORDER, DUPLICATES, POISON

STEP_MS: Final = 2_000
"""Of event time between two events: so windows slide while a campaign runs, and hold only so much."""

_ACCOUNTS: Final = 5_000
_ZIPF: Final = 0.9
_KEPT: Final = 64
_PAYEES_OF_ONE: Final = 40  # few enough to be counted exactly
_DAY_MS: Final = 86_400_000
_OVERSIZE_AT: Final = 65_536


class Made(NamedTuple):
    """A record for `events`; `intended` is how it should end there, empty where that is not known."""

    key: bytes | None
    value: bytes | None
    intended: str


class _Past(NamedTuple):
    event_id: str
    value: bytes
    event_time: int
    ending: str


class Events:
    """An endless stream. The same seed makes the same events, but for the date: they end about now.

    `usual` is the weight of events that nothing is the matter with; that of all others together is about a sixth.
    """

    def __init__(self, seed: int, count: int, kinds: Collection[str], *, usual: float = 1.0) -> None:
        self._chance = Random(f"events {seed}")
        self._time_ms = int(time.time() * 1000) - count * STEP_MS - 3_600_000
        self._weights = list(accumulate(1 / rank**_ZIPF for rank in range(1, _ACCOUNTS + 1)))
        self._numbers = range(_ACCOUNTS)
        self._past: dict[str, deque[_Past]] = {}
        self._clocks: dict[str, int] = {}
        self._made = 0
        ways: list[tuple[float, Callable[[], Made]]] = [(usual, self._usual)]
        if DUPLICATES in kinds:
            ways += [(0.03, self._repeated), (0.01, self._contradicting), (0.01, self._forgotten)]
        if DISORDER in kinds:
            ways += [(0.05, self._late), (0.005, self._too_new), (0.005, self._ahead)]
        if POISON in kinds:
            ways += [(0.02, self._fuzzed), (0.015, self._broken)]
        self._ways = [way for _, way in ways]
        self._shares = list(accumulate(share for share, _ in ways))

    def next(self) -> Made:
        """The next record."""
        self._time_ms += STEP_MS
        self._made += 1
        return self._chance.choices(self._ways, cum_weights=self._shares)[0]()

    def _usual(self) -> Made:
        return self._good(self._account(), self._time_ms - self._chance.randrange(STEP_MS))

    def _late(self) -> Made:
        """Seconds to days behind."""
        longest = self._chance.choice((60_000, 3_600_000, 8 * 3_600_000, 3 * _DAY_MS))
        return self._good(self._account(), self._time_ms - self._chance.randrange(longest))

    def _too_new(self) -> Made:
        ahead = self._chance.choice((1_800_000, 30 * _DAY_MS, 20_000 * _DAY_MS))
        account = self._account()
        event = self._event(account, _now_ms() + ahead)
        return Made(account.encode(), _json(event), "too_new")

    def _ahead(self) -> Made:
        """About as far ahead as is allowed: accounts of their own, since their clock is now in the present."""
        account = f"hasty-{self._chance.randrange(20)}"
        ahead = self._chance.choice((0, 120_000, 299_900, 300_000, 300_100))
        return Made(account.encode(), _json(self._event(account, _now_ms() + ahead)), "")

    def _repeated(self) -> Made:
        """The same again, within what is remembered."""
        account = self._account()
        past = self._remembered(account)
        return self._usual() if past is None else Made(account.encode(), past.value, "duplicate")

    def _contradicting(self) -> Made:
        """The same id with other bytes."""
        account = self._account()
        past = self._remembered(account)
        if past is None:
            return self._usual()
        event = self._event(account, past.event_time) | {"event_id": past.event_id}
        event["fields"]["note" if event["type"] == "transfer" else "device"] = f"again {self._made}"
        return Made(account.encode(), _json(event), "conflict")

    def _forgotten(self) -> Made:
        """A repetition that is too old to be known again: too many came since, or more than a day."""
        account = self._account()
        known = self._past.get(account, ())
        oldest = self._clocks.get(account, 0) - _DAY_MS
        for place, past in enumerate(known):
            if place < len(known) - 40 or past.event_time < oldest - 1_000:
                self._note(account, past)
                return Made(account.encode(), past.value, past.ending)
        return self._usual()

    def _fuzzed(self) -> Made:
        """A good event with some bytes changed, or no event at all; some of them are still good."""
        account = f"fuzzed-{self._chance.randrange(200)}"
        value = bytearray(_json(self._event(account, self._time_ms)))
        for _ in range(self._chance.choice((1, 1, 2, 8))):
            place = self._chance.randrange(len(value))
            match self._chance.randrange(5):
                case 0:
                    value[place] = self._chance.randrange(256)
                case 1:
                    del value[place : place + self._chance.randrange(1, 9)]
                case 2:
                    value[place:place] = self._chance.choice((b"0", b'"', b"{", b"}", b"\\u0000", b"\xff", b"e9", b"-"))
                case 3:
                    value[place] ^= 1 << self._chance.randrange(8)
                case 4:
                    value[place : place + 8] = self._chance.randbytes(8)
            if not value:
                break
        return Made(account.encode(), bytes(value), "")

    def _broken(self) -> Made:
        """A record with one known defect."""
        account = f"broken-{self._chance.randrange(200)}"
        make = self._chance.choice(_DEFECTS)
        return make(account, self._event(account, self._time_ms, type_="transfer"))

    def _good(self, account: str, event_time: int) -> Made:
        event = self._event(account, event_time)
        ending = "decided" if event["type"] == "transfer" else "folded"
        value = _json(event)
        self._clocks[account] = max(self._clocks.get(account, 0), event_time)
        self._note(account, _Past(event["event_id"], value, event_time, ending))
        return Made(account.encode(), value, ending)

    def _note(self, account: str, past: _Past) -> None:
        known = self._past.setdefault(account, deque(maxlen=_KEPT))
        if past in known:
            known.remove(past)
        known.append(past)

    def _remembered(self, account: str) -> _Past | None:
        """One of the account's newest events, if it was within the day."""
        newest = list(self._past.get(account, ()))[-8:]
        oldest = self._clocks.get(account, 0) - _DAY_MS + 1_000
        known = [past for past in newest if past.event_time >= oldest]
        return self._chance.choice(known) if known else None

    def _account(self) -> str:
        return f"a-{self._chance.choices(self._numbers, cum_weights=self._weights)[0]:04d}"

    def _event(self, account: str, event_time: int, type_: str | None = None) -> dict[str, Any]:
        chance = self._chance
        fields: dict[str, Any]
        if type_ == "transfer" or chance.random() < 0.85:
            type_ = "transfer"
            amount = int(chance.lognormvariate(11, 1.5))
            payee = f"p-{chance.randrange(_PAYEES_OF_ONE):02d}"
            channel = chance.choice(("app", "web", "branch"))
            fields = {"account_id": account, "payee_id": payee, "amount": amount, "channel": channel}
            if chance.random() < 0.2:
                fields["note"] = chance.choice(("rent", "für Öl", "\u4f60\u597d", 'say "yes"', ""))
        else:
            type_ = "login"
            fields = {"account_id": account, "device": f"d-{chance.randrange(6)}", "ok": chance.random() < 0.6}
        return {"event_id": f"e-{self._made}", "type": type_, "event_time": event_time, "fields": fields}


def _json(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _now_ms() -> int:
    return int(time.time() * 1000)


_Defect = Callable[[str, dict[str, Any]], Made]


def _bytes(make: Callable[[bytes], bytes | None], reason: str) -> _Defect:
    return lambda account, event: Made(account.encode(), make(_json(event)), reason)


def _top(reason: str, **changes: Any) -> _Defect:
    return lambda account, event: Made(account.encode(), _json(event | changes), reason)


def _field(reason: str, **changes: Any) -> _Defect:
    return lambda account, event: Made(account.encode(), _json(event | {"fields": event["fields"] | changes}), reason)


def _without(name: str) -> _Defect:
    def make(account: str, event: dict[str, Any]) -> Made:
        del event["fields"][name]
        return Made(account.encode(), _json(event), "schema")

    return make


def _padded(size: int, reason: str) -> _Defect:
    """A good event of so many bytes, most of them in a field that nobody declared."""

    def make(account: str, event: dict[str, Any]) -> Made:
        bare = len(_json(event | {"padding": ""}))
        return Made(account.encode(), _json(event | {"padding": "x" * (size - bare)}), reason)

    return make


_DEFECTS: Final[tuple[_Defect, ...]] = (
    _bytes(lambda _: None, "framing"),
    _bytes(lambda _: b"", "framing"),
    _bytes(lambda value: value[: len(value) // 2], "framing"),
    _bytes(lambda value: value + b"}", "framing"),
    _bytes(lambda value: value.replace(b'"amount":', b'"amount":NaN,"was":'), "framing"),
    _bytes(lambda value: value.replace(b'"channel":"', b'"channel":"\xff'), "framing"),
    _bytes(lambda value: b"[" * 30_000, ""),
    _bytes(lambda _: b"null", "schema"),
    _bytes(lambda _: b"[]", "schema"),
    _bytes(lambda _: b"{}", "schema"),
    _top("unknown_type", type="payout"),
    _top("schema", type=None),
    _top("range", event_time=-1),
    _top("range", event_id=""),
    _top("range", event_id="i" * 129),
    _top("schema", event_id=7),
    _field("range", amount=-1),
    _field("range", amount=1_000_000_001),
    _field("schema", amount="12"),
    _field("schema", amount=1.5),
    _field("schema", amount=True),
    _field("schema", channel="phone"),
    _field("range", note="n" * 101),
    _field("range", payee_id="p" * 65),
    _without("payee_id"),
    _without("account_id"),
    _field("key_mismatch", account_id="somebody-else"),
    lambda _, event: Made(None, _json(event), "key_mismatch"),
    lambda account, event: Made(account.encode() + b" ", _json(event), "key_mismatch"),
    _padded(_OVERSIZE_AT, "decided"),
    _padded(_OVERSIZE_AT + 1, "oversize"),
    _padded(10 * _OVERSIZE_AT, "oversize"),
)
