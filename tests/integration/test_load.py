"""A load through the real broker and back by the echo: each answer belongs to its event. No time is asserted."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from fraudbrain_deploy import kafka
from fraudbrain_deploy.bench.core.stream import reference_plan
from fraudbrain_deploy.bench.rules.cases import reference
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.echo_process import echoing
from fraudbrain_deploy.load.load import Load, answered
from fraudbrain_deploy.load.schedule import Phase, Schedule, constant

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment


def echo(deployment: "Deployment", *, whole: bool = False) -> AbstractContextManager[int]:
    names = deployment.names
    return echoing(deployment.stack.kafka_bootstrap, names.topic("events"), names.topic("decisions"), whole=whole)


def load(deployment: "Deployment") -> Load:
    names = deployment.names
    return Load(
        deployment.stack.kafka_bootstrap,
        events=names.topic("events"),
        answers=names.topic("decisions"),
        plan=reference_plan(reference(), 100),
    )


def test_every_event_is_sent_echoed_and_read_once(deployment: "Deployment") -> None:
    with echo(deployment), load(deployment) as loading:
        found = [loading.run(schedule) for schedule in (constant(500, 1), Schedule([Phase(100, 1), Phase(2_000, 1)]))]
        counted = loading.run(constant(200, 1))
    assert [(each.events, each.unanswered, each.late.count, each.latency().count) for each in found] == [
        (500, 0, 500, 500),
        (2_100, 0, 2_100, 2_100),
    ]
    assert [counted.latency(0.5).count, counted.latency(0.25, 0.5).count] == [100, 50]
    assert set(counted.answers.partitions.tolist()) <= set(range(4))
    assert (counted.answers.append_ms > 0).all()
    names, bootstrap = deployment.names, deployment.stack.kafka_bootstrap
    sent, echoed = (
        {(each.partition(), each.offset(), each.key(), each.value()) for each in kafka.read_all(bootstrap, topic)}
        for topic in (names.topic("events"), names.topic("decisions"))
    )
    assert len(sent) == 2_800
    assert echoed == sent


def test_an_echo_of_the_whole_topic_begins_at_its_beginning(deployment: "Deployment") -> None:
    with load(deployment) as loading:
        unheard = loading.run(constant(100, 1), silence_s=0.1)
        assert (unheard.unanswered, unheard.latency().count) == (100, 0)
        with pytest.raises(UserError, match="100 of 100 events got no answer from nobody"):
            answered(unheard, "nobody")
        with echo(deployment, whole=True):
            assert answered(loading.run(constant(100, 1)), "the echo").latency().count == 100
    ends = kafka.end_offsets(deployment.stack.kafka_bootstrap, deployment.names.topic("decisions"))
    assert sum(ends.values()) == 200


def test_a_load_that_is_cut_ends_with_what_was_due_by_then(deployment: "Deployment") -> None:
    with echo(deployment), load(deployment) as loading:
        loading.begin(constant(100, 600))
        loading.cut()
        found = answered(loading.end(), "the echo")
    assert found.events == found.late.count == found.latency().count
    assert found.events < 60_000
    ends = kafka.end_offsets(deployment.stack.kafka_bootstrap, deployment.names.topic("events"))
    assert sum(ends.values()) == found.events


def test_a_load_on_a_topic_that_is_not_there_says_so(deployment: "Deployment") -> None:
    loading = Load(deployment.stack.kafka_bootstrap, events="none", answers="none", plan=reference_plan(reference(), 1))
    with pytest.raises(UserError, match="there is no topic none"), loading:
        pass
