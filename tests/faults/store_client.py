"""Rows read through a way to HBase on which everything happens to bytes: is any of them another's?"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from threading import Event, Thread
from typing import Any, Final

import happybase

from fraudbrain_deploy.faults.proxy import HEALTHY, Proxy, Toxics
from fraudbrain_realtime.limits import Limits
from fraudbrain_realtime.ports import StoreUnavailable
from fraudbrain_realtime.stores.hbase import Gateway, ProfileTable, create_table
from tests.faults.stage import spread, wait_until

WITHIN_S: Final = Limits.load_timeout_s

_PARTITIONS: Final = 4
_SUBJECTS: Final = 2_000
"""Of each partition; every fourth that is asked for has no row."""
_WRITTEN_AT_ONCE: Final = 200
_WRITTEN_WITHIN_S: Final = 60.0
_MOST_AT_ONCE: Final = 32
_REFUSED_PAUSE_S: Final = 0.01
_HEALTHY_SHARE: Final = 0.5
_IDLE_S: Final = 0.05

Load = Callable[[int, Sequence[str], float], dict[str, bytes]]

MOODS: Final[dict[str, Toxics]] = {
    "healthy": HEALTHY,
    "delayed": Toxics(latency_s=0.001, jitter_s=0.004),
    "late": Toxics(latency_s=0.004, jitter_s=0.03),  # either way: most replies come when nobody waits any more
    "lost": Toxics(black_hole=True),
    "cut soon": Toxics(cut_after=300),
    "cut later": Toxics(cut_after=9_000),
    "trickling": Toxics(bytes_per_s=300_000),
    "slow to close": Toxics(slow_close_s=0.3, jitter_s=0.01),
}
ACCIDENTS: Final = ("reset", "closed", "closed while idle", "refused")


@dataclass
class Reads:
    """What came of reading. Rows, except for `times_ms`, which are those of the calls that were made."""

    counts: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)

    def __add__(self, other: "Reads") -> "Reads":
        return Reads(self.counts + other.counts, self.foreign + other.foreign, self.times_ms + other.times_ms)

    @property
    def told(self) -> dict[str, object]:
        times = {name: round(value, 2) for name, value in spread(self.times_ms).items()}
        return {"rows": dict(self.counts), "foreign": len(self.foreign), "calls_ms": times}


def row_of(partition: int, subject: str) -> bytes:
    """A row that says whose it is, of 50 to 2,000 bytes."""
    says = f"{partition}/{subject};".encode()
    return says * (50 + hash_of(subject) % 1_950 // len(says) + 1)


def hash_of(subject: str) -> int:
    """The same in every process."""
    return sum(ord(character) * (place + 7) ** 3 for place, character in enumerate(subject))


def write_rows(address: tuple[str, int], table: str) -> None:
    """The rows that are to be read."""
    create_table(*address, table, b"p")
    gateway = Gateway(*address)
    store = ProfileTable(gateway, table)
    store.warm_up()
    for partition in range(_PARTITIONS):
        for first in range(0, _SUBJECTS, _WRITTEN_AT_ONCE):
            subjects = map(_subject, range(first, first + _WRITTEN_AT_ONCE))
            rows = {subject: row_of(partition, subject) for subject in subjects}
            wait_until(partial(_is_saved, store, partition, rows), "HBase to take some rows", _WRITTEN_WITHIN_S)
    gateway.close()


def _is_saved(store: ProfileTable, partition: int, rows: dict[str, bytes]) -> bool:
    try:
        store.save(partition, rows, 1)
    except StoreUnavailable:
        return False
    return True


def _subject(number: int) -> str:
    return f"c-{number}"


def client(proxy: Proxy, table: str) -> Load:
    """The fast tier's own way to read rows."""
    store = ProfileTable(Gateway("127.0.0.1", proxy.port), table)
    store.warm_up()
    return store.load


def careless_client(proxy: Proxy, table: str) -> Load:
    """happybase as it comes: after a timeout its connection is used again."""
    connections: list[Any] = []

    def load(partition: int, subjects: Sequence[str], within_s: float) -> dict[str, bytes]:
        if not connections:
            connections.append(happybase.Connection("127.0.0.1", proxy.port, timeout=int(within_s * 1000)))
        keys = {b"%04x" % partition + subject.encode(): subject for subject in subjects}
        try:
            found = connections[0].table(table).rows(list(keys))
        except TimeoutError:
            raise StoreUnavailable("late") from None
        except Exception:  # what it makes of the rest of a reply that was cut
            connections.clear()
            raise StoreUnavailable("broken") from None
        return {keys.get(key, key.decode()): cells[b"p:profile"] for key, cells in found}

    return load


