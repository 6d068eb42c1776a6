"""Each check alone: one mistake in a sound scenario, and the one problem that it makes."""

import pytest

from tests.unit.scenario.small import SMALL, changed, parse, problems_of

Case = tuple[str, str, str, str, str]

EVENTS: list[Case] = [
    ("events.toml", "decide = true", "decide = 1", "2:10", "decide must be true or false, not a whole number"),
    ("events.toml", "decide = true", "decide = false", "", "no event type is decided"),
    ("events.toml", '"50ms"', '"50 ms"', "3:12", "deadline is no duration"),
    ("events.toml", '"50ms"', '"0ms"', "3:12", "deadline must be longer than nothing"),
    ("events.toml", 'deadline = "50ms"', "", "1:1", "deadline is missing"),
    ("events.toml", '{ outcome = "review" }', "", "1:1", "safe_default must end with an outcome for every amount"),
    ("events.toml", '"approve"', '"aprove"', "4:44", "unknown outcome aprove"),
    ("events.toml", "up_to = 5_000", "upto = 5_000", "4:19", "unknown key upto"),
    ("events.toml", 'amount = { type = "int"', 'amount = { type = "integer"', "8:19", "unknown type integer"),
    ("events.toml", '"bool"', '"timestamp"', "14:15", "fields of type timestamp are not supported yet"),
    ("events.toml", "min = 0,", "min = 2_000_000,", "8:33", "min 2000000 is above max 1000000"),
    ("events.toml", "1_000_000", "1e6", "8:42", "max must be a whole number, not a number"),
    ("events.toml", "1_000_000", "9_223_372_036_854_775_808", "8:42", "max does not fit in 64 bits"),
    ("events.toml", "max = 1.0", "max = inf", "15:41", "max must be finite"),
    ("events.toml", "max_length = 2", "max_length = 0", "9:58", "max_length is for strings, and at least 1"),
    ("events.toml", "{ type = \"bool\" }", '{ type = "bool", min = 0 }', "14:24", "min is for numbers; the field is a bool"),
    ("events.toml", '"terminal"', '"a terminal"', "7:43", "'a terminal' is no name: letters"),
    ("events.toml", "country =", "class =", "9:1", "class is a reserved word"),
    ("events.toml", "country =", "event_id =", "9:1", "every event has event_id; a field needs another name"),
    ("events.toml", "[login]", '[login]\ndeadline = "1s"', "12:1", "login is not decided, so it has no deadline"),
    ("events.toml", "[login]", "[login]\nsecret = 1", "12:1", "unknown key secret"),
    ("events.toml", "[login]", "[login]\nfields = 1\n[other]", "12:10", "fields must be a table, not a whole number"),
]
HEAD: list[Case] = [
    ("scenario.toml", '"small"', '"Small one"', "1:8", "'Small one' is no name for a scenario"),
    ("scenario.toml", '"small"', '""', "1:8", "name is empty"),
    ("scenario.toml", '"small"', "2024-01-01", "1:8", "name must be text, not a date or time"),
    ("scenario.toml", 'name = "small"', "", "", "name is missing"),
    ("scenario.toml", '"card_id"', '"amount"', "2:11", "the subject amount is of type int in payment"),
    ("scenario.toml", '"card_id"', '"country"', "2:11", "the subject country is optional in payment"),
    ("scenario.toml", "event.amount", "event.country", "4:10", "the amount must be a number"),
    ("scenario.toml", "event.amount", "profile.spend_sum", "4:11", "unknown name profile.spend_sum"),
    ("scenario.toml", "margin = 0.02", "margin = 2", "6:10", "margin is a share: from 0 to 1"),
    ("scenario.toml", "= 300", "= -1", "5:15", "review_cost must not be negative"),
    ("scenario.toml", "[money]", "[mony]", "3:1", "unknown key mony"),
]
FEATURES: list[Case] = [
    ("features.toml", 'on = "payment"', 'on = "paymnt"', "2:6", "unknown on paymnt"),
    ("features.toml", "event.amount\"\nread", "event.amonut\"\nread", "3:10", "unknown name event.amonut"),
    ("features.toml", "event.amount\"\nread", "profile.spend_sum\"\nread", "3:10", "unknown name profile.spend_sum"),
    ("features.toml", "event.amount\"\nread", "event.country\"\nread", "3:9", "a value is an int or a double, not a string"),
    ("features.toml", "!event.ok", "event.risk", "9:10", "this is of type double; bool is wanted here"),
    ("features.toml", "!event.ok", "event.risk > param.limit", "9:23", "unknown name param.limit"),
    ("features.toml", '["count", "seconds_since"]', '["count", "count"]', "10:18", "read count stands here twice"),
    ("features.toml", '["count", "seconds_since"]', '["count", "stddev"]', "10:18", "read stddev is not supported yet"),
    ("features.toml", '["count", "seconds_since"]', '["count", "cuont"]', "10:18", "unknown read cuont"),
    ("features.toml", '["count", "seconds_since"]', '["count", "max"]', "10:18", "read max needs a value"),
    ("features.toml", '["count", "seconds_since"]', "[1]", "10:9", "read holds text, not a whole number"),
    ("features.toml", '["count", "seconds_since"]', "[]", "10:8", "read is empty"),
    ("features.toml", 'window = "1d"', 'window = "90m"', "5:10", "the window 90m is no multiple of its hop 1h"),
    ("features.toml", 'window = "1d"', 'window = "30m"', "5:10", "the window 30m is shorter than its hop 1h"),
    ("features.toml", 'window = "1d"', 'window = "65h"', "6:7", "65 hops are too many; a window has at most 64"),
    ("features.toml", 'hop = "1h"', 'hop = "1h"\nlast = 100', "7:1", "last is not supported yet"),
    ("features.toml", 'hop = "1h"', "", "1:1", "hop is missing"),
    ("features.toml", "twice =", "while =", "14:1", "while is a reserved word"),
    ("features.toml", "profile.spend_mean", "derived.twice", "14:9", "derived features read each other in a circle: "),
    ("features.toml", "profile.spend_mean", "param.limit", "15:33", "unknown name param.limit"),
    ("features.toml", "profile.spend_mean", "profile.spend_min", "15:33", "unknown name profile.spend_min"),
    ("features.toml", "[profile.failures]", "[profil.failures]", "7:1", "unknown key profil"),
    (
        *("features.toml", "[derived]"),
        '[profile.again]\non = "payment"\nvalue = "event.amount"\nread = ["max"]\nwindow = "24h"\nhop = "60m"\n[derived]',
        *("13:1", "it folds the same as spend"),
    ),
]
PARAMETERS: list[Case] = [
    ("parameters.toml", "default = 1_000", "default = 9", "3:11", "default 9 is outside of low 10 to high 100000"),
    ("parameters.toml", "default = 1_000", "default = 1.5", "3:11", "default must be a whole number, not a number"),
    ("parameters.toml", "low = 10", "low = 1_000_000", "4:7", "low 1000000 is above high 100000"),
    ("parameters.toml", '"int"', '"text"', "2:8", "unknown type text"),
    ("parameters.toml", "high =", "hihg =", "1:1", "high is missing"),
    ("parameters.toml", "low = 10", 'low = 10\nper = "country"', "5:7", "per country is no field with an entity"),
]
RULES: list[Case] = [
    ("rules.toml", "param.limit", "param.limt", "3:24", "unknown name param.limt"),
    ("rules.toml", "event.amount > param.limit", "event.amount", "3:9", "this is of type int; bool is wanted here"),
    ("rules.toml", "event.amount > param.limit", "event.amount >", "3:22", ""),
    ("rules.toml", "event.amount > param.limit", "score > 0.5", "3:9", "unknown name score"),
    ("rules.toml", '"large"', '"unusual"', "5:8", "another rule is called unusual"),
    ("rules.toml", 'name = "large"', "", "1:1", "name is missing"),
    ("rules.toml", "description =", "describtion =", "6:1", "unknown key describtion"),
    ("policy.toml", "finding.unusual", "finding.unsual", "3:26", "unknown name finding.unsual"),
    ("policy.toml", '"decline"\nwhen', '"refuse"\nwhen', "2:8", "unknown name refuse"),
    ("policy.toml", 'on_unknown = "decline"', 'on_unknown = "maybe"', "4:14", "unknown on_unknown maybe"),
]
IMPORT: list[Case] = [
    ("import.toml", "[payment]", "[paymint]", "1:1", "unknown event type paymint"),
    ("import.toml", "amount = {", "amuont = {", "7:1", "payment has no field amuont"),
    ("import.toml", 'card_id = "CARD"', "", "4:1", "no column is given for card_id"),
    ("import.toml", '{ constant = "none" }', "{ constant = 1 }", "6:28", "the constant must be a string"),
    ("import.toml", '{ constant = "none" }', "{ }", "6:1", "either a column or a constant"),
    ("import.toml", '"Europe/Madrid"', '"Europe/Madird"', "3:39", "unknown time zone Europe/Madird"),
    ("import.toml", "scale = 100", "scale = 0", "7:38", "scale is for numbers, and not 0"),
    ("import.toml", 'event_id = "ID"', "event_id = 7", "2:12", "event_id must be text, not a whole number"),
    ("import.toml", 'event_id = "ID"', "", "1:1", "event_id is missing"),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "cause"), [*EVENTS, *HEAD, *FEATURES, *PARAMETERS, *RULES, *IMPORT]
)
def test_a_mistake_is_a_problem_with_its_place(file: str, old: str, new: str, place: str, cause: str) -> None:
    problems = problems_of(changed(file, old, new))
    here = [each for each in problems if each.file == file]
    assert [f"{each.line}:{each.column}" if each.line else "" for each in here][:1] == [place], here
    assert here[0].cause.startswith(cause)


