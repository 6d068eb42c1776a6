"""A TCP proxy that spoils connections on purpose: between workers and HBase's Thrift gateway."""

import asyncio
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Final, Self

_START_S: Final = 5.0
_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class Toxics:
    """What happens to bytes on their way; nothing by default."""

    latency_s: float = 0.0
    """Each chunk of bytes waits so long,"""
    jitter_s: float = 0.0
    """and up to so long in addition."""
    bytes_per_s: float | None = None
    """No more than these get through."""
    black_hole: bool = False
    """Bytes are taken and go nowhere; connections that lost some stay dumb for ever, as a half-open one does."""
    cut_after: int | None = None
    """A connection is reset when so many bytes have passed since the toxics were set."""
    slow_close_s: float = 0.0
    """The other side hears so much later that one has closed."""


HEALTHY: Final = Toxics()


class _Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.ends = (client, server)
        self.passed = 0
        self.is_dumb = False

    def reset(self) -> None:
        for end in self.ends:
            end.transport.abort()

    def close(self) -> None:
        for end in self.ends:
            end.close()


class Proxy:
    """Listens on a free port of the loopback interface and passes bytes on to `target`. A context manager.

    It runs in a thread of its own; its methods may be called from any.
    """

    def __init__(self, target: tuple[str, int], seed: int = 0) -> None:
        self._target = target
        self._chance = Random(seed)
        self._toxics = HEALTHY
        self._listener: socket.socket | None = None
        self._accepted: set[asyncio.Task[None]] = set()
        self._links: set[_Link] = set()
        self._mark: bytes | None = None
        self._marked = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_START_S):
            raise TimeoutError(f"the proxy did not start within {_START_S:.0f} s")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)

    def spoil(self, toxics: Toxics) -> None:
        """From now on this is what happens to all connections."""
        self._loop.call_soon_threadsafe(self._spoil, toxics)

    def reset_all(self) -> None:
        """Breaks all connections off at once."""
        self._loop.call_soon_threadsafe(self._reset_all)

    def close_all(self) -> None:
        """Ends all connections in an orderly way, as a server does with those that were idle for too long."""
        self._loop.call_soon_threadsafe(self._close_all)

    def refuse(self) -> None:
        """Breaks all connections off, and no new one is taken, until it is to `listen` again."""
        self._loop.call_soon_threadsafe(self._refuse)

    def listen(self) -> None:
        """Takes connections again, on the same port."""
        self._loop.call_soon_threadsafe(self._listen)

    def wait_for(self, mark: bytes, timeout_s: float) -> bool:
        """Waits until bytes that hold `mark` are on their way to the target; whether they came in time."""
        self._marked.clear()
        self._mark = mark
        came = self._marked.wait(timeout_s)
        self._mark = None
        return came

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._listen()
        self._started.set()
        self._loop.run_forever()
        self._refuse()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]
            self._loop.add_reader(self._listener, self._take)  # asyncio's own server loses whom it accepts as it closes

    def _refuse(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        self._reset_all()

    def _take(self) -> None:
        assert self._listener is not None
        with suppress(OSError):  # who came has gone again
            connection, _ = self._listener.accept()
            task = self._loop.create_task(self._accept(connection))
            self._accepted.add(task)
            task.add_done_callback(self._accepted.discard)

    def _spoil(self, toxics: Toxics) -> None:
        self._toxics = toxics
        for link in self._links:
            link.passed = 0

    def _reset_all(self) -> None:
        for link in self._links:
            link.reset()

    def _close_all(self) -> None:
        for link in self._links:
            link.close()

    async def _accept(self, connection: socket.socket) -> None:
        reader, client = await asyncio.open_connection(sock=connection)
        try:
            answers, server = await asyncio.open_connection(*self._target)
        except OSError:
            client.transport.abort()
            return
        link = _Link(client, server)
        self._links.add(link)
        try:
            await asyncio.gather(
                self._pump(link, reader, server, to_target=True), self._pump(link, answers, client, to_target=False)
            )
        finally:
            link.reset()
            self._links.discard(link)

    async def _pump(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_target: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if to_target and self._mark is not None and self._mark in data:
                    self._marked.set()
                await self._pass(link, data, writer)
            await asyncio.sleep(self._toxics.slow_close_s)
        if not link.is_dumb:
            writer.close()

    async def _pass(self, link: _Link, data: bytes, writer: asyncio.StreamWriter) -> None:
        toxics = self._toxics
        if toxics.latency_s or toxics.jitter_s:
            await asyncio.sleep(toxics.latency_s + toxics.jitter_s * self._chance.random())
        if toxics.bytes_per_s:
            await asyncio.sleep(len(data) / toxics.bytes_per_s)
        if toxics.black_hole or link.is_dumb:
            link.is_dumb = True
            return
        if toxics.cut_after is not None and link.passed + len(data) > toxics.cut_after:
            writer.write(data[: toxics.cut_after - link.passed])
            with suppress(OSError):
                await writer.drain()
            link.reset()
            return
        link.passed += len(data)
        writer.write(data)
        await writer.drain()
