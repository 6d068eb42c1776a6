import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudbrain_deploy import kafka
from fraudbrain_deploy.stack import StackSettings
from fraudbrain_shared.topics import Names
from tests.integration.streaming.slow_tier import SlowTier


@pytest.fixture(scope="module")
def slow_tier(stack: StackSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowTier]:
    """A space with its topics and a slow tier over it, not started."""
    folder: Path = tmp_path_factory.mktemp("slow")
    tier = SlowTier(stack, Names(f"t-slow-{secrets.token_hex(3)}"), folder)
    kafka.create_topics(stack.kafka_bootstrap, tier.names, partitions=2)
    yield tier
    tier.end()
