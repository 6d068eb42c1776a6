"""Rules and models made ready elsewhere: the same wherever it is, and nothing that a check does reaches the worker."""

import sys
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from fraudbrain_realtime.controls import Controls, Preparation, PreparationAside, PreparationHere, Prepared
from fraudbrain_realtime.controls.prepare import open_model, open_rules
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.controls import own_rules
from fraudbrain_shared.decisions import DecisionCore, Origin
from fraudbrain_shared.features import ProfileFold
from fraudbrain_shared.models import load_scorer, pack, seal, unpack
from fraudbrain_shared.scenario.beginning import beginning_at
from fraudbrain_shared.scenario.load import find_scenario, read_folder
from fraudbrain_shared.scenario.rules import compile_rules
from tests.unit.models.releases import with_categories
from tests.unit.realtime.controls_of_cards import (
    CARDS,
    DAY,
    NAMES,
    T0,
    controls,
    decide,
    model_record,
    own_core,
    release,
    rules_record,
)

Make = Callable[..., Preparation]
FILES = read_folder(find_scenario("cards"))

# A child that a rule set can kill or make hang: what a check is not supposed to do, but might.
VULNERABLE = """
import os, signal, time
from fraudbrain_realtime.controls import preparing
def work(record, scenario):
    if b"kills" in record.value:
        os.kill(os.getpid(), signal.SIGKILL)
    while b"hangs" in record.value:
        time.sleep(0.1)
    return preparing._work(record, scenario)
preparing.main(work)
"""


@pytest.fixture(params=["here", "aside"])
def preparation(request: pytest.FixtureRequest) -> Iterator[Preparation]:
    made: Preparation = PreparationHere(CARDS) if request.param == "here" else PreparationAside(FILES)
    yield made
    made.close()


@pytest.fixture
def aside() -> Iterator[Make]:
    """Makes a preparation whose child can be killed."""
    made: list[PreparationAside] = []

    def make(timeout_s: float = 60.0) -> Preparation:
        made.append(PreparationAside(FILES, program=(sys.executable, "-c", VULNERABLE), timeout_s=timeout_s))
        return made[-1]

    yield make
    for each in made:
        each.close()


def ended(preparation: Preparation, count: int, timeout_s: float = 60.0) -> list[Prepared]:
    found: list[Prepared] = []
    deadline = time.monotonic() + timeout_s
    while len(found) < count:
        assert time.monotonic() < deadline
        found += preparation.results(0.2)
    return found


def test_each_record_ends_in_the_order_of_their_submission_ready_or_with_a_cause(preparation: Preparation) -> None:
    records = [
        rules_record("good", offset=0),
        rules_record("bad", offset=1, when="event.amoun > 1"),
        model_record("m", offset=2),
        ControlRecord("models", 3, b"champion", b"{}", T0),
        rules_record("with constants", offset=4, when="event.terminal_id.matches('^a+$')"),
    ]
    for each in records:
        preparation.submit(each)
    found = ended(preparation, len(records))
    assert [each.record for each in found] == records
    assert [each.made is not None for each in found] == [True, False, True, False, True]
    assert "unknown name event.amoun" in found[1].cause
    assert "not sealed" in found[3].cause


def test_what_is_opened_decides_as_what_is_compiled_here(preparation: Preparation) -> None:
    when = "event.terminal_id.matches('^t[0-9]$') && event.event_time.getHours('Europe/Paris') > 8"
    preparation.submit(rules_record("r", when=when))
    preparation.submit(model_record("m"))
    rules, model = ended(preparation, 2)
    core = open_rules(rules.record.value or b"", rules.made or b"", own_core())
    scorer, judge = open_model(model.made or b"", NAMES), load_scorer(seal(release("m")), NAMES)
    unknowing = CARDS.without_profile()
    judged = own_core().with_rules(
        core.rule_set, compile_rules(CARDS, core.rule_set), compile_rules(unknowing, core.rule_set)
    )
    for hour in range(24):
        time_ms = T0 + hour * 3_600_000
        assert findings(core, time_ms) == findings(judged, time_ms)
    assert (scorer.version, scorer.release.starting_values) == ("m", {})
    rows = [judge.spread(row) for row in judge.release.golden]
    assert [scorer.score(row) for row in rows] == [judge.score(row) for row in rows]
    assert [scorer.contributions(row) for row in rows] == [judge.contributions(row) for row in rows]
    assert (scorer.leaves(rows) == judge.leaves(rows)).all()


