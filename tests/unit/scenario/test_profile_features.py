"""Profile features: how far back they reach, what they read of each other, and what a row may take."""

import pytest

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.scenario.description import LastValues, Lifetime, ProfileFeature, Scenario, Window, Within
from fraudbrain_shared.scenario.row_size import MAX_ROW_BYTES, row_bytes
from fraudbrain_shared.scenario.scope import fold_scope, profile_reads, read_type
from tests.unit.scenario.small import SMALL, parse, problems_of

EVENTS = """\
[ping]
[ping.fields]
driver_id = { type = "string", max_length = 16 }
trip_id = { type = "string", max_length = 32, optional = true }
zone = { type = "enum", values = ["north", "south"] }
note = { type = "string", max_length = 500 }
lat = { type = "double" }

[trip]
decide = true
deadline = "1s"
safe_default = [{ outcome = "review" }]
[trip.fields]
driver_id = { type = "string", max_length = 16 }
trip_id = { type = "string", max_length = 32 }
lat = { type = "double" }
km = { type = "double" }
"""
FEATURES = """\
[profile.position]
on = "ping"
value = "event.lat"
read = ["last", "seconds_since"]
[profile.jump]
on = "ping"
value = "derived.moved"
where = "profile.position_seconds_since < 60"
read = ["max", "stddev"]
within = "event.trip_id"
[profile.still]
on = "ping"
where = "derived.moved == 0.0"
read = ["streak"]
last = 50
[profile.zones]
on = "ping"
value = "event.zone"
read = ["distinct", "first", "streak"]
[profile.km]
on = "trip"
value = "event.km"
read = ["quantile_95"]
[profile.km_7d]
on = "trip"
value = "event.km"
read = ["distinct", "stddev", "first"]
window = "7d"
hop = "6h"
[derived]
over_usual = "event.km / profile.km_quantile_95"
moved = "event.lat - profile.position_last"
"""
RIDES = {
    "scenario.toml": 'name = "small-rides"\nsubject = "driver_id"\n',
    "events.toml": EVENTS,
    "features.toml": FEATURES,
}


def changed(old: str, new: str) -> dict[str, str]:
    assert FEATURES.count(old) == 1, old
    return {**RIDES, "features.toml": FEATURES.replace(old, new)}


@pytest.fixture(scope="module")
def rides() -> Scenario:
    return parse(RIDES)


def test_the_key_that_is_given_says_how_far_back_a_feature_reaches(rides: Scenario) -> None:
    spans = {name: each.span for name, each in rides.profile.items()}
    assert isinstance(spans["jump"], Within)
    assert spans["jump"].key.text == "event.trip_id"
    del spans["jump"]
    assert spans == {
        "position": Lifetime(),
        "still": LastValues(50),
        "zones": Lifetime(),
        "km": Lifetime(),
        "km_7d": Window(604_800_000, 21_600_000),
    }


@pytest.mark.parametrize(
    ("name", "read", "kind"),
    [
        ("position", "last", Type.DOUBLE),
        ("position", "seconds_since", Type.INT),
        ("jump", "max", Type.DOUBLE),
        ("jump", "stddev", Type.DOUBLE),
        ("still", "streak", Type.INT),
        ("zones", "first", Type.STRING),
        ("zones", "distinct", Type.INT),
        ("km", "quantile_95", Type.DOUBLE),
    ],
)
def test_a_read_has_its_type(rides: Scenario, name: str, read: str, kind: Type) -> None:
    assert read_type(rides.profile[name], read) is kind


def test_features_stand_in_the_order_of_the_file_where_none_reads_another(rides: Scenario) -> None:
    assert list(rides.profile) == ["position", "jump", "still", "zones", "km", "km_7d"]
    assert list(rides.derived) == ["over_usual", "moved"]


def test_a_fold_reads_event_profile_and_derived_features_by_their_places(rides: Scenario) -> None:
    scope = fold_scope(rides, rides.event_types["ping"])
    assert {scope[path].code for path in ("event.lat", "event.event_time")} == {"event.lat", "event_time"}
    for place, read in enumerate(profile_reads(rides)):
        assert scope[f"profile.{read}"].code == f"profile[{place}]"
    for place, name in enumerate(rides.derived):
        assert scope[f"derived.{name}"].code == f"derived[{place}]"
    value = rides.profile["jump"].value
    assert value is not None
    assert value.reads == {"derived.moved"}
    assert not any(path.startswith(("context.", "param.", "score")) for path in scope)


