"""What tests against real parts stand on: one stack for the whole run, a space of its own for each test."""

import re
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment
    from fraudbrain_deploy.stack import StackSettings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # no test asserts a time

PARTS = ("kafka", "hbase", "thrift", "redis")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[StackSettings]":
    """Kafka, HBase and Redis on free ports with empty data; the tests that need them fail where they do not start."""
    from fraudbrain_deploy.stack import StackSettings, down, free_port_block, up

    settings = StackSettings(data=tmp_path_factory.mktemp("data"), ports=free_port_block())
    try:
        up(settings, PARTS)
        yield settings
    finally:
        down(settings)


@pytest.fixture
def space(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses and that tells, in logs and topics, whose it is."""
    law = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"t-{law[:40]}-{secrets.token_hex(3)}"


@pytest.fixture
def deployment(stack: "StackSettings", space: str) -> "Deployment":
    """The scenario `cards` in the test's own space, its topics created."""
    from fraudbrain_deploy.deployment import Deployment
    from fraudbrain_deploy.spaces import create
    from fraudbrain_shared.scenario.load import find_scenario, load_scenario
    from fraudbrain_shared.topics import Names

    folder = find_scenario("cards")
    made = Deployment(stack=stack, scenario=load_scenario("cards"), folder=folder, names=Names(space), data=stack.data)
    create(made)
    return made
