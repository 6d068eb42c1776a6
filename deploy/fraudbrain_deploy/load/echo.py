"""`python -m fraudbrain_deploy.load.echo`: reads a topic and produces the same bytes to another, and nothing between.

What any consumer of Kafka costs in Python at the least, beside which a worker is measured: poll, then drain what is
there (at most 64, as a worker does), produce idempotently with linger 1 ms to the same partition. It commits nothing.
"""

import argparse
import signal

from fraudbrain_deploy import kafka

_TOGETHER = 64
_QUEUED = 20_000  # as many as a worker lets be on their way; with more the client's own queue would be measured
_POLL_S = 0.05


class Echo:
    """From the topic's end, or from its beginning."""

    def __init__(self, bootstrap: str, source: str, sink: str, *, whole: bool) -> None:
        starts = (kafka.begin_offsets if whole else kafka.end_offsets)(bootstrap, source)
        self._consumer = kafka.consumer_from(bootstrap, {source: starts})
        self._producer = kafka.producer(
            bootstrap, in_flight=_QUEUED, settings={"linger.ms": 1, "delivery.report.only.error": True}
        )
        self._sink = sink
        self._producer.list_topics(sink, timeout=kafka.TIMEOUT_S)
        self._is_ended = False

    def run(self) -> None:
        """Until it is told to end."""
        consumer, producer = self._consumer, self._producer
        poll, drain, produce, sink = consumer.poll, consumer.consume, producer.produce, self._sink
        while not self._is_ended:
            first = poll(_POLL_S)
            producer.poll(0)
            if first is None:
                continue
            for message in [first, *drain(_TOGETHER - 1, timeout=0)]:
                if message.error() is None:
                    while True:
                        try:
                            produce(sink, message.value(), message.key(), partition=message.partition() or 0)
                            break
                        except BufferError:  # the broker is behind
                            producer.poll(0.001)
        consumer.close()
        producer.flush(5)

    def end(self, number: int, frame: object) -> None:
        """The signal handler."""
        self._is_ended = True


def main() -> None:
    """Says `ready` on standard output, and ends on SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--source", required=True, help="the topic that is read")
    parser.add_argument("--sink", required=True, help="the topic that gets the same")
    parser.add_argument("--whole", action="store_true", help="from the source's beginning, not from its end")
    arguments = parser.parse_args()
    echo = Echo(arguments.bootstrap, arguments.source, arguments.sink, whole=arguments.whole)
    signal.signal(signal.SIGTERM, echo.end)
    print("ready", flush=True)
    echo.run()


if __name__ == "__main__":
    main()
