"""The keeper's side: takes requests as they come, writes before it scans, and says what came of each."""

import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from fraudbrain_realtime.frames import framed, take_frame
from fraudbrain_realtime.keeper.messages import (
    Answer,
    Done,
    Found,
    Load,
    Ready,
    Reply,
    Save,
    Scan,
    Show,
    decode_request,
    encode,
)
from fraudbrain_realtime.metrics import Measured
from fraudbrain_realtime.ports import StoreUnavailable

log = logging.getLogger(__name__)

RECEIVED_AT_ONCE: Final = 1 << 20
LOAD_TIMEOUT_S: Final = 2.0


class Rows(Protocol):
    """The profile store as the keeper needs it. All raise StoreUnavailable."""

    def load(self, partition: int, subjects: Sequence[str], within_s: float) -> dict[str, bytes]:
        """The rows that exist."""

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int) -> None:
        """Writes rows; where a row has a larger timestamp already, that one stays."""

    def scan(self, partition: int) -> Iterator[dict[str, bytes]]:
        """All rows of a partition, in pieces."""


class Answers(Protocol):
    """Where whoever asked looks for the decision. Never an authority: nothing depends on it."""

    def put(self, decisions: Mapping[str, bytes]) -> None:
        """Makes decisions known; where that fails nobody is told."""


class Page(Protocol):
    """Where others see how the worker is. `port` is 0 while nobody can."""

    port: int

    def show(self, measured: Measured) -> None:
        """This is the newest."""

    def saved(self, seconds: float) -> None:
        """Rows were written within that time."""


class WorkerGone(Exception):
    """The other end of the socket is closed: there is nobody to work for."""


class Serving:
    """One worker's requests, until its end of the socket closes."""

    def __init__(
        self, worker: socket.socket, rows: Rows, answers: Answers | None = None, page: Page | None = None
    ) -> None:
        self._worker = worker
        self._rows = rows
        self._answers = answers
        self._page = page
        self._received = bytearray()
        self._waiting: deque[Save | Load | Answer] = deque()
        self._scans: deque[tuple[int, Iterator[dict[str, bytes]]]] = deque()
        self._selector = selectors.DefaultSelector()
        self._selector.register(worker, selectors.EVENT_READ)

    def run(self) -> None:
        """Serves until the worker is gone."""
        try:
            self._reply(Ready(self._page.port if self._page else 0))
            while True:
                self._receive()
                if self._waiting:
                    self._serve(self._waiting.popleft())
                elif self._scans:
                    self._scan_on()
        except WorkerGone:
            log.info("the worker is gone")

    def _receive(self) -> None:
        """Takes what has come; waits for it only if there is nothing else to do."""
        is_idle = not self._waiting and not self._scans
        while self._selector.select(None if is_idle else 0):
            try:
                received = self._worker.recv(RECEIVED_AT_ONCE)
            except OSError:
                received = b""
            if not received:
                raise WorkerGone
            self._received += received
            while (message := take_frame(self._received)) is not None:
                self._take(message)
            is_idle = not self._waiting and not self._scans

    def _take(self, message: bytes) -> None:
        request = decode_request(message)
        if isinstance(request, Scan):
            self._scans.append((request.ticket, self._rows.scan(request.partition)))
        elif isinstance(request, Show):
            self._show(request.measured)
        else:
            self._waiting.append(request)

    def _show(self, measured: Measured) -> None:
        if self._page is not None:
            port = self._page.port
            self._page.show(measured)
            if self._page.port != port:
                self._reply(Ready(self._page.port))

    def _serve(self, request: Save | Load | Answer) -> None:
        if isinstance(request, Answer):
            if self._answers is not None:
                self._answers.put(request.decisions)
            return
        try:
            self._save_or_load(request)
        except StoreUnavailable as error:
            log.warning("%s failed: %s", type(request).__name__.lower(), error)
            self._reply(Done(request.ticket, False))
        else:
            self._reply(Done(request.ticket, True))

    def _save_or_load(self, request: Save | Load) -> None:
        if isinstance(request, Save):
            begun_s = time.monotonic()
            self._rows.save(request.partition, request.rows, request.timestamp)
            if self._page is not None:
                self._page.saved(time.monotonic() - begun_s)
        else:
            self._reply(Found(request.ticket, self._rows.load(request.partition, request.subjects, LOAD_TIMEOUT_S)))

    def _scan_on(self) -> None:
        """One more piece of the scan that was asked for first."""
        ticket, pieces = self._scans[0]
        try:
            rows = next(pieces, None)
        except StoreUnavailable as error:
            log.warning("rows not scanned: %s", error)
            self._end_scan(ticket, is_done=False)
            return
        if rows is None:
            self._end_scan(ticket, is_done=True)
        else:
            self._reply(Found(ticket, rows))

    def _end_scan(self, ticket: int, *, is_done: bool) -> None:
        self._scans.popleft()
        self._reply(Done(ticket, is_done))

    def _reply(self, reply: Reply) -> None:
        try:
            self._worker.sendall(framed(encode(reply)))
        except OSError:
            raise WorkerGone from None
