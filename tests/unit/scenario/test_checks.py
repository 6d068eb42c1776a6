"""Each check alone: one mistake in a sound scenario, and the one problem that it makes."""

import pytest

from fraudbrain_shared.scenario.description import Holdout
from tests.unit.scenario.small import REFUND, SMALL, changed, parse, problems_of

Case = tuple[str, str, str, str, str]

RISK = '{ type = "double", min = 0.0, max = 1.0 }'
EVENTS: list[Case] = [
    ("events.toml", "decide = true", "decide = 1", "1", "decide must be true or false, not a whole number"),
    ("events.toml", "decide = true", "decide = false", "", "no event type is decided"),
    ("events.toml", '"50ms"', '"50 ms"', '"50 ms"', "deadline is no duration"),
    ("events.toml", '"50ms"', '"0ms"', '"0ms"', "deadline must be longer than nothing"),
    ("events.toml", 'deadline = "50ms"', "", "[payment]", "deadline is missing"),
    (
        "events.toml",
        '{ outcome = "review" }',
        "",
        "[payment]",
        "safe_default must end with an outcome for every amount",
    ),
    ("events.toml", '"approve"', '"aprove"', '"aprove"', "unknown outcome aprove"),
    ("events.toml", "up_to = 5_000", "upto = 5_000", "upto", "unknown key upto"),
    ("events.toml", 'amount = { type = "int"', 'amount = { type = "integer"', '"integer"', "unknown type integer"),
    ("events.toml", RISK, '{ type = "enum" }', "risk", "values is missing"),
    ("events.toml", RISK, '{ type = "enum", values = [] }', "[]", "values is empty"),
    ("events.toml", RISK, '{ type = "enum", values = ["a", "a"] }', '"a"', "a stands here twice"),
    ("events.toml", RISK, '{ type = "strings", max_length = 4 }', "risk", "max_items is missing"),
    ("events.toml", RISK, '{ type = "strings", max_items = 4 }', "risk", "max_length is missing"),
    ("events.toml", RISK, '{ type = "timestamp", min = "soon" }', '"soon"', "min is no time"),
    ("events.toml", RISK, '{ type = "duration", max = 5 }', "5", "max must be text, not a whole number"),
    ("events.toml", "min = 0,", "min = 2_000_000,", "2_000_000", "min 2000000 is above max 1000000"),
    ("events.toml", "1_000_000", "1e6", "1e6", "max must be a whole number, not a number"),
    (
        "events.toml",
        "1_000_000",
        "9_223_372_036_854_775_808",
        "9_223_372_036_854_775_808",
        "max does not fit in 64 bits",
    ),
    ("events.toml", "max = 1.0", "max = inf", "inf", "max must be finite"),
    ("events.toml", "max_length = 2", "max_length = 0", "0", "max_length is from 1 to 65536"),
    (
        "events.toml",
        '{ type = "bool" }',
        '{ type = "bool", min = 0 }',
        "min",
        "min is not for a field of type bool",
    ),
    ("events.toml", '"terminal"', '"a terminal"', '"a terminal"', "'a terminal' is no name: letters"),
    ("events.toml", "country =", "class =", "class", "class is a reserved word"),
    ("events.toml", "country =", "event_id =", "event_id", "every event has event_id; a field needs another name"),
    ("events.toml", "[login]", '[login]\ndeadline = "1s"', "deadline", "login is not decided, so it has no deadline"),
    ("events.toml", "[login]", "[login]\nsecret = 1", "secret", "unknown key secret"),
]
HEAD: list[Case] = [
    ("scenario.toml", '"small"', '"Small one"', '"Small one"', "'Small one' is no name for a scenario"),
    ("scenario.toml", '"small"', '""', '""', "name is empty"),
    ("scenario.toml", '"small"', "2024-01-01", "2024-01-01", "name must be text, not a date or time"),
    ("scenario.toml", 'name = "small"', "", "", "name is missing"),
    ("scenario.toml", '"card_id"', '"amount"', '"amount"', "the subject amount is of type int in payment"),
    ("scenario.toml", '"card_id"', '"country"', '"country"', "the subject country is optional in payment"),
    ("scenario.toml", "event.amount", "event.country", '"event.country"', "the amount must be a number"),
    (
        "scenario.toml",
        "event.amount",
        "profile.spend_sum",
        "profile.spend_sum",
        "profile.spend_sum cannot be read here",
    ),
    ("scenario.toml", "margin = 0.02", "margin = 2", "2", "margin is from 0 to 1"),
    ("scenario.toml", "= 300", "= -1", "-1", "review_cost is at least 0"),
    ("scenario.toml", "[money]", "[mony]", "[mony]", "unknown key mony"),
]
FEATURES: list[Case] = [
    ("features.toml", 'on = "payment"', 'on = "paymnt"', '"paymnt"', "unknown event type paymnt"),
    ("features.toml", 'event.amount"\nread', 'event.amonut"\nread', "event.amonut", "unknown name event.amonut"),
    (
        "features.toml",
        'event.amount"\nread',
        'profile.spend_sum"\nread',
        '"profile.spend_sum"',
        "features read each other in a circle: profile.spend → profile.spend",
    ),
    ("features.toml", 'event.amount"\nread', 'event.country"\nread', '"mean"', "read mean does not take a string"),
    (
        "features.toml",
        'event.amount"\nread = ["count", "sum", "mean", "last"]',
        'event.terminal_id"\nread = ["last"]',
        '"event.terminal_id"',
        "the texts that it keeps may be too long",
    ),
    (
        "features.toml",
        'event.amount"\nread',
        'event.amount > 5"\nread',
        '"event.amount > 5"',
        "a value is an int, a double or a string, not a bool",
    ),
    ("features.toml", "!event.ok", "event.risk", "event.risk", "this is of type double; bool is wanted here"),
    ("features.toml", "!event.ok", "event.risk > param.limit", "param.limit", "param.limit cannot be read here"),
    ("features.toml", '["count", "seconds_since"]', '["count", "count"]', '"count"', "read count stands here twice"),
    (
        "features.toml",
        '["count", "seconds_since"]',
        '["count", "quantile_50"]',
        '"quantile_50"',
        "read quantile_50 needs a value",
    ),
    ("features.toml", '["count", "seconds_since"]', '["count", "cuont"]', '"cuont"', "unknown read cuont"),
    ("features.toml", '["count", "seconds_since"]', '["count", "max"]', '"max"', "read max needs a value"),
    ("features.toml", '["count", "seconds_since"]', "[1]", "1", "read holds text, not a whole number"),
    ("features.toml", '["count", "seconds_since"]', "[]", "[]", "read is empty"),
    ("features.toml", 'window = "1d"', 'window = "90m"', '"90m"', "the window 90m is no multiple of its hop 1h"),
    ("features.toml", 'window = "1d"', 'window = "30m"', '"30m"', "the window 30m is shorter than its hop 1h"),
    ("features.toml", 'window = "1d"', 'window = "65h"', '"1h"', "65 hops are too many; a window has at most 64"),
    ("features.toml", 'hop = "1h"', 'hop = "1h"\nlast = 100', "last", "last and window exclude each other"),
    ("features.toml", 'window = "1d"\nhop = "1h"', 'hop = "1h"', "hop", "hop is for a window"),
    ("features.toml", 'window = "1d"\nhop = "1h"', "last = 101", "101", "last is from 1 to 100"),
    ("features.toml", '"mean", "last"', '"quantile_50"', '"quantile_50"', "quantile_50 is not read over a window"),
    ("features.toml", '"mean", "last"', '"quantile_0"', '"quantile_0"', "unknown read quantile_0"),
    (
        "features.toml",
        'window = "1d"\nhop = "1h"',
        'within = "event.amount > 5"',
        '"event.amount > 5"',
        "within is a string or an int, not a bool",
    ),
    ("features.toml", 'hop = "1h"', "", "[profile.spend]", "hop is missing"),
    ("features.toml", "twice =", "while =", "while", "while is a reserved word"),
    (
        "features.toml",
        "profile.spend_mean",
        "derived.twice",
        '"derived.ratio * 2.0"',
        "features read each other in a circle: derived.twice → derived.ratio → derived.twice",
    ),
    ("features.toml", "profile.spend_mean", "param.limit", "param.limit", "param.limit cannot be read here"),
    ("features.toml", "profile.spend_mean", "profile.spend_min", "profile.spend_min", "unknown name profile.spend_min"),
    ("features.toml", "[profile.failures]", "[profil.failures]", "[profil.failures]", "unknown key profil"),
    (
        "features.toml",
        "[derived]",
        '[profile.again]\non = "payment"\nvalue = "event.amount"\nread = ["max"]\n'
        'window = "24h"\nhop = "60m"\n[derived]',
        "[profile.again]",
        "it folds the same as spend",
    ),
]
PARAMETERS: list[Case] = [
    ("parameters.toml", "default = 1_000", "default = 9", "9", "default 9 is outside of low 10 to high 100000"),
    ("parameters.toml", "default = 1_000", "default = 1.5", "1.5", "default must be a whole number, not a number"),
    ("parameters.toml", "low = 10", "low = 1_000_000", "1_000_000", "low 1000000 is above high 100000"),
    ("parameters.toml", '"int"', '"text"', '"text"', "unknown type text"),
    ("parameters.toml", "high =", "hihg =", "[limit]", "high is missing"),
    ("parameters.toml", "low = 10", 'low = 10\nper = "country"', '"country"', "per country is no field with an entity"),
]
RULES: list[Case] = [
    ("rules.toml", "param.limit", "param.limt", "param.limt", "unknown name param.limt"),
    (
        "rules.toml",
        "event.amount > param.limit",
        "event.amount",
        "event.amount",
        "this is of type int; bool is wanted here",
    ),
    ("rules.toml", "event.amount > param.limit", "event.amount >", '"', "expected a value, found the end"),
    ("rules.toml", "event.amount > param.limit", "score > 0.5", "score", "score cannot be read here"),
    ("rules.toml", '"large"', '"unusual"', '"unusual"', "another rule is called unusual"),
    ("rules.toml", 'name = "large"', "", "[[rule]]", "name is missing"),
    ("rules.toml", "description =", "describtion =", "describtion", "unknown key describtion"),
    ("policy.toml", "finding.unusual", "finding.unsual", "finding.unsual", "unknown name finding.unsual"),
    ("policy.toml", '"decline"\nwhen', '"refuse"\nwhen', '"refuse"', "unknown outcome refuse"),
    ("policy.toml", 'on_unknown = "decline"', 'on_unknown = "maybe"', '"maybe"', "unknown outcome maybe"),
]
IMPORT: list[Case] = [
    ("import.toml", "[payment]", "[paymint]", "[paymint]", "unknown event type paymint"),
    ("import.toml", "amount = {", "amuont = {", "amuont", "payment has no field amuont"),
    ("import.toml", 'card_id = "CARD"', "", "[payment.fields]", "no column is given for card_id"),
    ("import.toml", '{ constant = "none" }', "{ constant = 1 }", "1", "the constant must be a string"),
    ("import.toml", '{ constant = "none" }', "{ }", "terminal_id", "either a column or a constant"),
    ("import.toml", '"Europe/Madrid"', '"Europe/Madird"', '"Europe/Madird"', "unknown time zone Europe/Madird"),
    ("import.toml", "scale = 100", "scale = 0", "0", "scale is for numbers, and not 0"),
    ("import.toml", 'event_id = "ID"', "event_id = 7", "7", "event_id must be text, not a whole number"),
    ("import.toml", 'event_id = "ID"', "", "[payment]", "event_id is missing"),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "marked", "cause"), [*EVENTS, *HEAD, *FEATURES, *PARAMETERS, *RULES, *IMPORT]
)
def test_a_mistake_is_a_problem_that_marks_it(file: str, old: str, new: str, marked: str, cause: str) -> None:
    problems = problems_of(changed(file, old, new))
    problem = next(each for each in problems if each.file == file and each.cause.startswith(cause))
    at = problem.column - 1
    assert (problem.source[at : at + problem.length] if problem.line else "") == marked


