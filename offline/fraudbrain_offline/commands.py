"""What the commands `train` and `promote` do, put together from their parts."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from fraudbrain_offline.kafka import BrokerProblem, Topics
from fraudbrain_offline.mlflow_api import RegistryProblem
from fraudbrain_offline.pipeline import NotEnough, run_training
from fraudbrain_offline.promotion import Promoter, Promotion
from fraudbrain_offline.registry import Registry
from fraudbrain_offline.settings import PromoteSettings, TrainSettings
from fraudbrain_shared.records import Progress
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.feature_set import feature_names
from fraudbrain_shared.topics import Names

_LOG = logging.getLogger(__name__)
_TIER: Final = "offline"


def train(settings: TrainSettings) -> dict[str, Any]:
    """Trains, registers, and makes the champion if that is wished: what to print about it.

    Raises ScenarioError, LakeUnreadable, ReleaseError, RegistryProblem, BrokerProblem.
    """
    scenario = load_scenario(settings.scenario)
    try:
        trained = run_training(settings.lake, scenario, as_of_ms=settings.as_of_ms)
    except NotEnough as reason:
        _tell_trained(settings, {}, {})
        return {"skipped": str(reason)}
    release = trained.release
    registry = Registry(settings.registry, settings.space)
    registered = registry.register(trained)
    if settings.set_champion:
        registry.set_champion(registered)
    _tell_trained(settings, {"model": release.version}, {"rows": release.rows, "frauds": release.frauds})
    return {
        "version": release.version,
        "registered": registered,
        "rows": release.rows,
        "frauds": release.frauds,
        "metrics": release.metrics,
        "validation": trained.validation,
        "starting_values": release.starting_values,
    }


def promote_once(settings: PromoteSettings) -> Promotion:
    """One step of promotion. Raises ScenarioError, RegistryProblem, BrokerProblem."""
    with Topics(settings.bootstrap, Names(settings.space)) as topics:
        promoter = _promoter(settings, topics)
        done = promoter.step()
        _tell_promoted(topics, promoter, done)
        return done


def promote(settings: PromoteSettings, stop: threading.Event, tell: Callable[[Promotion], None]) -> None:
    """Steps until `stop` is set, and tells of each that changed something. What is away may come back.

    Raises ScenarioError, and BrokerProblem if the broker is away at the start.
    """
    told: Promotion | None = None
    with Topics(settings.bootstrap, Names(settings.space)) as topics:
        promoter = _promoter(settings, topics)
        while not stop.is_set():
            try:
                done = promoter.step()
                if done != told:
                    _tell_promoted(topics, promoter, done)
                    tell(done)
                told = done
            except (RegistryProblem, BrokerProblem) as problem:
                _LOG.warning("%s; tried again", problem)
            stop.wait(settings.every_s)


def _promoter(settings: PromoteSettings, topics: Topics) -> Promoter:
    registry = Registry(settings.registry, settings.space)
    scenario = load_scenario(settings.scenario)
    return Promoter(registry, topics, feature_names(scenario), scenario.parameters)


def _tell_trained(settings: TrainSettings, versions: dict[str, str], counts: dict[str, int]) -> None:
    if settings.bootstrap is None:
        return
    counts = {"as_of": settings.as_of_ms, **counts}
    with Topics(settings.bootstrap, Names(settings.space)) as topics:
        topics.publish_progress(Progress(_TIER, "train", ready=True, versions=versions, counts=counts))


def _tell_promoted(topics: Topics, promoter: Promoter, done: Promotion) -> None:
    versions = {"model": promoter.live.version} if promoter.live.version else {}
    problems = (f"{done.version}: {done.reason}",) if done.reason else ()
    topics.publish_progress(Progress(_TIER, "promote", ready=True, versions=versions, problems=problems))