def read(load: Load, seed: int, *, rows: int, timeout_s: float, reads: Reads, stop_at_foreign: bool = False) -> None:
    """Asks for some subjects at a time, some without a row, until so many were answered. Raises TimeoutError."""
    chance = Random(f"reads {seed}")
    deadline = time.monotonic() + timeout_s
    while reads.counts["answered"] < rows and not (stop_at_foreign and reads.foreign):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{rows} rows were not answered within {timeout_s:.0f} s: {dict(reads.counts)}")
        partition = chance.randrange(_PARTITIONS)
        numbers = chance.sample(range(_SUBJECTS * 4 // 3), chance.randrange(1, _MOST_AT_ONCE + 1))
        _ask(load, partition, [_subject(number) for number in numbers], numbers, reads)
        if chance.random() < 0.01:
            time.sleep(_IDLE_S)


def _ask(load: Load, partition: int, subjects: Sequence[str], numbers: Sequence[int], reads: Reads) -> None:
    begun = time.perf_counter()
    try:
        found = load(partition, subjects, WITHIN_S)
    except StoreUnavailable as error:
        if "too often" in str(error):
            reads.counts["refused by the breaker"] += len(subjects)
            time.sleep(_REFUSED_PAUSE_S)
            return
        reads.counts["failed"] += len(subjects)
    else:
        reads.counts["answered"] += len(subjects)
        there = {
            subject: row_of(partition, subject)
            for subject, number in zip(subjects, numbers, strict=True)
            if number < _SUBJECTS
        }
        if found != {subject: row_of(partition, subject) for subject in there}:
            reads.foreign.append(f"asked for {there} of {partition}, told of {list(found)}")
    reads.times_ms.append((time.perf_counter() - begun) * 1000)


@contextmanager
def spoiling(proxy: Proxy, seed: int, moods: Sequence[str] = (*MOODS, *ACCIDENTS)) -> Iterator[Counter[str]]:
    """Changes what happens to bytes every few moments, also in the middle of calls, and leaves them alone between;
    counts what was done."""
    done: Counter[str] = Counter()
    ended = Event()
    thread = Thread(target=_spoil, args=(proxy, Random(f"spoiling {seed}"), moods, done, ended), daemon=True)
    thread.start()
    try:
        yield done
    finally:
        ended.set()
        thread.join(10)
        proxy.spoil(HEALTHY)


def _spoil(proxy: Proxy, chance: Random, moods: Sequence[str], done: Counter[str], ended: Event) -> None:
    left: list[str] = []
    while not ended.is_set():
        left = left or chance.sample(moods, len(moods))
        mood = left.pop()
        done[mood] += 1
        match mood:
            case "reset":
                proxy.reset_all()
            case "closed":
                proxy.close_all()
            case "closed while idle":  # the reader, too, rests now and then
                proxy.spoil(HEALTHY)
                for _ in range(10):
                    ended.wait(_IDLE_S / 3)
                    proxy.close_all()
            case "refused":
                proxy.refuse()
                ended.wait(chance.uniform(0.02, 0.1))
                proxy.listen()
            case _:
                proxy.spoil(MOODS[mood])
        ended.wait(chance.uniform(0.02, 0.3))
        if chance.random() < _HEALTHY_SHARE:
            proxy.spoil(HEALTHY)
            ended.wait(chance.uniform(0.1, 0.6))


def store_client(
    address: tuple[str, int], table: str, *, rows: int, readers: int, timeout_s: float, seed: int
) -> dict[str, object]:
    """Each of some readers, with a client of its own, reads so many rows through all of it. Raises AssertionError
    where one is another's."""
    write_rows(address, table)
    all_reads = [Reads() for _ in range(readers)]
    with Proxy(address, seed) as proxy, ThreadPoolExecutor(readers) as pool:
        loads = [client(proxy, table) for _ in all_reads]
        with spoiling(proxy, seed) as done:
            told = [
                pool.submit(read, load, seed + number, rows=rows, timeout_s=timeout_s, reads=reads)
                for number, (load, reads) in enumerate(zip(loads, all_reads, strict=True))
            ]
            for each in told:
                each.result(2 * timeout_s)
    reads = sum(all_reads, Reads())
    assert not reads.foreign, reads.foreign[:10]
    return {"readers": readers, **reads.told, "within_ms": WITHIN_S * 1000, "what_happened": dict(done)}
