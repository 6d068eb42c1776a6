"""What decides on an event: by append time for what acts on all, as it comes for what acts on one entity."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from fraudbrain_realtime.controls import Controls, PreparationHere, Prepared
from fraudbrain_realtime.ports import ControlRecord, Message
from fraudbrain_shared.controls import GRACE_MS
from fraudbrain_shared.topics import clock_key, context_key, hold_key
from tests.unit.realtime.controls_of_cards import (
    CARDS,
    DAY,
    OWN,
    T0,
    Later,
    amount_limit,
    controls,
    decide,
    hold_record,
    model_record,
    rules_record,
    value_record,
)

BEGIN = T0 + GRACE_MS


def test_a_model_and_the_thresholds_on_its_score_act_from_the_same_append_time_on() -> None:
    made = controls()
    made.update(rules_record("r", T0 - DAY))
    made.update(model_record("m1", T0, review_score=0.25, decline_score=0.75))
    made.settle()
    before, after = decide(made, BEGIN - 1), decide(made, BEGIN)
    assert (before.versions.model, before.scores.champion) == (None, None)
    assert (before.parameters["review_score"], before.parameters["decline_score"]) == (0.5, 0.9)
    assert after.versions.model == "m1"
    assert after.scores.champion is not None
    assert (after.parameters["review_score"], after.parameters["decline_score"]) == (0.25, 0.75)
    assert encoded(made, BEGIN - 1) == msgspec.json.encode(before)


def test_a_challenger_is_scored_from_its_time_on_and_taken_back_from_its_tombstones_on() -> None:
    made = controls()
    made.update(model_record("c", T0, key=b"challenger"))
    made.update(ControlRecord("models", 1, b"challenger", None, T0 + 10_000))
    made.settle()
    found = [decide(made, time).versions.challenger for time in (BEGIN - 1, BEGIN, BEGIN + 9_999, BEGIN + 10_000)]
    assert found == [None, "c", "c", None]


def test_a_persons_word_on_a_global_parameter_acts_by_append_time() -> None:
    made = controls()
    made.update(rules_record("r", T0 - DAY))
    made.update(hold_record("large_amount_limit", 7_000, T0))
    made.update(ControlRecord("parameters", 1, hold_key("large_amount_limit"), None, T0 + 10_000))
    made.settle()
    times = (BEGIN - 1, BEGIN, BEGIN + 9_999, BEGIN + 10_000)
    found = [decide(made, time).parameters["large_amount_limit"] for time in times]
    assert found == [100_000, 7_000, 7_000, 100_000]
    assert decide(made, BEGIN - 1, step="r|1").parameters["large_amount_limit"] == 100_000


def test_what_is_said_of_one_entity_acts_on_the_next_event() -> None:
    made = controls()
    when = "event.amount > param.terminal_amount_limit"
    made.update(rules_record("r", T0 - DAY, when=when))
    made.settle()
    assert decide(made, T0).parameters["terminal_amount_limit"] == 100_000
    made.update(value_record(amount_limit(50_000), T0 + DAY))
    assert decide(made, T0).parameters["terminal_amount_limit"] == 50_000
    assert decide(made, T0, terminal="t2").parameters["terminal_amount_limit"] == 100_000


def test_a_parameter_or_a_model_read_too_late_acts_on_the_next_event_and_is_counted() -> None:
    made = controls()
    made.update(rules_record("r", T0 - DAY))
    made.settle()
    decide(made, T0 + 9_000)
    made.update(hold_record("large_amount_limit", 7_000, T0 + 7_000))
    made.update(model_record("m1", T0 + 6_000))
    made.poll()
    assert made.counts == {"parameters_read_late": 1, "models_read_late": 1}
    late = decide(made, T0 + 9_000)
    assert (late.parameters["large_amount_limit"], late.versions.model) == (7_000, "m1")
    assert decide(made, T0 + 7_999).versions.model is None


def test_rules_that_are_ready_too_late_act_by_their_append_time_as_any_late_record() -> None:
    later = Later()
    made = controls(later)
    made.update(rules_record("r", T0))
    made.poll()
    assert made.unready_from("rules") == 0
    assert decide(made, BEGIN).versions.rules == OWN.version
    later.go_on()
    assert made.poll()
    assert (made.counts, made.unready_from("rules")) == ({"rules_read_late": 1}, None)
    assert [decide(made, time).versions.rules for time in (BEGIN - 1, BEGIN)] == [OWN.version, "r"]


def test_rules_that_are_ready_within_the_grace_are_not_late() -> None:
    later = Later()
    made = controls(later)
    made.update(rules_record("r", T0))
    made.poll()
    decide(made, BEGIN - 1)
    later.go_on()
    made.poll()
    assert (made.counts, decide(made, BEGIN).versions.rules) == ({}, "r")


@pytest.mark.parametrize("seed", range(10))
def test_each_event_meets_what_was_published_the_grace_before_it_of_every_control(seed: int) -> None:
    rng = Random(seed)
    made, published = controls(), dict[str, list[tuple[int, object]]](rules=[], model=[], limit=[])
    time = T0
    for offset in range(12):
        time += rng.randrange(5_000)
        kind = rng.choice(["rules", "model", "limit"])
        version: object = f"{kind}{offset}" if kind != "limit" else 5_000 + offset
        if kind == "limit":
            made.update(hold_record("large_amount_limit", 5_000 + offset, time, offset))
        elif kind == "rules":
            made.update(rules_record(str(version), time, offset))
        else:
            made.update(model_record(str(version), time, offset))
        published[kind].append((time + GRACE_MS, version))
    made.settle()

    def due(kind: str, first: object, append_time: int) -> object:
        return [first, *(version for since, version in published[kind] if since <= append_time)][-1]

    for _ in range(40):
        append_time = rng.randrange(T0, time + 5_000)
        found = decide(made, append_time)
        assert found.versions.rules == due("rules", OWN.version, append_time)
        assert found.versions.model == due("model", None, append_time)
        if found.versions.rules != OWN.version:
            assert found.parameters["large_amount_limit"] == due("limit", 100_000, append_time)


def test_between_two_activations_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made = controls()
    made.update(rules_record("r", T0))
    made.update(hold_record("large_amount_limit", 7_000, T0 + 5_000))
    made.settle()
    looked: list[float] = []
    look_up = made._look_up
    monkeypatch.setattr(made, "_look_up", lambda time: looked.append(time) or look_up(time))  # type: ignore[func-returns-value]
    for time in range(BEGIN, BEGIN + 10_000, 100):
        decide(made, time)
    assert looked == [BEGIN, BEGIN + 5_000]


BAD = {
    "no rule set": ControlRecord("rules", 1, b"live", b"{", T0),
    "an unknown field": ControlRecord(
        "rules", 1, b"live", b'{"version":"2","rules":[{"name":"x","when":"event.amoun > 1"}],"policy":[]}', T0
    ),
    "a field of rules that there is not": ControlRecord(
        "rules", 1, b"live", b'{"version":"2","rules":[{"name":"x","then":"1"}],"policy":[]}', T0
    ),
    "a condition above the cost limit": rules_record(
        "2", offset=1, when=" && ".join(f"event.terminal_id.matches('a{n}.*b')" for n in range(200))
    ),
    "a set above the cost limit": ControlRecord(
        "rules",
        1,
        b"live",
        msgspec.json.encode(
            {
                "version": "2",
                "rules": [
                    {"name": f"r{n}", "when": " || ".join(f"event.terminal_id.matches('a{n}{m}b')" for m in range(20))}
                    for n in range(60)
                ],
                "policy": [],
            }
        ),
        T0,
    ),
    "a pattern that grows without bounds": rules_record(
        "2", offset=1, when="event.terminal_id.matches('((a{30}){30}){30}b')"
    ),
    "bytes that are no text": ControlRecord(
        "rules", 1, b"live", b'{"version":"2","rules":[],"policy":[],"\xa4":1}', T0
    ),
    "ten megabytes": ControlRecord("rules", 1, b"live", b'{"version":"' + b"x" * 10_000_000 + b'"}', T0),
    "a number that is none": rules_record("2", offset=1, when="event.amount > NaN"),
    "an infinite value": ControlRecord(
        "parameters",
        1,
        hold_key("large_amount_limit"),
        b'{"name":"large_amount_limit","id":"","action":"pin","author":"a","reason":"b","value":1e999}',
        T0,
    ),
    "a value out of bounds": hold_record("large_amount_limit", 1, offset=1),
    "a step that is too long": value_record(amount_limit(20_000), offset=1),
    "a value of an earlier tick": value_record(amount_limit(60_000, tick=T0 - 3 * DAY), offset=1),
    "a value that would never expire": value_record(amount_limit(60_000, tick=T0 + 400 * DAY), offset=1),
    "a clock beyond all times": ControlRecord(
        "context", 1, clock_key("j"), b'{"job":"j","event_time":1' + b"0" * 400 + b"}", T0
    ),
    "a key of nothing": ControlRecord("parameters", 1, b"value|nothing|", None, T0),
    "a key of an older scenario's kind": ControlRecord("context", 1, b"\xff", None, T0),
    "a state that is none": ControlRecord("context", 1, b"terminal|t", b"[1]", T0),
    "a model that is none": ControlRecord("models", 1, b"champion", b"{}", T0),
    "no topic of ours": ControlRecord("nothing", 1, b"k", b"{}", T0),
}


@pytest.mark.parametrize("record", BAD.values(), ids=BAD)
def test_a_bad_record_is_rejected_with_its_cause_and_what_stood_stays(record: ControlRecord) -> None:
    made = controls()
    for good in (
        rules_record("r", T0 - DAY, when="event.amount > param.terminal_amount_limit"),
        model_record("m", T0 - DAY),
        hold_record("large_amount_limit", 7_000, T0 - DAY),
        value_record(amount_limit(60_000)),
    ):
        made.update(good)
    made.settle()
    before, versions = [encoded(made, time) for time in (T0, T0 + DAY)], made.versions
    made.update(record)
    made.poll()
    [problem] = made.problems
    assert problem.startswith(f"{record.topic}/1 rejected: ")
    assert 20 < len(problem) < 1_100
    assert made.counts == {"controls_rejected": 1}
    assert ([encoded(made, time) for time in (T0, T0 + DAY)], made.versions) == (before, versions)


def test_whatever_a_check_raises_and_whatever_comes_out_of_it_is_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(PreparationHere):
        def results(self, wait_s: float = 0.0) -> Sequence[Prepared]:
            return [Prepared(each.record, b"garbage") for each in super().results(wait_s)]

    made = controls(Broken(CARDS))
    made.update(rules_record("r"))
    made.update(model_record("m"))
    made.poll()
    assert [each.partition(" rejected: ")[0] for each in made.problems] == ["rules/0", "models/0"]

    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setitem(made._take, "parameters", fail)
    made.update(hold_record("large_amount_limit", 7_000))
    assert made.problems[-1] == "parameters/0 rejected: RecursionError"
    assert decide(made, T0 + DAY).versions.rules == OWN.version


def test_many_rejections_of_one_topic_do_not_hide_those_of_another() -> None:
    made = controls()
    made.update(ControlRecord("rules", 7, b"live", b"{", T0))
    made.poll()
    for offset in range(50):
        made.update(ControlRecord("context", offset, b"terminal|t", b"{", T0))
    assert any(each.startswith("rules/7 rejected: ") for each in made.problems)
    assert len(made.problems) == 6


def encoded(made: Controls, append_time: int) -> bytes:
    return msgspec.json.encode(decide(made, append_time))


def state(terminal: str, frauds: int) -> ControlRecord:
    [feature] = [each for each in CARDS.context.values() if each.name == "fraud_7d"]
    hops = [[(T0 - DAY) // feature.hop_ms, frauds, frauds, 1, 1]]
    value = {"entity": "terminal", "id": terminal, "states": {feature.id: [hops, 1, T0 - DAY]}}
    return ControlRecord("context", 0, context_key("terminal", terminal), msgspec.json.encode(value), T0)


def test_what_was_put_away_is_unknown_and_degrades_the_decision_and_what_never_was_is_nothing() -> None:
    made = controls(most_entities=3)
    made.update(rules_record("r", T0 - DAY, when="context.terminal_id.fraud_7d_count > 2"))
    made.settle()
    made.update(ControlRecord("context", 0, clock_key("j"), msgspec.json.encode({"job": "j", "event_time": T0}), T0))
    for number in range(5):
        made.update(state(f"t{number}", 3))
    gone, kept, never = (decide(made, T0, terminal=each) for each in ("t0", "t4", "nobody"))
    assert (gone.unknown, gone.context["terminal_id.fraud_7d_count"]) == (("some",), None)
    assert "context_put_away" in gone.degraded
    assert (kept.findings, kept.degraded) == (("some",), ())
    assert (never.context["terminal_id.fraud_7d_count"], never.degraded) == (0, ())
    assert made.counts == {"context_put_away": 2}


def test_a_parameter_that_was_put_away_is_where_it_starts_and_degrades_the_decision() -> None:
    made = controls(most_entities=2)
    made.update(rules_record("r", T0 - DAY, when="event.amount > param.terminal_amount_limit"))
    made.settle()
    for number in range(3):
        made.update(value_record(amount_limit(50_000, f"t{number}")))
    gone, kept = decide(made, T0, terminal="t0"), decide(made, T0, terminal="t2")
    assert (gone.parameters["terminal_amount_limit"], gone.degraded) == (100_000, ("parameters_put_away",))
    assert (kept.parameters["terminal_amount_limit"], kept.degraded) == (50_000, ())
    assert made.counts == {"parameters_put_away": 1}


def test_what_is_put_aside_names_the_versions_that_a_decision_would() -> None:
    made = controls()
    for record in (rules_record("r1"), rules_record("r2", T0 + 10_000, 1), model_record("m1", T0 + 20_000, 2)):
        made.update(record)
    made.settle()
    times = (BEGIN - 1, BEGIN, BEGIN + 9_999, BEGIN + 10_000, BEGIN + 20_000)
    for time in (*times, *reversed(times)):
        told = made.versions_on(Message(0, 0, time, b"c1", b"{"))
        decided = decide(made, time).versions
        assert (told["rules"], told.get("model")) == (decided.rules, decided.model)
    stepped = Message(0, 0, T0, b"c1", b"{", step="r|1", clock=T0)
    assert made.versions_on(stepped) == {"rules": "r2", "model": "m1"}
