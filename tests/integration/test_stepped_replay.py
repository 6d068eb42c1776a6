"""The protocol of a replay in steps, with tiers that only say on `progress` what the protocol wants of them."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import EventSource, event_stream
from fraudbrain_deploy.offline_work import Trained
from fraudbrain_deploy.replaying import barrier
from fraudbrain_deploy.replaying.display import Silent
from fraudbrain_deploy.replaying.sending import Sent
from fraudbrain_deploy.replaying.stepping import Stepping, send_in_steps
from fraudbrain_shared.records import CLOCK_HEADER, STEP_HEADER, Event, Progress, StepEnd, StepGoal

HOUR = 3_600_000
DAY = 24 * HOUR


class FakeTiers:
    """A slow tier that reaches each goal, having moved one parameter, and a worker that receives what there is."""

    def __init__(self, deployment: Deployment, *, deaf: str = "") -> None:
        self._deployment = deployment
        self._bootstrap = deployment.stack.kafka_bootstrap
        self._producer = kafka.producer(self._bootstrap)
        self._deaf = deaf
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tiers", daemon=True)
        self._reached = ""

    def __enter__(self) -> "FakeTiers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        topic = self._deployment.names.topic("progress")
        reader = kafka.consumer_from(self._bootstrap, {topic: {0: 0}})
        while not self._over.is_set():
            for message in reader.consume(50, 0.05):
                if message.error() is None and (message.key() or b"").startswith(b"goal|") and message.value():
                    self._reach(msgspec.json.decode(message.value() or b"", type=StepGoal))
            if self._deaf != "worker":
                self._tell("realtime|a|w1", Progress("realtime", "w1", self._received(), ready=True))
        reader.close()

    def _reach(self, goal: StepGoal) -> None:
        if self._deaf == "slow":
            return
        self._producer.produce(self._deployment.names.topic("parameters"), b"{}", f"value|x|{goal.step}".encode())
        self._producer.flush(10)
        self._tell(tiers.ARCHIVE, Progress("streaming", "archive", goal.offsets, ready=True))
        self._tell(tiers.LOOP, Progress("streaming", "loop", step=f"{goal.run}|{goal.step}", ready=True))

    def _received(self) -> dict[str, dict[str, int]]:
        names = self._deployment.names
        ends = {topic: kafka.end_offsets(self._bootstrap, names.topic(topic)) for topic in barrier.CONTROLS}
        return {topic: {str(number): end for number, end in at.items()} for topic, at in ends.items()}

    def _tell(self, key: str, progress: Progress) -> None:
        self._producer.produce(self._deployment.names.topic("progress"), msgspec.json.encode(progress), key.encode())
        self._producer.flush(10)


@pytest.fixture
def source(deployment: Deployment, tmp_path: Path) -> EventSource:
    """Events on three days, none on the second of four; labels a day and a half later."""
    times = [9 * HOUR, 10 * HOUR, 2 * DAY, 3 * DAY + HOUR]
    events = {
        "event_id": ["1", "2", "3", "4"],
        "type": ["payment"] * 4,
        "event_time": times,
        "card_id": ["a", "b", "c", "d"],
        "terminal_id": ["t"] * 4,
        "amount": [100] * 4,
    }
    labels = {
        "event_id": ["1", "2", "3", "4"],
        "subject": ["a", "b", "c", "d"],
        "fraud": [True] * 4,
        "known_at": [each + 36 * HOUR for each in times],
        "source": ["test"] * 4,
    }
    pq.write_table(pa.table(events), tmp_path / "events.parquet")
    pq.write_table(pa.table(labels), tmp_path / "labels.parquet")
    return event_stream(deployment.scenario, tmp_path)


class Screen(Silent):
    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int, int]] = []

    def stepped(self, step: int, of: int, date_ms: int, moves: int) -> None:
        self.steps.append((step, of, date_ms, moves))


def sent_in_steps(
    deployment: Deployment,
    source: EventSource,
    screen: Screen,
    *,
    train_every_ms: int | None = None,
    wait_decided: Callable[[kafka.Offsets, Sent], None] = lambda *_: None,
) -> list[int]:
    """Sends the source; the times at which training was due."""
    trained: list[int] = []

    def train(_: Deployment, as_of_ms: int, on_turn: Callable[[], None]) -> Trained:
        trained.append(as_of_ms)
        return Trained(skipped="a test")

    stepping = Stepping(DAY, train_every_ms)
    send_in_steps(
        deployment,
        source,
        stepping,
        build="test",
        wait_decided=wait_decided,
        on_turn=lambda _: None,
        screen=screen,
        train=train,
    )
    return trained


def records(deployment: Deployment, topic: str) -> Iterator[kafka.Message]:
    return kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic(topic))


def test_each_step_is_sent_when_all_have_done_with_the_one_before(deployment: Deployment, source: EventSource) -> None:
    screen = Screen()
    waited: list[int] = []
    with FakeTiers(deployment):
        trained = sent_in_steps(
            deployment,
            source,
            screen,
            train_every_ms=36 * HOUR,
            wait_decided=lambda ends, _: waited.append(sum(ends.values())),
        )

    assert trained == [36 * HOUR, 72 * HOUR]  # ends the second step early, and the fourth in time
    assert waited == [2, 2, 2, 3, 4]
    assert [(step, moves) for step, _, _, moves in screen.steps] == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]

    sent = {}
    for message in records(deployment, "events"):
        headers = dict(message.headers() or ())
        sent[msgspec.json.decode(message.value() or b"", type=Event).event_id] = (
            headers[STEP_HEADER].decode().partition("|")[2],  # type: ignore[union-attr]
            int(headers[CLOCK_HEADER] or 0),
        )
    assert sent == {"1": ("0", 0), "2": ("0", 0), "3": ("3", 2 * DAY), "4": ("4", 3 * DAY)}
    assert len([*records(deployment, "labels")]) == 3  # the fourth is known after the last step

    ends = [
        msgspec.json.decode(each.value() or b"", type=StepEnd)
        for each in records(deployment, "progress")
        if (each.key() or b"").startswith(b"step|")
    ]
    assert [(end.step, end.clock) for end in ends] == [
        (0, 0),
        (1, DAY),
        (2, 36 * HOUR),
        (3, 2 * DAY),
        (4, 3 * DAY),
        (5, 4 * DAY),
    ]
    assert [end.offsets["parameters"]["0"] for end in ends] == [1, 2, 3, 4, 5, 6]


def test_when_it_is_over_its_goal_is_taken_back(deployment: Deployment, source: EventSource) -> None:
    with FakeTiers(deployment):
        sent_in_steps(deployment, source, Screen())
    goals = [each.value() for each in records(deployment, "progress") if (each.key() or b"").startswith(b"goal|")]
    assert len(goals) == 6
    assert goals[-1] is None
    assert all(goals[:-1])


@pytest.mark.parametrize(
    ("deaf", "says"),
    [
        ("slow", r"The slow tier has not moved for 2 s.*goal: at 0 of 1"),
        ("worker", "The fast tier.*workers: at 0 of 1"),
    ],
)
def test_who_is_late_is_named(
    deployment: Deployment, source: EventSource, monkeypatch: pytest.MonkeyPatch, deaf: str, says: str
) -> None:
    monkeypatch.setattr(barrier, "NO_PROGRESS_S", 2.0)
    begun = time.monotonic()
    with FakeTiers(deployment, deaf=deaf), pytest.raises(UserError, match=says):
        sent_in_steps(deployment, source, Screen())
    assert time.monotonic() - begun < 30
