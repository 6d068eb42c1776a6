"""`python -m fraudbrain_deploy.bench.core.quix_echo`: Quix Streams' bare echo, measured on request.

Runs where Quix Streams is installed and imports nothing of ours. Reads the lines of events, as many as the first
argument says after the broker's address, from standard input and produces them to a topic of its own. Then for each
further line it echoes them and answers with the microseconds of its processing thread per event.
"""

import importlib
import json
import sys
import time
import uuid
from typing import Any


class Echo:
    """JSON in, the same as JSON out, on one partition: nothing is done in between."""

    def __init__(self, broker: str, events: list[bytes]) -> None:
        self._quix: Any = importlib.import_module("quixstreams")
        self._broker = broker
        self._count = len(events) - 1
        self._name = f"bench-{uuid.uuid4().hex[:8]}"
        app = self._application("producer")
        topic = app.topic(self._name)
        with app.get_producer() as producer:
            for event in events:
                producer.produce(topic=topic.name, key=b"", value=event)

    @property
    def version(self) -> str:
        return str(self._quix.__version__)

    def us(self) -> float:
        """Microseconds of this thread per event, less what a run of one event costs: start, joining, commit, end. All
        events are echoed once before, untimed."""
        self._run_s(self._count + 1)
        return (self._run_s(self._count + 1) - self._run_s(1)) / self._count * 1e6

    def _run_s(self, count: int) -> float:
        app = self._application(uuid.uuid4().hex)
        source = app.topic(self._name, value_deserializer="json")
        sink = app.topic(f"{self._name}-out", value_serializer="json")
        app.dataframe(source).to_topic(sink)
        begun = time.thread_time()
        app.run(count=count, collect=False)
        return time.thread_time() - begun

    def _application(self, group: str) -> Any:
        return self._quix.Application(
            broker_address=self._broker, consumer_group=group, auto_offset_reset="earliest", loglevel="ERROR"
        )


def main() -> None:
    """Answers until its standard input ends."""
    broker, count = sys.argv[1], int(sys.argv[2])
    lines = sys.stdin.buffer
    echo = Echo(broker, [lines.readline().rstrip() for _ in range(count)])
    _answer({"version": echo.version})
    while lines.readline():
        _answer({"us": echo.us()})


def _answer(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
