"""Where faults are proven: the campaigns' scenario deployed, what is sent to it, and the judgement at the end."""

import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from fraudbrain_deploy import kafka, spaces
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.faults import collecting
from fraudbrain_deploy.faults.campaign import SCENARIO
from fraudbrain_deploy.faults.checker import Controls, Judgement, Partition, Record, Sent, judge
from fraudbrain_deploy.faults.events import Made
from fraudbrain_deploy.faults.proxy import Proxy
from fraudbrain_deploy.faults.sender import Sender, Source
from fraudbrain_deploy.interruption import undisturbed
from fraudbrain_deploy.stack import StackSettings, down, free_port_block, up
from fraudbrain_deploy.steps import Steps
from fraudbrain_deploy.tiers import Tier, check_alive
from fraudbrain_shared.scenario.load import load_scenario
from fraudbrain_shared.topics import Names

READY_S: Final = 120.0

_PARTS: Final = ("kafka", "hbase", "thrift", "redis")
_TURN_S: Final = 0.1
_SENT_WITHIN_S: Final = 300.0
_STEP_MS: Final = 1_000
_DAY_MS: Final = 86_400_000


@contextmanager
def own_stack(data: Path, steps: Steps) -> Iterator[StackSettings]:
    """A stack that nobody else uses, below `data`; nothing of it is left in the end but logs."""
    settings = StackSettings(data=data, ports=free_port_block())
    shutil.rmtree(data, ignore_errors=True)
    try:
        with steps.step(f"bring up {', '.join(_PARTS)} of its own"):
            up(settings, _PARTS)
        yield settings
    finally:
        with undisturbed():
            down(settings)
            shutil.rmtree(settings.folder, ignore_errors=True)


def deployed(stack: StackSettings, space: str) -> Deployment:
    """The campaigns' scenario in a new space."""
    deployment = Deployment(stack, load_scenario(str(SCENARIO)), SCENARIO, Names(space), stack.data)
    spaces.create(deployment)
    return deployment


def through(proxy: Proxy, deployment: Deployment) -> Deployment:
    """The same for workers whose way to HBase leads through the proxy."""
    ports = msgspec.structs.replace(deployment.stack.ports, thrift=proxy.port)
    return replace(deployment, stack=replace(deployment.stack, ports=ports))


class Transfers:
    """Good transfers of the accounts that `account` draws, a second of event time apart."""

    def __init__(self, seed: int, account: Callable[[Random], str]) -> None:
        self.account = account
        self._chance = Random(f"transfers {seed}")
        self._time_ms = int(time.time() * 1000) - 30 * _DAY_MS
        self._made = 0

    def next(self) -> Made:
        """The next transfer."""
        self._made += 1
        self._time_ms += _STEP_MS
        account, chance = self.account(self._chance), self._chance
        fields = {
            "account_id": account,
            "payee_id": f"p-{chance.randrange(40):02d}",
            "amount": int(chance.lognormvariate(11, 1.5)),
            "channel": chance.choice(("app", "web", "branch")),
        }
        event = {"event_id": f"t-{self._made}", "type": "transfer", "event_time": self._time_ms, "fields": fields}
        return Made(account.encode(), msgspec.json.encode(event), "decided")


