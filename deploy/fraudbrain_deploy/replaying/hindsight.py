"""Every first decision beside what would have been decided had no parameter moved, and without the model.

They are made again from the inputs that each decision logged, by the core that made them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.replaying.controls_log import Release, rule_sets
from fraudbrain_shared.controls import own_rules
from fraudbrain_shared.decisions.hindsight import Hindsight
from fraudbrain_shared.records import Decision, Outcome
from fraudbrain_shared.scenario.event_types import decoder


class Reviewed(NamedTuple):
    """A decision, when the broker took it (UTC ms), and the outcomes of deciding it again.

    `again` is by all that was logged: another outcome than the decision's own is a defect.
    """

    decision: Decision
    append_ms: int
    again: Outcome
    without_moves: Outcome
    without_model: Outcome


class Since(NamedTuple):
    """From where on a replay's own records stand."""

    events: kafka.Offsets
    decisions: kafka.Offsets


def review(deployment: Deployment, since: Since, releases: Sequence[Release]) -> Iterator[Reviewed]:
    """The first decision of each event since then, partition by partition, in the order of the log."""
    starting_values = {each.version: each.starting_values for each in releases}
    scenario = deployment.scenario
    own = Hindsight(scenario, own_rules(scenario), starting_values)
    published = {each.version: Hindsight(scenario, each, starting_values) for each in rule_sets(deployment)}
    decode = decoder(scenario).decode
    for decision, append_ms, event in _with_events(deployment, since):
        hindsight = published.get(decision.versions.rules, own)
        is_moved, is_scored = hindsight.is_moved(decision), decision.scores.champion is not None
        if not (is_moved or is_scored):
            yield Reviewed(decision, append_ms, decision.outcome, decision.outcome, decision.outcome)
            continue
        admitted = decode(event)
        again = hindsight.outcome(admitted, decision)
        yield Reviewed(
            decision,
            append_ms,
            again,
            hindsight.outcome(admitted, decision, moved=False) if is_moved else again,
            hindsight.outcome(admitted, decision, scored=False) if is_scored else again,
        )


def _with_events(deployment: Deployment, since: Since) -> Iterator[tuple[Decision, int, bytes]]:
    """Decisions with their events: both stand in the same order in partitions of the same number."""
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    decode = msgspec.json.Decoder(Decision).decode
    for number in kafka.topic_partitions(bootstrap, names.topic("decisions")):
        events = kafka.read_all(bootstrap, names.topic("events"), since=since.events, partition=number)
        at = since.events.get(number, 0) - 1
        for message in kafka.read_all(bootstrap, names.topic("decisions"), since=since.decisions, partition=number):
            decision = decode(message.value() or b"")
            if decision.source.offset <= at:  # decided again after a restart, or an event of an earlier replay
                continue
            event = next(each for each in events if each.offset() == decision.source.offset)
            at = decision.source.offset
            yield decision, message.timestamp()[1], event.value() or b""
