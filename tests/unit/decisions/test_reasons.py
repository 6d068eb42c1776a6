"""What people are told of a decision."""

from typing import Any

from fraudbrain_shared.decisions.reasons import reasons
from fraudbrain_shared.models import Contributions
from fraudbrain_shared.records import Decision, RuleText, Scores, Source, Versions

RULES = (RuleText("large", "event.amount > 10", "A large payment"), RuleText("odd", "event.amount > 20"))


def decision(**said: Any) -> Decision:
    return Decision(
        event_id="e",
        type="payment",
        subject="c",
        event_time=0,
        source=Source(1, 0, 0, 0),
        outcome="review",
        versions=Versions("s", "r", "b"),
        group="a",
        generation=1,
        feature_set="f",
        features=(),
        **said,
    )


def test_each_finding_is_told_by_its_description_or_its_name() -> None:
    assert reasons(decision(findings=("large", "odd")), RULES) == ("A large payment", "odd")


def test_where_nothing_was_found_that_is_said() -> None:
    assert reasons(decision(), RULES) == ("Nothing was found",)


def test_what_was_missing_is_told() -> None:
    assert reasons(decision(degraded=("policy_unknown:decline", "context_stale", "model_missing")), RULES) == (
        "Whether the policy's clause decline applies could not be known",
        "What is known of entities was too old to rely on",
        "model_missing",
    )


def test_the_score_is_told_with_the_features_that_moved_it_most() -> None:
    scored = decision(scores=Scores(champion=0.9312))
    spoke = Contributions(-3.0, {"ratio": 2.5, "count": -0.5, "age": 0.01, "unseen": 1.0})
    values = {"ratio": 12.5, "count": 3.0, "age": 1.0, "unseen": None}
    assert reasons(scored, RULES) == ("The model puts the probability of fraud at 93.1%",)
    assert reasons(scored, RULES, values=values, contributions=spoke) == (
        "The model puts the probability of fraud at 93.1%: "
        "ratio 12.5 for (+2.50), unseen unknown for (+1.00), count 3 against (-0.50)",
    )
