"""One suite of laws for every profile store: what memory is trusted for, HBase must do."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Protocol

import pytest

from fraudbrain_realtime.keeper.serving import Rows
from fraudbrain_realtime.ports import ProfileStore, StoreUnavailable
from fraudbrain_realtime.stores.hbase import Gateway, ProfileTable, create_table, note_once
from fraudbrain_realtime.stores.memory import MemoryStore

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings

WITHIN_S = 10.0


class Store(ProfileStore, Rows, Protocol):
    """What the worker reads and its keeper writes."""


@pytest.fixture(params=["memory", "hbase"])
def store(request: pytest.FixtureRequest, space: str) -> Iterator[Store]:
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


def test_a_row_is_read_as_it_was_written_and_absent_ones_are_absent(store: Store) -> None:
    store.save(3, {"c1": b"\x00one", "c2": b"two"}, 10)
    assert store.load(3, ["c1", "c2", "c3"], WITHIN_S) == {"c1": b"\x00one", "c2": b"two"}


def test_an_older_write_never_shows_over_a_newer_one(store: Store) -> None:
    store.save(0, {"c1": b"new"}, 200)
    store.save(0, {"c1": b"old"}, 100)
    assert store.load(0, ["c1"], WITHIN_S) == {"c1": b"new"}


def test_the_same_write_repeated_changes_nothing(store: Store) -> None:
    for _ in range(2):
        store.save(0, {"c1": b"row"}, 7)
    assert store.load(0, ["c1"], WITHIN_S) == {"c1": b"row"}


def test_partitions_do_not_see_one_another(store: Store) -> None:
    store.save(1, {"c1": b"one"}, 5)
    assert store.load(2, ["c1"], WITHIN_S) == {}


def test_subjects_of_any_characters_keep_apart(store: Store) -> None:
    rows = {subject: subject.encode() for subject in ("a", "a\x00b", "ä", "a|b", "日本", " ")}
    store.save(0, rows, 1)
    assert store.load(0, list(rows), WITHIN_S) == rows


def test_more_rows_than_one_call_takes_are_all_written(store: Store) -> None:
    rows = {f"c{number}": b"%d" % number for number in range(2_500)}
    store.save(0, rows, 1)
    assert store.load(0, list(rows), WITHIN_S) == rows


def test_a_scan_finds_all_rows_of_its_partition_and_no_other(store: Store) -> None:
    rows = {f"c{number}": b"%d" % number for number in range(1_500)} | {"ä": b"umlaut", "日本": b"japan"}
    store.save(7, rows, 1)
    store.save(6, {"other": b"before"}, 1)
    store.save(8, {"other": b"after"}, 1)
    pieces = list(store.scan(7))
    assert {subject: row for piece in pieces for subject, row in piece.items()} == rows
    assert sum(map(len, pieces)) == len(rows)
    assert list(store.scan(9)) == []


@pytest.fixture
def dripping() -> Iterator[int]:
    """The port of a server that answers every call with a byte now and then, for ever."""
    stopping = Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while not stopping.wait(0.01):
                connection.sendall(b"\x80")

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(8) as pool:
        server.settimeout(0.1)

        def accept() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError):
                    pool.submit(serve, server.accept()[0])

        pool.submit(accept)
        yield server.getsockname()[1]
        stopping.set()


def test_a_gateway_that_answers_a_byte_at_a_time_is_given_up_in_time(dripping: int) -> None:
    store = ProfileTable(Gateway("127.0.0.1", dripping), "none")
    with pytest.raises(StoreUnavailable):
        store.load(0, ["c1"], 0.1)


def test_a_gateway_that_does_not_answer_is_unavailable_and_is_asked_anew() -> None:
    store = ProfileTable(Gateway("127.0.0.1", 9), "none")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.load(0, ["c1"], 0.1)


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
