"""A worker's keeper: works while it is asked, answers late, and dies, sticks or is orphaned with work under way."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from fraudbrain_realtime.keeper.process import PATIENCE_S
from tests.faults.simulator.circumstances import Circumstances
from tests.faults.simulator.store import SimStore
from tests.faults.simulator.world import World

ROWS_IN_A_PIECE: Final = 1
LATEST_S: Final = 3.0
"""How late what was sent to the store may land there."""


@dataclass(eq=False, slots=True)
class Save:
    """A request, or what is left of it."""

    partition: int
    rows: Mapping[str, bytes]
    timestamp: int
    done: Callable[[bool], None]


@dataclass(eq=False, slots=True)
class Scan:
    """A request; it goes on behind `last`."""

    partition: int
    found: Callable[[Mapping[str, bytes]], None]
    done: Callable[[bool], None]
    last: str = ""


@dataclass(eq=False, slots=True)
class Load:
    """A request."""

    partition: int
    subjects: Sequence[str]
    found: Callable[[Mapping[str, bytes]], None]
    done: Callable[[bool], None]


Request: TypeAlias = Save | Load | Scan


@dataclass(frozen=True, slots=True)
class Reply:
    """Some rows that were to be read, or the end of a request."""

    to: Request
    rows: Mapping[str, bytes] | None = None
    is_done: bool = False


class SimKeeper:
    """Of one life of a worker, itself with several lives. It writes before it scans, as the real one."""

    def __init__(
        self,
        name: str,
        world: World,
        given: Circumstances,
        store: SimStore,
        interfere: Callable[[], None],
    ) -> None:
        self._name = name
        self._world = world
        self._given = given
        self._store = store
        self._interfere = interfere
        self._asked: deque[Request] = deque()
        self._slow: Save | None = None
        self._replies: dict[type[Request], deque[Reply]] = {Save: deque(), Load: deque(), Scan: deque()}
        """In order for each kind; one kind may overtake the other."""
        self._stuck_since: float | None = None

    # The port

    def save(self, partition: int, rows: Mapping[str, bytes], timestamp: int, done: Callable[[bool], None]) -> bool:
        self._interfere()
        return self._take(Save(partition, dict(sorted(rows.items())), timestamp, done))

    def scan(self, partition: int, found: Callable[[Mapping[str, bytes]], None], done: Callable[[bool], None]) -> bool:
        self._interfere()
        return self._take(Scan(partition, found, done))

    def load(
        self,
        partition: int,
        subjects: Sequence[str],
        found: Callable[[Mapping[str, bytes]], None],
        done: Callable[[bool], None],
    ) -> bool:
        self._interfere()
        return self._take(Load(partition, subjects, found, done))

    def answer(self, decisions: Mapping[str, bytes]) -> None:
        pass

    def poll(self, wait_s: float = 0.0) -> None:
        self._interfere()
        if self._asked:
            self._work()
        is_lazy = self._given.scan_lags > 0 and self._world.chance() < self._given.scan_lags
        waiting = [each for kind, each in self._replies.items() if each and not (is_lazy and kind is Scan)]
        if wait_s and not waiting:
            self._world.pass_time(wait_s)
        for replies in waiting:
            for _ in range(self._world.up_to(len(replies))):
                self._deliver(replies.popleft())
        if self._stuck_since is not None and self._world.now - self._stuck_since > PATIENCE_S:
            self.die()

    # What happens to it

    def die(self) -> None:
        """Another one starts; what was asked of it is answered with no, and may land all the same."""
        self._world.tell(f"the keeper of {self._name} dies")
        self._stuck_since = None
        unheard = [reply.to for replies in self._replies.values() for reply in replies if reply.rows is None]
        for replies in self._replies.values():
            replies.clear()
        for each in unheard + self.orphan():
            self._reply(Reply(each))

    def stick(self) -> None:
        if self._stuck_since is None:
            self._world.tell(f"the keeper of {self._name} is stuck")
            self._stuck_since = self._world.now

    def recover(self) -> None:
        self._stuck_since = None

    def orphan(self) -> list[Request]:
        """Nobody waits for it any more: some of what it was told to write still lands, some never."""
        left = list(self._asked) if self._slow is None else [self._slow, *self._asked]
        self._asked.clear()
        self._slow = None
        for each in left:
            if isinstance(each, Save) and self._world.chance() < 0.6:
                self._land_later(each, self._world.some(list(each.rows)))
        return left

    def _take(self, request: Request) -> bool:
        if len(self._asked) >= self._given.room:
            return False
        self._asked.append(request)
        return True

    def _reply(self, reply: Reply) -> None:
        self._replies[type(reply.to)].append(reply)

    def _deliver(self, reply: Reply) -> None:
        if reply.rows is None:
            reply.to.done(reply.is_done)
        elif not isinstance(reply.to, Save):
            reply.to.found(reply.rows)

    # Its work

    def _work(self) -> None:
        for _ in range(self._world.up_to(self._given.pace)):
            if not self._asked or self._slow is not None or self._stuck_since is not None:
                return
            asked = next((each for each in self._asked if not isinstance(each, Scan)), self._asked[0])
            if isinstance(asked, Scan):
                self._scan_on(asked)
                continue
            self._asked.remove(asked)
            if isinstance(asked, Load):
                self._read(asked)
            else:
                self._write(asked)

    def _read(self, load: Load) -> None:
        fails = self._given.load_fails
        is_answered = self._store.is_up and not (fails and self._world.chance() < fails)
        if is_answered:
            self._reply(Reply(load, rows=self._store.rows(load.partition, load.subjects)))
        self._reply(Reply(load, is_done=is_answered))

    def _scan_on(self, scan: Scan) -> None:
        fails = self._given.scan_fails
        if not self._store.is_up or (fails and self._world.chance() < fails):
            self._asked.popleft()
            self._reply(Reply(scan))
            return
        behind = sorted(each for each in self._store.cells[scan.partition] if each > scan.last)
        if not behind:
            self._asked.popleft()
            self._reply(Reply(scan, is_done=True))
            return
        piece = behind[:ROWS_IN_A_PIECE]
        scan.last = piece[-1]
        self._reply(Reply(scan, rows=self._store.rows(scan.partition, piece)))

    def _write(self, save: Save) -> None:
        """Whole at once; or torn, and some of it lands later or never; or whole, and the answer says no; or slowly."""
        fails, chance = self._given.save_fails, self._world.chance
        if self._store.is_up and not (fails and chance() < fails):
            self._land(save, list(save.rows))
            self._reply(Reply(save, is_done=True))
            return
        subjects, roll = list(save.rows), chance()
        if roll < 0.4 and self._store.is_up:
            self._slow, within_s = save, self._world.chance() * LATEST_S
            self._land_later(save, subjects, within_s)
            self._world.at(within_s, partial(self._ended, save))
        elif roll < 0.6 and self._store.is_up:
            self._land(save, subjects)
            self._reply(Reply(save))
        else:
            some = self._world.some(subjects)
            if self._store.is_up:
                self._land(save, some)
            if roll < 0.8:
                self._land_later(save, [each for each in subjects if each not in some])
            self._reply(Reply(save))

    def _ended(self, save: Save) -> None:
        if self._slow is save:
            self._slow = None
            self._reply(Reply(save, is_done=True))

    def _land(self, save: Save, subjects: list[str]) -> None:
        if subjects:
            self._store.put(save.partition, {each: save.rows[each] for each in subjects}, save.timestamp)

    def _land_later(self, save: Save, subjects: list[str], within_s: float = LATEST_S) -> None:
        for subject in subjects:
            self._world.at(self._world.chance() * within_s, partial(self._land, save, [subject]))
