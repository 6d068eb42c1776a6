"""The whole of it as a user runs it: commands, both tiers as processes, each stopped and started while events flow."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudbrain_deploy import demo_payments, kafka, tiers

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

AWAY_S = int(os.environ.get("FRAUDBRAIN_AWAY_S", "5"))  # `tests/prove` takes a minute
RATE = 200
EVENTS = RATE * (2 * AWAY_S + 15)
READY_S = 120
AHEAD_MS = 240_000
"""By how much the clock of whoever sends the payments is fast, within what is admitted. So what the slow tier knows
counts as fresh as long as it is away here: a decision by stale context would be degraded, and rightly so."""


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("payments")
    customers = EVENTS // 15  # each pays about 27 times in 20 days
    size = ["--days", "20", "--customers", str(customers), "--terminals", "100", "--seed", "3"]
    command(None, "simulate", "cards", "--out", str(folder), *size)
    return folder


def command(data: Path | None, *arguments: str, exit_code: int = 0) -> str:
    """What `fraudbrain ARGUMENTS` prints."""
    options = [] if data is None else ["--data", str(data)]
    program = [sys.executable, "-m", "fraudbrain_deploy", *options, *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout


@contextmanager
def replaying(deployment: "Deployment", payments: Path, report: Path) -> Iterator[None]:
    """Events flow in while the block runs; at its end the replay's own account must balance."""
    program = [
        *(sys.executable, "-m", "fraudbrain_deploy", "--data", str(deployment.data), "replay"),
        *("--into", deployment.names.space, "--events", str(payments), "--pace", str(RATE), "--limit", str(EVENTS)),
        *("--out", str(report.with_suffix(".parquet")), "--report", str(report)),
    ]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield
            output, _ = process.communicate(timeout=240 + 2 * AWAY_S)
            assert process.returncode == 0, output
        finally:
            process.kill()


def events_flow(deployment: "Deployment", more_than: int) -> None:
    """Waits until so many events are in the log."""
    deadline = time.monotonic() + 60
    events = deployment.names.topic("events")
    while sum(kafka.end_offsets(deployment.stack.kafka_bootstrap, events).values()) <= more_than:
        assert time.monotonic() < deadline, "no events arrive"
        time.sleep(0.2)


def test_each_tier_may_stop_and_start_while_events_flow_and_nothing_is_lost(
    deployment: "Deployment", payments: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    running = {"fast": tiers.start_realtime(deployment), "slow": tiers.start_streaming(deployment)}
    report = tmp_path / "report.json"
    try:
        tiers.wait_ready(deployment, list(running.values()), READY_S)
        now = demo_payments.happening_now(payments, RATE, ahead_ms=AHEAD_MS)
        with replaying(deployment, now, report):
            events_flow(deployment, 500)
            running["slow"].stop()
            time.sleep(AWAY_S)
            running["slow"] = tiers.start_streaming(deployment)
            running["fast"].stop()
            time.sleep(AWAY_S)
            running["fast"] = tiers.start_realtime(deployment)
        wait_until_archived(deployment, EVENTS)
    finally:
        tiers.stop_all(list(running.values()))

    record_property("away_s", AWAY_S)
    record_property("replay", report.read_text())
    books = json.loads(report.read_text())
    assert (books["events"], books["missing"], books["degraded"]) == (EVENTS, 0, 0)
    assert books["decisions"] == EVENTS
    reconcile = ("decisions", "reconcile", "--space", deployment.names.space, "--json")
    assert json.loads(command(deployment.data, *reconcile))["missing"] == 0
    assert_looked_up(deployment)
    remove_one_decision(deployment)
    assert json.loads(command(deployment.data, *reconcile, exit_code=1))["missing"] == 1


def wait_until_archived(deployment: "Deployment", events: int) -> None:
    deadline = time.monotonic() + 120
    while (found := lake(deployment))["events"] < events or found["decisions"] < events:
        assert time.monotonic() < deadline, f"the archive holds {found}"
        time.sleep(1)
    assert found == {"events": events, "decisions": events}


def lake(deployment: "Deployment") -> dict[str, int]:
    """Rows and distinct places in the log must be the same number: each record once."""
    import deltalake

    rows = {}
    for name in ("events", "decisions"):
        if not deltalake.DeltaTable.is_deltatable(str(deployment.lake / name)):
            return {"events": 0, "decisions": 0}
        table = deltalake.DeltaTable(str(deployment.lake / name)).to_pyarrow_table(columns=["partition", "offset"])
        places = set(zip(table["partition"].to_pylist(), table["offset"].to_pylist(), strict=True))
        assert len(places) == table.num_rows
        rows[name] = table.num_rows
    return rows


def assert_looked_up(deployment: "Deployment") -> None:
    """A decision is found by event id and subject, with its event."""
    topic = deployment.names.topic("decisions")
    record = next(iter(kafka.read_all(deployment.stack.kafka_bootstrap, topic)))
    decision: dict[str, Any] = json.loads(record.value() or b"")
    asked = ("decisions", "get", decision["event_id"], "--subject", decision["subject"])
    found = json.loads(command(deployment.data, *asked, "--space", deployment.names.space, "--json"))
    assert found["decision"]["outcome"] == decision["outcome"]
    assert found["event"]["event_id"] == decision["event_id"]


def remove_one_decision(deployment: "Deployment") -> None:
    """Writes the topic of decisions anew without its last record: a log cannot lose one from its middle."""
    bootstrap, topic = deployment.stack.kafka_bootstrap, deployment.names.topic("decisions")
    records = [(record.partition(), record.key(), record.value()) for record in kafka.read_all(bootstrap, topic)]
    kafka.delete_topics(bootstrap, [topic])
    kafka.create_topics(bootstrap, deployment.names, partitions=4)
    producer = kafka.producer(bootstrap, in_flight=len(records))
    for partition, key, value in records[:-1]:
        producer.produce(topic, value, key, partition=partition or 0)
        producer.poll(0)
    assert producer.flush(30) == 0


def test_ending_a_replay_leaves_no_process(deployment: "Deployment", payments: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = [
        *(sys.executable, "-m", "fraudbrain_deploy", "--data", str(deployment.data), "replay"),
        *("--space", deployment.names.space, "--events", str(payments), "--pace", "50"),
    ]
    with told.open("wb") as output:
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=output)
    events_flow_or_end(deployment, process)
    process.terminate()
    assert process.wait(timeout=60) == 130, told.read_text()
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and names_space(pid, deployment.names.space)]
    assert left == []


def events_flow_or_end(deployment: "Deployment", process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if sum(kafka.end_offsets(deployment.stack.kafka_bootstrap, deployment.names.topic("events")).values()) > 0:
                return
        except KeyError:
            pass  # the space is just being made anew
        time.sleep(0.2)
    raise AssertionError("no events arrive")


def names_space(pid: str, space: str) -> bool:
    try:
        return space.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
