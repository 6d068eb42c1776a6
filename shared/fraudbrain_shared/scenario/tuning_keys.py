"""The keys of a parameter that say how the slow tier may move it."""

from collections.abc import Mapping
from functools import partial
from typing import Final, Literal, cast

from fraudbrain_shared.expressions import Expression, Type
from fraudbrain_shared.scenario.description import LABEL, BudgetTuner, EventType, RateTuner, SurgeTuner, Tuning
from fraudbrain_shared.scenario.durations import written
from fraudbrain_shared.scenario.expression_check import TUNER_SOURCES, ExpressionCheck
from fraudbrain_shared.scenario.scope import event_scope
from fraudbrain_shared.scenario.table import Table

EVERY_MS: Final = 3_600_000
STRENGTH: Final = 20.0
REVIEWED_AT_LEAST: Final = 10
MAX_TICKS: Final = 1_024
"""How many ticks, or windows in a baseline, a tuner's state holds at most."""

_MOVING_KEYS: Final = ("max_step", "max_step_abs", "min_interval", "expires", "every")
_HARMLESS: Final = RateTuner(1, 1, 0.5, 1.0)


def read_tuning(
    table: Table,
    per: str | None,
    scale: Literal["score"] | None,
    event_types: Mapping[str, EventType],
    expressions: ExpressionCheck,
) -> Tuning | None:
    """How the parameter is moved; None, and nothing else may be said of it, if nobody moves it."""
    if "tuner" not in table:
        for key in _MOVING_KEYS:
            if key in table:
                table.note(f"{key} is for parameters that move; this one has no tuner", key=key, at_key=True)
        table.ignore("tuner", *_MOVING_KEYS)
        return None
    every_ms = table.optional(table.duration_ms, "every") or EVERY_MS
    tuner = _tuner(table.table("tuner"), every_ms, per, scale, event_types, expressions)
    min_interval_ms = table.optional(table.duration_ms, "min_interval") or every_ms
    expires_ms = table.duration_ms("expires")
    if expires_ms and expires_ms < every_ms:
        table.note(f"it expires before the next tick, which comes every {written(every_ms)}", key="expires")
    step, step_abs = (table.optional(partial(_positive, table), key) for key in ("max_step", "max_step_abs"))
    if ("max_step" in table) == ("max_step_abs" in table):
        table.note("either max_step or max_step_abs is needed", "max_step = 0.25 is a quarter of the present value")
    return Tuning(tuner, every_ms, min_interval_ms, expires_ms or every_ms, step, step_abs)


def _tuner(
    table: Table,
    every_ms: int,
    per: str | None,
    scale: Literal["score"] | None,
    event_types: Mapping[str, EventType],
    expressions: ExpressionCheck,
) -> RateTuner | SurgeTuner | BudgetTuner:
    match table.choice("kind", ("rate", "surge", "budget"), what="kind of tuner"):
        case "rate":
            tuner: RateTuner | SurgeTuner | BudgetTuner = _rate(table, every_ms)
        case "surge":
            tuner = _surge(table, every_ms, per, event_types, expressions)
        case "budget":
            tuner = _budget(table, every_ms)
            if scale != "score":
                table.note("a budget moves thresholds on the score", 'add scale = "score"', key="kind")
        case _:
            return _HARMLESS
    table.close()
    return tuner


def _rate(table: Table, every_ms: int) -> RateTuner:
    table.choice("of", (LABEL,), what="source")
    window_ms = _window(table, "window", every_ms)
    strength = table.optional(partial(_positive, table), "strength")
    return RateTuner(window_ms, _at_least_one(table), _share(table, "target"), strength or STRENGTH)


def _surge(
    table: Table, every_ms: int, per: str | None, event_types: Mapping[str, EventType], expressions: ExpressionCheck
) -> SurgeTuner:
    on = table.choice("on", event_types, what="event type") if event_types else None
    event_type = event_types.get(on or "")
    table.ignore("on")
    if event_type and per and per not in event_type.fields:
        table.note(f"{on} has no field {per}, by which the parameter is kept", key="on")
    window_ms = _window(table, "window", every_ms)
    baseline_ms = table.duration_ms("baseline") or window_ms
    if baseline_ms % window_ms or baseline_ms < window_ms:
        table.note(f"the baseline is no multiple of the window {written(window_ms)}", key="baseline")
    elif baseline_ms // window_ms > MAX_TICKS:
        table.note(f"the baseline has more than {MAX_TICKS} windows", "a longer window", key="baseline")
    factor = _positive(table, "factor") or 1.0
    return SurgeTuner(
        on or "",
        window_ms,
        baseline_ms,
        _share(table, "probability"),
        _at_least_one(table),
        factor,
        _where(table, event_type, expressions),
    )


def _where(table: Table, event_type: EventType | None, expressions: ExpressionCheck) -> Expression | None:
    if "where" not in table or event_type is None:
        table.ignore("where")
        return None
    checked = expressions.check(table, "where", [event_scope(event_type)], Type.BOOL, TUNER_SOURCES)
    return checked[0] if checked else None


def _budget(table: Table, every_ms: int) -> BudgetTuner:
    share = _share(table, "share")
    # Ten reviewed events stand behind the threshold: a Poisson count of 10 is off by a third (1/√10).
    enough = round(REVIEWED_AT_LEAST / share)
    return BudgetTuner(share, _window(table, "window", every_ms), _at_least_one(table, default=enough))


def _window(table: Table, key: str, every_ms: int) -> int:
    """A length that ticks divide: what a tick reads, and its limits, are whole hops."""
    length_ms = table.duration_ms(key) or every_ms
    if length_ms % every_ms:
        cause = f"{key} {written(length_ms)} is no multiple of {written(every_ms)}, the time between ticks"
        table.note(cause, "say how often it is evaluated: every = …", key=key)
    elif length_ms // every_ms > MAX_TICKS:
        cause = f"{key} {written(length_ms)} has more than {MAX_TICKS} ticks of {written(every_ms)}"
        table.note(cause, "a longer every", key=key)
    return length_ms


def _share(table: Table, key: str) -> float:
    value = table.number(key)
    if value is not None and not 0 < value < 1:
        table.note(f"{key} is a share: between 0 and 1", key=key)
        return 0.5
    return value or 0.5


def _positive(table: Table, key: str) -> float | None:
    value = table.number(key)
    if value is not None and value <= 0:
        table.note(f"{key} must be more than 0", key=key)
        return None
    return value


def _at_least_one(table: Table, default: int | None = None) -> int:
    if default is not None and "min_count" not in table:
        table.ignore("min_count")
        return default
    value = table.whole("min_count")
    if value is not None and value < 1:
        table.note("min_count is at least 1", key="min_count")
    return value or 1


def read_scale(table: Table, kind: str | None) -> Literal["score"] | None:
    """The scale on which the parameter lives, if it is a threshold on the score."""
    scale = table.optional(partial(table.choice, known=("score",)), "scale")
    if scale and kind == "int":
        table.note("a score is a double, so its threshold is one", 'type = "double"', key="scale")
    return cast(Literal["score"] | None, scale)
