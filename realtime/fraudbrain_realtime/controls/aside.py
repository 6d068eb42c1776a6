"""Preparation in a child process: what a check costs, and what it may do to its process, does not touch the worker."""

import logging
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from fraudbrain_realtime.controls.preparation import Prepared
from fraudbrain_realtime.frames import framed, take_frame
from fraudbrain_realtime.ports import ControlRecord

TIMEOUT_S: Final = 30.0
"""How long a record may take, the child's start included. Shorter: a large model is refused on a busy machine.
Longer: one that hangs stands longer in the way of those after it."""

TRIES: Final = 2
PROGRAM: Final = (sys.executable, "-m", "fraudbrain_realtime.controls.preparing")

_PUMP_S: Final = 0.002  # what moving bytes may take of a worker's turn
_CHUNK: Final = 1 << 20

log = logging.getLogger(__name__)


class PreparationAside:
    """Prepares one record after the other. A child that dies or hangs is replaced and the record tried once more;
    one that brings down a second child is rejected.

    `files` are those of the scenario's folder.
    """

    def __init__(
        self, files: Mapping[str, bytes], *, program: Sequence[str] = PROGRAM, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._files = framed(msgspec.msgpack.encode(dict(files)))
        self._program = program
        self._timeout_s = timeout_s
        self._waiting: deque[ControlRecord] = deque()
        self._ended: deque[Prepared] = deque()
        self._tries = 0
        self._child: _Child | None = None
        self._start()

    def submit(self, record: ControlRecord) -> None:
        self._waiting.append(record)
        self._go_on()

    def results(self, wait_s: float = 0.0) -> Sequence[Prepared]:
        deadline = time.monotonic() + wait_s
        self._go_on()
        while not self._ended and (left := deadline - time.monotonic()) > 0:
            if self._child is not None:
                self._child.wait(min(left, 0.05))
            self._go_on()
        ended, self._ended = self._ended, deque()
        return ended

    def close(self) -> None:
        self._waiting.clear()
        if self._child is not None:
            self._child.end()

    def _go_on(self) -> None:
        """All that goes without waiting."""
        if self._child is None and self._waiting:
            self._start()
        child = self._child
        if child is None:
            return
        if self._waiting and not child.is_busy:
            child.ask(self._waiting[0], self._timeout_s)
        answer = child.pump()
        if answer is not None:
            self._tries = 0
            self._ended.append(Prepared(self._waiting.popleft(), *answer))
            self._go_on()
        elif child.is_dead or child.is_overdue:
            self._replace(child)

    def _replace(self, child: "_Child") -> None:
        child.end()
        self._child = None
        if child.is_busy:
            how = f"did not end within {self._timeout_s:.0f} s" if child.is_overdue else "killed the checker"
            self._fail(f"its check {how}, {TRIES} times")
        else:
            log.warning("the child that prepares controls ended; another one is started when it is needed")

    def _start(self) -> None:
        try:
            self._child = _Child(self._program, self._files)
        except OSError as error:
            self._fail(f"the checker cannot be started: {error.strerror}")

    def _fail(self, cause: str) -> None:
        if not self._waiting:
            return
        self._tries += 1
        log.error("%s/%d: %s", self._waiting[0].topic, self._waiting[0].offset, cause)
        if self._tries >= TRIES:
            self._tries = 0
            self._ended.append(Prepared(self._waiting.popleft(), None, cause))


class _Child:
    """A process that prepares, and what is on its way to and from it."""

    def __init__(self, program: Sequence[str], files: bytes) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(program, stdin=theirs.fileno(), process_group=0)
            except OSError:
                self._socket.close()
                raise
        self._socket.setblocking(False)
        self._unsent = memoryview(files)
        self._received = bytearray()
        self._due = float("inf")
        self.is_busy = False
        self.is_dead = False

    @property
    def is_overdue(self) -> bool:
        """Whether it has had a record for too long."""
        return self.is_busy and time.monotonic() > self._due

    def ask(self, record: ControlRecord, timeout_s: float) -> None:
        self._unsent = memoryview(bytes(self._unsent) + framed(msgspec.msgpack.encode(record)))
        self._due = time.monotonic() + timeout_s
        self.is_busy = True

    def pump(self) -> tuple[bytes | None, str] | None:
        """Moves bytes as long as that goes on, for a moment at most; the answer, once it is there."""
        deadline = time.monotonic() + _PUMP_S
        answer = None
        try:
            while answer is None and (self._send() or self._receive() or self._goes_on(deadline)):
                answer = self._answer()
        except OSError:
            self.is_dead = True
        return answer

    def wait(self, seconds: float) -> None:
        """Waits until something can be moved."""
        select.select([self._socket], [self._socket] if self._unsent else [], [], seconds)

    def end(self) -> None:
        self._socket.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)

    def _send(self) -> bool:
        if not self._unsent:
            return False
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent[:_CHUNK]) :]
        except BlockingIOError:
            return False
        return True

    def _receive(self) -> bool:
        try:
            some = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return False
        self.is_dead = not some
        self._received += some
        return bool(some)

    def _goes_on(self, deadline: float) -> bool:
        """Whether there is something to be moved within the time that is left, where a message is half way."""
        left = deadline - time.monotonic()
        if self.is_dead or left <= 0 or not (self._unsent or self._received):
            return False
        readable, writable, _ = select.select([self._socket], [self._socket] if self._unsent else [], [], left)
        return bool(readable or writable)

    def _answer(self) -> tuple[bytes | None, str] | None:
        message = take_frame(self._received)
        if message is None:
            return None
        self.is_busy = False
        found: tuple[bytes | None, str] = msgspec.msgpack.decode(message, type=tuple[bytes | None, str])
        return found