def test_rules_that_are_opened_over_a_log_without_its_beginning_are_unknown_where_it_is(
    preparation: Preparation,
) -> None:
    """Where the whole log is, a count is never unknown, and their code may rely on that."""
    preparation.submit(rules_record("r", when="profile.spend_1d_count * 2 >= 0"))
    (prepared,) = ended(preparation, 1)
    scenario, since = beginning_at(CARDS, T0)
    own = DecisionCore(scenario, own_rules(scenario), Origin("a", 1, "test"), ProfileFold(scenario, since))
    core = open_rules(prepared.record.value or b"", prepared.made or b"", own)
    made = Controls(scenario, lambda _: core)
    assert [decide(made, T0 + days * DAY, time=T0 + days * DAY).unknown for days in (0, 2)] == [("some",), ()]
    assert findings(core, T0 + 2 * DAY) == ("some",)


def findings(core: DecisionCore, time_ms: int) -> tuple[str, ...]:
    made = Controls(CARDS, lambda _: core)
    return decide(made, time_ms, time=time_ms).findings


def test_a_record_that_kills_the_child_is_tried_twice_then_rejected_and_the_next_one_is_prepared(aside: Make) -> None:
    preparation = aside()
    for offset, version in enumerate(("first", "kills", "last")):
        preparation.submit(rules_record(version, offset=offset))
    found = ended(preparation, 3)
    assert [each.made is not None for each in found] == [True, False, True]
    assert found[1].cause == "its check killed the checker, 2 times"


def test_a_check_that_does_not_end_is_given_up(aside: Make) -> None:
    preparation = aside(timeout_s=4.0)
    preparation.submit(rules_record("hangs"))
    preparation.submit(rules_record("last", offset=1))
    found = ended(preparation, 2)
    assert [each.made is not None for each in found] == [False, True]
    assert found[0].cause == "its check did not end within 4 s, 2 times"


def test_a_child_that_died_in_between_is_replaced_and_nothing_is_lost(aside: Make) -> None:
    preparation = aside()
    preparation.submit(rules_record("first"))
    ended(preparation, 1)
    assert isinstance(preparation, PreparationAside)
    assert preparation._child is not None
    preparation._child._process.kill()
    preparation._child._process.wait(10)
    preparation.submit(rules_record("last", offset=1))
    [found] = ended(preparation, 1)
    assert found.made is not None


def test_a_checker_that_cannot_be_started_rejects_with_that_cause() -> None:
    preparation = PreparationAside(FILES, program=("no-such-program",))
    preparation.submit(rules_record("r"))
    [found] = ended(preparation, 1)
    assert "cannot be started" in found.cause
    preparation.close()


def test_the_child_ends_with_its_worker(aside: Make) -> None:
    preparation = aside()
    assert isinstance(preparation, PreparationAside)
    preparation.submit(rules_record("r"))
    ended(preparation, 1)
    assert preparation._child is not None
    process = preparation._child._process
    preparation._child._socket.close()
    assert process.wait(20) == 0


def test_through_a_child_controls_reject_the_killer_and_go_on_deciding(aside: Make) -> None:
    made = controls(aside())
    made.update(rules_record("good", T0))
    made.settle()
    made.update(rules_record("kills", T0 + 1, offset=1))
    made.poll()
    assert decide(made, T0 + 90_000).versions.rules == "good"
    made.settle()
    assert made.problems == ("rules/1 rejected: its check killed the checker, 2 times",)
    assert decide(made, T0 + 90_000).versions.rules == "good"


def test_a_model_with_categories_scores_the_same_when_it_is_opened() -> None:
    made = msgspec.structs.replace(with_categories(3), version="c")
    loaded = load_scorer(seal(made), made.features)
    opened = unpack(pack(loaded), made.features)
    rows = [loaded.spread(row) for row in made.golden]
    assert [opened.score(row) for row in rows] == [loaded.score(row) for row in rows]
