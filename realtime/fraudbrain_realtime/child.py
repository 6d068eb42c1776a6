"""A child process of a worker, and the messages on their way to it and from it; none of them is waited for."""

import select
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from fraudbrain_realtime.frames import framed, take_frame

AT_ONCE_S: Final = 0.002
"""What moving bytes may take of a worker's turn."""

_CHUNK: Final = 1 << 18
_KILLED_S: Final = 5.0


class Child:
    """Starts `program`, whose standard input is a socket to the worker: it should end when that is closed.

    Raises OSError where it cannot be started.
    """

    def __init__(self, program: Sequence[str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(program, stdin=theirs.fileno(), process_group=0)
            except OSError:
                self._socket.close()
                raise
        self._socket.setblocking(False)
        self._unsent = bytearray()
        self._received = bytearray()
        self._has_hung_up = False

    @property
    def is_dead(self) -> bool:
        """Whether the process ended or hears and says no more."""
        return self._has_hung_up or self._process.poll() is not None

    @property
    def unsent_bytes(self) -> int:
        """What is still to be sent."""
        return len(self._unsent)

    @property
    def is_halfway(self) -> bool:
        """Whether a message is partly sent or partly received."""
        return bool(self._unsent or self._received)

    def say(self, *messages: bytes) -> None:
        """Sends as much as goes; the rest with the next messages or the next `exchange`."""
        for each in messages:
            self._unsent += framed(each)
        self._send()

    def exchange(self, wait_s: float = 0.0) -> list[bytes]:
        """The messages that have come. Sends and receives as long as that goes on, for 2 ms at most; before, it waits
        no longer than `wait_s` for anything to go."""
        if wait_s > 0:
            select.select([self._socket], [self._socket] if self._unsent else [], [], wait_s)
        until, came = time.monotonic() + AT_ONCE_S, list[bytes]()
        while (self._send() or self._receive(came)) and time.monotonic() < until:
            pass
        return came

    def end(self, patience_s: float = 0.0) -> None:
        """Hangs up, and kills the process where it has not ended by itself after `patience_s`."""
        self._socket.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILLED_S)

    def _send(self) -> bool:
        """Whether anything went."""
        if not self._unsent:
            return False
        try:
            del self._unsent[: self._socket.send(memoryview(self._unsent)[:_CHUNK])]
        except BlockingIOError:
            return False
        except OSError:
            self._has_hung_up = True
            return False
        return True

    def _receive(self, came: list[bytes]) -> bool:
        """Whether anything came; whole messages are added."""
        try:
            some = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            some = b""
        self._has_hung_up |= not some
        self._received += some
        while (message := take_frame(self._received)) is not None:
            came.append(message)
        return bool(some)
