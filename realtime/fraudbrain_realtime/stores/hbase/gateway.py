"""Calls to HBase's Thrift gateway, each with an end."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import happybase
from Hbase_thrift import AlreadyExists, ColumnDescriptor, Hbase, Mutation
from thriftpy2.thrift import TClient, TException
from thriftpy2.transport import TSocket

from fraudbrain_realtime.ports import StoreUnavailable
from fraudbrain_shared.numbered_calls import NumberedCalls

Answer = TypeVar("Answer")

TIMEOUT_S: Final = 2.0
CREATION_TIMEOUT_S: Final = 30.0
PATIENCE_S: Final = 30.0
PAUSE_S: Final = 0.2


class Socket(TSocket):
    """A socket all of whose waiting together ends at `deadline_s`: one byte a while does not make a call longer."""

    deadline_s = 0.0

    def open(self) -> None:
        self.connect_timeout = self._left_s()
        super().open()  # type: ignore[no-untyped-call]

    def read(self, size: int) -> Any:
        self.sock.settimeout(self._left_s())
        return super().read(size)  # type: ignore[no-untyped-call]

    def write(self, data: bytes) -> None:
        self.sock.settimeout(self._left_s())
        super().write(data)  # type: ignore[no-untyped-call]

    def _left_s(self) -> float:
        left = self.deadline_s - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time left")
        return left


class NumberedClient(NumberedCalls, TClient):  # type: ignore[misc]
    """thriftpy2's client, with replies that cannot be taken for one another."""


class Connection(happybase.Connection):  # type: ignore[misc]
    """happybase's connection with that client and socket. Never opened a second time."""

    def __init__(self, host: str, port: int, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        super().__init__(host, port)

    def _refresh_thrift_client(self) -> None:
        self.socket = Socket(host=self.host, port=self.port)  # type: ignore[no-untyped-call]
        self.socket.deadline_s = self._deadline_s
        self.transport = self._transport_class(self.socket)
        self.client: Any = NumberedClient(Hbase, self._protocol_class(self.transport, decode_response=False))


class Gateway:
    """Calls to one Thrift gateway. A connection on which anything went wrong is thrown away."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._connection: Connection | None = None

    def call(self, work: Callable[[Any], Answer], within_s: float = TIMEOUT_S) -> Answer:
        """What `work` answers, given the client. Raises StoreUnavailable, at the latest when the time is over.

        A call that fails is repeated once on a fresh connection if there is time, as when the old one had been idle
        for too long: `work` must do no harm when repeated.
        """
        deadline_s = time.monotonic() + within_s
        try:
            return self._attempt(work, deadline_s)
        except StoreUnavailable:
            if time.monotonic() >= deadline_s:
                raise
            return self._attempt(work, deadline_s)

    def call_patiently(
        self, work: Callable[[Any], Answer], patience_s: float = PATIENCE_S, attempt_s: float = TIMEOUT_S
    ) -> Answer:
        """The same, asked again for so long: HBase may be starting, or another worker be making the same table."""
        deadline_s = time.monotonic() + patience_s
        while True:
            try:
                return self.call(work, attempt_s)
            except StoreUnavailable:
                if time.monotonic() + PAUSE_S >= deadline_s:
                    raise
                time.sleep(PAUSE_S)

    def close(self) -> None:
        """Closes the connection; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, TException):
                connection.close()

    def _attempt(self, work: Callable[[Any], Answer], deadline_s: float) -> Answer:
        try:
            if self._connection is None:
                self._connection = Connection(self._host, self._port, deadline_s)
            self._connection.socket.deadline_s = deadline_s
            return work(self._connection.client)
        except Exception as error:  # a reply that was cut or spoilt makes the parser raise all kinds
            self.close()
            # Only the kind of error: the gateway's messages are whole Java stack traces.
            raise StoreUnavailable(f"HBase at {self._host}:{self._port}: {type(error).__name__}") from None
        except BaseException:
            self.close()
            raise


def create_table(host: str, port: int, table: str, family: bytes) -> None:
    """Makes a table that keeps one version for ever, unless it is there. Raises StoreUnavailable."""

    def create(client: Any) -> None:
        if table.encode() not in client.getTableNames():
            with contextlib.suppress(AlreadyExists):
                client.createTable(table.encode(), [ColumnDescriptor(name=family + b":", maxVersions=1)])

    gateway = Gateway(host, port)
    try:
        gateway.call_patiently(create, attempt_s=CREATION_TIMEOUT_S)
    finally:
        gateway.close()


def note_once(gateway: Gateway, table: str, row: bytes, column: bytes, value: bytes) -> bytes:
    """Writes the value unless the cell has one; returns what stands there. Raises StoreUnavailable."""

    def note_or_read(client: Any) -> bytes:
        put = Mutation(isDelete=False, column=column, value=value, writeToWAL=True)
        client.checkAndPut(table.encode(), row, column, None, put, {})
        found: bytes = client.get(table.encode(), row, column, {})[0].value
        return found

    return gateway.call_patiently(note_or_read)