@pytest.mark.parametrize(
    ("file", "old", "new"), [case[:3] for case in (*EVENTS, *FEATURES, *PARAMETERS) if not case[1].endswith(" =")]
)
def test_a_mistake_is_not_reported_again_by_what_reads_it(file: str, old: str, new: str) -> None:
    assert {each.file for each in problems_of(changed(file, old, new))} == {file}


def test_the_small_scenario_is_sound() -> None:
    assert problems_of(SMALL) == []


@pytest.mark.parametrize("file", ["scenario.toml", "events.toml"])
def test_a_required_file_is_missed_once(file: str) -> None:
    problems = problems_of({name: text for name, text in SMALL.items() if name != file})
    assert [str(each) for each in problems] == [f"{file}: the file is missing\n  every scenario has one"]


def test_a_scenario_needs_two_files_only() -> None:
    files = {name: SMALL[name] for name in ("scenario.toml", "events.toml")}
    scenario = parse(files)
    assert (scenario.profile, scenario.rules, scenario.policy, scenario.importing) == ({}, (), (), ())


@pytest.mark.parametrize("file", ["events.toml", "features.toml", "parameters.toml", "rules.toml"])
def test_what_reads_an_unreadable_file_is_passed_over(file: str) -> None:
    problems = problems_of({**SMALL, file: "= ="})
    assert [(each.file, each.line) for each in problems] == [(file, 1)]


