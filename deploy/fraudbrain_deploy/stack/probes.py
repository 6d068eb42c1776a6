"""Whether a part is ready: it is asked to do a little of its real work.

Each probe takes the settings and the seconds it may take, and returns why the part is not ready, None when it is.
"""

import http.client
import socket
from collections.abc import Callable
from functools import wraps

from fraudbrain_deploy.stack.settings import HOST, StackSettings

PROBE_TABLE = "fraudbrain_stack_probe"

Probe = Callable[[StackSettings, float], str | None]


def _reasons(work: Callable[[StackSettings, float], None]) -> Probe:
    """A probe that does `work` and gives the first line of whatever it raises as the reason.

    Everything is caught: clients raise what they like at a server that is half up, and each means "not ready".
    """

    @wraps(work)
    def probe(settings: StackSettings, timeout_s: float) -> str | None:
        try:
            work(settings, timeout_s)
        except Exception as error:
            text = getattr(error, "message", None) or str(error)  # HBase sends a Java stack trace as the message
            text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
            return f"{type(error).__name__}: {text.splitlines()[0][:200] if text else ''}"
        return None

    return probe


@_reasons
def kafka_unready(settings: StackSettings, timeout_s: float) -> None:
    """Ready when the broker answers for its topics and is unfenced, which means in its own list of brokers."""
    _connect(settings.ports.kafka, timeout_s)  # librdkafka would retry, and complain on stderr, at a closed port
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap, "log_level": 0})
    if not admin.list_topics(timeout=timeout_s).brokers:
        raise ConnectionError("the broker is still fenced")


@_reasons
def hbase_unready(settings: StackSettings, timeout_s: float) -> None:
    """Ready when a put succeeds: a list of tables is answered before the master is initialised."""
    host, port = settings.thrift_address
    _connect(port, timeout_s)
    import happybase

    connection = happybase.Connection(
        host, port, timeout=int(timeout_s * 1000), transport="buffered", protocol="binary"
    )
    try:
        if PROBE_TABLE.encode() not in connection.tables():
            connection.create_table(PROBE_TABLE, {"p": {"max_versions": 1}})
        connection.table(PROBE_TABLE).put(b"ready", {b"p:": b""})
    finally:
        connection.close()


@_reasons
def thrift_unready(settings: StackSettings, timeout_s: float) -> None:
    """Ready when the gateway takes connections; whether HBase answers behind it is asked by `hbase_unready`."""
    _connect(settings.ports.thrift, timeout_s)


@_reasons
def redis_unready(settings: StackSettings, timeout_s: float) -> None:
    """Ready when PING is answered; right after a start the data set may still be loading."""
    with socket.create_connection((HOST, settings.ports.redis), timeout_s) as connection:
        connection.sendall(b"PING\r\n")
        if not (answer := connection.recv(128)).startswith(b"+PONG"):
            raise ConnectionError(answer.decode(errors="replace"))


@_reasons
def mlflow_unready(settings: StackSettings, timeout_s: float) -> None:
    """Ready when /health says so; asked without the proxies of the environment."""
    connection = http.client.HTTPConnection(HOST, settings.ports.mlflow, timeout=timeout_s)
    try:
        connection.request("GET", "/health")
        if (status := connection.getresponse().status) != 200:
            raise ConnectionError(f"/health answers {status}")
    finally:
        connection.close()


def _connect(port: int, timeout_s: float) -> None:
    socket.create_connection((HOST, port), timeout_s).close()
