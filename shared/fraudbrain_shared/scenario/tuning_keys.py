"""The keys of a parameter that say how the slow tier may move it."""

from collections.abc import Mapping
from typing import Final, Literal, cast

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import LABEL, BudgetTuner, EventType, RateTuner, SurgeTuner, Tuning
from fraudbrain_shared.scenario.durations import written
from fraudbrain_shared.scenario.expression_check import TUNER_SOURCES, ExpressionCheck
from fraudbrain_shared.scenario.kinds import (
    DURATION,
    EXPRESSION,
    POSITIVE,
    SHARE,
    TEXT,
    choice,
    one_of,
    variant,
    whole,
)
from fraudbrain_shared.scenario.scope import event_scope
from fraudbrain_shared.scenario.table import Table, allowed, defaulting, required

EVERY_MS: Final = 3_600_000
STRENGTH: Final = 20.0
REVIEWED_AT_LEAST: Final = 10
MAX_TICKS: Final = 1_024
"""How many ticks, or windows in a baseline, a tuner's state holds at most."""

_HARMLESS: Final = RateTuner(1, 1, 0.5, 1.0)


class RateTable(Table):
    """`kind = "rate"`: the start times min(1, target / rate), the rate of frauds among the labels shrunken."""

    kind = required(choice(("rate",)), "Which tuner it is.", '"rate"')
    of = required(choice((LABEL,), "source"), "Of what it is a rate.", '"label"')
    window = required(DURATION, "How far back it looks; a multiple of `every`.", '"28d"')
    min_count = required(whole(low=1), "Fewer labels move nothing.", "5")
    target = required(SHARE, "The share of frauds from which on the number sinks.", "0.01")
    strength = defaulting(POSITIVE, STRENGTH, "How many labels the belief in `target` weighs.", "20.0")


class SurgeTable(Table):
    """`kind = "surge"`: the start times `factor` while there are more events than the time before makes plausible."""

    kind = required(choice(("surge",)), "Which tuner it is.", '"surge"')
    on = required(TEXT, "The type of event that is counted.", '"payment"')
    where = allowed(EXPRESSION, "Which of them; it reads the event.", '"event.amount > 0"', default="all events")
    window = required(DURATION, "The time in which a surge is looked for; a multiple of `every`.", '"15m"')
    baseline = required(DURATION, "The time before, with which it is compared; a multiple of `window`.", '"7d"')
    probability = required(SHARE, "Counts that are less probable than this are a surge.", "1e-6")
    min_count = required(whole(low=1), "Fewer events move nothing.", "5")
    factor = required(POSITIVE, "What the number is multiplied by.", "0.4")


class BudgetTable(Table):
    """`kind = "budget"`: a threshold on the score that a wanted share of the events reaches."""

    kind = required(choice(("budget",)), "Which tuner it is.", '"budget"')
    share = required(SHARE, "The share of the events.", "0.01")
    window = required(DURATION, "How far back it looks; a multiple of `every`.", '"7d"')
    min_count = allowed(
        whole(low=1),
        "Fewer scores of the live release move nothing.",
        "1_000",
        default=f"{REVIEWED_AT_LEAST} / `share`",
    )


TUNERS: Final[Mapping[str, type[RateTable | SurgeTable | BudgetTable]]] = {
    "rate": RateTable,
    "surge": SurgeTable,
    "budget": BudgetTable,
}
LATER_TUNERS: Final = ("quantile",)


class TuningTable(Table):
    """The keys by which a parameter is moved, all of them useless without a `tuner`."""

    scale = allowed(
        choice(("score",)),
        "`score`: it is a threshold on the score, so that a value counts only under the model for which it was set.",
        '"score"',
    )
    tuner = allowed(
        variant("kind", TUNERS, "kind of tuner", LATER_TUNERS),
        "How the slow tier moves it.",
        "",
        default="it never moves",
    )
    every = defaulting(DURATION, EVERY_MS, "How often the tuner is asked, in event time.", '"1h"', default="1h")
    max_step = allowed(
        POSITIVE, "The most that it moves at once, as a share of its value; this or `max_step_abs`.", "0.25"
    )
    max_step_abs = allowed(POSITIVE, "The same as a number: for ranges that hold 0.", "10")
    min_interval = allowed(DURATION, "The least time between two moves.", '"30s"', default="`every`")
    expires = required(
        DURATION, "Without new evidence for so long it returns to its default.", '"7d"', when="with a `tuner`"
    )


