"""How a worker says that it is well, and how well: over HTTP, from its keeper."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_shared.records import Progress
from tests.integration.realtime.test_worker import PATIENT, READY_S, decisions, send, wait_for

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

OF_ALL = ("group", "worker")
PAGE = Path(__file__).parents[3] / "docs/operations/observing.md"
SHOWN = (*PATIENT, "--metrics-port", "0")


def newest(deployment: "Deployment") -> Progress:
    with ProgressReader(deployment) as progress:
        return [record for key, record, _ in progress.read_to_end() if key == "realtime|a|w1"][-1]


def get(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}/{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(text: str) -> Mapping[tuple[str, ...], float]:
    """By name and the values of the labels but group and worker."""
    return {
        (
            sample.name,
            *(value for name, value in sample.labels.items() if name not in ("group", "worker")),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def named(sample: str) -> str:
    """A sample's metric as the documentation calls it."""
    name = sample.removeprefix("fraudbrain_")
    for part in ("_bucket", "_count", "_sum"):
        name = name.removesuffix(part)
    return f"`{name}`"


def test_metrics_count_every_event_and_health_follows_the_worker(deployment: "Deployment") -> None:
    worker = tiers.start_realtime(deployment, options=SHOWN)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        wait_for(lambda: bool(newest(deployment).metrics), "the address to be told")
        address = newest(deployment).metrics
        send(deployment, 0, 300)
        send(deployment, 0, 10)
        producer = kafka.producer(deployment.stack.kafka_bootstrap)
        producer.produce(deployment.names.topic("events"), b"{", b"card-1")
        assert producer.flush(30) == 0
        wait_for(
            lambda: samples(get(address, "metrics")[1]).get(("fraudbrain_events_total", "duplicates")) == 10,
            "the last event to be counted",
        )
        wait_for(
            lambda: samples(get(address, "metrics")[1])["fraudbrain_latency_seconds_count",] == 301,
            "the last acknowledgement to be counted",
        )
        found = samples(get(address, "metrics")[1])
        page = PAGE.read_text()
        assert not {name for name, *_ in found if named(name) not in page}
        assert found["fraudbrain_events_total", "decisions"] == 300
        assert found["fraudbrain_dead_letters_total", "framing"] == 1
        assert sum(value for key, value in found.items() if key[0] == "fraudbrain_lag_events") == 0
        assert found["fraudbrain_profiles",] == 20
        assert found["fraudbrain_memory_bytes",] > found["fraudbrain_keeper_memory_bytes",] > 10_000_000
        assert found["fraudbrain_flush_seconds_count",] > 0
        assert get(address, "health")[0] == get(address, "ready")[0] == 200
        assert get(address, "other")[0] == 404

        os.kill(worker.process.pid, signal.SIGSTOP)
        wait_for(lambda: get(address, "health")[0] == 503, "the silence to be noticed", 30)
        code, body = get(address, "ready")
        assert code == 503
        assert "said nothing" in json.loads(body)["why_not"][0]
    finally:
        worker.kill()


def test_a_port_that_is_taken_is_told_and_stops_nothing(deployment: "Deployment") -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        worker = tiers.start_realtime(deployment, options=(*PATIENT, "--metrics-port", str(port)))
        try:
            tiers.wait_ready(deployment, [worker], READY_S)
            send(deployment, 0, 50)
            wait_for(lambda: len(decisions(deployment)) == 50, "all to be decided")
            assert f"somebody else listens at 127.0.0.1:{port}" in " ".join(newest(deployment).problems)
            taken.close()
            wait_for(lambda: newest(deployment).metrics == f"127.0.0.1:{port}", "the port to be taken once it is free")
            assert not newest(deployment).problems
        finally:
            worker.stop()


def test_an_event_polled_past_its_deadline_is_decided_in_full_and_marked(deployment: "Deployment") -> None:
    deadline_s = max(kind.deadline_ms for kind in deployment.scenario.event_types.values()) / 1000
    send(deployment, 0, 100)
    time.sleep(deadline_s + 0.5)
    worker = tiers.start_realtime(deployment, options=SHOWN)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        wait_for(lambda: len(decisions(deployment)) == 100, "the waiting events to be decided")
        time.sleep(1.0)
        send(deployment, 100, 100)
        wait_for(lambda: len(decisions(deployment)) == 200, "the others to be decided")
        wait_for(lambda: newest(deployment).counts.get("decisions") == 200, "the count")
        counts = newest(deployment).counts
    finally:
        worker.stop()
    made = {decision.event_id: decision for decision in decisions(deployment)}
    overdue = {id_ for id_, decision in made.items() if decision.overdue}
    assert {f"e{number}" for number in range(100)} <= overdue
    assert counts["overdue"] == len(overdue) < 200
    assert not any(decision.degraded for decision in made.values())
