"""What is true of one subject: its events in log order, and every feature by going through them one by one."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final, NamedTuple

DAY_MS: Final = 86_400_000
REMEMBERED: Final = 32
RECENT: Final = 5


class Span(NamedTuple):
    """A window and its hop, in seconds."""

    length_s: int
    hop_s: int

    def begin_s(self, now_ms: int) -> int:
        """The first second that it holds at a time."""
        return (now_ms // 1000 - self.length_s) // self.hop_s * self.hop_s


TEN_MINUTES: Final = Span(600, 60)
SIX_HOURS: Final = Span(21_600, 1_800)
AN_HOUR: Final = Span(3_600, 300)
A_DAY: Final = Span(86_400, 3_600)


class _Kept(NamedTuple):
    second: int
    value: Any


class Kept:
    """Records of one kind with the spans in which they are read; a lifetime reads them all."""

    def __init__(self, *spans: Span, lifetime: bool = False) -> None:
        self._spans = spans
        self._lifetime = lifetime
        self._records: list[_Kept] = []
        self._looked_at = 64
        self.count = 0
        self.total = 0
        self.newest: tuple[int, Any] | None = None

    def add(self, value: Any, time_ms: int, clock_ms: int) -> int:
        """Keeps a record; for how many spans it came too late."""
        second = time_ms // 1000
        late = sum(second < span.begin_s(clock_ms) for span in self._spans) if time_ms < clock_ms else 0
        if late == len(self._spans) and not self._lifetime:
            return late
        self._records.append(_Kept(second, value))
        self.count += 1
        if isinstance(value, int):
            self.total += value
        if self.newest is None or time_ms >= self.newest[0]:
            self.newest = time_ms, value
        self._forget(clock_ms)
        return late

    def within(self, span: Span, now_ms: int) -> list[Any]:
        """The values in a span that ends at a time."""
        begin = span.begin_s(now_ms)
        return [value for second, value in self._records if second >= begin]

    def _forget(self, clock_ms: int) -> None:
        """No span will ever reach back to what is before all of them now: clocks do not go back."""
        if len(self._records) >= self._looked_at:
            begin = min(span.begin_s(clock_ms) for span in self._spans)
            self._records = [each for each in self._records if each.second >= begin]
            self._looked_at = max(64, 2 * len(self._records))


class History:
    """One subject's events, folded in log order."""

    def __init__(self) -> None:
        self.clock_ms = -1
        self.last_applied = -1
        self.late_dropped = 0
        self.spends = Kept(TEN_MINUTES, SIX_HOURS, lifetime=True)
        self.payees = Kept(SIX_HOURS)
        self.failed_logins = Kept(AN_HOUR)
        self.devices = Kept(A_DAY)
        self.recent: list[int] = []
        self._remembered: dict[int, tuple[int, int]] = {}

    def recalled(self, event_id: str, value: bytes) -> bool | None:
        """None for a new id; else whether it came before with the same bytes."""
        known = self._remembered.get(hash64(event_id.encode()))
        if known is None or known[1] < self.clock_ms - DAY_MS:
            return None
        return known[0] == hash64(value)

    def fold(self, event: dict[str, Any], value: bytes) -> None:
        """Takes an event that did not come before."""
        fields, time_ms = event["fields"], event["event_time"]
        clock = self.clock_ms = max(self.clock_ms, time_ms)
        if event["type"] == "transfer":
            amount = fields["amount"]
            self.late_dropped += self.spends.add(amount, time_ms, clock)
            self.late_dropped += self.payees.add(fields["payee_id"], time_ms, clock)
            self.recent = [*self.recent, amount][-RECENT:]
        else:
            if not fields["ok"]:
                self.late_dropped += self.failed_logins.add(1, time_ms, clock)
            self.late_dropped += self.devices.add(fields["device"], time_ms, clock)
        id_ = hash64(event["event_id"].encode())
        self._remembered.pop(id_, None)
        self._remembered[id_] = hash64(value), time_ms
        if len(self._remembered) > REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def remembered(self) -> list[tuple[int, int, int]]:
        """Hash of id, hash of payload and time of the events that are known again, in fold order."""
        oldest = self.clock_ms - DAY_MS
        return [(id_, payload, time) for id_, (payload, time) in self._remembered.items() if time >= oldest]

    def features(self, now_ms: int) -> dict[str, int | None]:
        """Every read of the profile as of a time, in the scenario's order."""
        ten, six = self.spends.within(TEN_MINUTES, now_ms), self.spends.within(SIX_HOURS, now_ms)
        newest, recent = self.spends.newest, self.recent
        return {
            "profile.spend_10m_count": len(ten),
            "profile.spend_10m_sum": sum(ten),
            "profile.spend_10m_max": max(ten, default=None),
            "profile.spend_6h_count": len(six),
            "profile.spend_6h_sum": sum(six),
            "profile.spend_6h_min": min(six, default=None),
            "profile.spend_6h_max": max(six, default=None),
            "profile.spend_count": self.spends.count,
            "profile.spend_sum": self.spends.total,
            "profile.spend_last": newest[1] if newest else None,
            "profile.spend_seconds_since": (now_ms - newest[0]) // 1000 if newest else None,
            "profile.payees_6h_distinct": _different(self.payees.within(SIX_HOURS, now_ms)),
            "profile.failed_logins_1h_count": len(self.failed_logins.within(AN_HOUR, now_ms)),
            "profile.devices_1d_distinct": _different(self.devices.within(A_DAY, now_ms)),
            "profile.recent_count": len(recent),
            "profile.recent_min": min(recent, default=None),
            "profile.recent_max": max(recent, default=None),
            "profile.recent_first": recent[0] if recent else None,
            "profile.recent_last": recent[-1] if recent else None,
        }


def _different(values: Iterable[Any]) -> int:
    return len(set(values))


def hash64(data: bytes) -> int:
    """The hash by which a row remembers ids and payloads: the first 8 bytes of SHA-256, big-endian, signed."""
    return int.from_bytes(sha256(data).digest()[:8], "big", signed=True)
