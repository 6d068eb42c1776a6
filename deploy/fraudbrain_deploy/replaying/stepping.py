"""Sending a source step by step: each step's events are decided by what all tiers made of the steps before."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.importing import EventSource
from fraudbrain_deploy.offline_work import Trained, train_and_promote
from fraudbrain_deploy.replaying.barrier import Barrier
from fraudbrain_deploy.replaying.display import Display
from fraudbrain_deploy.replaying.schedule import Schedule, Step, schedule
from fraudbrain_deploy.replaying.sending import DueRecords, Sender, Sent
from fraudbrain_shared.records import CLOCK_HEADER, STEP_HEADER

Train = Callable[[Deployment, int, Callable[[], None]], Trained]


def _train(deployment: Deployment, as_of_ms: int, on_turn: Callable[[], None]) -> Trained:
    return train_and_promote(deployment, as_of_ms, on_turn=on_turn)


@dataclass(frozen=True, slots=True)
class Stepping:
    """Steps of `length_ms` of event time; a model is trained every `train_every_ms`, if given, and `at_end`
    after the last step too."""

    length_ms: int
    train_every_ms: int | None = None
    at_end: bool = False

    @property
    def trains(self) -> bool:
        """Whether a model is trained at all."""
        return self.at_end or self.train_every_ms is not None

    def schedule(self, source: EventSource) -> Schedule:
        """The steps for a source. Raises UserError where it is empty."""
        return schedule(*source.span_ms, self.length_ms, self.train_every_ms)


def send_in_steps(
    deployment: Deployment,
    source: EventSource,
    stepping: Stepping,
    *,
    build: str,
    wait_decided: Callable[[kafka.Offsets, Sent], None],
    on_turn: Callable[[Sent], None],
    screen: Display,
    train: Train = _train,
) -> Sent:
    """Sends everything that is due until the last step ends, and returns when all tiers have done with it.

    What becomes known of events later is not sent: nobody would know it yet. `wait_decided` waits until the
    workers have committed `events` to the given ends. Raises UserError when it cannot go on.
    """
    bootstrap, events = deployment.stack.kafka_bootstrap, deployment.names.topic("events")
    sender = Sender(bootstrap, deployment.names, on_turn, paced=False)
    steps = stepping.schedule(source)
    due, labels = DueRecords(source.event_batches()), DueRecords(source.label_batches())
    run = secrets.token_hex(4)
    last = len(steps) - 1

    def turn() -> None:
        on_turn(sender.sent)

    with Barrier(deployment, run, on_turn=turn) as barrier:
        sender.put_aside(source, build)
        barrier.slow_tier(0, steps.start_ms)
        before = barrier.workers(0, steps.start_ms)
        sender.begin()
        for step in steps:
            sender.step(due, labels, step.end_ms, _headers(run, step))
            wait_decided(kafka.end_offsets(bootstrap, events), sender.sent)
            barrier.slow_tier(step.number + 1, step.end_ms)
            if step.trains or (stepping.at_end and step.number == last):
                screen.says(_told(train(deployment, step.end_ms, turn)))
            ends = barrier.workers(step.number + 1, step.end_ms)
            screen.stepped(step.number + 1, last + 1, step.start_ms, _moves(ends) - _moves(before))
    return sender.sent


def _headers(run: str, step: Step) -> list[tuple[str, str | bytes | None]]:
    return [(STEP_HEADER, f"{run}|{step.number}"), (CLOCK_HEADER, str(step.start_ms))]


def _moves(ends: dict[str, dict[str, int]]) -> int:
    return sum(ends["parameters"].values())


def _told(trained: Trained) -> str:
    if trained.version is None:
        return f"no model yet: {trained.skipped}"
    fate = "" if trained.refused is None else f"; it does not go live: {trained.refused}"
    rows = f"{trained.rows:,} labelled decisions, {trained.frauds:,} of them frauds"
    return f"model {trained.version}, trained on {rows}{fate}"
