"""Every event that can be sent again is sent exactly once, whatever happens on the way."""

from contextlib import suppress
from random import Random

import msgspec
import pytest

from fraudbrain_deploy.dead_letters_replay import NOTE_HOLDS_MS, NOTE_IS_STALE_MS, Fate, Replayed, replay_headers
from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.records import Reason
from fraudbrain_shared.scenario import Scenario, load_scenario
from tests.unit.dead_letters.letters import TOPIC, Killed, World, letter, payment


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("cards")


def test_an_event_keeps_bytes_and_key_and_tells_whose_replay_it_is(scenario: Scenario) -> None:
    world = World()
    headers = (("trace", b"7"), ("replay.of", b"older"), ("replay.step", b"run|3"))
    put_aside = letter(4, payment("e1"), headers=headers)
    assert world.replay(scenario, put_aside).counts == {Fate.SENT: 1}
    [(key, value, sent)] = world.log
    assert (key, value) == (b"c1", payment("e1"))
    assert sent == (
        ("trace", b"7"),
        ("replay.of", put_aside.told.source.encode()),
        ("dlq.attempt", b"1"),
        ("dlq.first_seen", b"5"),
    )


def test_replaying_twice_sends_nothing_twice(scenario: Scenario) -> None:
    world = World()
    letters = [letter(number, payment(f"e{number}")) for number in range(5)]
    world.replay(scenario, *letters)
    world.now_ms += 10 * NOTE_IS_STALE_MS
    assert world.replay(scenario, *letters).counts == {Fate.REPLAYED: 5}
    assert len(world.log) == 5


def test_what_has_a_decision_is_not_sent(scenario: Scenario) -> None:
    world = World(decided={decision_row("c1", "e1")})
    told = world.replay(scenario, letter(0, payment("e1")), letter(1, payment("e2")))
    assert told.counts == {Fate.DECIDED: 1, Fate.SENT: 1}
    assert [value for _, value, _ in world.log] == [payment("e2")]


def test_a_dry_run_tells_the_same_and_changes_nothing(scenario: Scenario) -> None:
    world = World()
    assert world.replay(scenario, letter(0, payment("e1")), is_dry=True).counts == {Fate.SENT: 1}
    assert (world.log, world.notes) == ([], {})


def test_what_cannot_be_sent_is_said(scenario: Scenario) -> None:
    world = World()
    told = world.replay(
        scenario,
        letter(0, b"{", reason=Reason.FRAMING),
        letter(1, b" " * 1024, reason=Reason.OVERSIZE),
        letter(2, payment("e2"), reason=Reason.CONFLICT),
        letter(3, b"1,2,3", reason=Reason.MAPPING, topic="file.csv", key=None),
        letter(4, payment("e4"), topic="fraudbrain.cards.labels"),
        letter(5, payment("e5"), key=b"c2", reason=Reason.KEY_MISMATCH),
        letter(6, payment("e6", time=world.now_ms + 301_000)),
    )
    assert told.counts == {Fate.REFUSED: 3, Fate.CUT: 1, Fate.TAKEN: 1, Fate.NO_EVENT: 2}
    assert told.examples[Fate.REFUSED][0] == "0/0: framing: the value is not one JSON object in UTF-8"
    assert told.examples[Fate.NO_EVENT][0] == "0/3: mapping of file.csv/0/3"
    assert (world.log, world.notes) == ([], {})


def test_an_event_that_its_source_had_sent_twice_is_sent_once(scenario: Scenario) -> None:
    world = World()
    told = world.replay(scenario, letter(0, payment("e1")), letter(1, payment("e1")), letter(2, payment("e1")), chunk=2)
    assert told.counts == {Fate.SENT: 1, Fate.REPLAYED: 2}


def test_an_event_that_became_a_dead_letter_again_may_be_sent_again(scenario: Scenario) -> None:
    world = World()
    world.replay(scenario, letter(0, payment("e1")))
    assert world.replay(scenario, letter(9, payment("e1"), attempt=2)).counts == {Fate.SENT: 1}
    assert dict(replay_headers(letter(9, b"", attempt=2)))["dlq.attempt"] == b"2"


