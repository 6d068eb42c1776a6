"""Reads what a campaign has left in topics and tables, for its judge."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from fraudbrain_deploy import hbase, kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.faults.checker import Partition, Record, Row, Sent

_READ_S: Final = 60.0
_COLUMN: Final = b"p:profile"


def records(deployment: Deployment, topic: str, partition: int | None = None) -> list[Record]:
    """All records of a topic, or of one partition of it."""
    bootstrap, name = deployment.stack.kafka_bootstrap, deployment.names.topic(topic)
    return [_record(message) for message in kafka.read_all(bootstrap, name, partition=partition, timeout_s=_READ_S)]


def partitions(
    deployment: Deployment, groups: Sequence[str], sent: Mapping[int, Sequence[Sent]], tell: Callable[[str], None]
) -> Iterator[Partition]:
    """Partition after partition, so that only one of them is in memory."""
    rows = {group: _rows_by_partition(deployment, group) for group in groups}
    for number in kafka.topic_partitions(deployment.stack.kafka_bootstrap, deployment.names.topic("events")):
        tell(f"reading partition {number}")
        events, decisions = records(deployment, "events", number), records(deployment, "decisions", number)
        tell(f"judging {len(events):,} events and {len(decisions):,} decisions of partition {number}")
        of_groups = {group: rows[group].pop(number, []) for group in groups}
        yield Partition(number, events, decisions, of_groups, sent.get(number, ()))


def _rows_by_partition(deployment: Deployment, group: str) -> dict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    table = deployment.names.table(f"profiles.{group}")
    for key, timestamp, value in hbase.rows(deployment.stack.thrift_address, table, _COLUMN):
        found[int(key[:4], 16)].append(Row(key, timestamp, value))
    return dict(found)


def _record(message: kafka.Message) -> Record:
    offset = message.offset()
    assert offset is not None  # the client's types allow None where a record that was read has a number
    headers: Iterable[tuple[str, bytes]] = message.headers() or ()  # type: ignore[assignment]
    return Record(offset, message.timestamp()[1], message.key(), message.value(), tuple(headers))