class Flow:
    """All that is sent to a deployment, in stretches of a steady rate."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.sent: defaultdict[int, list[Sent]] = defaultdict(list)

    @contextmanager
    def flowing(self, events: Source, *, count: int, per_s: float) -> Iterator[Sender]:
        """So many events at a rate, while the body does something else; it ends when all are acknowledged."""
        bootstrap, topic = self._deployment.stack.kafka_bootstrap, self._deployment.names.topic("events")
        sender = Sender(bootstrap, topic, events, count=count, per_s=per_s)
        sender.start()
        try:
            yield sender
            wait_until(lambda: not sender.alive(), "the broker to take all events", _SENT_WITHIN_S)
            sender.check()
        finally:
            sender.end()
            for partition, sent in sender.sent.items():
                self.sent[partition] += sent

    def send(self, events: Source, *, count: int, per_s: float) -> None:
        """The same with nothing else to do."""
        with self.flowing(events, count=count, per_s=per_s):
            pass


def wait_until(
    holds: Callable[[], bool], what: str, timeout_s: float, alive: Sequence[Tier] = (), turn_s: float = _TURN_S
) -> float:
    """The seconds until it holds. Raises TimeoutError, and TierEnded where one of `alive` has ended."""
    begun = time.monotonic()
    while not holds():
        check_alive(alive)
        if time.monotonic() - begun > timeout_s:
            raise TimeoutError(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(turn_s)
    return time.monotonic() - begun


def ends(deployment: Deployment) -> kafka.Offsets:
    """Where the events end at the moment."""
    return kafka.end_offsets(deployment.stack.kafka_bootstrap, deployment.names.topic("events"))


def behind(deployment: Deployment, group: str, ends: kafka.Offsets) -> int:
    """How many events below these ends the group has not committed."""
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    committed = kafka.committed_offsets(bootstrap, names.group(group), names.topic("events"))
    return sum(max(0, end - committed.get(number, 0)) for number, end in ends.items())


def drain(deployment: Deployment, groups: Sequence[str], timeout_s: float, alive: Sequence[Tier] = ()) -> float:
    """The seconds until each group has committed all there is."""
    now = ends(deployment)
    what = "everything to be committed"
    return wait_until(lambda: not any(behind(deployment, group, now) for group in groups), what, timeout_s, alive)


def collected(deployment: Deployment, groups: Sequence[str], flow: Flow) -> Iterator[Partition]:
    """Everything that stands in topics and tables, partition after partition."""
    return collecting.partitions(deployment, groups, flow.sent, lambda _: None)


def judge_all(
    deployment: Deployment, groups: Sequence[str], partitions: Iterator[Partition], letters: Sequence[Record]
) -> Judgement:
    """The judgement on all of this. Raises AssertionError where anything is wrong."""
    rules = Controls(collecting.records(deployment, "rules"), [])
    topic = deployment.names.topic("events")
    judgement = judge(partitions, letters, rules, groups=groups, events_topic=topic)
    assert judgement.findings.clean, judgement.findings.examples
    return judgement


def judged(deployment: Deployment, groups: Sequence[str], flow: Flow) -> Judgement:
    """The judgement on every record and every profile. Raises AssertionError where anything is wrong."""
    letters = collecting.records(deployment, "dead-letters")
    return judge_all(deployment, groups, collected(deployment, groups, flow), letters)


class Decided(NamedTuple):
    """A decision as it stands in the log. Times are the broker's append times, UTC ms."""

    group: str
    partition: int
    offset: int
    subject: str
    event_ms: int
    decision_ms: int
    is_degraded: bool

    @property
    def took_ms(self) -> int:
        """From the append of its event to its own."""
        return self.decision_ms - self.event_ms


def decisions(deployment: Deployment) -> Iterator[Decided]:
    """All decisions, partition after partition, each in the order of the log."""
    for number in kafka.topic_partitions(deployment.stack.kafka_bootstrap, deployment.names.topic("decisions")):
        for record in collecting.records(deployment, "decisions", number):
            said: dict[str, Any] = msgspec.json.decode(record.value or b"")
            source = said["source"]
            yield Decided(
                said["group"],
                number,
                source["offset"],
                said["subject"],
                source["append_time"],
                record.append_ms,
                bool(said.get("degraded")),
            )


def spread(values: Sequence[float]) -> dict[str, float]:
    """The middle, a high and the highest of some figures."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    at = len(ordered)
    return {"count": at, "p50": ordered[at // 2], "p99": ordered[min(at - 1, int(at * 0.99))], "max": ordered[-1]}


@dataclass
class Memory:
    """The largest resident memory that was seen of a worker and of its keeper, MiB."""

    worker_mib: float = 0.0
    keeper_mib: float = 0.0

    def look(self, tier: Tier) -> None:
        """Looks again."""
        import psutil

        worker = psutil.Process(tier.process.pid)
        self.worker_mib = max(self.worker_mib, _mib(worker))
        for child in worker.children():
            if "fraudbrain_realtime.keeper" in child.cmdline():
                self.keeper_mib = max(self.keeper_mib, _mib(child))


def _mib(process: Any) -> float:
    return round(int(process.memory_info().rss) / 2**20, 1)


def now_ms() -> int:
    """The time, UTC ms, on the same machine as the broker."""
    return int(time.time() * 1000)
