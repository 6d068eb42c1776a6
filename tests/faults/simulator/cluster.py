"""The log that outlives every worker, and the coordinator of the group that reads it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fraudbrain_realtime.ports import ControlRecord, Headers, Message
from tests.faults.simulator.world import World

if TYPE_CHECKING:
    from tests.faults.simulator.broker import SimBroker


@dataclass(slots=True)
class Written:
    """A record of ours as it stands in the log."""

    key: bytes | None
    value: bytes
    headers: Headers


@dataclass(slots=True)
class Cluster:
    """Topics by name and partition; while it is not up, nothing is read, written, acknowledged or committed."""

    partitions: int
    is_up: bool = True
    events: list[list[Message]] = field(default_factory=list)
    written: dict[tuple[str, int], list[Written]] = field(default_factory=dict)
    rules: list[ControlRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events = [[] for _ in range(self.partitions)]

    def append(self, topic: str, partition: int, record: Written) -> None:
        self.written.setdefault((topic, partition), []).append(record)


class Group:
    """Who is in it, who owns what, who should, and what is committed.

    A partition changes hands only once its owner gave it up or was put out. A commit belongs to one `lease`: that of
    an owner before is refused, as a broker refuses an old generation.
    """

    def __init__(self, world: World, partitions: int, session_s: float) -> None:
        self._world = world
        self._session_s = session_s
        self.members: list[SimBroker] = []
        self.committed = dict.fromkeys(range(partitions), 0)
        self.owner: dict[int, SimBroker | None] = dict.fromkeys(range(partitions))
        self.wanted: dict[int, SimBroker | None] = dict.fromkeys(range(partitions))
        self.lease = dict.fromkeys(range(partitions), 0)

    def join(self, member: "SimBroker") -> None:
        self.members.append(member)
        self.deal()

    def put_out(self, member: "SimBroker") -> None:
        """It leaves, or its session ended: what it owned is free."""
        if member in self.members:
            self.members.remove(member)
            for partition, owner in self.owner.items():
                if owner is member:
                    self.owner[partition] = None
            self.deal()

    def put_out_the_silent(self) -> None:
        for member in list(self.members):
            if member.silent_since is not None and self._world.now - member.silent_since > self._session_s:
                self._world.tell(f"{member.name} is put out of the group: silent for too long")
                self.put_out(member)

    def deal(self) -> None:
        """Says anew who should own what."""
        players = list(self.members)
        self._world.random.shuffle(players)
        for partition in self.wanted:
            self.wanted[partition] = players[partition % len(players)] if players else None

    def grant(self, partition: int, member: "SimBroker") -> int:
        """Makes a member the owner; returns where it goes on."""
        self.owner[partition] = member
        self.lease[partition] += 1
        return self.committed[partition]
