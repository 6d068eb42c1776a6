"""A naive judge of profile features: it keeps every event and computes each read by its definition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, fsum, sqrt
from types import SimpleNamespace
from typing import Any, NamedTuple

from fraudbrain_shared.scenario.description import LastValues, Lifetime, ProfileFeature, Window, Within

Reads = Mapping[str, Any]
Says = Callable[[SimpleNamespace, Reads], Any]
"""What an expression means: of an event's fields and the reads so far; None where unknown or in error."""


@dataclass(frozen=True)
class Meaning:
    """What a feature's expressions mean, told in Python."""

    where: Says = lambda event, reads: True
    value: Says = lambda event, reads: 1
    key: Says = lambda event, reads: None


class Record(NamedTuple):
    """An event as one feature saw it. `folded` is whether its value is one of the feature's, whatever the span."""

    time: int
    place: int
    folded: bool
    value: Any
    key: Any
    late: bool


@dataclass
class Oracle:
    """Features, each after those that it reads, with their meanings by name."""

    features: Sequence[ProfileFeature]
    meanings: Mapping[str, Meaning]
    derive: Callable[[SimpleNamespace, Reads], Reads] = lambda event, reads: {}
    clock: int = -1
    late_dropped: int = 0
    records: dict[str, list[Record]] = field(default_factory=dict)
    events: int = 0

    def read(self, event: Any) -> dict[str, Any]:
        now = max(self.clock, event.event_time)
        reads: dict[str, Any] = {}
        for feature in self.features:
            inside, streak = self._inside(feature, event, now, {**reads, **self.derive(event.fields, reads)})
            for read, name in zip(feature.read, feature.read_names(), strict=True):
                reads[name] = streak if read == "streak" else _read(feature, read, inside, now)
        return reads

    def fold(self, event: Any) -> None:
        reads = self.read(event)
        reads |= self.derive(event.fields, reads)
        is_late = event.event_time < self.clock
        self.clock = max(self.clock, event.event_time)
        self.events += 1
        for feature in self.features:
            if feature.on == event.type:
                says = self.meanings[feature.name]
                where, value = says.where(event.fields, reads), says.value(event.fields, reads)
                folded = where is True and value is not None
                key = says.key(event.fields, reads) if isinstance(feature.span, Within) else None
                record = Record(event.event_time, self.events, folded, value, key, is_late)
                self.late_dropped += self._is_dropped(feature, record)
                self.records.setdefault(feature.name, []).append(record)

    def _is_dropped(self, feature: ProfileFeature, record: Record) -> bool:
        if isinstance(feature.span, Window):
            return record.folded and not _in_window(feature.span, record.time, self.clock)
        if isinstance(feature.span, Within):
            present, _ = self._trip(feature)
            is_other = present is not None and record.key not in (None, present)
            return record.folded and record.late and is_other
        return False

    def _inside(self, feature: ProfileFeature, event: Any, now: int, reads: Reads) -> tuple[list[Record], int]:
        """The records that the span holds, in log order, and its streak."""
        records = self.records.get(feature.name, [])
        span = feature.span
        if isinstance(span, Within):
            key, records = self._trip(feature)
            own = self.meanings[feature.name].key(event.fields, reads)
            if own is not None and own != key:
                return [], 0
        run = _run(records)
        folded = [each for each in records if each.folded]
        match span:
            case Window():
                folded = [each for each in folded if _in_window(span, each.time, now)]
            case LastValues(count):
                folded = folded[-count:]
            case Lifetime() | Within():
                pass
        return folded, len([each for each in run if each in folded])

    def _trip(self, feature: ProfileFeature) -> tuple[Any, list[Record]]:
        """The present key, and the records that came with it since it last changed."""
        key, since = None, list[Record]()
        for each in self.records.get(feature.name, []):
            if each.key is None:
                continue
            if each.key != key:
                if each.late and key is not None:
                    continue
                key, since = each.key, []
            since.append(each)
        return key, since


def _in_window(window: Window, time: int, now: int) -> bool:
    return time // window.hop_ms >= (now - window.length_ms) // window.hop_ms


def _run(records: Sequence[Record]) -> list[Record]:
    run: list[Record] = []
    for each in reversed(records):
        if not each.folded or (run and each.value != run[0].value):
            break
        run.append(each)
    return run


def _read(feature: ProfileFeature, read: str, inside: Sequence[Record], now: int) -> Any:
    values = [each.value for each in inside]
    in_order = inside if isinstance(feature.span, LastValues) else sorted(inside, key=lambda each: each.time)
    match read:
        case "count":
            return len(values)
        case "distinct":
            return len(set(values))
        case "sum":
            return fsum(values) if any(isinstance(each, float) for each in values) else clamped(sum(values))
    if not values:
        return None
    match read:
        case "mean":
            return (fsum(values) if isinstance(values[0], float) else sum(values)) / len(values)
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "stddev":
            return _stddev(values)
        case "first":
            return in_order[0].value
        case "last":
            return in_order[-1].value
        case "seconds_since":
            return max(now - in_order[-1].time, 0) // 1000
        case _:
            percent = int(read.removeprefix("quantile_"))
            return float(sorted(values)[ceil(percent * len(values) / 100) - 1])


def _stddev(values: Sequence[Any]) -> float | None:
    if len(values) < 2:
        return None
    mean = fsum(values) / len(values)
    return sqrt(fsum((each - mean) ** 2 for each in values) / (len(values) - 1))


def clamped(total: int) -> int:
    return min(max(total, -(2**63)), 2**63 - 1)
