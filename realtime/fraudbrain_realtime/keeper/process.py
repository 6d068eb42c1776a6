"""The worker's side of its keeper: starts the process, asks it, and starts another when it is dead or stuck."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from fraudbrain_realtime.child import Child
from fraudbrain_realtime.keeper.messages import (
    Answer,
    Done,
    Load,
    Ready,
    Save,
    Scan,
    Show,
    decode_reply,
    encode,
)
from fraudbrain_realtime.metrics import Measured
from fraudbrain_realtime.ports import StoreUnavailable

log = logging.getLogger(__name__)

PATIENCE_S: Final = 5.0  # more than twice what the longest call of the store may take
START_PATIENCE_S: Final = 60.0  # starting Python takes seconds on a busy machine
START_POLL_S: Final = 0.05
PAUSE_S: Final = 1.0  # at least so long between two starts
ROOM_BYTES: Final = 64 << 20
ROWS_AT_ONCE: Final = 1_024  # of a request: each answer says that the keeper works
END_S: Final = 1.0


@dataclass(slots=True)
class _Asked:
    """Who waits for the answer to a request, or to several together; and for rows that it finds."""

    done: Callable[[bool], None]
    found: Callable[[Mapping[str, bytes]], None] | None = None
    requests: int = 1
    all_done: bool = True

    def answered(self, is_done: bool) -> None:
        """One of the requests is; the last one answers for all."""
        self.requests -= 1
        self.all_done &= is_done
        if not self.requests:
            self.done(self.all_done)


class KeeperProcess:
    """A `Keeper` in a process of its own. `program` is its command; its standard input is a socket to this one.

    Requests are sent as far as they go without waiting; the rest stays in a bounded buffer. Five seconds without an
    answer end the process: what is asked of it is answered with no, and the next one starts.
    """

    def __init__(self, program: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._program = program
        self._clock = clock
        self._tickets = 0
        self._asked: dict[int, _Asked] = {}
        self.restarts = 0
        self.answers_dropped = 0
        self.metrics_port = 0
        self._start()

    @property
    def counts(self) -> dict[str, int]:
        """How often it was started again, and the decisions that were not made known for want of room."""
        counts = {"keeper_restarts": self.restarts, "answers_dropped": self.answers_dropped}
        return {name: count for name, count in counts.items() if count}

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int, done: Callable[[bool], None]) -> bool:
        if not self._has_room():
            return False
        cells, asked = iter(rows.items()), _Asked(done, requests=-(-len(rows) // ROWS_AT_ONCE))
        while piece := dict(islice(cells, ROWS_AT_ONCE)):
            self._ask(Save(self._next_ticket(), partition, piece, timestamp), asked)
        return True

    def scan(self, partition: int, found: Callable[[Mapping[str, bytes]], None], done: Callable[[bool], None]) -> bool:
        if not self._has_room():
            return False
        self._ask(Scan(self._next_ticket(), partition), _Asked(done, found))
        return True

    def load(
        self,
        partition: int,
        subjects: Sequence[str],
        found: Callable[[Mapping[str, bytes]], None],
        done: Callable[[bool], None],
    ) -> bool:
        if not self._has_room():
            return False
        self._ask(Load(self._next_ticket(), partition, list(subjects)), _Asked(done, found))
        return True

    def answer(self, decisions: Mapping[str, bytes]) -> None:
        if self._has_room():
            self._child.say(encode(Answer(dict(decisions))))
        else:
            self.answers_dropped += len(decisions)

    def show(self, measured: Measured) -> None:
        """Shows over HTTP how the worker is; not while the keeper has no room, for there will be newer numbers."""
        if self._has_room():
            self._child.say(encode(Show(measured)))

    def poll(self, wait_s: float = 0.0) -> None:
        for message in self._child.exchange(wait_s):
            self._serve(message)
        if self._is_stuck() and self._clock() - self._started_s >= PAUSE_S:
            self._restart()

    def wait_ready(self, timeout_s: float = START_PATIENCE_S) -> None:
        """Waits until the process takes requests. Raises StoreUnavailable: without it nothing can be written."""
        until = self._clock() + timeout_s
        while not self._is_ready:
            if self._clock() >= until:
                raise StoreUnavailable(f"the keeper did not start within {timeout_s:.0f} s")
            self.poll(START_POLL_S)

    def close(self) -> None:
        """Lets it finish what it is doing, and ends it."""
        self._child.end(END_S)

    def _start(self) -> None:
        self._child = Child(self._program)
        self._started_s = self._heard_s = self._clock()
        self._is_ready = False

    def _restart(self) -> None:
        log.warning("the keeper is dead or stuck: another one starts")
        self.restarts += 1
        self._child.end()
        self._start()
        asked, self._asked = self._asked, {}
        for each in asked.values():
            each.answered(False)

    def _is_stuck(self) -> bool:
        patience_s = PATIENCE_S if self._is_ready else START_PATIENCE_S
        is_late = bool(self._asked) and self._clock() - self._heard_s > patience_s
        return is_late or self._child.is_dead

    def _next_ticket(self) -> int:
        self._tickets += 1
        return self._tickets

    def _ask(self, request: Save | Scan | Load, asked: _Asked) -> None:
        if not self._asked:
            self._heard_s = self._clock()
        self._asked[request.ticket] = asked
        self._child.say(encode(request))

    def _has_room(self) -> bool:
        self._child.say()
        return self._child.unsent_bytes < ROOM_BYTES

    def _serve(self, body: bytes) -> None:
        reply = decode_reply(body)
        self._heard_s = self._clock()
        if isinstance(reply, Ready):
            self._is_ready = True
            self.metrics_port = reply.metrics_port
        elif isinstance(reply, Done):
            self._asked.pop(reply.ticket).answered(reply.is_done)
        elif (found := self._asked[reply.ticket].found) is not None:
            found(reply.rows)
