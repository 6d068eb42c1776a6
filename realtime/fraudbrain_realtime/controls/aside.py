"""Preparation in a child process: what a check costs, and what it may do to its process, does not touch the worker."""

import logging
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from fraudbrain_realtime.child import AT_ONCE_S, Child
from fraudbrain_realtime.controls.preparation import Prepared
from fraudbrain_realtime.ports import ControlRecord

TIMEOUT_S: Final = 30.0
"""How long a record may take, the child's start included. Shorter: a large model is refused on a busy machine.
Longer: one that hangs stands longer in the way of those after it."""

TRIES: Final = 2
PROGRAM: Final = (sys.executable, "-m", "fraudbrain_realtime.controls.preparing")

_POLL_S: Final = 0.05
_IDLE: Final = float("inf")

log = logging.getLogger(__name__)


class PreparationAside:
    """Prepares one record after the other. A child that dies or hangs is replaced and the record tried once more;
    one that brings down a second child is rejected.

    `files` are those of the scenario's folder.
    """

    def __init__(
        self, files: Mapping[str, bytes], *, program: Sequence[str] = PROGRAM, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._files = msgspec.msgpack.encode(dict(files))
        self._program = program
        self._timeout_s = timeout_s
        self._waiting: deque[ControlRecord] = deque()
        self._ended: deque[Prepared] = deque()
        self._tries = 0
        self._child: Child | None = None
        self._due = _IDLE
        """Until when the child must have answered; it has nothing to do while there is no such time."""
        self._start()

    def submit(self, record: ControlRecord) -> None:
        self._waiting.append(record)
        self._go_on()

    def results(self, wait_s: float = 0.0) -> Sequence[Prepared]:
        deadline = time.monotonic() + wait_s
        self._go_on()
        while not self._ended and (left := deadline - time.monotonic()) > 0:
            self._go_on(min(left, _POLL_S))
        ended, self._ended = self._ended, deque()
        return ended

    def close(self) -> None:
        self._waiting.clear()
        if self._child is not None:
            self._child.end()

    def _go_on(self, wait_s: float = 0.0) -> None:
        """All that goes, after a wait for the child to say something."""
        if self._child is None and self._waiting:
            self._start()
        child = self._child
        if child is None:
            return
        for answer in _heard(child, wait_s):
            self._tries, self._due = 0, _IDLE
            made, cause = _decode(answer)
            self._ended.append(Prepared(self._waiting.popleft(), made, cause))
        if child.is_dead or time.monotonic() > self._due:
            self._replace(child)
        elif self._waiting and self._due == _IDLE:
            child.say(msgspec.msgpack.encode(self._waiting[0]))
            self._due = time.monotonic() + self._timeout_s

    def _replace(self, child: Child) -> None:
        how = "killed the checker" if child.is_dead else f"did not end within {self._timeout_s:.0f} s"
        child.end()
        self._child = None
        if self._due != _IDLE:
            self._due = _IDLE
            self._fail(f"its check {how}, {TRIES} times")
        else:
            log.warning("the child that prepares controls ended; another one is started when it is needed")

    def _start(self) -> None:
        try:
            self._child = Child(self._program)
        except OSError as error:
            self._fail(f"the checker cannot be started: {error.strerror}")
        else:
            self._child.say(self._files)

    def _fail(self, cause: str) -> None:
        if not self._waiting:
            return
        self._tries += 1
        log.error("%s/%d: %s", self._waiting[0].topic, self._waiting[0].offset, cause)
        if self._tries >= TRIES:
            self._tries = 0
            self._ended.append(Prepared(self._waiting.popleft(), None, cause))


def _heard(child: Child, wait_s: float) -> list[bytes]:
    """What the child has said. A message that is half way is waited for a moment: it may be a large model."""
    came = child.exchange(wait_s)
    until = time.monotonic() + AT_ONCE_S
    while not came and child.is_halfway and not child.is_dead and (left := until - time.monotonic()) > 0:
        came = child.exchange(left)
    return came


_decode = msgspec.msgpack.Decoder(tuple[bytes | None, str]).decode
