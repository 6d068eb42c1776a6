"""The work that speed is measured with, as the load of a proof: its scenario deployed, without model and context."""

import time
from dataclasses import replace
from typing import Final

from fraudbrain_deploy import spaces
from fraudbrain_deploy.bench.core.stream import reference_plan
from fraudbrain_deploy.bench.rules.cases import REFERENCE, reference
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.load.stream import Plan
from fraudbrain_deploy.stack import StackSettings
from fraudbrain_shared.topics import Names

EVENT_TYPE: Final = "payment"


def reference_deployed(stack: StackSettings, space: str) -> Deployment:
    """The reference scenario in a new space."""
    deployment = Deployment(stack, reference(), REFERENCE, Names(space), stack.data)
    spaces.create(deployment)
    return deployment


def live_plan(deployment: Deployment, subjects: int, per_s: float) -> Plan:
    """Its payments as they happen from now on, so many a second: what a slow tier makes of them is of today."""
    plan = reference_plan(deployment.scenario, subjects)
    return replace(plan, begin_ms=int(time.time() * 1_000), step_ms=1_000 / per_s)
