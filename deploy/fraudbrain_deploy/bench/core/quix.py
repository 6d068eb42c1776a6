"""The process that runs Quix Streams, in an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from fraudbrain_deploy.bench.core import quix_echo


class _Answer(msgspec.Struct):
    version: str = ""
    us: float = 0.0


class QuixStreams:
    """Echoes the same events whenever it is asked to."""

    def __init__(self, asked: IO[bytes], answers: IO[bytes], events: Sequence[bytes]) -> None:
        self._asked, self._answers = asked, answers
        asked.writelines(event + b"\n" for event in events)
        asked.flush()
        self.version: str = self._answer().version

    def us(self) -> float:
        """Microseconds of its processing thread per event, of one run over all events."""
        self._asked.write(b"\n")
        self._asked.flush()
        return self._answer().us

    def _answer(self) -> _Answer:
        line = self._answers.readline()
        if not line:
            raise RuntimeError("Quix Streams' process ended")
        return msgspec.json.decode(line, type=_Answer)


@contextmanager
def quix_streams(folder: Path, broker: str, events: Sequence[bytes]) -> Iterator[QuixStreams]:
    """Quix Streams from the folder that it is installed in, ready on a broker; ended afterwards."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", quix_echo.__name__, broker, str(len(events))]
    environment = os.environ | {"PYTHONPATH": path}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield QuixStreams(process.stdin, process.stdout, events)
        finally:
            process.kill()