def test_a_file_of_another_name_is_a_problem() -> None:
    (problem,) = problems_of({**SMALL, "ruels.toml": ""})
    assert str(problem) == "ruels.toml: no file of a scenario\n  did you mean rules.toml?"


def test_amounts_are_compared_only_where_there_is_money() -> None:
    head = SMALL["scenario.toml"].partition("[money]")[0] + "[holdout]\nshare = 0.01\ncap = 20_000\n"
    assert [each.cause for each in problems_of({**SMALL, "scenario.toml": head})] == [
        "safe_default compares amounts with up_to, but there is no [money]",
        "cap compares amounts, but there is no [money]",
    ]


def test_some_would_be_declines_are_let_through() -> None:
    head = f"{SMALL['scenario.toml']}[holdout]\nshare = 0.01\ncap = 20_000\n"
    assert parse({**SMALL, "scenario.toml": head}).holdout == Holdout(0.01, 20_000)


def test_a_place_that_must_not_read_a_name_says_why() -> None:
    reasons = {
        each.hint
        for file, old, new in (
            ("features.toml", "!event.ok", "param.limit > 1"),
            ("features.toml", "profile.spend_mean", "score"),
            ("rules.toml", "event.amount > param.limit", "label.fraud"),
            ("rules.toml", "event.amount > param.limit", "finding.unusual"),
        )
        for each in problems_of(changed(file, old, new))
    }
    assert reasons == {
        "a profile feature reads event, profile and what is derived of these, so that every worker folds the same",
        "a derived feature reads event, profile, context and derived",
        'only context features on = "label" read the label',
        "only the policy reads findings and the score",
    }


def test_a_derived_feature_has_one_type_for_all_decided_events() -> None:
    features = SMALL["features.toml"] + 'plain = "event.amount"\n'
    problems = problems_of({**SMALL, "events.toml": SMALL["events.toml"] + REFUND, "features.toml": features})
    assert [(each.file, each.cause) for each in problems] == [
        ("features.toml", "its type differs from one type of event to another")
    ]
