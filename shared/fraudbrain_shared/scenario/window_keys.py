"""The keys that profile and context features have in common: reads, window and hop, and the id they make."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from fraudbrain_shared.expressions import Expression
from fraudbrain_shared.scenario.description import Feature, Read
from fraudbrain_shared.scenario.durations import milliseconds, written
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.table import Table

READS: Final[tuple[Read, ...]] = ("count", "sum", "mean", "min", "max", "last", "seconds_since")
LATER_READS: Final = ("stddev", "first", "distinct", "quantile", "streak")
READS_WITHOUT_VALUE: Final[frozenset[Read]] = frozenset({"count", "seconds_since"})
MAX_HOPS: Final = 64

_HARMLESS_MS: Final = 1
_USUAL_HOPS: Final = ("1s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "3h", "6h", "12h", "1d", "2d", "7d")


def note_twins(table: Table, features: Iterable[Feature]) -> None:
    """Two features must not be read by one name, nor fold the same: they would share their state."""
    readers: dict[str, str] = {}
    definitions: dict[str, str] = {}
    for feature in features:
        for name in feature.read_names():
            if name in readers:
                table.note(f"{readers[name]}, too, is read as {name}", "rename one", key=feature.name, at_key=True)
            readers[name] = feature.name
        if twin := definitions.get(feature.id):
            table.note(f"it folds the same as {twin}", f"add its reads to {twin}", key=feature.name, at_key=True)
        definitions[feature.id] = feature.name


def read_reads(table: Table, beginnings: Iterable[str], expressions: ExpressionCheck) -> tuple[Read, ...]:
    """The known reads; those of the others are broken, not unknown, under each beginning of a path."""
    reads: list[Read] = []
    for index, read in table.texts("read"):
        if read in READS and read not in reads:
            reads.append(read)
            if read not in READS_WITHOUT_VALUE and "value" not in table:
                table.note(f"read {read} needs a value", 'such as value = "event.amount"', key="read", index=index)
            continue
        for beginning in beginnings:
            expressions.mark_broken(f"{beginning}{read}")
        cause = f"read {read} stands here twice" if read in READS else f"unknown read {read}"
        if read in LATER_READS:
            cause = f"read {read} is not supported yet"
        table.note(cause, f"supported: {', '.join(READS)}", key="read", index=index)
    if "read" in table and not table.value("read"):
        table.note("read is empty", f"supported: {', '.join(READS)}", key="read")
    return tuple(reads)


def read_window(table: Table) -> tuple[int, int]:
    """Length and hop in milliseconds."""
    window_ms, hop_ms = table.duration_ms("window"), table.duration_ms("hop")
    if window_ms is None or hop_ms is None:
        return window_ms or _HARMLESS_MS, hop_ms or _HARMLESS_MS
    if window_ms < hop_ms:
        table.note(f"the window {written(window_ms)} is shorter than its hop {written(hop_ms)}", key="window")
    elif window_ms % hop_ms:
        table.note(f"the window {written(window_ms)} is no multiple of its hop {written(hop_ms)}", key="window")
    elif window_ms // hop_ms > MAX_HOPS:
        cause = f"{window_ms // hop_ms} hops are too many; a window has at most {MAX_HOPS}"
        table.note(cause, _hint_of_hop(window_ms), key="hop")
    return window_ms, hop_ms


def _hint_of_hop(window_ms: int) -> str:
    fitting = (hop for hop in _USUAL_HOPS if window_ms % milliseconds(hop) == 0)
    enough = next((hop for hop in fitting if window_ms // milliseconds(hop) <= MAX_HOPS), None)
    return f'such as hop = "{enough}"' if enough else ""


def feature_id(on: str, where: Expression | None, value: Expression | None, window_ms: int, hop_ms: int) -> str:
    """What state is kept under: the same definition has the same id, whatever it is called or read as."""
    definition = [on, where.text if where else None, value.text if value else None, window_ms, hop_ms]
    return sha256(msgspec.json.encode(definition)).hexdigest()[:16]
