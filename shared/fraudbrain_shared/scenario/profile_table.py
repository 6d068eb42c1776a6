"""`[profile.<name>]` in `features.toml`: what the fast tier folds of a subject's own events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from fraudbrain_shared.expressions import Expression, Scope, Type
from fraudbrain_shared.scenario.description import (
    EventType,
    LastValues,
    Lifetime,
    ProfileFeature,
    Read,
    Scenario,
    Span,
    Window,
    Within,
)
from fraudbrain_shared.scenario.expression_check import FOLD_SOURCES, ExpressionCheck
from fraudbrain_shared.scenario.feature_keys import FeatureTable, checked_window, feature_id, read_reads
from fraudbrain_shared.scenario.kept_text import MAX_KEPT_TEXT, is_short, text_lengths
from fraudbrain_shared.scenario.kinds import DURATION, EXPRESSION, ExpressionText, one_of, table_of, whole
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.reads import NUMBERS_AND_TEXTS, quantile_percent, read_rule
from fraudbrain_shared.scenario.row_size import MAX_ROW_BYTES, ROW_HEAD_BYTES, row_bytes, worst_case_bytes
from fraudbrain_shared.scenario.scope import derived_path, fold_scope
from fraudbrain_shared.scenario.table import Names, allowed, required

MAX_LAST_VALUES: Final = 100
_LISTED_FEATURES: Final = 5


class ProfileTable(FeatureTable):
    """What the fast tier folds for each subject, exactly and at once: over a `window` in hops, `within` what has
    one value, over the `last` values, or with none of these three over the whole life.

    Its expressions read the event and, as of just before it, other profile features and derived features that
    are made of event and profile only.
    """

    window = allowed(
        DURATION, "How far back it reaches in event time; its old end moves in hops.", '"1d"', default="the whole life"
    )
    hop = required(DURATION, "The length of a hop; a window has at most 64 of them.", '"1h"', when="with `window`")
    within = allowed(
        EXPRESSION,
        "A text or whole number: what is folded since it last changed, such as a trip. On an event that has another "
        "value of it, nothing is read.",
        '"event.trip_id"',
        default="the whole life",
    )
    last = allowed(
        whole(1, MAX_LAST_VALUES), "How many of the newest values, in log order.", "50", default="the whole life"
    )

    def written(self) -> Sequence[ExpressionText]:
        """Its expressions as they stand in the file."""
        return [each for each in (self.value, self.where, self.within) if each]


class Profiles(Names[ProfileTable]):
    """The profile features, by name."""

    called = "<name>"
    entry = table_of(ProfileTable)


def declared_features(
    tables: Profiles, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> dict[str, ProfileFeature]:
    """The profile features in the order of the file with all that needs no other feature: their reads, and
    their spans but for `within`."""
    return {name: _declared(name, table, event_types, expressions) for name, table in tables.entries().items()}


def _declared(
    name: str, table: ProfileTable, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> ProfileFeature:
    if fault := fault_of_name(name):
        table.note(fault)
    on = table.on and one_of(table, "on", event_types, "event type") if event_types else None
    if on is None:
        expressions.mark_all_broken(f"profile.{name}_")
    span = _span(table)
    read = read_reads(table, [f"profile.{name}_"], expressions, lambda read: _span_fault(read, span))
    return ProfileFeature(name, "", on or "", read, span=span)


def _span(table: ProfileTable) -> Span:
    """How far the feature reaches back; a whole life where `within` says it, until that is checked, and where it is
    wrong."""
    chosen = [key for key in ("window", "within", "last") if key in table]
    for key in chosen[1:]:
        table.note(f"{key} and {chosen[0]} exclude each other", "one of window, within and last", key=key, at_key=True)
    if "window" not in table:
        table.refuse(("hop",), "hop is for a window")
    if "window" in table:
        return checked_window(table, table.window, table.hop) or Lifetime()
    return LastValues(table.last or 1) if "last" in table else Lifetime()


def _span_fault(read: Read, span: Span) -> tuple[str, str] | None:
    if quantile_percent(read) is None or not isinstance(span, Window):
        return None
    return f"{read} is not read over a window", "over last = 100, or over the whole life"


def with_expressions(
    declared: ProfileFeature, table: ProfileTable, scenario: Scenario, expressions: ExpressionCheck
) -> ProfileFeature:
    """The feature with its expressions, which read those features of `scenario` that were checked before.

    One with a problem has no id.
    """
    event_type = scenario.event_types.get(declared.on)
    if event_type is None:
        return declared
    scope = fold_scope(scenario, event_type)
    reasons = {**FOLD_SOURCES, **_hidden(scenario, scope)}

    def checked(written: ExpressionText | None, expected: Type | None = None) -> Expression | None:
        found = expressions.check(written, [scope], expected, reasons)
        return found[0] if found else None

    value, where, within = checked(table.value), checked(table.where, Type.BOOL), checked(table.within)
    lengths = text_lengths(event_type)
    if value is None and "value" in table:
        expressions.mark_all_broken(f"profile.{declared.name}_")
    elif value is not None:
        _check_value(table, value, lengths)
    span = declared.span
    if within is not None and isinstance(span, Lifetime):
        _check_key(table, within, lengths)
        span = Within(within)
    sound = [each for each in (value, where, within) if each]
    is_sound = len(sound) == len(table.written()) and isinstance(span, Window) == ("window" in table)
    made_of = _made_of(scenario, sound)
    kept_as = feature_id(declared.on, where, value, span, made_of) if is_sound else ""
    return replace(declared, id=kept_as, value=value, where=where, span=span, made_of=made_of)


def _hidden(scenario: Scenario, scope: Scope) -> dict[str, str]:
    """Derived features that a fold must not read, and why."""
    reason = "a fold reads derived features that are made of event and profile only, and fit its type of event"
    return {path: reason for path in map(derived_path, scenario.derived) if path not in scope}


def _check_value(table: ProfileTable, value: Expression, lengths: Mapping[str, int]) -> None:
    if value.type not in NUMBERS_AND_TEXTS:
        table.note(f"a value is an int, a double or a string, not a {value.type.value}", key="value")
        return
    for index, read in table.read or ():
        rule = read_rule(read)
        if rule and value.type not in rule.takes:
            hint = f"it takes {_listed(each.value for each in rule.takes)}"
            table.note(f"read {read} does not take a {value.type.value}", hint, key="read", index=index)
    if value.type is Type.STRING and not is_short(value, lengths):
        table.note("the texts that it keeps may be too long", _SHORT, key="value")


_SHORT: Final = f"they come from an enum, or from a field with max_length of at most {MAX_KEPT_TEXT}"


def _check_key(table: ProfileTable, key: Expression, lengths: Mapping[str, int]) -> None:
    if key.type not in (Type.STRING, Type.INT):
        table.note(f"within is a string or an int, not a {key.type.value}", key="within")
    elif key.type is Type.STRING and not is_short(key, lengths):
        table.note("the texts that it keeps may be too long", _SHORT, key="within")


def _listed(words: Iterable[str]) -> str:
    return " and ".join(sorted(words))


def _made_of(scenario: Scenario, expressions: Iterable[Expression]) -> tuple[str, ...]:
    """The definitions of the features that some expressions read: of derived ones the text, and what that is
    made of, of profile features the id."""
    kept_as = {f"profile.{read}": each.id for each in scenario.profile.values() for read in each.read_names()}
    found: dict[str, str] = {}
    waiting = [read for each in expressions for read in each.reads]
    while waiting:
        path = waiting.pop()
        root, _, name = path.partition(".")
        if root == "profile":
            found[path] = kept_as[path]
        elif root == "derived" and path not in found:
            found[path] = scenario.derived[name].text
            waiting += scenario.derived[name].reads
    return tuple(f"{path}={found[path]}" for path in sorted(found))


def note_row_size(tables: Profiles, features: Collection[ProfileFeature]) -> None:
    """A subject's features travel in one row: whatever comes, it must not grow too long."""
    sound = [each for each in features if each.id]
    total = row_bytes(sound)
    if total <= MAX_ROW_BYTES:
        return
    costs = sorted(((worst_case_bytes(each), each.name) for each in sound), reverse=True)
    listed = ", ".join(f"{name} {cost:,}" for cost, name in costs[:_LISTED_FEATURES])
    more = ", …" if len(costs) > _LISTED_FEATURES else ""
    cause = f"a subject's row may take {total:,} bytes; at most {MAX_ROW_BYTES:,} are allowed"
    hint = f"{listed}{more}, and {ROW_HEAD_BYTES:,} for each row: fewer hops or values"
    tables.note(cause, hint, key=costs[0][1], at_key=True)
