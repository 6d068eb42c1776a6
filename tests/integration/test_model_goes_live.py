"""A model's way from the lake to the topic on the real MLflow and the real broker, and back again."""

import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fraudbrain_deploy import kafka, models_command
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.registry import Registry as OperatorsRegistry, Version
from fraudbrain_deploy.stack import StackSettings, up
from fraudbrain_offline.commands import promote, promote_once
from fraudbrain_offline.pipeline import Trained
from fraudbrain_offline.promotion import Promotion
from fraudbrain_offline.registry import Registry
from fraudbrain_offline.settings import PromoteSettings
from fraudbrain_shared.models import load_scorer, seal
from fraudbrain_shared.records import ModelRelease, Progress
from fraudbrain_shared.scenario.feature_set import feature_names
from tests.unit.offline.lakes import BEGIN_MS, history
from tests.unit.streaming.archiving import DAY_MS


@pytest.fixture(scope="module")
def registry_url(stack: StackSettings) -> str:
    up(stack, ("mlflow",))
    return stack.mlflow_url


def test_a_model_goes_live_a_bad_one_does_not_and_back_it_goes(
    deployment: Deployment, registry_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = history(tmp_path)
    settings = PromoteSettings(
        scenario=str(deployment.folder),
        space=deployment.names.space,
        registry=registry_url,
        bootstrap=deployment.stack.kafka_bootstrap,
    )
    assert promote_once(settings).state == "no champion"

    assert train(settings, lake, days=5) == {"skipped": "0 frauds are known among 0 labelled decisions, 50 are needed"}
    first = train(settings, lake, days=45)
    assert promote_once(settings) == Promotion("published", first["version"], first["registered"])
    assert promote_once(settings).state == "unchanged"
    assert live(deployment).version == first["version"]

    again, second = train(settings, lake, days=45), train(settings, lake, days=58)
    assert again == first  # the same training is the same version, not another one
    assert (second["registered"], second["rows"] > first["rows"]) == ("2", True)
    assert promote_once(settings).version == second["version"]
    assert live(deployment).version == second["version"]
    assert progress(deployment)["offline|train"].versions == {"model": second["version"]}

    bad = msgspec.structs.replace(live(deployment), version="bad", base_margin=1.0)
    Registry(registry_url, settings.space).set_champion(register(settings, bad))
    assert promote_once(settings).state == "refused"
    assert "golden rows score otherwise" in (listed(deployment)[0].refused or "")
    assert progress(deployment)["offline|promote"].versions == {"model": second["version"]}
    assert live(deployment).version == second["version"]

    with promoter(settings):
        assert roll_back(deployment) == 0  # to what is live
        assert roll_back(deployment) == 0  # to what was before
        assert live(deployment).version == first["version"]
        assert models_command._promote(Namespace(version="bad"), OperatorsRegistry(deployment)) == 1
        assert models_command._promote(Namespace(version="2"), OperatorsRegistry(deployment)) == 0
    assert live(deployment).version == second["version"]
    assert "golden rows score otherwise" in capsys.readouterr().err


def train(settings: PromoteSettings, lake: Path, *, days: int) -> dict[str, Any]:
    """The command, as a replay runs it when it is due."""
    command = [sys.executable, "-m", "fraudbrain_offline", "train", "--as-of", str(BEGIN_MS + days * DAY_MS)]
    command += ["--lake", str(lake), "--scenario", settings.scenario, "--space", settings.space, "--set-champion"]
    command += ["--registry", settings.registry, "--bootstrap", settings.bootstrap]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


def register(settings: PromoteSettings, release: ModelRelease) -> str:
    record = seal(release)
    trained = Trained(msgspec.json.decode(record, type=ModelRelease), record, b"no booster")
    return Registry(settings.registry, settings.space).register(trained)


def live(deployment: Deployment) -> ModelRelease:
    """What the fast tier would load: the last record on the topic."""
    sent = list(kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("models")))
    assert {message.key() for message in sent} == {b"champion"}
    return load_scorer(sent[-1].value() or b"", feature_names(deployment.scenario)).release


def progress(deployment: Deployment) -> dict[str, Progress]:
    told = kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("progress"))
    return {
        (message.key() or b"").decode(): msgspec.json.decode(message.value() or b"", type=Progress) for message in told
    }


def listed(deployment: Deployment) -> list[Version]:
    return OperatorsRegistry(deployment).versions()


def roll_back(deployment: Deployment) -> int:
    return models_command._rollback(Namespace(), OperatorsRegistry(deployment))


@contextmanager
def promoter(settings: PromoteSettings) -> Iterator[None]:
    stop = threading.Event()
    running = threading.Thread(target=promote, args=(settings, stop, lambda _: None))
    running.start()
    try:
        yield
    finally:
        stop.set()
        running.join(60)
