"""A late reply is never taken for the answer to another call; beside it, the client that does so."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import happybase
import pytest
from Hbase_thrift import Hbase, IOError as HbaseError, TCell, TRowResult
from thriftpy2.protocol import TBinaryProtocol
from thriftpy2.thrift import TProcessor
from thriftpy2.transport import TBufferedTransport, TSocket, TTransportException

from fraudbrain_shared.numbered_calls import SpoiltConnection, StrangersReply
from fraudbrain_streaming.hbase import NumberedConnection, Store, StoreUnavailable


class Rows:
    """A table in which every row holds its own name. The first reply about `slow` waits to be let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def getRow(self, tableName: bytes, row: bytes, attributes: object) -> list[TRowResult]:
        if row == b"broken":
            raise HbaseError(message=b"org.apache.hadoop.Broken: it is\n\tat a.stack.trace")
        if row == b"slow":
            self.let_go.wait(10)
        return [TRowResult(row=row, columns={b"d:v": TCell(value=row, timestamp=1)})]


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def port(rows: Rows) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, rows), daemon=True).start()
        yield listener.getsockname()[1]
        rows.let_go.set()
        listener.shutdown(socket.SHUT_RDWR)


def serve(listener: socket.socket, rows: Rows) -> None:
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0], rows), daemon=True).start()


def answer(caller: socket.socket, rows: Rows) -> None:
    protocol = TBinaryProtocol(TBufferedTransport(TSocket(sock=caller)), decode_response=False)
    with caller, contextlib.suppress(TTransportException, OSError):
        while True:
            TProcessor(Hbase, rows).process(protocol, protocol)


def value(connection: happybase.Connection, row: bytes) -> bytes:
    found: bytes = connection.client.getRow(b"t", row, {})[0].columns[b"d:v"].value
    return found


def time_out(connection: happybase.Connection, rows: Rows) -> None:
    with pytest.raises(TimeoutError):
        value(connection, b"slow")
    rows.let_go.set()


@pytest.fixture
def numbered(port: int) -> Iterator[NumberedConnection]:
    with contextlib.closing(NumberedConnection("127.0.0.1", port, timeout=200)) as connection:
        yield connection


def test_the_bare_client_returns_another_rows_value_after_a_timeout(port: int, rows: Rows) -> None:
    with contextlib.closing(happybase.Connection("127.0.0.1", port, timeout=200)) as bare:
        time_out(bare, rows)
        assert value(bare, b"mine") == b"slow"


def test_a_connection_that_timed_out_is_never_used_again(numbered: NumberedConnection, rows: Rows) -> None:
    time_out(numbered, rows)
    for _ in range(2):
        with pytest.raises(SpoiltConnection):
            value(numbered, b"mine")


def test_a_reply_to_another_request_is_refused(numbered: NumberedConnection, rows: Rows) -> None:
    time_out(numbered, rows)
    numbered.client.spoilt = False
    with pytest.raises(StrangersReply, match="number 1"):
        value(numbered, b"mine")


def test_a_declared_error_leaves_the_connection_good(numbered: NumberedConnection) -> None:
    with pytest.raises(HbaseError):
        value(numbered, b"broken")
    assert value(numbered, b"mine") == b"mine"


def test_the_store_asks_again_on_a_new_connection(port: int, rows: Rows) -> None:
    threading.Timer(0.5, rows.let_go.set).start()
    with Store(f"127.0.0.1:{port}", timeout_s=0.2, patience_s=5) as store:
        assert store.get("t", b"slow") == {b"d:v": b"slow"}
        assert store.get("t", b"mine") == {b"d:v": b"mine"}


def test_the_store_gives_up_with_one_line(port: int) -> None:
    with Store(f"127.0.0.1:{port}", patience_s=0.2) as store, pytest.raises(StoreUnavailable) as raised:
        store.get("t", b"broken")
    assert str(raised.value) == f"HBase at 127.0.0.1:{port}: read from t: IOError: org.apache.hadoop.Broken: it is"
