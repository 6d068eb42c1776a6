"""One suite of laws for every profile store: what memory is trusted for, HBase must do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from fraudbrain_realtime.ports import ProfileStore, StoreUnavailable
from fraudbrain_realtime.stores.hbase import Gateway, ProfileTable, create_table, note_once
from fraudbrain_realtime.stores.memory import MemoryStore

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings


@pytest.fixture(params=["memory", "hbase"])
def store(request: pytest.FixtureRequest, space: str) -> Iterator[ProfileStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    stack: StackSettings = request.getfixturevalue("stack")
    host, port = stack.thrift_address
    table = f"fraudbrain.{space}.profiles.a"
    create_table(host, port, table, b"p")
    gateway = Gateway(host, port)
    yield ProfileTable(gateway, table)
    gateway.close()


def test_a_row_is_read_as_it_was_written_and_absent_ones_are_absent(store: ProfileStore) -> None:
    store.save(3, {"c1": b"\x00one", "c2": b"two"}, 10)
    assert store.load(3, ["c1", "c2", "c3"]) == {"c1": b"\x00one", "c2": b"two"}


def test_an_older_write_never_shows_over_a_newer_one(store: ProfileStore) -> None:
    store.save(0, {"c1": b"new"}, 200)
    store.save(0, {"c1": b"old"}, 100)
    assert store.load(0, ["c1"]) == {"c1": b"new"}


def test_the_same_write_repeated_changes_nothing(store: ProfileStore) -> None:
    for _ in range(2):
        store.save(0, {"c1": b"row"}, 7)
    assert store.load(0, ["c1"]) == {"c1": b"row"}


def test_partitions_do_not_see_one_another(store: ProfileStore) -> None:
    store.save(1, {"c1": b"one"}, 5)
    assert store.load(2, ["c1"]) == {}


def test_subjects_of_any_characters_keep_apart(store: ProfileStore) -> None:
    rows = {subject: subject.encode() for subject in ("a", "a\x00b", "ä", "a|b", "日本", " ")}
    store.save(0, rows, 1)
    assert store.load(0, list(rows)) == rows


def test_more_rows_than_one_call_takes_are_all_written(store: ProfileStore) -> None:
    rows = {f"c{number}": b"%d" % number for number in range(2_500)}
    store.save(0, rows, 1)
    assert store.load(0, list(rows)) == rows


def test_a_gateway_that_does_not_answer_is_unavailable_and_is_asked_anew() -> None:
    store = ProfileTable(Gateway("127.0.0.1", 9), "none")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.load(0, ["c1"])


def test_a_table_may_be_made_by_several_workers_at_once(stack: "StackSettings", space: str) -> None:
    host, port = stack.thrift_address
    table = f"fraudbrain.{space}.meta"

    def start(number: int) -> bytes:
        create_table(host, port, table, b"m")
        gateway = Gateway(host, port)
        try:
            return note_once(gateway, table, b"events", b"m:topic_id", b"%d" % number)
        finally:
            gateway.close()

    with ThreadPoolExecutor(4) as workers:
        assert len(set(workers.map(start, range(4)))) == 1
