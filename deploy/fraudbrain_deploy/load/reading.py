"""The reading side of a load: which answer, a decision or an echo, was read when. Each holds its event's id first."""

import time
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy import kafka
from fraudbrain_deploy.load.run import ID_LENGTH, RUN_LENGTH, run_name

SILENCE_S: Final = 30.0
_AT_ONCE: Final = 1_000
_ID: Final = b'"event_id":"'


class Read(NamedTuple):
    """The numbers of events in the order in which their answers were read, and when: monotonic ns."""

    numbers: npt.NDArray[np.int64]
    read_ns: npt.NDArray[np.int64]


class Reader:
    """Reads a topic from where it ends now. For the process that does nothing else."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = kafka.consumer_from(bootstrap, {topic: kafka.end_offsets(bootstrap, topic)})

    def read(self, run: int, events: int, end_s: float, silence_s: float) -> Read:
        """The first answers for so many events of a run; fewer, where nothing comes for so long after it should have
        ended, on the monotonic clock."""
        mine, found = run_name(run).encode(), dict[int, int]()
        heard_s = end_s
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
                if value[at : at + RUN_LENGTH] == mine:
                    found.setdefault(int(value[at + RUN_LENGTH : at + ID_LENGTH], 16), read_ns)
                    heard_s = max(end_s, read_ns / 1e9)
        return Read(np.fromiter(found, np.int64), np.fromiter(found.values(), np.int64))

    def close(self) -> None:
        """Ends the connection."""
        self._consumer.close()
