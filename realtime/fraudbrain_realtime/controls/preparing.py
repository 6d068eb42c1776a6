"""A child that prepares rule sets and models for its worker: `python -m fraudbrain_realtime.controls.preparing`.

Its standard input is a socket. First comes the scenario's folder, then one record after the other, each answered by
what was made of it. It ends when its worker does.
"""

import os
import signal
import socket
from collections.abc import Callable

import msgspec

from fraudbrain_realtime.controls.preparation import prepared
from fraudbrain_realtime.frames import framed, take_frame
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.parse import parse_scenario

LONGEST_WORK_S = 60.0
"""When a check that does not end ends its process, should its worker be gone; a worker that is there is sooner."""

_NICENESS = 5  # deciding goes first


def main(work: Callable[[ControlRecord, Scenario], tuple[bytes | None, str]] | None = None) -> None:
    """Answers until the worker has hung up."""
    os.nice(_NICENESS)
    with socket.socket(fileno=0) as worker:
        received = bytearray()
        files = _next(worker, received)
        if files is None:
            return
        scenario = parse_scenario(msgspec.msgpack.decode(files, type=dict[str, bytes]))
        while (request := _next(worker, received)) is not None:
            signal.setitimer(signal.ITIMER_REAL, LONGEST_WORK_S)
            answer = (work or _work)(msgspec.msgpack.decode(request, type=ControlRecord), scenario)
            signal.setitimer(signal.ITIMER_REAL, 0)
            worker.sendall(framed(msgspec.msgpack.encode(answer)))


def _work(record: ControlRecord, scenario: Scenario) -> tuple[bytes | None, str]:
    _, made, cause = prepared(record, scenario)
    return made, cause


def _next(worker: socket.socket, received: bytearray) -> bytes | None:
    while (message := take_frame(received)) is None:
        try:
            some = worker.recv(1 << 20)
        except ConnectionError:
            return None
        if not some:
            return None
        received += some
    return message


if __name__ == "__main__":
    main()
