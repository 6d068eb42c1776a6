"""`features.toml`: what is folded per subject, and what is derived from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from fraudbrain_shared.expressions import Expression, Type
from fraudbrain_shared.scenario.description import EventType, ProfileFeature, Scenario, Window
from fraudbrain_shared.scenario.expression_check import DERIVED_SOURCES, EVENT_ONLY, ExpressionCheck, names_in
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.scope import derived_path, derived_scope, event_scope
from fraudbrain_shared.scenario.table import Table
from fraudbrain_shared.scenario.window_keys import feature_id, note_twins, read_reads, read_window


def read_profile(
    file: Table, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> dict[str, ProfileFeature]:
    """The profile features in the order of the file."""
    table = file.table("profile")
    features = {name: _feature(name, each, event_types, expressions) for name, each in table.tables()}
    note_twins(table, features.values())
    return features


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
    read = read_reads(table, [f"profile.{name}_"], expressions)
    window_ms, hop_ms = read_window(table)
    for key in ("within", "last"):
        if key in table:
            table.note(f"{key} is not supported yet", "supported: window with hop", key=key, at_key=True)
    table.ignore("on", "value", "where", "within", "last")
    table.close()
    kept_as = feature_id(on or "", where, value, window_ms, hop_ms)
    return ProfileFeature(name, kept_as, on or "", read, value, where, Window(window_ms, hop_ms))


def _expression(
    table: Table, key: str, event_type: EventType | None, expected: Type | None, expressions: ExpressionCheck
) -> Expression | None:
    if key not in table or event_type is None:
        return None
    checked = expressions.check(table, key, [event_scope(event_type)], expected, EVENT_ONLY)
    return checked[0] if checked else None


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
        checked = expressions.check(table, name, scopes, None, DERIVED_SOURCES)
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
