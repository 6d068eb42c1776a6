"""A record that no Python client can send, by the client's own C library and the broker that it brings for tests."""

import ctypes
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import confluent_kafka
import pytest

from fraudbrain_realtime.kafka.broker import KafkaBroker
from fraudbrain_realtime.ports import Message
from fraudbrain_shared.topics import Names

NAMES = Names("hostile")
TOPIC, VALUE, HEADERS, END = map(ctypes.c_int, (1, 4, 10, 0))  # what rd_kafka_producev is given


class MockBroker:
    """librdkafka's mock broker, and a producer that belongs to it."""

    def __init__(self) -> None:
        folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
        self._lib = ctypes.CDLL(str(next(folder.glob("librdkafka*"))))
        for name in ("conf_new", "new", "headers_new", "handle_mock_cluster"):
            getattr(self._lib, f"rd_kafka_{name}").restype = ctypes.c_void_p
        bootstraps = self._lib.rd_kafka_mock_cluster_bootstraps
        bootstraps.restype = ctypes.c_char_p
        conf, error = ctypes.c_void_p(self._lib.rd_kafka_conf_new()), ctypes.create_string_buffer(512)
        for setting, value in ((b"test.mock.num.brokers", b"1"), (b"log_level", b"0")):
            assert self._lib.rd_kafka_conf_set(conf, setting, value, error, 512) == 0, error.value
        self._producer = ctypes.c_void_p(self._lib.rd_kafka_new(0, conf, error, 512))
        mock = ctypes.c_void_p(self._lib.rd_kafka_handle_mock_cluster(self._producer))
        self.bootstrap = bootstraps(mock).decode()

    def send(self, topic: str, value: bytes, header: bytes) -> None:
        lib, headers = self._lib, ctypes.c_void_p(self._lib.rd_kafka_headers_new(ctypes.c_size_t(1)))
        one, length = ctypes.c_ssize_t(1), ctypes.c_ssize_t(len(header))
        assert lib.rd_kafka_header_add(headers, header, length, b"v", one) == 0
        told = (TOPIC, ctypes.c_char_p(topic.encode()), VALUE, ctypes.c_char_p(value), ctypes.c_size_t(len(value)))
        assert lib.rd_kafka_producev(self._producer, *told, HEADERS, headers, END) == 0
        assert lib.rd_kafka_flush(self._producer, 10_000) == 0

    def close(self) -> None:
        self._lib.rd_kafka_destroy(self._producer)


class Owner:
    def assigned(self, starts: Mapping[int, int]) -> None: ...
    def revoked(self, partitions: Iterable[int]) -> None: ...
    def lost(self, partitions: Iterable[int]) -> None: ...


@pytest.fixture
def mock() -> Iterator[MockBroker]:
    made = MockBroker()
    yield made
    made.close()


def test_a_header_whose_name_is_not_utf_8_ends_no_worker(mock: MockBroker) -> None:
    mock.send(NAMES.topic("events"), b"bad", b"\xff\xfe")
    mock.send(NAMES.topic("events"), b"good", b"trace")
    owner = Owner()
    broker = KafkaBroker(
        bootstrap=mock.bootstrap, names=NAMES, group="a", epoch=1, owner=lambda: owner, batch_limit=8, in_flight=8
    )
    found: dict[bytes | None, Message] = {}
    deadline = time.monotonic() + 60
    try:
        while len(found) < 2:
            assert time.monotonic() < deadline
            found |= {each.value: each for each in broker.poll(0.2)}
    finally:
        broker.close()
    assert (tuple(found[b"bad"].headers), tuple(found[b"good"].headers)) == ((), (("trace", b"v"),))
