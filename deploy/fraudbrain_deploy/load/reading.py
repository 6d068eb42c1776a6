"""The reading side of a load: which answer, a decision or an echo, was read when. Each holds its event's id first."""

import time
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy import kafka

SILENCE_S: Final = 30.0
_AT_ONCE: Final = 1_000
_ID: Final = b'"event_id":"'
_RUN_LENGTH: Final = 8


class Read(NamedTuple):
    """The numbers of events in the order in which their answers were read, and when: monotonic ns."""

    numbers: npt.NDArray[np.int64]
    read_ns: npt.NDArray[np.int64]


def event_id(run: int, number: int) -> str:
    """What event `number` of a run is called: 16 characters, from which the reader knows when it was due."""
    return f"{run:08x}{number:08x}"


class Reader:
    """Reads a topic from where it ends now. For the process that does nothing else."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = kafka.consumer_from(bootstrap, {topic: kafka.end_offsets(bootstrap, topic)})

    def read(self, run: int, events: int, silence_s: float = SILENCE_S) -> Read:
        """The first answers for so many events of a run; fewer, where nothing comes for so long."""
        mine, found = f"{run:08x}".encode(), dict[int, int]()
        heard_s = time.monotonic()
        while len(found) < events and time.monotonic() - heard_s < silence_s:
            first = self._consumer.poll(0.1)
            if first is None:
                continue
            read_ns = time.monotonic_ns()
            for message in [first, *self._consumer.consume(_AT_ONCE, timeout=0)]:
                value = message.value()
                if value is None or message.error() is not None:
                    continue
                at = value.find(_ID) + len(_ID)
                if value[at : at + _RUN_LENGTH] == mine:
                    found.setdefault(int(value[at + _RUN_LENGTH : at + 2 * _RUN_LENGTH], 16), read_ns)
                    heard_s = read_ns / 1e9
        return Read(np.fromiter(found, np.int64), np.fromiter(found.values(), np.int64))

    def close(self) -> None:
        """Ends the connection."""
        self._consumer.close()