def read_tuning(
    table: TuningTable,
    per: str | None,
    scale: Literal["score"] | None,
    event_types: Mapping[str, EventType],
    expressions: ExpressionCheck,
) -> Tuning | None:
    """How the parameter is moved; None, and nothing else may be said of it, if nobody moves it."""
    if "tuner" not in table:
        moving = ("max_step", "max_step_abs", "min_interval", "expires", "every")
        table.refuse(moving, "{key} is for parameters that move; this one has no tuner")
        return None
    every_ms, expires_ms = table.every, table.expires
    tuner = _tuner(table.tuner, every_ms, per, scale, event_types, expressions)
    if expires_ms and expires_ms < every_ms:
        table.note(f"it expires before the next tick, which comes every {written(every_ms)}", key="expires")
    if ("max_step" in table) == ("max_step_abs" in table):
        table.note("either max_step or max_step_abs is needed", "max_step = 0.25 is a quarter of the present value")
    return Tuning(
        tuner,
        every_ms,
        table.min_interval or every_ms,
        expires_ms or every_ms,
        table.max_step,
        table.max_step_abs,
    )


def _tuner(
    table: RateTable | SurgeTable | BudgetTable | None,
    every_ms: int,
    per: str | None,
    scale: Literal["score"] | None,
    event_types: Mapping[str, EventType],
    expressions: ExpressionCheck,
) -> RateTuner | SurgeTuner | BudgetTuner:
    match table:
        case RateTable():
            return _rate(table, every_ms)
        case SurgeTable():
            return _surge(table, every_ms, per, event_types, expressions)
        case BudgetTable():
            if scale != "score":
                table.note("a budget moves thresholds on the score", 'add scale = "score"', key="kind")
            return _budget(table, every_ms)
        case None:
            return _HARMLESS


def _rate(table: RateTable, every_ms: int) -> RateTuner:
    _ = table.of  # labels only, so far
    window_ms = _window(table, table.window, every_ms)
    return RateTuner(window_ms, table.min_count or 1, table.target or 0.5, table.strength)


def _surge(
    table: SurgeTable,
    every_ms: int,
    per: str | None,
    event_types: Mapping[str, EventType],
    expressions: ExpressionCheck,
) -> SurgeTuner:
    on = table.on and one_of(table, "on", event_types, "event type") if event_types else None
    event_type = event_types.get(on or "")
    if event_type and per and per not in event_type.fields:
        table.note(f"{on} has no field {per}, by which the parameter is kept", key="on")
    window_ms = _window(table, table.window, every_ms)
    baseline_ms = table.baseline or window_ms
    if baseline_ms % window_ms or baseline_ms < window_ms:
        table.note(f"the baseline is no multiple of the window {written(window_ms)}", key="baseline")
    elif baseline_ms // window_ms > MAX_TICKS:
        table.note(f"the baseline has more than {MAX_TICKS} windows", "a longer window", key="baseline")
    scopes = [event_scope(event_type)] if event_type else []
    where = expressions.check(table.where, scopes, Type.BOOL, TUNER_SOURCES)
    return SurgeTuner(
        on or "",
        window_ms,
        baseline_ms,
        table.probability or 0.5,
        table.min_count or 1,
        table.factor or 1.0,
        where[0] if where else None,
    )


def _budget(table: BudgetTable, every_ms: int) -> BudgetTuner:
    share = table.share or 0.5
    # Ten reviewed events stand behind the threshold: a Poisson count of 10 is off by a third (1/√10).
    enough = round(REVIEWED_AT_LEAST / share)
    return BudgetTuner(share, _window(table, table.window, every_ms), table.min_count or enough)


def _window(table: Table, window_ms: int | None, every_ms: int) -> int:
    """A length that ticks divide: what a tick reads, and its limits, are whole hops."""
    length_ms = window_ms or every_ms
    if length_ms % every_ms:
        cause = f"window {written(length_ms)} is no multiple of {written(every_ms)}, the time between ticks"
        table.note(cause, "say how often it is evaluated: every = …", key="window")
    elif length_ms // every_ms > MAX_TICKS:
        cause = f"window {written(length_ms)} has more than {MAX_TICKS} ticks of {written(every_ms)}"
        table.note(cause, "a longer every", key="window")
    return length_ms


def read_scale(table: TuningTable, kind: str | None) -> Literal["score"] | None:
    """The scale on which the parameter lives, if it is a threshold on the score."""
    if table.scale and kind == "int":
        table.note("a score is a double, so its threshold is one", 'type = "double"', key="scale")
    return cast(Literal["score"] | None, table.scale)
