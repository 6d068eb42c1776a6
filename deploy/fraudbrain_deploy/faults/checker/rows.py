"""Reads rows of profiles: what stands where is in `shared/fraudbrain_shared/features`, this code is its own.

A row is a MessagePack array: form, subject, epoch, last applied offset, clock, late dropped, remembered events, flat
states (see `flat_rows`), other states. Those are a layout's number and an array with a state, or nil, for each place. A
state of hops is: tag, signature, two numbers, the beginnings of hops in seconds, a column for each letter of the
signature; sums stand before each hop, extremes from each on.
"""

from bisect import bisect_left
from collections.abc import Iterator
from struct import iter_unpack
from typing import Any, Final, NamedTuple

import msgspec

from fraudbrain_deploy.faults.checker.evidence import Row
from fraudbrain_deploy.faults.checker.flat_rows import flat_states
from fraudbrain_deploy.faults.checker.history import A_DAY, AN_HOUR, SIX_HOURS, TEN_MINUTES, Span

FORM: Final = 4
EPOCH_SHIFT: Final = 44
_KNOWN: Final = {"60nslhz", "1800d", "300n", "3600d"}


class Told(NamedTuple):
    """What a row says of its subject."""

    subject: str
    epoch: int
    last_applied: int
    clock_ms: int
    late_dropped: int
    remembered: list[tuple[int, int, int]]
    features: dict[str, int | None]


def read_row(row: Row) -> Told:
    """Raises ValueError for what this reader does not know or what contradicts itself."""
    try:
        form, subject, epoch, last_applied, clock_ms, late_dropped, remembered, flat, states = msgspec.msgpack.decode(
            row.value
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"no row of a profile: {error}") from error
    if form != FORM:
        raise ValueError(f"a row of form {form}; this judge reads form {FORM}")
    if row.key[4:] != subject.encode():
        raise ValueError("the row is another subject's")
    next_offset = row.timestamp & (1 << EPOCH_SHIFT) - 1
    if row.timestamp >> EPOCH_SHIFT != epoch or next_offset <= last_applied:
        raise ValueError(f"the cell's timestamp says epoch and offset {row.timestamp >> EPOCH_SHIFT}, {next_offset}")
    oldest = clock_ms - 86_400_000
    known = [each for each in _remembered(remembered) if each[2] >= oldest]
    kept = [*flat_states(flat), *(state for state in states[1] if state is not None)]
    return Told(subject, epoch, last_applied, clock_ms, late_dropped, known, _features(kept, clock_ms))


def _remembered(packed: bytes) -> Iterator[tuple[int, int, int]]:
    for id_, payload, high, low in iter_unpack(">qqHI", packed):
        yield id_, payload, high << 32 | low


def _features(states: list[list[Any]], now_ms: int) -> dict[str, int | None]:
    """All reads of the profile as of its clock, in the scenario's order."""
    hops = {}
    recent: list[int] = []
    for state in states:
        if isinstance(state[1], list):
            recent = state[1]
        elif state[1] in _KNOWN:
            hops[state[1]] = _Hops(state)
        else:
            raise ValueError(f"a state with the signature {state[1]}")
    spends = hops.get("60nslhz", _NOTHING)
    ten, six = spends.place(TEN_MINUTES, now_ms), spends.place(SIX_HOURS, now_ms)
    newest = spends.columns.get("z")
    return {
        "profile.spend_10m_count": spends.between("n", ten),
        "profile.spend_10m_sum": spends.between("s", ten),
        "profile.spend_10m_max": spends.at("h", ten),
        "profile.spend_6h_count": spends.between("n", six),
        "profile.spend_6h_sum": spends.between("s", six),
        "profile.spend_6h_min": spends.at("l", six),
        "profile.spend_6h_max": spends.at("h", six),
        "profile.spend_count": spends.between("n", 0),
        "profile.spend_sum": spends.between("s", 0),
        "profile.spend_last": newest[1] if newest else None,
        "profile.spend_seconds_since": (now_ms - newest[0]) // 1000 if newest else None,
        "profile.payees_6h_distinct": hops.get("1800d", _NOTHING).seen_since(SIX_HOURS, now_ms),
        "profile.failed_logins_1h_count": _counted(hops.get("300n", _NOTHING), AN_HOUR, now_ms),
        "profile.devices_1d_distinct": hops.get("3600d", _NOTHING).seen_since(A_DAY, now_ms),
        "profile.recent_count": len(recent),
        "profile.recent_min": min(recent, default=None),
        "profile.recent_max": max(recent, default=None),
        "profile.recent_first": recent[0] if recent else None,
        "profile.recent_last": recent[-1] if recent else None,
    }


class _Hops:
    """A list of hops with its columns by letter."""

    def __init__(self, state: list[Any]) -> None:
        self._starts: list[int] = state[4]
        self.columns: dict[str, Any] = dict(zip(state[1].lstrip("0123456789"), state[5:], strict=True))
        if self._starts != sorted(set(self._starts)):
            raise ValueError("hops that are not in order")
        counts = self.columns.get("n")
        if counts is not None and (len(counts) != len(self._starts) + 1 or counts != sorted(counts)):
            raise ValueError("counts that do not fit their hops")

    def place(self, span: Span, now_ms: int) -> int:
        return bisect_left(self._starts, span.begin_s(now_ms))

    def between(self, letter: str, place: int) -> int:
        column = self.columns.get(letter)
        return int(column[-1] - column[place]) if column else 0

    def at(self, letter: str, place: int) -> int | None:
        return int(self.columns[letter][place]) if place < len(self._starts) else None

    def seen_since(self, span: Span, now_ms: int) -> int:
        if not self.columns:
            return 0
        is_sketch, seen = self.columns["d"]
        if is_sketch:
            raise ValueError("a sketch of different values, of which the campaign has too few")
        return sum(second >= span.begin_s(now_ms) for second in seen.values())


_NOTHING: Final = _Hops([0, "", 0, 0, []])


def _counted(hops: _Hops, span: Span, now_ms: int) -> int:
    return hops.between("n", hops.place(span, now_ms))