def test_a_window_that_reads_the_event_only_keeps_the_id_it_always_had() -> None:
    features = parse(SMALL).profile
    assert (features["spend"].id, features["failures"].id) == ("07627a11511e69cc", "58857abeab9e33b9")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('within = "event.trip_id"', ""),
        ('within = "event.trip_id"', "last = 100"),
        ('within = "event.trip_id"', 'window = "1d"\nhop = "1h"'),
        ('moved = "event.lat - profile.position_last"', 'moved = "profile.position_last - event.lat"'),
        ('[profile.position]\non = "ping"', '[profile.position]\non = "ping"\nwhere = "event.lat > 0.0"'),
    ],
)
def test_a_feature_that_is_folded_otherwise_has_another_id(rides: Scenario, old: str, new: str) -> None:
    assert parse(changed(old, new)).profile["jump"].id != rides.profile["jump"].id


def test_what_a_feature_does_not_read_leaves_its_id(rides: Scenario) -> None:
    other = parse(changed('over_usual = "event.km / ', 'over_usual = "2.0 * event.km / '))
    assert {name: each.id for name, each in other.profile.items()} == {
        name: each.id for name, each in rides.profile.items()
    }


CASES = [
    ('value = "event.lat"', 'value = "profile.jump_max"', "features read each other in a circle: profile.position → "),
    ('value = "event.zone"', 'value = "event.note"', "the texts that it keeps may be too long"),
    ('read = ["distinct", "first", "streak"]', 'read = ["max"]', "read max does not take a string"),
    ('within = "event.trip_id"', 'within = "event.note"', "the texts that it keeps may be too long"),
    ('within = "event.trip_id"', 'within = "event.trip_id"\nlast = 5', "last and within exclude each other"),
    ('where = "derived.moved == 0.0"', 'where = "derived.moved"', "this is of type double; bool is wanted here"),
    ('hop = "6h"', 'hop = "500ms"', "a hop is of whole seconds"),
    ('"distinct", "stddev", "first"]\nwindow', '"quantile_5"]\nwindow', "quantile_5 is not read over a window"),
]


@pytest.mark.parametrize(("old", "new", "cause"), CASES)
def test_a_mistake_is_a_problem(old: str, new: str, cause: str) -> None:
    causes = [each.cause for each in problems_of(changed(old, new))]
    assert any(each.startswith(cause) for each in causes), causes


def test_short_texts_may_be_chosen_between(rides: Scenario) -> None:
    chosen = parse(changed('value = "event.zone"', "value = \"or_else(event.trip_id, 'none')\""))
    assert read_type(chosen.profile["zones"], "first") is Type.STRING


def test_a_derived_feature_that_reads_context_cannot_be_folded() -> None:
    events = EVENTS.replace("zone = {", 'city = { type = "string", entity = "city" }\nzone = {', 1)
    context = '[context.city.busy]\non = "ping"\nread = ["count"]\nwindow = "1h"\nhop = "5m"\n[derived]\n'
    features = FEATURES.replace(
        "[derived]\n", f"{context}busy = 'double(context.city_count)'\n".replace("_count", ".busy_count")
    )
    features = features.replace('where = "derived.moved == 0.0"', 'where = "derived.busy == 0.0"')
    (problem,) = problems_of({**RIDES, "events.toml": events, "features.toml": features})
    assert problem.cause == "derived.busy cannot be read here"
    assert "made of event and profile only" in problem.hint


def test_a_row_that_may_grow_too_long_says_which_feature_costs_how_much() -> None:
    many = "\n".join(
        f'[profile.d{day}]\non = "trip"\nvalue = "event.km"\nread = ["distinct"]\nwindow = "{day}d"\nhop = "1d"'
        for day in range(40, 60)
    )
    (problem,) = problems_of(
        {**RIDES, "features.toml": f"{FEATURES}\n{many}".replace("[derived]", f"{many}\n[derived]", 0)}
    )
    assert "at most 32,768 are allowed" in problem.cause
    assert "d59 " in problem.hint


def test_the_longest_row_is_known_before_any_event(rides: Scenario) -> None:
    features: list[ProfileFeature] = list(rides.profile.values())
    assert 0 < row_bytes(features[:1]) < row_bytes(features) < MAX_ROW_BYTES
