"""The keys that profile and context features have in common, their hops, and the id that a definition makes."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from fraudbrain_shared.expressions import Expression
from fraudbrain_shared.scenario.description import Feature, LastValues, Lifetime, Read, Span, Window, Within
from fraudbrain_shared.scenario.durations import milliseconds, written
from fraudbrain_shared.scenario.expression_check import ExpressionCheck
from fraudbrain_shared.scenario.kinds import EXPRESSION, TEXT, TEXTS
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.reads import RULES, read_rule
from fraudbrain_shared.scenario.table import Table, allowed, required

MAX_HOPS: Final = 64
_SECOND_MS: Final = 1_000
_USUAL_HOPS: Final = ("1s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "3h", "6h", "12h", "1d", "2d", "7d")


class FeatureTable(Table):
    """What is folded, of which records."""

    on = required(TEXT, "The type of event that is folded; for context also `label`.", '"payment"')
    value = allowed(
        EXPRESSION,
        "What is folded of each record; records whose value is unknown or in error are left out.",
        '"event.amount"',
        default="1 for each record",
    )
    where = allowed(
        EXPRESSION,
        "Which records are folded: those for which it is true, not unknown or in error.",
        '"event.amount > 0"',
        default="all records",
    )
    read = required(TEXTS, f"How it is read, by `<name>_<read>`: {', '.join(RULES)}.", '["count", "mean"]')


def note_twins(table: Table, features: Iterable[Feature]) -> None:
    """Two features must not be read by one name, nor fold the same: they would share their state."""
    readers: dict[str, str] = {}
    definitions: dict[str, str] = {}
    for feature in features:
        for name in feature.read_names():
            if name in readers:
                table.note(f"{readers[name]}, too, is read as {name}", "rename one", key=feature.name, at_key=True)
            readers[name] = feature.name
        if feature.id and (twin := definitions.get(feature.id)):
            table.note(f"it folds the same as {twin}", f"add its reads to {twin}", key=feature.name, at_key=True)
        definitions[feature.id] = feature.name


def read_reads(
    table: FeatureTable,
    beginnings: Iterable[str],
    expressions: ExpressionCheck,
    fault: Callable[[Read], tuple[str, str] | None],
) -> tuple[Read, ...]:
    """The reads that are known and without `fault` (cause and hint); those of the others are broken, not
    unknown, under each beginning of a path."""
    reads: list[Read] = []
    for index, read in table.read or ():
        problem = _read_fault(table, read, reads) or fault(read)
        if problem is None:
            reads.append(read)
            continue
        for beginning in beginnings:
            expressions.mark_broken(f"{beginning}{read}")
        table.note(*problem, key="read", index=index)
    return tuple(reads)


def _read_fault(table: FeatureTable, read: Read, earlier: Sequence[Read]) -> tuple[str, str] | None:
    rule = read_rule(read)
    if rule is None:
        return f"unknown read {read}", nearest(read, RULES)
    if read in earlier:
        return f"read {read} stands here twice", ""
    if rule.needs_value and "value" not in table:
        return f"read {read} needs a value", 'such as value = "event.amount"'
    return None


def checked_window(table: Table, window_ms: int | None, hop_ms: int | None) -> Window | None:
    """The window of `window` and `hop`; None with a problem noted."""
    if window_ms is None or hop_ms is None:
        return None
    if hop_ms % _SECOND_MS:
        table.note("a hop is of whole seconds", key="hop")
    elif window_ms < hop_ms:
        table.note(f"the window {written(window_ms)} is shorter than its hop {written(hop_ms)}", key="window")
    elif window_ms % hop_ms:
        table.note(f"the window {written(window_ms)} is no multiple of its hop {written(hop_ms)}", key="window")
    elif window_ms // hop_ms > MAX_HOPS:
        cause = f"{window_ms // hop_ms} hops are too many; a window has at most {MAX_HOPS}"
        table.note(cause, _hint_of_hop(window_ms), key="hop")
    else:
        return Window(window_ms, hop_ms)
    return None


def _hint_of_hop(window_ms: int) -> str:
    fitting = (hop for hop in _USUAL_HOPS if window_ms % milliseconds(hop) == 0)
    enough = next((hop for hop in fitting if window_ms // milliseconds(hop) <= MAX_HOPS), None)
    return f'such as hop = "{enough}"' if enough else ""


def feature_id(
    on: str, where: Expression | None, value: Expression | None, span: Span, made_of: Sequence[str] = ()
) -> str:
    """What state is kept under: the same definition has the same id, whatever it is called or read as.

    `made_of` are the definitions of the profile and derived features that it reads, if any.
    """
    definition: list[object] = [on, where.text if where else None, value.text if value else None]
    match span:
        case Window(length_ms, hop_ms):
            definition += [length_ms, hop_ms]
        case Within(key):
            definition += ["within", key.text]
        case LastValues(count):
            definition += ["last", count]
        case Lifetime():
            definition.append("lifetime")
    if made_of:
        definition.append(made_of)
    return sha256(msgspec.json.encode(definition)).hexdigest()[:16]
