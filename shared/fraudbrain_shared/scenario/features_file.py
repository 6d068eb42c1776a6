"""`features.toml`: what is folded per subject, and what is derived from it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final, get_args

import msgspec

from fraudbrain_shared.expressions import Expression, Type
from fraudbrain_shared.scenario.description import EventType, ProfileFeature, Read, Scenario
from fraudbrain_shared.scenario.durations import milliseconds, written
from fraudbrain_shared.scenario.expression_check import EVENT_ONLY, NO_CONTROLS, ExpressionCheck, names_in
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.scope import derived_path, derived_scope, event_scope
from fraudbrain_shared.scenario.table import Table

READS: Final[tuple[Read, ...]] = get_args(Read)
LATER_READS: Final = ("stddev", "first", "distinct", "quantile", "streak")
READS_WITHOUT_VALUE: Final[frozenset[Read]] = frozenset({"count", "seconds_since"})
MAX_HOPS: Final = 64

_HARMLESS_MS: Final = 1
_USUAL_HOPS: Final = ("1s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "3h", "6h", "12h", "1d", "2d", "7d")


def read_profile(
    file: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> dict[str, ProfileFeature]:
    """The profile features in the order of the file."""
    table = file.table("profile")
    features = {name: _feature(name, each, event_types, expressions) for name, each in table.tables()}
    _note_twins(table, features.values())
    return features


def _note_twins(table: Table, features: Iterable[ProfileFeature]) -> None:
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


def _feature(
    name: str, table: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> ProfileFeature:
    if fault := fault_of_name(name):
        table.note(fault)
    on = table.choice("on", event_types, what="event type") if event_types else None
    event_type = event_types.get(on or "")
    if event_type is None:
        expressions.mark_all_broken(f"profile.{name}_")
    value = _expression(table, "value", event_type, None, expressions)
    where = _expression(table, "where", event_type, Type.BOOL, expressions)
    if value and value.type not in (Type.INT, Type.DOUBLE):
        table.note(f"a value is an int or a double, not a {value.type.value}", key="value")
    if "value" in table and value is None:
        expressions.mark_all_broken(f"profile.{name}_")
    read = _reads(table, name, expressions)
    window_ms, hop_ms = _window(table)
    for key in ("within", "last"):
        if key in table:
            table.note(f"{key} is not supported yet", "supported: window with hop", key=key, at_key=True)
    table.ignore("on", "value", "where", "within", "last")
    table.close()
    feature_id = _feature_id(on or "", where, value, window_ms, hop_ms)
    return ProfileFeature(name, feature_id, on or "", window_ms, hop_ms, read, value, where)


def _expression(
    table: Table, key: str, event_type: EventType | None, expected: Type | None, expressions: ExpressionCheck
) -> Expression | None:
    if key not in table or event_type is None:
        return None
    checked = expressions.check(table, key, [event_scope(event_type)], expected, EVENT_ONLY)
    return checked[0] if checked else None


def _reads(table: Table, name: str, expressions: ExpressionCheck) -> tuple[Read, ...]:
    """The known reads; the names of the others are broken, not unknown."""
    reads: list[Read] = []
    for index, read in table.texts("read"):
        if read in READS and read not in reads:
            reads.append(read)
            if read not in READS_WITHOUT_VALUE and "value" not in table:
                table.note(f"read {read} needs a value", 'such as value = "event.amount"', key="read", index=index)
            continue
        expressions.mark_broken(f"profile.{name}_{read}")
        cause = f"read {read} stands here twice" if read in READS else f"unknown read {read}"
        if read in LATER_READS:
            cause = f"read {read} is not supported yet"
        table.note(cause, f"supported: {', '.join(READS)}", key="read", index=index)
    if "read" in table and not table.value("read"):
        table.note("read is empty", f"supported: {', '.join(READS)}", key="read")
    return tuple(reads)


def _window(table: Table) -> tuple[int, int]:
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


def _feature_id(on: str, where: Expression | None, value: Expression | None, window_ms: int, hop_ms: int) -> str:
    """What state is kept under: the same definition has the same id, whatever it is called or read as."""
    definition = [on, where.text if where else None, value.text if value else None, window_ms, hop_ms]
    return sha256(msgspec.json.encode(definition)).hexdigest()[:16]


def read_derived(file: Table, scenario: Scenario, expressions: ExpressionCheck) -> dict[str, Expression]:
    """The derived features, each after those that it reads; `scenario` has everything but these.

    An expression must have one type on all decided types of events. It is returned as it is on
    the first of them, but unknown or failing where it may be on any.
    """
    table = file.table("derived")
    texts = {name: table.text(name) for name in table.keys()}  # noqa: SIM118
    for name in texts:
        if fault := fault_of_name(name):
            table.note(fault, key=name, at_key=True)
    decided = [each for each in scenario.event_types.values() if each.decide]
    by_type: list[dict[str, Expression]] = [{} for _ in decided]
    for name in _in_order(table, texts, expressions):
        scopes = [derived_scope(scenario, *each) for each in zip(decided, by_type, strict=True)]
        checked = expressions.check(table, name, scopes, None, NO_CONTROLS)
        if not checked:
            expressions.mark_broken(derived_path(name))
            continue
        if len({each.type for each in checked}) > 1:
            table.note("its type differs from one type of event to another", key=name)
        for earlier, expression in zip(by_type, checked, strict=True):
            earlier[name] = expression
    return {name: _on_any_type([each[name] for each in by_type]) for name in (by_type[0] if by_type else ())}


def _on_any_type(expressions: Sequence[Expression]) -> Expression:
    """One derived feature, whose promises hold on all types of events."""
    return replace(
        expressions[0],
        may_be_unknown=any(each.may_be_unknown for each in expressions),
        may_fail=any(each.may_fail for each in expressions),
        reads=frozenset().union(*(each.reads for each in expressions)),
    )


def _in_order(table: Table, texts: Mapping[str, str], expressions: ExpressionCheck) -> Iterator[str]:
    """The names, each after those that it reads; of a circle none, and a problem is noted."""
    waiting = {name: {each for each in _derived_in(text) if each in texts} for name, text in texts.items()}
    while ready := next((name for name, needs in waiting.items() if not needs), None):
        del waiting[ready]
        for needs in waiting.values():
            needs.discard(ready)
        yield ready
    for name in waiting:
        expressions.mark_broken(derived_path(name))
    if circle := _circle(waiting):
        table.note(f"derived features read each other in a circle: {' → '.join(circle)}", key=circle[0])


def _derived_in(text: str) -> Iterator[str]:
    for name in names_in(text):
        root, _, rest = name.partition(".")
        if root == "derived":
            yield rest.partition(".")[0]


def _circle(waiting: Mapping[str, set[str]]) -> list[str]:
    """Some circle among names that all wait for one another; empty if there are none."""
    way: list[str] = []
    name = next(iter(waiting), None)
    while name is not None and name not in way:
        way.append(name)
        name = min(waiting[name])
    return [*way[way.index(name) :], name] if name is not None else []
