"""What the judge reads by itself: records and conditions, as the engine reads them, by other code."""

import time
from typing import Any

import pytest

from fraudbrain_deploy.faults.campaign import SCENARIO
from fraudbrain_deploy.faults.checker.admission import defects_of
from fraudbrain_deploy.faults.checker.conditions import condition
from fraudbrain_deploy.faults.events import Events
from fraudbrain_deploy.faults.kinds import POISON
from fraudbrain_shared.admission import Admission, Rejected
from fraudbrain_shared.scenario.load import load_scenario
from tests.faults.fuzzed import Fuzzed

NOW_MS = 2_000_000_000_000
VALUES = {"a": 1, "b": 3, "unknown": None, "word": "web", "finding.yes": True, "finding.no": False}


@pytest.mark.parametrize("seed", range(4))
def test_fuzzed_records_are_admitted_by_both_or_refused_by_both_for_a_true_reason(seed: int) -> None:
    admission = Admission(load_scenario(str(SCENARIO)))
    fuzz = Events(seed, 10, [POISON])
    for _ in range(2_500):
        made = fuzz._fuzzed() if fuzz._chance.random() < 0.9 else fuzz._broken()
        admitted = admission.admit(made.value, made.key, NOW_MS)
        reasons, event = defects_of(made.value, made.key, NOW_MS)
        if isinstance(admitted, Rejected):
            assert admitted.reason.value in reasons, made
        else:
            assert not reasons, made
            assert event["fields"]["account_id"] == admission.subject(admitted)


@pytest.mark.parametrize("seed", range(4))
def test_messages_of_any_kind_are_admitted_by_both_or_refused_by_both_for_a_true_reason(seed: int) -> None:
    admission = Admission(load_scenario(str(SCENARIO)))
    fuzz, now_ms = Fuzzed(seed, 2_500), int(time.time() * 1000)
    for _ in range(2_500):
        made = fuzz.next()
        admitted = admission.admit(made.value, made.key, now_ms)
        reasons, _ = defects_of(made.value, made.key, now_ms)
        assert admitted.reason.value in reasons if isinstance(admitted, Rejected) else not reasons, made


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a >= 1", True),
        ("a > 1 || b > 1", True),
        ("a > 1 && b > 1", False),
        ("b == 3 * a", True),
        ('word == "web"', True),
        ("unknown > 1", None),
        ("unknown > 1 && a > 1", False),
        ("unknown > 1 || a == 1", True),
        ("unknown > 1 && a == 1", None),
        ("finding.yes && (finding.no || finding.yes)", True),
        ("a > 3 * unknown", None),
    ],
)
def test_a_condition_has_three_values(text: str, value: object) -> None:
    assert condition(text)(VALUES) is value


@pytest.mark.parametrize("text", ["", "a >", "a + 1", "a && ", "(a", "a)", "a ? b : a", "!a"])
def test_what_the_reader_does_not_know_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        condition(text)


def test_the_same_seed_makes_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_900_000_000.0)

    def some(seed: int) -> list[Any]:
        events = Events(seed, 500, ["poison", "duplicates", "disorder"])
        return [events.next() for _ in range(500)]

    assert some(1) == some(1)
    assert some(1) != some(2)
