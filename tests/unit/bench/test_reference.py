"""The reference work is what the bench says it is."""

import json
from statistics import mean

from fraudbrain_deploy.bench.rules.cases import EVENT_TYPE, EVENTS, named_values, read_cases, reference
from fraudbrain_deploy.bench.rules.dialects import node_count
from fraudbrain_deploy.bench.rules.measuring import COMPARED, CURVE, many_rules, rule_set
from fraudbrain_shared.scenario.rules import check_rules
from tests.bench.reference import files


def test_the_committed_files_are_those_that_the_script_makes() -> None:
    for path, text in files().items():
        assert path.read_text() == text, f"{path}: run python -m tests.bench.reference"


def test_events_have_20_fields_and_about_450_bytes() -> None:
    lines = EVENTS.read_bytes().splitlines()
    assert {len(json.loads(line)["fields"]) for line in lines} == {20}
    assert 430 < mean(map(len, lines)) < 490
    assert len(reference().event_types[EVENT_TYPE].fields) == 20


def test_the_model_reads_30_features_over_an_hour_a_day_a_week_and_a_month() -> None:
    scenario = reference()
    assert scenario.model is not None
    assert len(scenario.model.features) == 30
    assert {"spend_1h", "spend_1d", "spend_7d", "spend_30d"} < set(scenario.profile)


def test_rules_are_many_distinct_and_not_trivial() -> None:
    scenario = reference()
    assert len(scenario.rules) == 50
    assert len(many_rules()) == 1_000
    for size in COMPARED:
        rules = rule_set(scenario, size).rules
        assert len(rules) == size
        assert mean(node_count(rule.when) for rule in rules) >= 8
        assert len({rule.when for rule in rules}) > 0.9 * size
    check_rules(scenario, many_rules(), ())
    assert [len(rule_set(scenario, size).rules) for size in CURVE] == list(CURVE)


def test_of_the_cases_everything_is_known_and_has_a_name() -> None:
    scenario = reference()
    cases = read_cases(scenario)
    assert len(cases) > 300
    paths = sorted(check_rules(scenario, many_rules(), ()).reads)
    for case in cases[:: len(cases) // 10]:
        values = named_values(scenario, case, paths)
        assert list(values) == paths
        assert None not in values.values()
