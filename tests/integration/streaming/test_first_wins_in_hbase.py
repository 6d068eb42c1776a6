"""The law of timestamps on the real store."""

from collections.abc import Iterator
from itertools import permutations

import pyarrow as pa
import pytest

from fraudbrain_deploy.stack import StackSettings
from fraudbrain_shared.decision_row import decision_row
from fraudbrain_streaming.hbase import NoSuchTable, Store
from fraudbrain_streaming.jobs.archive.first_wins import DECISION_COLUMN, EVENT_COLUMN, FirstWins


@pytest.fixture(scope="module")
def store(stack: StackSettings) -> Iterator[Store]:
    host, port = stack.thrift_address
    with Store(f"{host}:{port}") as opened:
        opened.create_table("first-wins")
        opened.create_table("first-wins")
        yield opened


def decisions(subject: str, start: int, stop: int) -> pa.Table:
    """Decisions about the events 0, 1, 2, 0, 1, 2, … at the offsets from `start` up to `stop`."""
    offsets = range(start, stop)
    return pa.table(
        {
            "partition": pa.array([0 for _ in offsets], pa.int32()),
            "offset": pa.array(offsets, pa.int64()),
            "subject": [subject for _ in offsets],
            "event_id": [str(offset % 3) for offset in offsets],
            "value": pa.array([str(offset).encode() for offset in offsets], pa.binary()),
        }
    )


@pytest.mark.parametrize("order", list(permutations([(0, 4), (4, 9), (2, 6), (3, 4)])))
def test_the_first_decision_wins_in_whatever_order_pieces_are_written(
    store: Store, order: tuple[tuple[int, int], ...]
) -> None:
    subject = repr(order)
    writer = FirstWins(store, table="first-wins", generation=1)
    for start, stop in order:
        writer.decisions(decisions(subject, start, stop))
    for which in range(3):
        assert store.get("first-wins", decision_row(subject, str(which))) == {DECISION_COLUMN: str(which).encode()}


def test_event_and_decision_stand_in_one_row_and_large_writes_are_whole(store: Store) -> None:
    rows = {decision_row("many", str(number)): b"%d" % number for number in range(3_000)}
    for column in (EVENT_COLUMN, DECISION_COLUMN):
        store.put("first-wins", column, rows, 7)
    for number in (0, 1_023, 1_024, 2_999):
        both = {EVENT_COLUMN: b"%d" % number, DECISION_COLUMN: b"%d" % number}
        assert store.get("first-wins", decision_row("many", str(number))) == both


def test_a_missing_table_is_said_at_once(store: Store) -> None:
    with pytest.raises(NoSuchTable):
        store.get("no-such-table", b"row")
