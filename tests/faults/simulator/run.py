"""One seed: everything goes wrong for a while, then nothing does, and what is left is checked."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from fraudbrain_realtime.ports import ControlRecord, Message
from tests.faults.simulator.checks import violations
from tests.faults.simulator.circumstances import circumstances
from tests.faults.simulator.cluster import Cluster, Group
from tests.faults.simulator.happenings import Happening, happenings
from tests.faults.simulator.machine import Machine
from tests.faults.simulator.shop import PUBLISHED
from tests.faults.simulator.store import SimStore
from tests.faults.simulator.undisturbed import undisturbed
from tests.faults.simulator.worker import SimWorker, bounds_broken
from tests.faults.simulator.world import Killed, World

TOLD_AT_MOST: Final = 5
STEPS_AFTER_HEALING: Final = 4_000
NESTED_AT_MOST: Final = 3


def run(seed: int, say: Callable[[str], None] | None = None) -> list[str]:
    """What is wrong after the run of a seed: nothing, one hopes. `say` hears what happens meanwhile."""
    return Run(seed, say).outcome()


class Run:
    """The world of one seed, and what happens in it."""

    def __init__(self, seed: int, say: Callable[[str], None] | None) -> None:
        self._world = world = World(seed, say)
        self._given = given = circumstances(world.random)
        world.tell(f"seed {seed}: {given}")
        self._to_come = happenings(world, given)
        self._to_come.reverse()
        self._cluster = Cluster(given.partitions)
        self._group = Group(world, given.partitions, given.session_s)
        self._wrong: list[str] = []
        self._store = SimStore(world, given, lambda words: self._wrong.append(f"I7 {words}"))
        self._machines = [Machine() for _ in range(given.machines)]
        self._workers: list[SimWorker] = []
        self._started = 0
        self._epoch = 1
        self._nested = 0
        self._pace_s = 0.02
        self._may_start = True
        lasts_s = given.events * given.event_gap_s
        publish = sorted(world.chance() * lasts_s - world.chance() * 2.5 for _ in range(given.published))
        for number, due_s in enumerate(publish):
            world.at(max(0.0, due_s), partial(self._publish, number))

    def outcome(self) -> list[str]:
        try:
            for number in range(self._given.runs):
                if number:
                    self._raise_epoch()
                self._go_wrong(self._world.up_to(120) + 30)
            self._heal()
        except Exception as error:
            if self._world.is_told:
                raise
            return [f"{type(error).__name__}: {error}"]
        right = undisturbed(self._cluster, self._epoch)
        found = violations(self._cluster, self._group, self._store, right, self._epoch)
        return self._wrong + list(islice(found, TOLD_AT_MOST))

    # What goes on

    def _go_wrong(self, steps: int) -> None:
        for _ in range(steps):
            self._step()
            if not self._to_come and self._world.chance() < 0.02:
                return

    def _step(self) -> None:
        """Time passes, events come, faults happen, and one worker takes a turn."""
        world = self._world
        world.pass_time(world.chance() * (self._pace_s if world.chance() < 0.95 else 1.0))
        self._append()
        self._go_wrong_somewhere()
        self._group.put_out_the_silent()
        idle = [each for each in self._workers if not each.is_busy]
        if self._may_start and len(self._workers) < self._given.workers and world.chance() < 0.15:
            self._start()
        elif idle:
            self._turn(idle[world.up_to(len(idle) - 1)])

    def _append(self) -> None:
        """What is due, if the cluster takes it."""
        coming = self._to_come
        while coming and self._cluster.is_up and coming[-1].due_s <= self._world.now:
            self._append_one(coming.pop())

    def _append_one(self, each: Happening) -> None:
        log = self._cluster.events[each.partition]
        log.append(Message(each.partition, len(log), self._world.now_ms, each.key, each.value))
        self._world.tell(f"event {each.partition}/{len(log) - 1} comes: {each.key.decode()} {each.value.decode()}")

    def _publish(self, number: int) -> None:
        rule_set = PUBLISHED[number]
        value = None if rule_set is None else msgspec.json.encode(rule_set)
        self._cluster.rules.append(ControlRecord("rules", number, b"live", value, self._world.now_ms))
        self._world.tell(f"published: {'own rules' if rule_set is None else rule_set.version}")

    def _turn(self, worker: SimWorker) -> None:
        try:
            worker.turn()
        except Killed:
            self._bury(worker)
        else:
            broken = bounds_broken(worker.loop, self._given)
            if broken and len(self._wrong) < TOLD_AT_MOST:
                self._wrong.append(f"I11 {worker.name}: {broken}")

    def _start(self) -> None:
        self._started += 1
        worker = SimWorker(
            self._started,
            self._world,
            self._given,
            cluster=self._cluster,
            group=self._group,
            store=self._store,
            machine=self._machines[self._started % len(self._machines)],
            epoch=self._epoch,
            interfere=self._interfere,
        )
        self._world.tell(f"{worker.name} starts")
        self._workers.append(worker)

    def _bury(self, worker: SimWorker) -> None:
        """Its process is gone; the group hears of it only by its silence."""
        if not worker.is_dead:
            self._world.tell(f"{worker.name} is dead")
            worker.end()
            worker.broker.cut()
            worker.broker.silent_since = self._world.now
        if worker in self._workers:
            self._workers.remove(worker)

    # Faults

    def _interfere(self, worker: SimWorker) -> None:
        """What may come between when a worker calls: its death, its sleep, or others."""
        if worker.is_dead:
            raise Killed
        given = self._given
        roll = self._world.chance() - given.kill
        if roll < 0:
            self._world.tell(f"{worker.name} is killed")
            raise Killed
        if (roll := roll - given.freeze) < 0:
            self._freeze(worker, self._world.chance() * 3 * given.session_s)
        elif roll < given.overtake:
            self._freeze(worker, self._world.chance() * 0.03)

    def _freeze(self, worker: SimWorker, seconds: float) -> None:
        """The world goes on without it."""
        if self._nested >= NESTED_AT_MOST:
            return
        world = self._world
        if seconds > 0.05:
            world.tell(f"{worker.name} freezes for {seconds:.2f} s")
        worker.is_busy = True
        worker.broker.silent_since = world.now
        self._nested += 1
        until = world.now + seconds
        while world.now < until and not worker.is_dead:
            self._step()
        self._nested -= 1
        worker.is_busy = False
        if worker.is_dead:
            raise Killed
        worker.broker.silent_since = None
        if seconds > 0.05:
            world.tell(f"{worker.name} goes on")

    def _go_wrong_somewhere(self) -> None:
        given, chance, world = self._given, self._world.chance, self._world
        if given.store_down and chance() < given.store_down:
            self._toggle_store()
        if given.broker_down and chance() < given.broker_down:
            self._toggle_cluster()
        if given.deal and chance() < given.deal:
            self._group.deal()
        if given.expel and chance() < given.expel and self._group.members:
            member = world.random.choice(self._group.members)
            world.tell(f"{member.name} is put out of the group")
            self._group.put_out(member)
        if not self._workers:
            return
        worker = self._workers[world.up_to(len(self._workers) - 1)]
        if given.keeper_dies and chance() < given.keeper_dies:
            worker.keeper.die()
        if given.keeper_sticks and chance() < given.keeper_sticks:
            worker.keeper.stick()
        if given.stop and chance() < given.stop:
            if worker.is_busy:
                self._bury(worker)  # killed in its sleep
            else:
                self._stop(worker)

    def _toggle_store(self) -> None:
        self._store.is_up = not self._store.is_up
        self._world.tell(f"the store is {'back' if self._store.is_up else 'away'}")

    def _toggle_cluster(self) -> None:
        self._cluster.is_up = not self._cluster.is_up
        self._world.tell(f"the brokers are {'back' if self._cluster.is_up else 'away'}")

    def _stop(self, worker: SimWorker) -> None:
        self._world.tell(f"{worker.name} is stopped")
        worker.is_busy = True
        try:
            worker.stop()
        except Killed:
            self._bury(worker)
        else:
            worker.end()
            self._workers.remove(worker)

    # Between and after

    def _raise_epoch(self) -> None:
        """All workers stop, one way or the other; profiles begin anew."""
        self._may_start = False
        while self._workers:
            if self._world.chance() < 0.5:
                self._bury(self._workers[0])
            else:
                self._stop(self._workers[0])
        self._may_start = True
        for member in list(self._group.members):
            self._group.put_out(member)
        self._epoch += 1
        self._group.committed = dict.fromkeys(self._group.committed, 0)
        self._world.tell(f"epoch {self._epoch}")

    def _heal(self) -> None:
        """Nothing goes wrong from now on; everything comes to its end."""
        self._world.tell("all is well from now on")
        self._given.calm_down()
        self._pace_s = 0.1
        self._cluster.is_up = self._store.is_up = True
        for worker in self._workers:
            worker.keeper.recover()
        for _ in range(STEPS_AFTER_HEALING):
            if self._is_over():
                break
            self._step()
        self._world.end_all()

    def _is_over(self) -> bool:
        if self._to_come:
            return False
        committed = self._group.committed
        return all(committed[partition] == len(log) for partition, log in enumerate(self._cluster.events))
