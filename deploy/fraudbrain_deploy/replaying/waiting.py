"""Waits until the tiers have done what was sent, and says where they stand when they stop getting on."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.tiers import ARCHIVE, Tier, check_alive

NO_PROGRESS_S = 120.0
Place = TypeVar("Place")
_LOOK_EVERY_S = 0.1


def wait_decided(
    deployment: Deployment, ends: kafka.Offsets, *, group: str, tiers: Sequence[Tier], on_turn: Callable[[], None]
) -> None:
    """Until the fast tier has committed `events` up to `ends`. Raises UserError after two minutes without progress."""
    bootstrap, name = deployment.stack.kafka_bootstrap, deployment.names.group(group)
    topic = deployment.names.topic("events")
    watch: Watch[int] = Watch(f"The fast tier (group {name})", f"the log of its worker, in {deployment.tier_logs}")
    while not watch.reached(kafka.committed_offsets(bootstrap, name, topic), ends):
        check_alive(tiers)
        _pause(on_turn)


def wait_archived(
    deployment: Deployment, ends: Mapping[str, kafka.Offsets], *, tier: Tier, on_turn: Callable[[], None]
) -> None:
    """Until the slow tier says that it has archived these topics up to `ends`; as `wait_decided`."""
    wanted = {(topic, number): end for topic, ats in ends.items() for number, end in ats.items() if end > 0}
    there: dict[tuple[str, int], int] = {}
    watch: Watch[tuple[str, int]] = Watch("The slow tier", f"its log {tier.log}")
    with ProgressReader(deployment) as progress:
        while not watch.reached(there, wanted):
            check_alive([tier])
            on_turn()
            for key, record, append_ms in progress.poll(_LOOK_EVERY_S):
                if key == ARCHIVE and append_ms >= tier.started_ms:
                    there = {(topic, int(at)): end for topic, ats in record.offsets.items() for at, end in ats.items()}


class Watch(Generic[Place]):
    """Compares where somebody is with where he should be, and loses patience."""

    def __init__(self, who: str, look_at: str, no_progress_s: float | None = None) -> None:
        self._who, self._look_at = who, look_at
        self._no_progress_s = no_progress_s or NO_PROGRESS_S
        self._before: dict[Place, int] = {}
        self._deadline = time.monotonic() + self._no_progress_s

    def reached(self, there: Mapping[Place, int], ends: Mapping[Place, int]) -> bool:
        """Whether all ends are reached. Raises UserError when nothing has moved for too long."""
        behind = {place: end for place, end in ends.items() if there.get(place, 0) < end}
        if dict(there) != self._before:
            self._before, self._deadline = dict(there), time.monotonic() + self._no_progress_s
        elif behind and time.monotonic() > self._deadline:
            where = "; ".join(f"{place}: at {there.get(place, 'nothing')} of {end}" for place, end in behind.items())
            raise UserError(
                f"{self._who} has not moved for {self._no_progress_s:.0f} s. By partition: {where}.",
                f"See whether it runs and what it says: {self._look_at}.",
            )
        return not behind


def _pause(on_turn: Callable[[], None]) -> None:
    on_turn()
    time.sleep(_LOOK_EVERY_S)
