"""Breaks what a schedule says, when it says so, and mends it again; notes everything with its time."""

import heapq
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random
from typing import Final

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.faults import kinds
from fraudbrain_deploy.faults.checker import Bad, Record
from fraudbrain_deploy.faults.control_records import Control
from fraudbrain_deploy.faults.crew import Crew, Worker
from fraudbrain_deploy.faults.proxy import HEALTHY, Proxy, Toxics
from fraudbrain_deploy.faults.schedule import Fault
from fraudbrain_deploy.stack import up
from fraudbrain_deploy.stack.parts import PARTS
from fraudbrain_deploy.stack.processes import members

_A_FLUSH: Final = b"mutateRowsTs"
_FLUSH_WAIT_S: Final = 1.0
_AFTER_FLUSH_S: Final = 0.03
"""A flush and the commit after it take about as long: a kill may come before, between or after them."""
_CONTROL_WAIT_S: Final = 60.0
_MEND_WAIT_S: Final = 120.0


@dataclass(slots=True)
class Injected:
    """A fault that was injected; times are UTC ms, `until_ms` is 0 while it lasts."""

    kind: str
    what: str
    at_ms: int
    until_ms: int = 0
    group: str = ""


class Injection:
    """Injects one fault after the other. `turn` is called often; everything but starting parts is done at once."""

    def __init__(
        self, deployment: Deployment, crew: Crew, proxy: Proxy, controls: Iterator[Control], seed: int
    ) -> None:
        self._deployment = deployment
        self._crew = crew
        self._proxy = proxy
        self._controls = controls
        self._chance = Random(f"injection {seed}")
        self._producer = kafka.producer(deployment.stack.kafka_bootstrap)
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="mending")
        self._mending: list[Future[None]] = []
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._toxics_until_s = 0.0
        self._away: set[str] = set()
        self._put_off = 0
        self._is_over = False
        self.injected: list[Injected] = []
        self.skipped: list[str] = []
        self.good: dict[str, list[Record]] = {"rules": [], "parameters": []}
        self.bad: list[Bad] = []

    def inject(self, fault: Fault) -> None:
        """Does what the fault says, where it can be done now: parts that are away cannot be killed again."""
        match fault.kind:
            case kinds.KILL | kinds.STOP | kinds.RESTART:
                self._hurt_worker(fault)
            case kinds.BROKER:
                self._kill_parts(fault, ("kafka",))
            case kinds.REDIS:
                self._kill_parts(fault, ("redis",))
            case kinds.HBASE:
                both = self._count(kinds.HBASE) % 2 == 1
                self._kill_parts(fault, ("thrift", "hbase") if both else ("thrift",))
            case kinds.THRIFT_SLOW | kinds.HALF_OPEN:
                self._spoil(fault)
            case kinds.CONTROLS:
                self._publish()

    @property
    def has_put_off(self) -> bool:
        """Whether a fault still waits for a worker that it can hurt."""
        return self._put_off > 0

    def turn(self) -> None:
        """Mends what is due. Raises what starting a part has raised."""
        now = time.monotonic()
        self._producer.poll(0)
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        for future in self._mending:
            if future.done():
                future.result()

    def mend(self) -> None:
        """Mends everything now and waits for the parts. Nothing breaks any more."""
        self._is_over = True
        while self._later:
            heapq.heappop(self._later)[2]()
        self._proxy.spoil(HEALTHY)
        self._crew.mend()
        for future in self._mending:
            future.result(_MEND_WAIT_S)
        self._producer.flush(_CONTROL_WAIT_S)

    def close(self) -> None:
        """Starts nothing more."""
        self._starter.shutdown(cancel_futures=True)

    def ended(self, worker: Worker, how: str) -> None:
        """Notes a worker that has ended otherwise than it was told to."""
        self._over(self._note("exit", f"{worker} {how}", worker.group))

    def _hurt_worker(self, fault: Fault) -> None:
        candidates = self._crew.up()
        if self._is_over:
            self.skipped.append(f"{fault.kind}: no worker was there")
            return
        if not candidates:
            self._put_off += 1
            self._after(1.0, lambda: self._try_again(fault))
            return
        worker = self._chance.choice(candidates)
        note = self._note(fault.kind, str(worker), worker.group)
        match fault.kind:
            case kinds.KILL:
                flushes = self._count(kinds.KILL) % 2 == 0 and self._proxy.wait_for(_A_FLUSH, _FLUSH_WAIT_S)
                time.sleep(flushes * self._chance.uniform(0, _AFTER_FLUSH_S))
                note.at_ms = _now_ms()
                note.what += f": {self._crew.kill(worker, fault.lasts_s)}{', while somebody flushes' * flushes}"
            case kinds.STOP:
                self._crew.stop(worker)
                self._after(fault.lasts_s, lambda: self._go_on(worker, note))
                return
            case kinds.RESTART:
                self._crew.ask_to_end(worker, fault.lasts_s)
        self._over(note)

    def _try_again(self, fault: Fault) -> None:
        self._put_off -= 1
        self._hurt_worker(fault)

    def _go_on(self, worker: Worker, note: Injected) -> None:
        self._crew.go_on(worker)
        self._over(note)

    def _kill_parts(self, fault: Fault, parts: tuple[str, ...]) -> None:
        if self._away & set(parts):
            self.skipped.append(f"{fault.kind}: away already")
            return
        self._away |= set(parts)
        note = self._note(fault.kind, " and ".join(parts))
        for part in parts:
            for pid in members(PARTS[part].pid_file(self._deployment.stack)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._after(fault.lasts_s, lambda: self._begin_starting(parts, note))

    def _begin_starting(self, parts: tuple[str, ...], note: Injected) -> None:
        self._mending.append(self._starter.submit(self._start_parts, parts, note))

    def _start_parts(self, parts: tuple[str, ...], note: Injected) -> None:
        up(self._deployment.stack, parts)
        self._away -= set(parts)
        self._over(note)

    def _spoil(self, fault: Fault) -> None:
        toxics = Toxics(black_hole=True) if fault.kind == kinds.HALF_OPEN else self._chance.choice(_SLOW)
        note = self._note(fault.kind, _described(toxics))
        self._proxy.spoil(toxics)
        if toxics == HEALTHY:
            self._proxy.reset_all()
        self._toxics_until_s = time.monotonic() + fault.lasts_s
        self._after(fault.lasts_s, lambda: self._heal(note))

    def _heal(self, note: Injected) -> None:
        if time.monotonic() >= self._toxics_until_s - 0.01:  # else later toxics go on
            self._proxy.spoil(HEALTHY)
        self._over(note)

    def _publish(self) -> None:
        """The broker may be away: the record is sent when it is back, and counts from when it was taken."""
        control = next(self._controls)
        topic = self._deployment.names.topic(control.topic)
        self._producer.produce(topic, control.value, control.key, on_delivery=partial(self._published, control))

    def _published(self, control: Control, error: object, message: kafka.Message) -> None:
        offset = message.offset()
        if error is not None or offset is None:
            raise UserError(f"A control for {control.topic} could not be sent: {error}.")
        kind = "good" if control.is_good else "bad"
        self._over(self._note(kinds.CONTROLS, f"{kind} {control.topic}/{offset}"))
        if control.is_good:
            record = Record(offset, message.timestamp()[1], control.key, control.value)
            self.good[control.topic].append(record)
        else:
            self.bad.append(Bad(control.topic, offset, message.timestamp()[1]))

    def _note(self, kind: str, what: str, group: str = "") -> Injected:
        self.injected.append(Injected(kind, what, _now_ms(), group=group))
        return self.injected[-1]

    def _over(self, note: Injected) -> None:
        note.until_ms = _now_ms()

    def _count(self, kind: str) -> int:
        return sum(each.kind == kind for each in self.injected)

    def _after(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), work))


_SLOW: Final = (
    Toxics(latency_s=0.5, jitter_s=0.5),
    Toxics(latency_s=1.5, jitter_s=1.0),  # beyond the two seconds that a worker waits, now and then
    Toxics(bytes_per_s=50_000),
    Toxics(cut_after=5_000),
    Toxics(cut_after=200),
    Toxics(slow_close_s=2.0, latency_s=0.2),
    HEALTHY,  # connections are reset once
)


def _described(toxics: Toxics) -> str:
    if toxics == HEALTHY:
        return "connections reset"
    changed = {name: getattr(toxics, name) for name in Toxics.__slots__}
    return ", ".join(f"{name} {value}" for name, value in changed.items() if value != getattr(HEALTHY, name))


def _now_ms() -> int:
    return int(time.time() * 1000)
