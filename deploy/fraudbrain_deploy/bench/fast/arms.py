"""What is measured in turns: a worker that flushes no profiles, one that does, and the echo."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import psutil

from fraudbrain_deploy import kafka, spaces, tiers
from fraudbrain_deploy.bench.core.engine import context_records
from fraudbrain_deploy.bench.rules.cases import REFERENCE, reference
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.load.echo_process import echoing
from fraudbrain_deploy.stack import StackSettings
from fraudbrain_shared.topics import CHAMPION_MODEL, Names

ECHO: Final = "echo"
FAST: Final = "fast tier"
DURABLE: Final = "fast tier, durable profiles"
ARMS: Final = (ECHO, FAST, DURABLE)

PARTITIONS: Final = 4
_READY_S: Final = 180.0
_ACTIVE_AFTER_S: Final = 3.0  # a release acts two seconds after it was appended
_DAY_MS: Final = 86_400_000
# There is no switch for it: nothing is flushed before the run is over, and so no offset is committed either.
_NO_FLUSH: Final = ("--flush-interval-s", "1000000")


class Topics(NamedTuple):
    """Full names: where events come from and where answers go to."""

    events: str
    answers: str


class Stage:
    """A broker with stores, on which arms run. `release` is the reference model's."""

    def __init__(self, stack: StackSettings, release: bytes) -> None:
        self.bootstrap = stack.kafka_bootstrap
        self.release = release
        self._stack = stack

    def space(self, name: str, *, has_context: bool = True) -> Deployment:
        """A space of the reference scenario with its model live. Context is what the committed events leave, unless a
        slow tier is to make its own."""
        scenario = reference()
        made = Deployment(self._stack, scenario, REFERENCE, Names(name), self._stack.data)
        spaces.create(made, PARTITIONS)
        kafka.send_all(self.bootstrap, made.names.topic("models"), [(CHAMPION_MODEL, self.release)])
        if has_context:
            clock = int(time.time() * 1_000) + _DAY_MS  # as of a slow tier that is never late
            kafka.send_all(self.bootstrap, made.names.topic("context"), context_records(scenario, clock))
        time.sleep(_ACTIVE_AFTER_S)
        return made

    @contextmanager
    def passing_space(self, name: str, *, has_context: bool = True) -> Iterator[Deployment]:
        """The same, whose events and decisions are deleted afterwards, unless something failed: they fill the disk."""
        made = self.space(name, has_context=has_context)
        yield made
        kafka.delete_topics(self.bootstrap, topics_of(made.names))

    def echo_topics(self, name: str) -> Topics:
        """Topics like those of a space, for the echo."""
        kafka.create_topics(self.bootstrap, Names(name), partitions=PARTITIONS)
        return topics_of(Names(name))


def topics_of(names: Names) -> Topics:
    """Of a worker of that space."""
    return Topics(names.topic("events"), names.topic("decisions"))


class Running(NamedTuple):
    """An arm's process, and the tiers among it that must not end."""

    process: psutil.Process
    tiers: list[tiers.Tier]


@contextmanager
def working(deployment: Deployment, arm: str) -> Iterator[tiers.Tier]:
    """A worker, ready."""
    with _started(deployment, arm, "a") as worker:
        tiers.wait_ready(deployment, [worker], _READY_S)
        yield worker


@contextmanager
def working_on_all(deployment: Deployment, arm: str, group: str, sink: str) -> Iterator[Running]:
    """The arm, on everything that stands in the space's topic of events from its beginning: a worker of a new group,
    which knows nobody yet, or the echo to the sink."""
    if arm == ECHO:
        with echoing(deployment.stack.kafka_bootstrap, deployment.names.topic("events"), sink, whole=True) as pid:
            yield Running(psutil.Process(pid), [])
    else:
        with _started(deployment, arm, group) as worker:
            yield Running(psutil.Process(worker.process.pid), [worker])


@contextmanager
def _started(deployment: Deployment, arm: str, group: str) -> Iterator[tiers.Tier]:
    """A worker that is killed afterwards: what it would still flush is nobody's any more."""
    worker = tiers.start_realtime(deployment, group=group, options=_NO_FLUSH if arm == FAST else ())
    try:
        yield worker
    finally:
        worker.kill()