@pytest.mark.parametrize(("file", "old", "new", "place", "cause"), [*FEATURES, *PARAMETERS])
def test_a_mistake_is_not_reported_again_by_what_reads_it(
    file: str, old: str, new: str, place: str, cause: str
) -> None:
    problems = problems_of(changed(file, old, new))
    assert {each.file for each in problems} == {file}


def test_the_small_scenario_is_sound() -> None:
    assert problems_of(SMALL) == []


@pytest.mark.parametrize("file", ["scenario.toml", "events.toml"])
def test_a_required_file_is_missed_once(file: str) -> None:
    problems = problems_of({name: text for name, text in SMALL.items() if name != file})
    assert [str(each) for each in problems] == [f"{file}: the file is missing\n  every scenario has one"]


def test_a_scenario_needs_two_files_only() -> None:
    files = {name: SMALL[name] for name in ("scenario.toml", "events.toml")}
    scenario = parse(files)
    assert (scenario.profile, scenario.rules, scenario.policy, scenario.importing) == ({}, (), (), None)


@pytest.mark.parametrize("file", ["events.toml", "features.toml", "parameters.toml", "rules.toml"])
def test_what_reads_an_unreadable_file_is_passed_over(file: str) -> None:
    problems = problems_of({**SMALL, file: "= ="})
    assert [(each.file, each.line) for each in problems] == [(file, 1)]


