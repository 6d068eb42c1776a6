"""Which control record acts on which event: at once in life, step by step in a replay."""

from collections.abc import Iterable

import msgspec
import pytest

from fraudbrain_realtime.controls import feed as feed_module
from fraudbrain_realtime.controls.feed import ControlFeed, StepUnknown
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.records import StepEnd, StepGoal


class Seen:
    """Controls that only remember what they were given."""

    def __init__(self) -> None:
        self.offsets: list[tuple[str, int]] = []

    def update(self, record: ControlRecord) -> None:
        self.offsets.append((record.topic, record.offset))

    def settle(self) -> None:
        pass

    def poll(self) -> bool:
        return False


class Topics:
    """Records that come when they are read."""

    def __init__(self) -> None:
        self.coming: list[ControlRecord] = []

    def read(self, wait_s: float) -> Iterable[ControlRecord]:
        come, self.coming = self.coming, []
        return come


def parameter(offset: int) -> ControlRecord:
    return ControlRecord("parameters", offset, b"value|x|", b"{}")


def goal(run: str = "r") -> ControlRecord:
    return ControlRecord("progress", 0, f"goal|{run}".encode(), msgspec.json.encode(StepGoal(run, 0, 0, {})))


def end(step: int, parameters: int, run: str = "r") -> ControlRecord:
    value = msgspec.json.encode(StepEnd(run, step, 0, {"parameters": {"0": parameters}}))
    return ControlRecord("progress", 0, f"step|{run}|{step}".encode(), value)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def topics() -> Topics:
    return Topics()


@pytest.fixture
def feed(seen: Seen, topics: Topics) -> ControlFeed:
    return ControlFeed(seen, topics.read)  # type: ignore[arg-type]


def test_in_life_a_record_acts_as_soon_as_it_was_received(feed: ControlFeed, seen: Seen, topics: Topics) -> None:
    feed.start([parameter(0)])
    topics.coming = [parameter(1)]
    feed.refresh()
    assert seen.offsets == [("parameters", 0), ("parameters", 1)]
    assert feed.received["parameters"] == 2


def test_an_event_of_a_step_is_decided_by_exactly_the_records_below_its_end(
    feed: ControlFeed, seen: Seen, topics: Topics
) -> None:
    feed.start([goal(), end(0, 1), parameter(0), parameter(1)])
    assert seen.offsets == []
    feed.enter("r|0")
    assert seen.offsets == [("parameters", 0)]
    topics.coming = [parameter(2), end(1, 3)]
    feed.refresh()
    assert seen.offsets == [("parameters", 0)]
    feed.enter("r|1")
    assert seen.offsets == [("parameters", 0), ("parameters", 1), ("parameters", 2)]


def test_a_worker_that_starts_again_in_a_step_knows_no_more_than_before(feed: ControlFeed, seen: Seen) -> None:
    feed.start([goal(), end(0, 1), end(1, 2), parameter(0), parameter(1), parameter(2)])
    feed.enter("r|1")
    assert seen.offsets == [("parameters", 0), ("parameters", 1)]


def test_an_event_waits_for_its_step_and_the_records_below_its_end(
    feed: ControlFeed, seen: Seen, topics: Topics
) -> None:
    feed.start([goal()])
    topics.coming = [end(0, 1), parameter(0)]
    feed.enter("r|0")
    assert seen.offsets == [("parameters", 0)]


def test_a_step_that_never_comes_stops_the_worker(feed: ControlFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "STEP_TIMEOUT_S", 0.01)
    with pytest.raises(StepUnknown, match=r"r\|7"):
        feed.enter("r|7")


def test_after_a_replay_life_goes_on_with_all_records(feed: ControlFeed, seen: Seen) -> None:
    feed.start([goal(), end(0, 1), parameter(0), parameter(1)])
    feed.enter("r|0")
    feed.enter("")
    assert seen.offsets == [("parameters", 0), ("parameters", 1)]


def test_a_worker_that_starts_after_a_replay_lives(feed: ControlFeed, seen: Seen) -> None:
    feed.start([goal(), end(0, 1), parameter(0), parameter(1)])
    feed.enter("")
    assert seen.offsets == [("parameters", 0), ("parameters", 1)]


def test_models_act_before_the_thresholds_that_are_for_them(feed: ControlFeed, seen: Seen) -> None:
    feed.start([parameter(0), ControlRecord("models", 0, b"champion", b"{}")])
    assert seen.offsets == [("models", 0), ("parameters", 0)]
