"""The reading side of a load: which answer, a decision or an echo, was read when. Each holds its event's id first."""

import time
from array import array
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy import kafka
from fraudbrain_deploy.load.limit import Limit
from fraudbrain_deploy.load.run import ID_LENGTH, RUN_LENGTH, run_name

SILENCE_S: Final = 30.0
_AT_ONCE: Final = 1_000
_ID: Final = b'"event_id":"'


class Read(NamedTuple):
    """The numbers of the events that were answered, ascending; of the first answer for each when it was read, monotonic
    ns, and when the broker appended it to which partition, UTC ms."""

    numbers: npt.NDArray[np.int64]
    read_ns: npt.NDArray[np.int64]
    append_ms: npt.NDArray[np.int64]
    partitions: npt.NDArray[np.int16]


class Reader:
    """Reads a topic from where it ends now. For the process that does nothing else."""

    def __init__(self, bootstrap: str, topic: str, limit: Limit) -> None:
        self._limit = limit
        self._consumer = kafka.consumer_from(bootstrap, {topic: kafka.end_offsets(bootstrap, topic)})

    def read(self, run: int, events: int, end_s: float, silence_s: float) -> Read:
        """The first answers for the events of a run, of which there are so many unless the limit is lower; fewer, where
        nothing comes for so long after it should have ended, on the monotonic clock."""
        mine, heard_s, found = run_name(run).encode(), time.monotonic(), 0
        # By number: millions of answers as objects would take gigabytes.
        read_ns, append_ms, partitions = (
            array(code, bytes(size * events)) for code, size in (("q", 8), ("q", 8), ("h", 2))
        )
        while found < (expected := self._limit.events):
            if time.monotonic() - (heard_s if expected < events else max(heard_s, end_s)) > silence_s:
                break
            first = self._consumer.poll(0.1)
            if first is None:
                continue
            now_ns = time.monotonic_ns()
            for message in [first, *self._consumer.consume(_AT_ONCE, timeout=0)]:
                value = message.value()
                if value is None or message.error() is not None:
                    continue
                at = value.find(_ID) + len(_ID)
                if value[at : at + RUN_LENGTH] == mine:
                    heard_s = now_ns / 1e9
                    number = int(value[at + RUN_LENGTH : at + ID_LENGTH], 16)
                    if not read_ns[number]:
                        read_ns[number], append_ms[number] = now_ns, message.timestamp()[1]
                        partitions[number] = message.partition() or 0
                        found += 1
        times, appended = np.frombuffer(read_ns, np.int64), np.frombuffer(append_ms, np.int64)
        numbers = np.flatnonzero(times)
        return Read(numbers, times[numbers], appended[numbers], np.frombuffer(partitions, np.int16)[numbers])

    def close(self) -> None:
        """Ends the connection."""
        self._consumer.close()
