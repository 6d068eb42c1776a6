from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing import event_stream
from fraudbrain_deploy.replay import replay
from fraudbrain_deploy.replaying import waiting
from fraudbrain_deploy.replaying.display import Silent
from fraudbrain_deploy.replaying.in_process import replay_in_process
from fraudbrain_deploy.tiers import Tier, start_realtime, wait_ready
from fraudbrain_shared.records import Label

DAY_MS = 86_400_000
ROWS = 2_000


@pytest.fixture
def worker(deployment: Deployment) -> Iterator[Tier]:
    tier = start_realtime(deployment)
    try:
        wait_ready(deployment, [tier], 60)
        yield tier
    finally:
        tier.stop()


def foreign(path: Path, rows: int) -> Path:
    """Payments a minute apart by 50 cards, in the columns of the scenario's import mapping; then three odd rows:
    the last payment again, again with another amount, and one without an amount."""
    begin = datetime(2026, 7, 1)
    last = rows - 1
    number = [*range(rows), last, last, rows]
    table = pa.table(
        {
            "TRANSACTION_ID": number,
            "TX_DATETIME": [begin + timedelta(minutes=each) for each in number],
            "CUSTOMER_ID": [each % 50 for each in number],
            "TERMINAL_ID": [each % 7 for each in number],
            "TX_AMOUNT": [10.01] * (rows + 1) + [99.99, None],
            "TX_FRAUD": [int(each % 100 == 0) for each in number],
        }
    )
    pq.write_table(table, path)
    return path


def test_every_row_ends_in_exactly_one_way(deployment: Deployment, worker: Tier, tmp_path: Path) -> None:
    path = foreign(tmp_path / "foreign.parquet", ROWS)
    source = event_stream(deployment.scenario, path, label_delay_ms=DAY_MS)
    report = replay(deployment, source, out=tmp_path / "scores.parquet", tiers=[worker])

    assert (report.rows, report.mapping, report.events) == (ROWS + 3, 1, ROWS + 2)
    assert (report.decisions, report.duplicates, report.dead_letters) == (ROWS, 1, 1)
    assert (report.missing, report.degraded, report.conflicts) == (0, 0, 0)
    assert sum(report.outcomes.values()) == ROWS
    assert report.latency_ms is None

    scores = pq.read_table(tmp_path / "scores.parquet")
    assert scores.schema.names == ["event_id", "subject", "event_time", "score", "outcome", "findings", "latency_ms"]
    assert sorted(map(int, scores["event_id"].to_pylist())) == list(range(ROWS))
    assert scores["event_time"].to_pylist() == sorted(scores["event_time"].to_pylist())

    simulated = replay_in_process(deployment.scenario, source, out=tmp_path / "simulated.parquet", screen=Silent())
    assert (simulated.decisions, simulated.duplicates, simulated.dead_letters) == (ROWS, 1, 1)
    assert pq.read_table(tmp_path / "simulated.parquet").equals(scores)

    bootstrap, topic = deployment.stack.kafka_bootstrap, deployment.names.topic("labels")
    labels = [msgspec.json.decode(each.value() or b"", type=Label) for each in kafka.read_all(bootstrap, topic)]
    assert len(labels) == report.labels == ROWS + 2


def test_at_a_pace_latency_is_told_and_a_second_replay_counts_only_its_own(
    deployment: Deployment, worker: Tier, tmp_path: Path
) -> None:
    path = foreign(tmp_path / "foreign.parquet", 200)
    first = replay(deployment, event_stream(deployment.scenario, path, limit=100), rate=200.0, tiers=[worker])
    assert first.latency_ms is not None
    assert 0 < first.latency_ms.p50 <= first.latency_ms.p99 <= first.latency_ms.max
    assert first.sent_s >= 99 / 200

    again = replay(deployment, event_stream(deployment.scenario, path), rate=2_000.0, tiers=[worker])
    assert (again.events, again.decisions, again.missing) == (302, 200, 0)
    assert sum(again.outcomes.values()) == 100


def test_without_a_worker_it_says_which_partitions_stand_where(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "NO_PROGRESS_S", 1.0)
    path = foreign(tmp_path / "foreign.parquet", 20)
    with pytest.raises(UserError, match=r"has not moved for 1 s. By partition: 0: at nothing of \d+"):
        replay(deployment, event_stream(deployment.scenario, path))
