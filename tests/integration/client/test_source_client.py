"""The source client beside a real worker, with one part after the other away. No test asserts a time."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pytest

from fraudbrain_client import Client, Decision, Event, NoSuchSpace, NotDecided
from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.faults.proxy import Proxy
from fraudbrain_deploy.reconcile import reconcile

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

PAGE = Path(__file__).resolve().parents[3] / "docs/source-client.md"
READY_S = 60.0
LONG_S = 60.0
PATIENT = ("--load-timeout-s", "10")  # on a busy machine, what is decided without its profile is another test's


@pytest.fixture
def patient(deployment: "Deployment", tmp_path: Path) -> str:
    """The scenario with a deadline that no busy machine misses."""
    folder = tmp_path / "cards"
    shutil.copytree(deployment.folder, folder)
    events = folder / "events.toml"
    text = events.read_text()
    assert 'deadline = "50ms"' in text
    events.write_text(text.replace('deadline = "50ms"', 'deadline = "60s"'))
    return str(folder)


@contextmanager
def worker(deployment: "Deployment") -> Iterator[None]:
    running = tiers.start_realtime(deployment, options=PATIENT)
    try:
        tiers.wait_ready(deployment, [running], READY_S)
        yield
    finally:
        running.stop()


def client_of(deployment: "Deployment", scenario: str, redis: str | None) -> Client:
    return Client(
        scenario, bootstrap=deployment.stack.kafka_bootstrap, space=deployment.names.space, redis=redis, start_s=LONG_S
    )


def payment(number: int, *, amount: int = 1_000) -> Event:
    fields = {"card_id": f"card-{number % 20}", "terminal_id": "t1", "amount": amount}
    return Event(f"e{number}", "payment", time.time_ns() // 1_000_000, fields)  # type: ignore[arg-type]


def in_the_log(deployment: "Deployment") -> dict[str, Decision]:
    records = kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("decisions"))
    made = [msgspec.json.decode(record.value() or b"", type=Decision) for record in records]
    return {decision.event_id: decision for decision in made}


def await_that(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LONG_S
    while (it := found()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return it


@pytest.mark.parametrize("with_redis", [True, False])
def test_each_of_many_threads_gets_the_decision_on_its_own_event(
    deployment: "Deployment", patient: str, with_redis: bool
) -> None:
    redis = deployment.stack.redis_url if with_redis else None
    with worker(deployment), client_of(deployment, patient, redis) as client, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client.decide, map(payment, range(400))))
        again = client.decide(payment(7))
    decisions = in_the_log(deployment)
    assert [answer.decision for answer in answers] == [decisions[f"e{number}"] for number in range(400)]
    assert all(answer.decided and answer.outcome == decisions[f"e{at}"].outcome for at, answer in enumerate(answers))
    assert again.decision == decisions["e7"]
    books = reconcile(deployment)
    assert (books.events, books.decisions, books.missing) == (401, 400, 0)


@pytest.mark.parametrize("with_redis", [True, False])
def test_a_decision_that_comes_too_late_changes_no_answer_but_can_be_asked_for(
    deployment: "Deployment", with_redis: bool
) -> None:
    redis = deployment.stack.redis_url if with_redis else None
    with client_of(deployment, "cards", redis) as client:
        client.tell(payment(0))  # the broker is warm
        small, large = client.decide(payment(1)), client.decide(payment(2, amount=900_000))
        assert [(each.outcome, each.decided) for each in (small, large)] == [("approve", False), ("review", False)]
        assert {small.reason, large.reason} <= {NotDecided.LATE, NotDecided.NOT_ACKNOWLEDGED}
        assert client.decision_of("card-1", "e1") is None
        with worker(deployment):
            late = await_that(lambda: client.decision_of("card-1", "e1"))
        assert (late.event_id, late.subject) == ("e1", "card-1")
        assert not small.decided
    assert late == in_the_log(deployment)["e1"]


def test_while_redis_is_away_decisions_come_from_their_topic(deployment: "Deployment", patient: str) -> None:
    address = urlsplit(deployment.stack.redis_url)
    target = (address.hostname or "", address.port or 0)
    with (
        Proxy(target) as proxy,
        worker(deployment),
        client_of(deployment, patient, f"redis://127.0.0.1:{proxy.port}/0") as client,
    ):
        answers = [client.decide(payment(1))]
        proxy.refuse()
        answers += [client.decide(payment(number)) for number in range(2, 6)]
        proxy.listen()
        answers.append(client.decide(payment(6)))
    assert all(answer.decided for answer in answers)


def test_what_is_told_is_sent_before_the_client_is_closed(deployment: "Deployment") -> None:
    client = client_of(deployment, "cards", None)
    assert all(client.tell(payment(number)) for number in range(500))
    assert client.close(LONG_S) == 0
    ends = kafka.end_offsets(deployment.stack.kafka_bootstrap, deployment.names.topic("events"))
    assert sum(ends.values()) == 500


def test_a_space_that_is_not_there_is_refused(deployment: "Deployment") -> None:
    with pytest.raises(NoSuchSpace, match="no space nowhere at"):
        Client("cards", bootstrap=deployment.stack.kafka_bootstrap, space="nowhere", start_s=LONG_S)


def test_the_example_of_the_page_runs_as_it_stands(deployment: "Deployment") -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(code.splitlines()) <= 35
    for here, there in (
        ('"127.0.0.1:9092"', repr(deployment.stack.kafka_bootstrap)),
        ('"redis://127.0.0.1:6379/0"', repr(deployment.stack.redis_url) + f", space={deployment.names.space!r}"),
    ):
        assert code.count(here) == 1
        code = code.replace(here, there)
    names: dict[str, Any] = {}
    with worker(deployment):
        exec(code, names)
        await_that(lambda: len(in_the_log(deployment)) == 2 or None)
    assert names["may_pay"] == [True, True]
