"""The proxy passes bytes on unharmed, or spoils them in the way it was told to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from fraudbrain_deploy.faults.proxy import HEALTHY, Proxy, Toxics

DEADLINE_S = 10.0


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that gives back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                while data := connection.recv(65_536):
                    connection.sendall(data)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        host, port = server.getsockname()
        yield host, port
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo: tuple[str, int]) -> Iterator[Proxy]:
    with Proxy(echo) as proxy:
        yield proxy


def connected(proxy: Proxy) -> "closing[socket.socket]":
    connection = socket.create_connection(("127.0.0.1", proxy.port), DEADLINE_S)
    return closing(connection)


def asked(connection: socket.socket, data: bytes) -> bytes:
    """What comes back, until as much came as was sent or the connection ends."""
    connection.sendall(data)
    found = b""
    while len(found) < len(data) and (piece := connection.recv(65_536)):
        found += piece
    return found


def settle(proxy: Proxy) -> None:
    """Waits until what the proxy was told has been done."""
    done = threading.Event()
    proxy._loop.call_soon_threadsafe(done.set)
    assert done.wait(DEADLINE_S)


def test_bytes_pass_unharmed(proxy: Proxy) -> None:
    data = bytes(range(256)) * 2_000
    with connected(proxy) as one, connected(proxy) as other:
        assert asked(one, data) == data
        assert asked(other, b"other") == b"other"
        assert asked(one, b"again") == b"again"


def test_slowness_changes_no_byte(proxy: Proxy) -> None:
    proxy.spoil(Toxics(latency_s=0.01, jitter_s=0.01, bytes_per_s=1_000_000))
    settle(proxy)
    data = bytes(range(256)) * 200
    with connected(proxy) as connection:
        assert asked(connection, data) == data


def test_a_black_hole_takes_all_and_answers_nothing_also_when_it_is_over(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        assert asked(connection, b"before") == b"before"
        proxy.spoil(Toxics(black_hole=True))
        settle(proxy)
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            asked(connection, b"lost")
        proxy.spoil(HEALTHY)
        settle(proxy)
        with pytest.raises(TimeoutError):
            asked(connection, b"half of a stream would be worse than none of it")
        with connected(proxy) as new:
            assert asked(new, b"after") == b"after"


def test_a_connection_is_cut_after_so_many_bytes(proxy: Proxy) -> None:
    proxy.spoil(Toxics(cut_after=100))
    settle(proxy)
    with connected(proxy) as connection:
        found = b""
        with suppress(ConnectionResetError):
            found = asked(connection, b"x" * 1_000)
        assert len(found) <= 100


def test_all_connections_are_reset_and_new_ones_work(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        assert asked(connection, b"before") == b"before"
        proxy.reset_all()
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    with connected(proxy) as connection:
        assert asked(connection, b"after") == b"after"


def test_connections_end_in_an_orderly_way_and_new_ones_work(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        assert asked(connection, b"before") == b"before"
        proxy.close_all()
        assert connection.recv(1) == b""
    with connected(proxy) as connection:
        assert asked(connection, b"after") == b"after"


def test_what_is_refused_is_taken_again_on_the_same_port(proxy: Proxy) -> None:
    for _ in range(3):
        with connected(proxy) as connection:
            assert asked(connection, b"before") == b"before"
            proxy.refuse()
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
        proxy.listen()
        settle(proxy)


def test_a_target_that_is_away_is_a_broken_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    with Proxy(address) as proxy, connected(proxy) as connection, suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_it_says_when_marked_bytes_pass(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        seen: list[bool] = []
        waiting = threading.Thread(target=lambda: seen.append(proxy.wait_for(b"flush", DEADLINE_S)))
        waiting.start()
        while not seen:
            assert asked(connection, b"a flush of rows") == b"a flush of rows"
        waiting.join(DEADLINE_S)
    assert seen == [True]
    assert not proxy.wait_for(b"flush", 0.01)
