import numpy as np
import pyarrow as pa
import pytest

from fraudbrain_deploy.replaying.average_precision import average_precision
from fraudbrain_deploy.replaying.controls_log import Move, Release
from fraudbrain_deploy.replaying.digests import Digests, digests
from fraudbrain_deploy.replaying.hindsight import Reviewed
from fraudbrain_deploy.replaying.loop_report import loop_report
from fraudbrain_shared.records import Decision, Outcome, ParameterValue, Scores, Source, Versions


def decision(number: int, outcome: Outcome, score: float | None, findings: tuple[str, ...] = ()) -> Decision:
    return Decision(
        event_id=f"e{number}",
        type="payment",
        subject="c1",
        event_time=number,
        source=Source(1, 0, number, 0),
        outcome=outcome,
        versions=Versions("s", "r", "b"),
        group="a",
        generation=1,
        feature_set="f",
        features=(),
        findings=findings,
        scores=Scores(champion=score),
    )


def moved(id_: str, tick: int = 7, value: float = 3) -> Move:
    return Move(ParameterValue("limit", id_, value, 4, tick, 99, "rate"), append_ms=1)


def table(decisions: list[Decision]) -> pa.Table:
    return pa.table(
        {
            "event_id": [each.event_id for each in decisions],
            "subject": [each.subject for each in decisions],
            "event_time": [each.event_time for each in decisions],
            "score": pa.array([each.scores.champion for each in decisions], pa.float64()),
            "outcome": [each.outcome for each in decisions],
        }
    )


def test_the_report_counts_what_moved_and_what_that_changed() -> None:
    made = [
        decision(0, "decline", None, ("x",)),  # before the first model
        decision(1, "review", 0.9),
        decision(2, "approve", 0.1),
        decision(3, "review", 0.2, ("x",)),
    ]
    reviewed = [
        Reviewed(made[0], 0, "decline", "decline", "decline"),
        Reviewed(made[1], 0, "review", "review", "approve"),  # by the model
        Reviewed(made[2], 0, "approve", "approve", "approve"),
        Reviewed(made[3], 0, "approve", "approve", "review"),  # not what was decided
    ]
    labels = pa.table({"subject": ["c1"] * 4, "event_id": ["e0", "e1", "e3", "e3"], "fraud": [True, True, True, False]})
    moves = [moved("t1"), moved("t1", 8), moved("t2"), moved("")]
    report = loop_report(reviewed, table(made), labels, moves=moves, releases=[Release("m1")], steps=3)
    assert (report.moves, report.entities_moved, report.releases) == (4, 2, ["m1"])
    assert (report.scored, report.changed_by_parameters, report.changed_by_model) == (3, 0, 2)
    assert report.not_reproduced == 1
    assert report.average_precision is not None
    found = report.average_precision
    assert (found.labelled, found.frauds) == (2, 1)  # e1 and e3, whose last label is good
    assert (found.rules_only, found.with_model) == (0.5, 1.0)


def test_without_a_model_there_is_no_average_precision() -> None:
    made = [decision(0, "approve", None)]
    labels = pa.table({"subject": ["c1"], "event_id": ["e0"], "fraud": [True]})
    reviewed = [Reviewed(made[0], 0, "approve", "approve", "approve")]
    assert loop_report(reviewed, table(made), labels, moves=[], releases=[], steps=1).average_precision is None


def test_average_precision_counts_equal_ranks_as_one_step() -> None:
    fraud = np.array([True, False, True, False])
    assert average_precision(fraud, np.array([4.0, 3.0, 2.0, 1.0])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(fraud, np.ones(4)) == 0.5
    assert average_precision(np.zeros(4, bool), np.ones(4)) is None


def test_average_precision_is_the_naive_one() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        fraud, ranks = random.random(40) < 0.3, random.integers(0, 8, 40).astype(float)
        if not fraud.any():
            continue
        naive = seen = 0.0
        for rank in sorted(set(ranks), reverse=True):
            above = ranks >= rank
            naive += (fraud[above].sum() - seen) / fraud.sum() * fraud[above].mean()
            seen = fraud[above].sum()
        assert average_precision(fraud, ranks) == pytest.approx(naive)


def digest_of(made: list[Decision], moves: list[Move], models: tuple[str, ...] = ("m1",)) -> Digests:
    return digests(table(made), [each.record for each in moves], models)


def test_digests_do_not_depend_on_the_order_of_the_log_but_on_every_value() -> None:
    made = [decision(0, "approve", 0.25), decision(1, "review", None)]
    moves = [moved("t1"), moved("t2")]
    one = digest_of(made, moves)
    assert digest_of(made[::-1], moves[::-1]) == one
    assert digest_of([decision(0, "approve", 0.2500001), made[1]], moves).decisions != one.decisions
    assert digest_of([decision(0, "review", 0.25), made[1]], moves).decisions != one.decisions
    assert digest_of(made, [moved("t1"), moved("t2", value=2)]).moves != one.moves
    assert digest_of(made, moves, ("m1", "m2")).models != one.models
