"""A worker: the real loop with the real controls on simulated ports."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import fraudbrain_realtime.loop
from fraudbrain_realtime.controls import ControlFeed, Controls
from fraudbrain_realtime.loop import Loop
from fraudbrain_realtime.metrics import Tally
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.decisions import Application
from fraudbrain_shared.decisions.application import Decide, Ending
from fraudbrain_shared.features import Profile
from tests.faults.simulator.broker import SimBroker
from tests.faults.simulator.circumstances import Circumstances
from tests.faults.simulator.cluster import Cluster, Group
from tests.faults.simulator.happenings import DEADLY
from tests.faults.simulator.keeper import SimKeeper
from tests.faults.simulator.machine import Machine
from tests.faults.simulator.shop import ADMISSION, FOLD, SCENARIO, PreparedBefore, core_of
from tests.faults.simulator.store import SimReads, SimStore
from tests.faults.simulator.world import Killed, World

CONTROLS_EVERY_S: Final = 0.1  # as the real worker
READ_LATE_S: Final = 1.5
"""How late a control record may be read: well within the grace."""

Interfere = Callable[["SimWorker"], None]


class MortalApplication(Application):
    """The real one, in a process that dies of some events."""

    def apply(self, profile: Profile, event: AdmittedEvent, payload: bytes, decide: Decide | None) -> Ending:
        if DEADLY in payload:
            raise Killed
        return super().apply(profile, event, payload, decide)


class SimWorker:
    """One life of a worker process."""

    def __init__(
        self,
        process: int,
        world: World,
        given: Circumstances,
        *,
        cluster: Cluster,
        group: Group,
        store: SimStore,
        machine: Machine,
        epoch: int,
        interfere: Interfere,
    ) -> None:
        self.name = name = f"worker {process}"
        self.process = process
        self.machine = machine
        self.is_busy = False
        """In a call that is not over: frozen, or overtaken."""
        self.is_dead = False
        self._world = world
        self._cluster = cluster
        self._read = 0
        between = partial(interfere, self)
        self.broker = SimBroker(name, world, given, cluster, group, lambda: self.loop, between)
        self.keeper = SimKeeper(name, world, given, store, between)
        self._controls_due = world.now
        with _ShareAdmission():
            controls = Controls(SCENARIO, core_of, PreparedBefore())
            self._feed = ControlFeed(controls, self._newly_read)
            self._feed.start(self._records_until(world.now_ms))
            self.loop = Loop(
                scenario=SCENARIO,
                fold=FOLD,
                controls=controls,
                feed=self._feed,
                broker=self.broker,
                store=SimReads(world, given, store, between),
                keeper=self.keeper,
                journal=machine.journal(epoch, process),
                clock=world.clock,
                epoch=epoch,
                events_topic="events",
                worker=name,
                build="simulator",
                limits=given.limits,
                tally=Tally(lambda: world.now_ms),
            )
        if given.deadly:
            self.loop._application = MortalApplication(SCENARIO, FOLD)

    def turn(self) -> None:
        """As the real worker's: a turn of the loop, and the controls when they are due."""
        self.loop.turn(0.0)
        if self._world.now >= self._controls_due:
            self._feed.refresh()
            self._controls_due = self._world.now + CONTROLS_EVERY_S

    def end(self) -> None:
        """Its process is no more, however that came."""
        self.is_dead = True
        self.machine.alive.discard(self.process)
        self.keeper.orphan()

    def stop(self) -> None:
        """In good order."""
        self.loop.settle(self._world.now + 1.0)
        self.broker.close()

    def _newly_read(self, _: float) -> Iterable[ControlRecord]:
        return self._records_until(self._world.now_ms - int(self._world.chance() * READ_LATE_S * 1000))

    def _records_until(self, append_time: int) -> Sequence[ControlRecord]:
        rules, start = self._cluster.rules, self._read
        while self._read < len(rules) and rules[self._read].append_time <= append_time:
            self._read += 1
        return rules[start : self._read]


class _ShareAdmission:
    """While a loop is built it takes the admission that is there: to make its decoder anew would take longer than
    all else."""

    def __enter__(self) -> None:
        self._real = vars(fraudbrain_realtime.loop)["Admission"]
        vars(fraudbrain_realtime.loop)["Admission"] = lambda _: ADMISSION

    def __exit__(self, *_: object) -> None:
        vars(fraudbrain_realtime.loop)["Admission"] = self._real


def bounds_broken(loop: Loop, given: Circumstances) -> str:
    """Which bound of what a worker holds is broken, in words; empty if none is."""
    states = loop._partitions.values()
    held = sum(len(state.held) for state in states)
    unsaved = sum(state.profiles.unsaved for state in states)
    most_held = given.limits.held + given.batch
    if held > most_held:
        return f"{held} events held"
    if unsaved > given.limits.profiles + given.batch + most_held:  # what was held is unsaved once it is folded
        return f"{unsaved} profiles unsaved"
    return ""