def test_a_file_of_another_name_is_a_problem() -> None:
    (problem,) = problems_of({**SMALL, "ruels.toml": ""})
    assert str(problem) == "ruels.toml: no file of a scenario\n  did you mean rules.toml?"


def test_amounts_are_compared_only_where_there_is_money() -> None:
    (problem,) = problems_of(changed("scenario.toml", "[money]", "[holdout]"))
    assert problem.cause == "safe_default compares amounts with up_to, but there is no [money]"


def test_what_later_tiers_read_is_accepted() -> None:
    later = {
        **SMALL,
        "scenario.toml": f"{SMALL['scenario.toml']}[holdout]\nshare = 0.01\ncap = 20_000\n",
        "features.toml": f'{SMALL["features.toml"]}[context.terminal.fraud]\non = "label"\nread = ["count"]\n',
        "parameters.toml": SMALL["parameters.toml"]
        + 'per = "terminal_id"\nmax_step = 0.25\nmax_step_abs = 1\nmin_interval = "30s"\nexpires = "7d"\n'
        + 'scale = "score"\ntuner = { kind = "rate", of = "label" }\n',
        "model.toml": "[gates]\n",
    }
    assert parse(later).parameters["limit"].per == "terminal_id"


def test_a_place_that_must_not_read_a_name_says_why() -> None:
    reasons = {
        each.hint
        for file, old, new in (
            ("features.toml", "!event.ok", "profile.spend_count > 1"),
            ("features.toml", "profile.spend_mean", "score"),
            ("rules.toml", "param.limit", "context.terminal_id.fraud_count"),
            ("rules.toml", "event.amount > param.limit", "finding.unusual"),
        )
        for each in problems_of(changed(file, old, new))
    }
    assert reasons == {
        "a profile feature reads its event only, so that every worker folds the same",
        "a derived feature reads event, profile and derived",
        "context features are not supported yet",
        "only the policy reads findings and the score",
    }


def test_a_feature_of_another_type_in_each_decided_type_is_refused() -> None:
    events = SMALL["events.toml"] + (
        '[refund]\ndecide = true\ndeadline = "1s"\nsafe_default = [{ outcome = "review" }]\n[refund.fields]\n'
        'card_id = { type = "string" }\namount = { type = "double" }\n'
    )
    problems = problems_of({**SMALL, "events.toml": events})
    assert any(each.cause.startswith("this is of type") or "no matching" in each.cause or each.cause for each in problems)
    assert {each.file for each in problems} <= {"features.toml", "rules.toml", "scenario.toml"}