def test_one_id_of_two_subjects_is_two_events(scenario: Scenario) -> None:
    world = World()
    told = world.replay(scenario, letter(0, payment("e1")), letter(1, payment("e1", card="c2"), key=b"c2"))
    assert told.counts == {Fate.SENT: 2}


@pytest.mark.parametrize("seed", range(300))
def test_runs_that_are_killed_at_any_step_send_each_event_once(scenario: Scenario, seed: int) -> None:
    fate, world = Random(seed), World()
    letters = [letter(number, payment(f"e{number}")) for number in range(7)]
    for _ in range(fate.randint(1, 6)):
        with suppress(Killed):
            world.replay(scenario, *letters, fate=fate, chunk=fate.randint(1, 4))
        world.now_ms += fate.choice((10, NOTE_IS_STALE_MS))
    world.now_ms += NOTE_IS_STALE_MS
    world.replay(scenario, *letters)
    assert sorted(value for _, value, _ in world.log) == sorted(each.value for each in letters)


def test_a_run_leaves_alone_what_another_has_in_hand(scenario: Scenario) -> None:
    world = World()
    put_aside = letter(0, payment("e1"))
    with pytest.raises(Killed):
        world.replay(scenario, put_aside, fate=_DiesAt(3))  # noted, on its way, never written
    assert (world.log, len(world.notes)) == ([], 1)
    assert world.replay(scenario, put_aside).counts == {Fate.IN_HAND: 1}
    assert world.log == []
    world.now_ms += NOTE_IS_STALE_MS
    assert world.replay(scenario, put_aside).counts == {Fate.SENT: 1}
    assert TOPIC in msgspec.json.decode(next(iter(world.notes.values())))["source"]


def test_a_run_that_stood_still_before_it_sent_leaves_to_another_what_that_has_taken_over(scenario: Scenario) -> None:
    world = World()
    letters = [letter(number, payment(f"e{number}")) for number in range(3)]
    others: list[Replayed] = []

    def stand_still() -> None:
        world.now_ms += NOTE_IS_STALE_MS
        others.append(world.replay(scenario, *letters[1:]))

    world.before_send = stand_still
    told = world.replay(scenario, *letters)
    assert (others[0].counts, told.counts) == ({Fate.SENT: 2}, {Fate.SENT: 1, Fate.IN_HAND: 2})
    assert sorted(value for _, value, _ in world.log) == [each.value for each in letters]
    assert world.replay(scenario, *letters).counts == {Fate.REPLAYED: 3}


def test_a_run_that_sends_slowly_sends_all_the_same(scenario: Scenario) -> None:
    world = World()
    letters = [letter(number, payment(f"e{number}")) for number in range(5)]

    def pass_time() -> None:
        world.now_ms += NOTE_HOLDS_MS
        world.before_send = pass_time

    world.before_send = pass_time
    assert world.replay(scenario, *letters).counts == {Fate.SENT: 5}
    assert len(world.log) == 5


@pytest.mark.parametrize("was_noted", [False, True])
def test_of_two_runs_at_the_same_moment_one_sends(scenario: Scenario, was_noted: bool) -> None:
    world = World()
    put_aside = letter(0, payment("e1"))
    if was_noted:
        with pytest.raises(Killed):
            world.replay(scenario, put_aside, fate=_DiesAt(3))
        world.now_ms += NOTE_IS_STALE_MS
    others: list[Replayed] = []
    world.meanwhile = lambda: others.append(world.replay(scenario, put_aside))
    told = world.replay(scenario, put_aside)
    ours = Fate.REPLAYED if was_noted else Fate.IN_HAND
    assert (others[0].counts, told.counts, len(world.log)) == ({Fate.SENT: 1}, {ours: 1}, 1)


class _DiesAt(Random):
    """Dies at the n-th chance, with nothing of what is on its way written."""

    def __init__(self, chance: int) -> None:
        super().__init__(0)
        self._left = chance

    def random(self) -> float:
        self._left -= 1
        return 0.0 if self._left == 0 else 1.0

    def randint(self, a: int, b: int) -> int:
        return a
