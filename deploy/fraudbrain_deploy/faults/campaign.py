"""A campaign: everything on real parts, events flowing, things breaking, and the judge at the end."""

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from fraudbrain_deploy import kafka, spaces
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.faults import collecting, kinds
from fraudbrain_deploy.faults.checker import Controls, Judgement, judge
from fraudbrain_deploy.faults.control_records import controls
from fraudbrain_deploy.faults.crew import Crew
from fraudbrain_deploy.faults.events import Events
from fraudbrain_deploy.faults.injection import Injection
from fraudbrain_deploy.faults.proxy import Proxy
from fraudbrain_deploy.faults.report import Report, costs
from fraudbrain_deploy.faults.schedule import Schedule, draw
from fraudbrain_deploy.faults.sender import Sender
from fraudbrain_deploy.interruption import undisturbed
from fraudbrain_deploy.stack import StackSettings, down, free_port_block, up
from fraudbrain_deploy.steps import Steps, Tell
from fraudbrain_deploy.tiers import wait_ready
from fraudbrain_shared.scenario.load import load_scenario
from fraudbrain_shared.topics import Names

SCENARIO: Final = Path(__file__).parent / "scenario"
SPACE: Final = "faults"
GROUPS: Final = ("a", "b")
WORKERS: Final = 2
"""Of each group: so that somebody is there to take over."""

_READY_S: Final = 120.0
_DRAIN_S: Final = 180.0
_OVERTIME_S: Final = 300.0
_TURN_S: Final = 0.05
_LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Wishes:
    """How large a campaign is to be, and what is to break in it."""

    events: int
    kills: int
    stops: int
    seed: int
    kinds: Collection[str]
    groups: int = 1
    keep: bool = False

    @property
    def group_names(self) -> Sequence[str]:
        return GROUPS[: self.groups]


def campaign(data: Path, wishes: Wishes, steps: Steps) -> Report:
    """Runs it on a stack of its own below `data`, which is removed unless it is to be kept.

    Raises UserError, StackError where it cannot be run; then, too, all it has started is ended.
    """
    schedule = draw(wishes.seed, wishes.kinds, kills=wishes.kills, stops=wishes.stops)
    with ExitStack() as ending:
        deployment = ending.enter_context(_deployment(data, wishes, steps))
        proxy = ending.enter_context(Proxy(deployment.stack.thrift_address, wishes.seed))
        begun = {"rules": collecting.records(deployment, "rules")}
        crew, injection, sender = _run(deployment, proxy, wishes, schedule, steps, ending)
        with steps.step("stop the workers in an orderly way"):
            crew.end()
        good = Controls([*begun["rules"], *injection.good["rules"]], injection.good["parameters"])
        with steps.step("judge every record and every profile") as tell:
            judgement = _judge(deployment, wishes, good, injection, sender, tell)
        return _report(wishes, schedule, crew, injection, sender, judgement, steps)


@contextmanager
def _deployment(data: Path, wishes: Wishes, steps: Steps) -> Iterator[Deployment]:
    """The scenario of campaigns on a new stack, whose broker and store may be killed without harm to any other."""
    settings = StackSettings(data=data, ports=free_port_block())
    parts = ("kafka", "hbase", "thrift", *(("redis",) if kinds.REDIS in wishes.kinds else ()))
    down(settings)  # what a campaign that was killed has left running
    shutil.rmtree(data, ignore_errors=True)
    try:
        with steps.step(f"bring up {', '.join(parts)} of its own"):
            up(settings, parts)
        deployment = Deployment(settings, load_scenario(str(SCENARIO)), SCENARIO, Names(SPACE), data)
        spaces.create(deployment)
        yield deployment
    finally:
        with undisturbed():
            down(settings, parts)
            if not wishes.keep:
                shutil.rmtree(settings.folder, ignore_errors=True)


