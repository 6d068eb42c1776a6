from types import SimpleNamespace

import pytest

from fraudbrain_shared.records import RuleSet, RuleText
from fraudbrain_shared.scenario.context_table import worst_state_bytes
from fraudbrain_shared.scenario.feature_functions import compile_derived
from fraudbrain_shared.scenario.rules import compile_rules
from fraudbrain_shared.scenario.scope import context_reads
from fraudbrain_shared.scenario.usage import usage
from tests.unit.scenario.closing import CLOSING, CONTEXT, closing_with
from tests.unit.scenario.small import REFUND, SMALL, parse, problems_of

SCENARIO = parse(CLOSING)
PAYMENT = SCENARIO.event_types["payment"]
EVENT = SimpleNamespace(card_id="c", terminal_id="t", amount=2_000, country=None)
PROFILE = (2, 600, 300.0, 400, 0, None)
READS = ("fraud_count", "fraud_sum", "fraud_last", "fraud_seconds_since", "busy_count")


def test_context_is_kept_by_kind_of_entity_and_name() -> None:
    assert list(SCENARIO.context) == ["terminal.fraud", "terminal.busy"]
    assert [each.stale_after_ms for each in SCENARIO.context.values()] == [60_000, 5_000]
    assert [each.name for each in context_reads(SCENARIO, PAYMENT)] == [f"terminal_id.{read}" for read in READS]


def test_each_field_that_names_an_entity_has_its_own_reads() -> None:
    two = CLOSING["events.toml"].replace(
        "terminal_id =", 'payee_terminal = { type = "string", optional = true, entity = "terminal" }\nterminal_id ='
    )
    imports = CLOSING["import.toml"].replace("terminal_id =", 'payee_terminal = "PAYEE"\nterminal_id =')
    scenario = parse({**CLOSING, "events.toml": two, "import.toml": imports})
    names = [each.name for each in context_reads(scenario, scenario.event_types["payment"])]
    assert names == [f"{field}.{read}" for field in ("payee_terminal", "terminal_id") for read in READS]
    rules = RuleSet("v", (RuleText("risky", "context.payee_terminal.fraud_count > 0"),), ())
    judge = compile_rules(scenario, rules).judges["payment"]
    fields = SimpleNamespace(**vars(EVENT), payee_terminal=None)
    assert judge(fields, 0, PROFILE, (None,) * 5 + (3,) * 5, (), (1,), None)[1:] == ((), ("risky",), ())


def test_rules_and_derived_features_read_context_by_field() -> None:
    context = (1, 700, 700, 60, 3)
    derived = compile_derived(SCENARIO, PAYMENT)(EVENT, 0, PROFILE, context)
    assert dict(zip(SCENARIO.derived, derived, strict=True))["storm"] == 3.0
    rules = RuleSet("v", SCENARIO.rules[-2:], ())
    judge = compile_rules(SCENARIO, rules).judges["payment"]
    fired = tuple(rule.name for rule in rules.rules)
    assert judge(EVENT, 0, PROFILE, context, derived, (1, 1_999, 1.0, 0.5), None)[1] == fired
    assert judge(EVENT, 0, PROFILE, (0, 0, None, None, 0), derived, (1, 2_000, 1.0, 0.5), None)[1] == ()


def test_a_count_of_an_entity_that_is_always_named_is_known() -> None:
    rules = (
        RuleText("sure", "context.terminal_id.fraud_count >= 0"),
        RuleText("unsure", "context.terminal_id.fraud_last > 0"),
    )
    judge = compile_rules(SCENARIO, RuleSet("v", rules, ())).judges["payment"]
    judged = judge(EVENT, 0, PROFILE, (0, 0, None, None, 0), (), (), None)
    assert judged[1:] == (("sure",), ("unsure",), ())


def test_what_only_another_type_names_is_unknown() -> None:
    scenario = parse({**CLOSING, "events.toml": CLOSING["events.toml"] + REFUND})
    refund = scenario.event_types["refund"]
    assert context_reads(scenario, refund) == ()
    assert compile_derived(scenario, refund)(SimpleNamespace(card_id="c", amount=5.0), 0, PROFILE, ())[0] is None


def test_the_same_definition_keeps_its_state_whatever_it_is_called() -> None:
    renamed = parse(
        {
            **CLOSING,
            **{"features.toml": SMALL["features.toml"] + CONTEXT.replace("fraud]", "bad]")},
            "rules.toml": SMALL["rules.toml"],
        }
    )
    assert renamed.context["terminal.bad"].id == SCENARIO.context["terminal.fraud"].id


def test_context_is_shown_with_its_readers() -> None:
    shown = {read.name: read.used_by for feature in usage(SCENARIO).context for read in feature.reads}
    assert shown["context.terminal_id.fraud_count"] == ("rule risky_terminal",)
    assert shown["context.terminal_id.busy_count"] == ("derived storm",)


def test_the_longest_state_is_known_before_any_record() -> None:
    assert 28 * 20 < worst_state_bytes(SCENARIO.context["terminal.fraud"]) < 4_096


CASES = [
    ("[context.terminal.busy]", "[context.terminl.busy]", "no field names an entity terminl"),
    ('on = "label"', 'on = "labels"', "unknown source labels"),
    ('on = "payment"\nread = ["count"]', 'on = "login"\nread = ["count"]', "login names no terminal"),
    ('where = "label.fraud"', 'where = "label.frad"', "unknown name label.frad"),
    ('where = "label.fraud"', 'where = "profile.spend_count > 1"', "profile.spend_count cannot be read here"),
    ('where = "label.fraud"', 'where = "context.terminal_id.busy_count > 1"', "context.terminal_id.busy_count cannot"),
    (
        'value = "event.amount"\nread = ["count", "sum", "last"',
        'value = "1.5"\nread = ["count", "sum", "last"',
        "this is of type double",
    ),
    ('stale_after = "5s"', 'stale_after = "5"', "stale_after is no duration"),
    ('stale_after = "5s"', "stale = 5", "unknown key stale"),
    ('["count", "sum", "last", "seconds_since"]', '["count", "cuont"]', "unknown read cuont"),
    (
        '"double(context.terminal_id.busy_count)"',
        '"double(context.terminal.busy_count)"',
        "unknown name context.terminal.busy_count",
    ),
    ('window = "28d"\nhop = "1d"', 'window = "63d"\nhop = "1d"', "the entity's state may take"),
    (
        'where = "!event.ok"',
        'where = "context.terminal_id.busy_count > 1"',
        "context.terminal_id.busy_count cannot be read",
    ),
    ('where = "!event.ok"', 'where = "derived.storm > 1.0"', "derived.storm cannot be read here"),
    ('where = "!event.ok"', 'where = "label.fraud"', "label.fraud cannot be read here"),
]


@pytest.mark.parametrize(("old", "new", "cause"), CASES)
def test_a_mistake_is_a_problem(old: str, new: str, cause: str) -> None:
    causes = [
        each.cause for each in problems_of(closing_with("features.toml", old, new)) if each.file == "features.toml"
    ]
    assert any(each.startswith(cause) for each in causes), causes


def test_what_reads_broken_context_is_passed_over() -> None:
    broken = closing_with("features.toml", 'on = "label"', 'on = "labels"')
    assert {each.file for each in problems_of(broken)} == {"features.toml"}
    unreadable = {**CLOSING, "events.toml": "= ="}
    assert {each.file for each in problems_of(unreadable)} == {"events.toml"}
