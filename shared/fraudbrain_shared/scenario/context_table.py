"""`[context.<entity>.<name>]` in `features.toml`: what the slow tier folds of everybody's events and labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fraudbrain_shared.expressions import Expression, Range, Scope, Type
from fraudbrain_shared.scenario.description import LABEL, ContextFeature, EventType, Read, Window
from fraudbrain_shared.scenario.durations import written
from fraudbrain_shared.scenario.expression_check import CONTEXT_SOURCES, LABEL_AND_EVENT, ExpressionCheck, Reasons
from fraudbrain_shared.scenario.feature_keys import FeatureTable, checked_window, feature_id, note_twins, read_reads
from fraudbrain_shared.scenario.kinds import DURATION, ExpressionText, one_of, table_of
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.problems import nearest
from fraudbrain_shared.scenario.scope import INT64, event_scope, label_scope
from fraudbrain_shared.scenario.table import Names, defaulting, required

MAX_CONTEXT_BYTES: Final = 4_096
"""The longest that the folded state of an entity may be on the `context` topic."""

STALE_AFTER_MS: Final = 60_000
CONTEXT_READS: Final[tuple[Read, ...]] = ("count", "sum", "mean", "min", "max", "last", "seconds_since")
_MOST_EVENTS_IN_A_HOP: Final = 10**9
_LATEST_MS: Final = 253_402_300_799_999
_ONE: Final = Range(1, 1)
_HARMLESS: Final = Window(1_000, 1_000)


class ContextTable(FeatureTable):
    """What the slow tier folds for each entity of a kind, over all subjects, from events or labels.

    Expressions on `label` read the label and its event; a `value` is an int, because sums of doubles depend on
    their order. It is read as `context.<field>.<name>_<read>`, for the entity that the field names.
    """

    window = required(DURATION, "How far back it reaches; its old end moves in hops.", '"28d"')
    hop = required(DURATION, "The length of a hop; a window has at most 64 of them.", '"1d"')
    stale_after = defaulting(
        DURATION,
        STALE_AFTER_MS,
        "How far its clock may be behind before a decision that reads it is degraded.",
        '"60s"',
        default="60s",
    )


class ContextOfKind(Names[ContextTable]):
    """The context features of one kind of entity."""

    called = "<name>"
    entry = table_of(ContextTable)


class ContextKinds(Names[ContextOfKind]):
    """The context features by the kind of entity, which some field names as its `entity`."""

    called = "<entity>"
    entry = table_of(ContextOfKind)


def read_context(
    context: ContextKinds, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> dict[str, ContextFeature]:
    """The context features by `<kind of entity>.<name>`, in the order of the file."""
    fields = _fields_by_kind(event_types)
    features: dict[str, ContextFeature] = {}
    for kind, table in context.entries().items():
        if event_types and kind not in fields:
            table.note(f"no field names an entity {kind}", nearest(kind, fields))
            for name, each in table.entries().items():
                _feature(kind, name, each, {}, (), expressions)
            continue
        paths = [f"context.{field}." for field in fields.get(kind, ())]
        found = [_feature(kind, name, each, event_types, paths, expressions) for name, each in table.entries().items()]
        note_twins(table, found)
        _note_oversize(table, found)
        features |= {f"{kind}.{each.name}": each for each in found}
    return features


def _fields_by_kind(event_types: Mapping[str, EventType]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for event_type in event_types.values():
        for field in event_type.fields.values():
            if field.entity and field.name not in fields.setdefault(field.entity, []):
                fields[field.entity].append(field.name)
    return fields


def _feature(
    kind: str,
    name: str,
    table: ContextTable,
    event_types: Mapping[str, EventType],
    paths: Sequence[str],
    expressions: ExpressionCheck,
) -> ContextFeature:
    """`paths` are the beginnings of the paths under which it is read, such as `context.terminal_id.`."""
    if fault := fault_of_name(name):
        table.note(fault)
    on = table.on and one_of(table, "on", (LABEL, *event_types), "source") if event_types else None
    scopes = _scopes(table, kind, on, event_types)
    reasons = LABEL_AND_EVENT if on == LABEL else CONTEXT_SOURCES
    value = _expression(table.value, scopes, Type.INT, reasons, expressions)
    where = _expression(table.where, scopes, Type.BOOL, reasons, expressions)
    if not scopes or ("value" in table and value is None):
        for path in paths:
            expressions.mark_all_broken(f"{path}{name}_")
    read = read_reads(table, [f"{path}{name}_" for path in paths], expressions, _unsupported)
    window = checked_window(table, table.window, table.hop) or _HARMLESS
    return ContextFeature(
        name,
        feature_id(on or "", where, value, window),
        on or "",
        read,
        value,
        where,
        window.length_ms,
        window.hop_ms,
        entity=kind,
        stale_after_ms=table.stale_after,
    )


def _unsupported(read: Read) -> tuple[str, str] | None:
    if read in CONTEXT_READS:
        return None
    return f"read {read} is not supported yet for context", f"supported: {', '.join(CONTEXT_READS)}"


def _scopes(table: ContextTable, kind: str, on: str | None, event_types: Mapping[str, EventType]) -> list[Scope]:
    """What the feature may read, for each type of event that it can come from; none if there is a problem."""
    naming = [each for each in event_types.values() if any(kind == field.entity for field in each.fields.values())]
    if on == LABEL:
        scopes = [label_scope(each, event_types.values()) for each in naming if each.decide]
    else:
        scopes = [event_scope(each) for each in naming if each.name == on]
    if on is not None and not scopes:
        named_by = " and ".join(each.name for each in naming if each.decide or on != LABEL)
        cause = f"no event that is decided names a {kind}" if on == LABEL else f"{on} names no {kind}"
        table.note(cause, f"named by {named_by}" if named_by else "", key="on")
    return scopes


def _expression(
    written: ExpressionText | None,
    scopes: Sequence[Scope],
    expected: Type,
    reasons: Reasons,
    expressions: ExpressionCheck,
) -> Expression | None:
    """`where`, or `value`: an int, because sums of doubles depend on their order."""
    checked = expressions.check(written, scopes, expected, reasons) if scopes else None
    return checked[0] if checked else None


def _note_oversize(table: ContextOfKind, features: Iterable[ContextFeature]) -> None:
    """An entity's features travel in one record: whatever comes, it must not grow too long."""
    total = 0
    for feature in features:
        total += worst_state_bytes(feature)
        if total > MAX_CONTEXT_BYTES:
            cause = f"the entity's state may take {total} bytes with it; at most {MAX_CONTEXT_BYTES} are allowed"
            hops = feature.window_ms // feature.hop_ms
            hint = f"{hops} hops of {written(feature.hop_ms)}: a longer hop, or bounds for the fields of its value"
            table.note(cause, hint, key=feature.name, at_key=True)
            return


def worst_state_bytes(feature: ContextFeature) -> int:
    """The longest that a feature's state may be as JSON: every hop of its window full of the longest numbers."""
    value = (feature.value.tree.range or INT64) if feature.value else _ONE
    longest = max(len(str(value.low)), len(str(value.high)))
    count = len(str(_MOST_EVENTS_IN_A_HOP))
    total = min(longest + count, len(str(INT64.low)))
    index = len(str(_LATEST_MS // feature.hop_ms))
    hop = len("[,,,,],") + index + count + total + 2 * longest
    around = len(f'"{feature.id}":[[],,],') + longest + len(str(_LATEST_MS))
    return (feature.window_ms // feature.hop_ms + 1) * hop + around
