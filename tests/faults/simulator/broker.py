"""A worker's connection to the log and its place in the group."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fraudbrain_realtime.ports import Headers, Message, Ownership
from tests.faults.simulator.circumstances import Circumstances
from tests.faults.simulator.cluster import Cluster, Group, Written
from tests.faults.simulator.world import World

Committed = Callable[[Mapping[int, int] | None], None]


@dataclass(slots=True)
class Line:
    """What was sent to one partition, in order: on its way, or written and not yet acknowledged."""

    unsent: deque[tuple[Written, Callable[[], None]]] = field(default_factory=deque)
    unacked: deque[Callable[[], None]] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Request:
    """To commit an offset, by whoever held this lease."""

    partition: int
    offset: int
    lease: int


class SimBroker:
    """Of one life of a worker. `interfere` is called where others may come between."""

    def __init__(
        self,
        name: str,
        world: World,
        given: Circumstances,
        cluster: Cluster,
        group: Group,
        owner: Callable[[], Ownership],
        interfere: Callable[[], None],
    ) -> None:
        self.name = name
        self.silent_since: float | None = None
        """Since when nothing is heard of its process, if so."""
        self._world = world
        self._given = given
        self._cluster = cluster
        self._group = group
        self._owner = owner
        self._interfere = interfere
        self._lines: dict[tuple[str, int], Line] = {}
        self._next: dict[int, int] = {}
        self._fetched: dict[int, deque[Message]] = {}
        self._leases: dict[int, int] = {}
        self._given_up: set[int] = set()
        self._requests: deque[Request] = deque()
        self._done: dict[int, Committed] = {}

    # The port

    def poll(self, wait_s: float, *, take: bool = True) -> Sequence[Message]:
        """Hands out what was fetched before: whatever came between, newer events come with a later poll."""
        self._interfere()
        if not take:
            self._world.pass_time(wait_s)
        if not self._cluster.is_up:
            return []
        self._given_up.clear()
        taken = self._take() if take else []
        self._deliver(whole=False)
        self._answer_commits()
        self._heed_group()
        self._fetch()
        return self._still_ours(taken)

    def produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        partition: int | None,
        acked: Callable[[], None],
    ) -> None:
        self._interfere()
        line = self._lines.setdefault((topic, partition or 0), Line())
        line.unsent.append((Written(key, value, headers), acked))

    def drain(self, timeout_s: float) -> None:
        self._interfere()
        if self._cluster.is_up and self._world.chance() < 0.8:
            self._deliver(whole=True)
        else:
            self._world.pass_time(timeout_s)

    def commit(self, offsets: Mapping[int, int], done: Committed) -> None:
        """As the real adapter does: who hears the answer is noted by partition, the one who asked last."""
        self._interfere()
        for partition, offset in offsets.items():
            self._done[partition] = done
            if self._fails():
                self._answer(partition, None)  # not even sent
            else:
                self._requests.append(Request(partition, offset, self._leases.get(partition, -1)))

    def read_again(self, partition: int, offset: int, end: int) -> Sequence[Message]:
        self._interfere()
        if not self._cluster.is_up:
            return []
        behind = self._cluster.events[partition][offset:end]
        return behind[: self._world.up_to(len(behind))]

    # What the rest of the world does with it

    def close(self) -> None:
        """Leaves the group in good order; what is not written by then never is."""
        if self._fetched:
            self._owner().revoked(list(self._fetched))
        self._answer_commits()
        if self._cluster.is_up:
            self._deliver(whole=self._world.chance() < 0.9)
        self._group.put_out(self)

    def cut(self) -> None:
        """The process died: of what was on its way some is written all the same, unheard of."""
        if self._cluster.is_up:
            for (topic, partition), line in self._lines.items():
                for _ in range(self._world.up_to(len(line.unsent))):
                    self._write(topic, partition, line.unsent.popleft()[0])
            for _ in range(self._world.up_to(len(self._requests))):
                self._applied(self._requests.popleft())
        self._lines.clear()
        self._requests.clear()

    @property
    def in_flight(self) -> int:
        return sum(len(line.unsent) + len(line.unacked) for line in self._lines.values())

    def _fails(self) -> bool:
        return self._given.commit_fails > 0 and self._world.chance() < self._given.commit_fails

    def _take(self) -> list[Message]:
        room = self._world.up_to(self._given.batch)
        taken: list[Message] = []
        for waiting in self._fetched.values():
            while waiting and len(taken) < room:
                taken.append(waiting.popleft())
        return taken

    def _still_ours(self, taken: list[Message]) -> list[Message]:
        """As the real adapter: a partition that was given up meanwhile may be ours again, from an earlier offset."""
        return [each for each in taken if each.partition not in self._given_up] if self._given_up else taken

    def _fetch(self) -> None:
        for partition, waiting in self._fetched.items():
            log = self._cluster.events[partition]
            at = self._next[partition]
            if at < len(log) and len(waiting) < 2 * self._given.batch:
                more = log[at : at + 1 + self._world.up_to(self._given.batch)]
                waiting.extend(more)
                self._next[partition] = at + len(more)

    def _deliver(self, *, whole: bool) -> None:
        up_to = self._world.up_to
        for (topic, partition), line in self._lines.items():
            unsent, unacked = line.unsent, line.unacked
            if unsent:
                for _ in range(len(unsent) if whole else up_to(len(unsent))):
                    record, acked = unsent.popleft()
                    self._write(topic, partition, record)
                    unacked.append(acked)
            if unacked:
                for _ in range(len(unacked) if whole else up_to(len(unacked))):
                    unacked.popleft()()

    def _write(self, topic: str, partition: int, record: Written) -> None:
        self._cluster.append(topic, partition, record)
        if self._world.is_told:
            at = _told_of(topic, record.headers)
            how = " without the profile" if b"profile_unavailable" in record.value else ""
            self._world.tell(f"{self.name} has written a record of {topic} for {at}{how}")

    def _answer_commits(self) -> None:
        for _ in range(self._world.up_to(len(self._requests)) if self._requests else 0):
            request = self._requests.popleft()
            is_applied = not self._fails() and self._applied(request)
            is_heard = is_applied and not self._fails()
            self._answer(request.partition, {request.partition: request.offset} if is_heard else None)

    def _applied(self, request: Request) -> bool:
        group = self._group
        if self not in group.members or group.lease[request.partition] != request.lease:
            return False
        group.committed[request.partition] = request.offset
        self._world.tell(f"{self.name} commits {request.partition}/{request.offset}")
        return True

    def _answer(self, partition: int, offsets: Mapping[int, int] | None) -> None:
        done = self._done.pop(partition, None)
        if done is not None:
            done(offsets)

    # The group

    def _heed_group(self) -> None:
        group, chance = self._group, self._world.chance
        if self not in group.members:
            if self._fetched and chance() < 0.3:  # till it notices it goes on with what it has
                self._lose(list(self._fetched))
            if not self._fetched:
                group.join(self)
            return
        moving = [partition for partition in self._fetched if group.wanted[partition] is not self]
        if moving and chance() < 0.5:
            self._world.tell(f"{self.name} gives up {moving}")
            self._owner().revoked(moving)
            self._forget(moving)
            for partition in moving:
                if group.owner[partition] is self:
                    group.owner[partition] = None
        free = [each for each, owner in group.owner.items() if owner is None and group.wanted[each] is self]
        if free and chance() < 0.7:
            self._gain(free)

    def _gain(self, partitions: Sequence[int]) -> None:
        starts = {partition: self._group.grant(partition, self) for partition in partitions}
        self._world.tell(f"{self.name} is given {starts}")
        for partition, start in starts.items():
            self._next[partition] = start
            self._fetched[partition] = deque()
            self._leases[partition] = self._group.lease[partition]
        self._owner().assigned(starts)

    def _lose(self, partitions: Sequence[int]) -> None:
        self._world.tell(f"{self.name} hears that it lost {partitions}")
        self._owner().lost(partitions)
        self._forget(partitions)

    def _forget(self, partitions: Sequence[int]) -> None:
        self._given_up.update(partitions)
        for partition in partitions:
            del self._fetched[partition], self._next[partition], self._leases[partition]


def _told_of(topic: str, headers: Headers) -> tuple[int, int]:
    """Partition and offset of the event of which this tells."""
    told = dict(headers)
    if topic == "decisions":
        _, partition, offset = (told["source"] or b"").decode().split("/")
    else:
        _, partition, offset, _ = (told["dlq.source"] or b"").decode().rsplit("/", 3)
    return int(partition), int(offset)
