"""A scenario with every kind of feature, what its expressions mean, and random histories of a subject."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from fraudbrain_shared.expressions import Expression, Type, check
from fraudbrain_shared.scenario.description import (
    EventType,
    Field,
    LastValues,
    Lifetime,
    ProfileFeature,
    Scenario,
    Span,
    Window,
    Within,
)
from fraudbrain_shared.scenario.scope import derived_scope, fold_scope
from tests.parity.features.oracle import Meaning, Reads

T0 = 1_700_000_000_000
NUMBERS = ("count", "sum", "mean", "min", "max", "stddev", "first", "last", "distinct", "streak", "seconds_since")
TEXTS = ("count", "first", "last", "distinct", "streak", "seconds_since")
QUANTILES = ("quantile_1", "quantile_50", "quantile_99")
MINUTE = Window(60_000, 10_000)
FIVE_MINUTES = Window(300_000, 60_000)
UNEVEN = Window(500_000, 100_000)  # its hops are no multiple of those of five minutes
LONG = Window(1_800_000, 300_000)

_FIELDS = (
    Field("card_id", "string"),
    Field("amount", "int"),
    Field("rate", "double", optional=True),
    Field("shop", "string", max_length=64),
    Field("trip", "string", optional=True, max_length=64),
    Field("online", "bool"),
)
PAYMENT = EventType("payment", True, 50, {each.name: each for each in _FIELDS}, ())
LOGIN = EventType("login", False, 0, {"card_id": _FIELDS[0], "trip": _FIELDS[4]}, ())
EMPTY = Scenario(
    name="all",
    version="v",
    subject="card_id",
    event_types={"payment": PAYMENT, "login": LOGIN},
    profile={},
    derived={},
    parameters={},
    rules=(),
    policy=(),
)


def with_feature(
    scenario: Scenario,
    name: str,
    span: Span | str,
    reads: Iterable[str],
    *,
    value: str | None = None,
    where: str | None = None,
    on: str = "payment",
) -> Scenario:
    """The scenario with one profile feature more; a span that is a text is the key of `within`."""
    scope = fold_scope(scenario, scenario.event_types[on])

    def checked(text: str | None, expected: Type | None = None) -> Expression | None:
        return check(text, scope, expected) if text else None

    kept_in: Span = Within(check(span, scope)) if isinstance(span, str) else span
    feature = ProfileFeature(name, name, on, tuple(reads), checked(value), checked(where, Type.BOOL), kept_in)
    return replace(scenario, profile={**scenario.profile, name: feature})


def with_derived(scenario: Scenario, name: str, text: str) -> Scenario:
    expression = check(text, derived_scope(scenario, PAYMENT, scenario.derived))
    return replace(scenario, derived={**scenario.derived, name: expression})


def _simple() -> Scenario:
    spans: dict[str, Span] = {
        "minute": MINUTE,
        "five": FIVE_MINUTES,
        "uneven": UNEVEN,
        "long": LONG,
        "life": Lifetime(),
        "last": LastValues(7),
        "last_two": LastValues(2),
    }
    scenario = EMPTY
    for name, span in spans.items():
        more = () if isinstance(span, Window) else QUANTILES
        scenario = with_feature(scenario, f"amount_{name}", span, (*NUMBERS, *more), value="event.amount")
        scenario = with_feature(scenario, f"rate_{name}", span, (*NUMBERS, *more), value="event.rate")
        scenario = with_feature(scenario, f"shop_{name}", span, TEXTS, value="event.shop", where="event.online")
        scenario = with_feature(scenario, f"online_{name}", span, TEXTS, value="event.online")
        scenario = with_feature(scenario, f"ones_{name}", span, ("count", "streak"), where="event.online")
    scenario = with_feature(scenario, "logins", LONG, ("count", "seconds_since"), on="login")
    return with_feature(scenario, "one_count", FIVE_MINUTES, ("count",), value="event.amount", where="event.online")


def _trips(scenario: Scenario) -> Scenario:
    trip = "event.trip"
    scenario = with_feature(scenario, "amount_trip", trip, NUMBERS, value="event.amount")
    scenario = with_feature(scenario, "rate_trip", trip, NUMBERS, value="event.rate", where="event.online")
    scenario = with_feature(scenario, "shop_trip", trip, TEXTS, value="event.shop", where="event.online")
    return with_feature(scenario, "amount_parity", "event.amount % 2", ("count", "sum"), value="event.amount")


def _made_of_others(scenario: Scenario) -> Scenario:
    scenario = with_feature(
        scenario, "often", LONG, ("count", "sum"), value="event.amount", where="profile.amount_minute_count > 1"
    )
    scenario = with_derived(scenario, "over", "event.rate / profile.rate_five_mean")
    scenario = with_derived(scenario, "far_over", "derived.over * 2.0")
    scenario = with_feature(scenario, "over_usual", LastValues(5), ("count", "max"), value="derived.far_over")
    scenario = with_feature(scenario, "shop_before", "profile.shop_last_last", ("count", "sum"), value="event.amount")
    return with_feature(
        scenario, "crowd", "profile.shop_before_count / 2", ("count", "streak"), where="profile.often_count > 0"
    )


SIMPLE = _simple()
TRIPS = _trips(SIMPLE)
ALL = _made_of_others(TRIPS)

_VALUES = {name: lambda event, reads, name=name: getattr(event, name) for name in ("amount", "rate", "shop", "online")}


def _derive(event: SimpleNamespace, reads: Reads) -> Reads:
    rate, mean = getattr(event, "rate", None), reads.get("rate_five_mean")
    if rate is None or mean is None:
        return {"over": None}
    if mean == 0:
        return {"over": None if rate == 0 else rate / abs(rate) * float("inf")}  # an infinity is no value either
    return {"over": rate / mean}


derive = _derive


def _finite(number: float | None) -> float | None:
    return None if number is None or abs(number) == float("inf") else number


def _parity(event: SimpleNamespace, reads: Reads) -> Any:
    amount = getattr(event, "amount", None)
    return None if amount is None else abs(amount) % 2 * (-1 if amount < 0 else 1)


def meanings() -> dict[str, Meaning]:
    found = {}
    for name, feature in ALL.profile.items():
        kind = name.partition("_")[0]
        means = Meaning(
            where=(lambda event, reads: event.online) if feature.where else (lambda event, reads: True),
            value=_VALUES.get(kind, lambda event, reads: 1),
            key=lambda event, reads: event.trip,
        )
        found[name] = means
    amount = _VALUES["amount"]
    found["one_count"] = replace(found["one_count"], value=amount)
    found["amount_parity"] = Meaning(value=amount, key=_parity)
    found["often"] = Meaning(where=lambda event, reads: reads["amount_minute_count"] > 1, value=amount)
    found["over_usual"] = Meaning(
        value=lambda event, reads: None if reads["over"] is None else _finite(reads["over"] * 2.0)
    )
    found["shop_before"] = Meaning(key=lambda event, reads: reads["shop_last_last"], value=amount)
    found["crowd"] = Meaning(
        where=lambda event, reads: reads["often_count"] > 0, key=lambda event, reads: reads["shop_before_count"] // 2
    )
    return found


def event(time: int, type_: str = "payment", **fields: Any) -> Any:
    return SimpleNamespace(event_id="e", type=type_, event_time=time, fields=SimpleNamespace(card_id="c", **fields))


_steps_ms = st.one_of(
    st.integers(0, 15_000), st.integers(0, 15_000), st.just(0), st.integers(-400_000, 0), st.integers(0, 700_000)
)
_steps_on_ms = st.one_of(st.integers(0, 15_000), st.integers(0, 100_000), st.just(0), st.integers(0, 700_000))
amounts = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 1_000), st.sampled_from([2**63 - 1, -(2**63)]))
rates = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False).map(lambda each: round(each, 3)))
_what = st.one_of(
    st.fixed_dictionaries(
        {
            "amount": amounts,
            "rate": rates,
            "shop": st.sampled_from(["a", "b", "ü" * 64]),
            "trip": st.sampled_from([None, "x", "x", "x", "y"]),
            "online": st.sampled_from([True, True, True, False]),
        }
    ).map(lambda fields: ("payment", fields)),
    st.sampled_from([None, "x"]).map(lambda trip: ("login", {"trip": trip})),
)


def histories(*, late: bool = True, least: int = 0, most: int = 60) -> st.SearchStrategy[list[Any]]:
    """Events in log order. About every fifth is late, if any may be."""
    step = _steps_ms if late else _steps_on_ms
    return st.lists(st.tuples(step, st.one_of(_what, _what, _what)), min_size=least, max_size=most).map(_events)


def _events(steps: list[tuple[int, tuple[str, dict[str, Any]]]]) -> list[Any]:
    times = accumulate((max(step, -400_000) for step, _ in steps), initial=T0)
    next(times)
    return [event(time, type_, **fields) for time, (_, (type_, fields)) in zip(times, steps, strict=True)]
