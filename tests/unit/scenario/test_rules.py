from types import SimpleNamespace

import pytest

from fraudbrain_shared.records import ClauseText, RuleSet, RuleText
from fraudbrain_shared.scenario import ScenarioError
from fraudbrain_shared.scenario.feature_functions import compile_derived
from fraudbrain_shared.scenario.rules import Verdict, check_rules, compile_rules
from fraudbrain_shared.scenario.scope import profile_reads
from tests.unit.scenario.small import REFUND, SMALL, changed, parse

SCENARIO = parse(SMALL)
PAYMENT = SCENARIO.event_types["payment"]
EVENT = SimpleNamespace(card_id="c", terminal_id="t", amount=2_000, country=None)
# spend count, sum, mean, last; failures count, seconds since
PROFILE = (2, 600, 300.0, 400, 0, None)


def rule_set(*conditions: str, policy: tuple[str, ...] = ()) -> RuleSet:
    rules = tuple(RuleText(f"rule_{place}", when) for place, when in enumerate(conditions))
    return RuleSet("v1", rules, tuple(ClauseText("review", when) for when in policy))


def test_reads_have_one_order() -> None:
    assert profile_reads(SCENARIO) == (
        *("spend_count", "spend_sum", "spend_mean", "spend_last"),
        *("failures_count", "failures_seconds_since"),
    )


def test_derived_features_stand_after_what_they_read() -> None:
    assert list(SCENARIO.derived) == ["ratio", "twice"]
    assert compile_derived(SCENARIO, PAYMENT)(EVENT, 0, PROFILE, ()) == (2_000 / 300.0, 2 * 2_000 / 300.0)


def test_derived_features_of_nothing_are_unknown() -> None:
    assert compile_derived(SCENARIO, PAYMENT)(EVENT, 0, (0, 0, None, None, 0, None), ()) == (None, None)


def test_a_derived_feature_in_error_is_unknown() -> None:
    derived = 'whole = "event.amount / profile.spend_count"\nratio'
    scenario = parse(changed("features.toml", "ratio = ", f"{derived} = "))
    assert list(scenario.derived) == ["whole", "ratio", "twice"]
    assert compile_derived(scenario, PAYMENT)(EVENT, 0, (0, 0, None, None, 0, None), ()) == (None, None, None)


def test_a_rule_fires_or_not_or_is_unknown_or_fails() -> None:
    compiled = compile_rules(
        SCENARIO, rule_set(*(rule.when for rule in SCENARIO.rules), "1 / (event.amount - 2000) > 0", "event.amount < 0")
    )
    assert list(compiled.judges) == ["payment"]
    judged = compiled.judges["payment"](EVENT, 0, PROFILE, (), (6.7, 13.3), (1_000,), None)
    assert judged == (("approve", ()), ("rule_0", "rule_1"), ("rule_2",), ("rule_3",))


def verdict(twice: float, score: float | None, *policy: ClauseText) -> Verdict:
    """By the scenario's rules, of which the first fires, and the second where `twice` is large."""
    judge = compile_rules(SCENARIO, RuleSet("v1", SCENARIO.rules, policy or SCENARIO.policy)).judges["payment"]
    found: Verdict = judge(EVENT, 0, PROFILE, (), (1.0, twice), (1_000,), score)[0]
    return found


def test_the_first_clause_that_holds_gives_the_outcome() -> None:
    assert [clause.name for clause in SCENARIO.policy] == ["decline", "review"]
    assert verdict(13.3, 0.6) == ("decline", ())
    assert verdict(1.0, 0.6) == ("review", ())
    assert verdict(1.0, 0.4) == ("approve", ())


def test_a_clause_that_cannot_be_known_gives_what_it_has_for_that_unless_only_the_score_lacks() -> None:
    assert verdict(1.0, None) == ("approve", ())
    unknown = ClauseText("decline", "event.country == 'x'", on_unknown="review")
    assert verdict(1.0, None, unknown) == ("review", ("policy_unknown:decline",))


def test_a_rule_set_knows_what_it_reads() -> None:
    compiled = compile_rules(SCENARIO, RuleSet("v1", SCENARIO.rules, SCENARIO.policy))
    assert compiled.reads == {
        *("event.amount", "event.country", "param.limit", "derived.twice"),
        *("finding.large", "finding.unusual", "score"),
    }


def test_what_only_another_type_declares_is_unknown() -> None:
    compiled = compile_rules(SCENARIO, rule_set("event.ok", "event.risk > 0.5 || event.amount > 0"))
    _, fired, unknown, _ = compiled.judges["payment"](EVENT, 0, PROFILE, (), (None, None), (1,), None)
    assert (fired, unknown) == (("rule_1",), ("rule_0",))


def test_events_have_their_time() -> None:
    compiled = compile_rules(SCENARIO, rule_set("event.event_time >= timestamp('1970-01-01T00:00:01Z')"))
    judge = compiled.judges["payment"]
    assert judge(EVENT, 999, PROFILE, (), (None, None), (1,), None)[1] == ()
    assert judge(EVENT, 1_000, PROFILE, (), (None, None), (1,), None)[1] == ("rule_0",)


def test_a_rule_set_from_a_topic_is_refused_with_all_its_problems() -> None:
    rules = (RuleText("large", "event.amuont > param.limit"), RuleText("large", "score > 0.5\n|| event.amount > 5"))
    with pytest.raises(ScenarioError) as raised:
        check_rules(SCENARIO, rules, (ClauseText("decline", "finding.lagre"),))
    assert str(raised.value).split("\n\n") == [
        "rule large: another rule is called large\n  rename one",
        "rule large:1:1: unknown name event.amuont\n"
        "  event.amuont > param.limit\n"
        "  ^~~~~~~~~~~~\n"
        "  did you mean event.amount?",
        "rule large:1:1: score cannot be read here\n"
        "  score > 0.5\n"
        "  ^~~~~\n"
        "  only the policy reads findings and the score",
        "outcome decline:1:1: unknown name finding.lagre\n"
        "  finding.lagre\n"
        "  ^~~~~~~~~~~~~\n"
        "  did you mean finding.large?",
    ]


def test_what_a_rule_reads_may_be_unknown_on_one_type_only() -> None:
    features = SMALL["features.toml"] + "longer = 'size(event.terminal_id) + 1'\n"
    scenario = parse({**SMALL, "events.toml": SMALL["events.toml"] + REFUND, "features.toml": features})
    refund = SimpleNamespace(card_id="c", amount=5.0)
    derived = compile_derived(scenario, scenario.event_types["refund"])(refund, 0, PROFILE, ())
    assert derived[-1] is None
    compiled = compile_rules(scenario, rule_set("derived.longer > 3", "event.terminal_id == 't'"))
    judged = compiled.judges["refund"](refund, 0, PROFILE, (), derived, (1,), None)
    assert judged == (("approve", ()), (), ("rule_0", "rule_1"), ())