def _run(
    deployment: Deployment, proxy: Proxy, wishes: Wishes, schedule: Schedule, steps: Steps, ending: ExitStack
) -> tuple[Crew, Injection, Sender]:
    """Events flow and things break; returns when all that was sent is decided and committed."""
    stack = deployment.stack
    through_proxy = replace(stack, ports=msgspec.structs.replace(stack.ports, thrift=proxy.port))
    chance = random.Random(f"crew {wishes.seed}")
    with steps.step(f"start {WORKERS * wishes.groups} workers") as tell:
        crew = Crew(replace(deployment, stack=through_proxy), wishes.group_names, WORKERS, chance)
        ending.callback(crew.end)
        wait_ready(deployment, crew.tiers, _READY_S, tell)
    events = Events(wishes.seed, wishes.events, wishes.kinds)
    topic, per_s = deployment.names.topic("events"), wishes.events / schedule.seconds
    sender = Sender(stack.kafka_bootstrap, topic, events, count=wishes.events, per_s=per_s)
    published = controls(deployment.scenario, wishes.seed)
    injection = ending.enter_context(closing(Injection(deployment, crew, proxy, published, wishes.seed)))
    with steps.step(f"{wishes.events:,} events, {per_s:,.0f} a second, and {len(schedule.faults)} faults") as tell:
        sender.start()
        ending.callback(sender.end)
        _break(schedule, crew, injection, sender, tell)
    with steps.step("mend everything, and wait until all is decided and committed") as tell:
        injection.mend()
        _drain(deployment, wishes, crew, injection, tell)
    return crew, injection, sender


def _break(schedule: Schedule, crew: Crew, injection: Injection, sender: Sender, tell: Tell) -> None:
    begun = time.monotonic()
    left = list(reversed(schedule.faults))
    while left or sender.alive() or injection.has_put_off:
        now = time.monotonic() - begun
        if now > schedule.seconds + _OVERTIME_S:
            raise UserError(
                f"{_OVERTIME_S:.0f} s after its time the campaign is not over; {sender.acknowledged:,} events sent.",
                "Do the workers start at all? Their logs are in the data folder, under faults/tiers.",
            )
        while left and left[-1].at_s <= now:
            injection.inject(left.pop())
        _look_after(crew, injection)
        sender.check()
        tell(f"{now:.0f} s: {sender.acknowledged:,} events, {_counted(injection)}")
        time.sleep(_TURN_S)
    sender.check()


def _counted(injection: Injection) -> str:
    counts = Counter(each.kind for each in injection.injected)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "no fault yet"


def _drain(deployment: Deployment, wishes: Wishes, crew: Crew, injection: Injection, tell: Tell) -> None:
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    topic = names.topic("events")
    ends = kafka.end_offsets(bootstrap, topic)
    deadline = time.monotonic() + _DRAIN_S
    due = 0.0
    while True:
        _look_after(crew, injection)
        if time.monotonic() >= due:
            lag = {group: _lag(bootstrap, names.group(group), topic, ends) for group in wishes.group_names}
            if not any(lag.values()):
                return
            tell(", ".join(f"group {group}: {count:,} behind" for group, count in lag.items()))
            due = time.monotonic() + _LOOK_EVERY_S
        if time.monotonic() > deadline:
            raise UserError(
                f"After all was mended, {lag} events were still not committed {_DRAIN_S:.0f} s later.",
                f"The workers' logs say why: {deployment.tier_logs}.",
            )
        time.sleep(_TURN_S)


def _lag(bootstrap: str, group: str, topic: str, ends: kafka.Offsets) -> int:
    committed = kafka.committed_offsets(bootstrap, group, topic)
    return sum(end - committed.get(number, 0) for number, end in ends.items())


def _look_after(crew: Crew, injection: Injection) -> None:
    injection.turn()
    for worker, how in crew.look_after():
        injection.ended(worker, how)


def _judge(
    deployment: Deployment, wishes: Wishes, good: Controls, injection: Injection, sender: Sender, tell: Tell
) -> Judgement:
    groups, topic = wishes.group_names, deployment.names.topic("events")
    return judge(
        collecting.partitions(deployment, groups, sender.sent, tell),
        collecting.records(deployment, "dead-letters"),
        good,
        groups=groups,
        events_topic=topic,
        bad=injection.bad,
        progress=collecting.records(deployment, "progress"),
    )


def _report(
    wishes: Wishes,
    schedule: Schedule,
    crew: Crew,
    injection: Injection,
    sender: Sender,
    judgement: Judgement,
    steps: Steps,
) -> Report:
    findings = judgement.findings
    return Report(
        seed=wishes.seed,
        events=sender.acknowledged,
        groups=list(wishes.group_names),
        workers=WORKERS,
        cores=os.cpu_count() or 0,
        faults=dict(Counter(each.kind for each in injection.injected)),
        worker_exits=dict(Counter(how for worker in crew.workers for how in worker.exits)),
        skipped=injection.skipped,
        endings={name: count for name, count in sorted(findings.counts.items())},
        violations=dict(findings.violations),
        examples=findings.examples,
        costs=costs(injection.injected, judgement.timing, wishes.group_names),
        seconds=dict(steps.seconds),
        events_per_s=round(wishes.events / schedule.seconds),
        injected=injection.injected,
    )
