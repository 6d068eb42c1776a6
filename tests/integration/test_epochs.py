"""Epochs on real parts: a changed fold and a new log are refused, then accepted by `epoch raise`, and folded again."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from fraudbrain_deploy import __main__ as command, kafka, spaces, tiers
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.hbase import Table
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_realtime.generation import Standing, take_up
from fraudbrain_realtime.rows import WrongEpoch
from fraudbrain_realtime.stores.hbase import Gateway, create_table
from fraudbrain_shared.admission import MAX_AHEAD_MS, Admission, Rejected
from fraudbrain_shared.features import Profile, ProfileFold, decode_profile
from fraudbrain_shared.records import LogTopic
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.feature_set import feature_names
from fraudbrain_streaming.hbase import Store
from fraudbrain_streaming.jobs.archive.generation import log_generation
from tests.integration.realtime.test_worker import PATIENT, READY_S, committed, decisions, send, wait_for

Command = Callable[..., tuple[int, Any]]

MORE = """
[profile.paid_2h]
on = "payment"
value = "event.amount"
read = ["sum"]
window = "2h"
hop = "10m"
"""


@pytest.fixture
def epoch(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> Command:
    """`fraudbrain epoch …` on the test's space: exit code, and what it says as JSON."""

    def run(*argv: str, scenario: Path | str = "cards") -> tuple[int, Any]:
        place = ["--space", deployment.names.space, "--scenario", str(scenario), "--data", str(deployment.data)]
        code = command.main(["epoch", *argv, *place, "--json"])
        said = capsys.readouterr()
        return code, msgspec.json.decode(said.out) if said.out else said.err

    return run


@pytest.fixture
def changed(deployment: Deployment, tmp_path: Path) -> Deployment:
    """The same space with a scenario that folds one feature more."""
    folder = tmp_path / "cards"
    shutil.copytree(deployment.folder, folder)
    with (folder / "features.toml").open("a") as file:
        file.write(MORE)
    return replace(deployment, scenario=load_scenario(str(folder)), folder=folder)


@pytest.fixture
def deploy(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> Command:
    """`fraudbrain scenario deploy …` into the test's space: exit code, and what it says."""

    def run(scenario: Path | str, *argv: str) -> tuple[int, str]:
        place = ["--space", deployment.names.space, "--data", str(deployment.data)]
        code = command.main(["scenario", "deploy", str(scenario), *argv, *place])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def work(deployment: Deployment) -> None:
    """A worker comes, decides what there is, and goes."""
    worker = tiers.start_realtime(deployment, options=PATIENT)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        wait_for(lambda: committed(deployment), "the group to commit all events")
    finally:
        worker.stop()


def delete_before(deployment: Deployment, offsets: dict[int, int]) -> None:
    """What retention does to `events`: nothing before these offsets is kept."""
    admin, events = (
        AdminClient({"bootstrap.servers": deployment.stack.kafka_bootstrap}),
        deployment.names.topic("events"),
    )
    places = [TopicPartition(events, number, offset) for number, offset in offsets.items()]
    for future in admin.delete_records(places).values():
        future.result(30)


def refused(deployment: Deployment) -> str:
    """Why a worker does not start."""
    worker = tiers.start_realtime(deployment)
    try:
        with pytest.raises(tiers.TierEnded) as ended:
            tiers.wait_ready(deployment, [worker], READY_S)
    finally:
        worker.stop()
    return str(ended.value)


def profiles(deployment: Deployment) -> dict[str, Profile]:
    with Table(deployment.stack.thrift_address, deployment.names.table("profiles.a")) as table:
        found = [decode_profile(row[b"p:profile"]) for row in table.scan(b"").values()]
    return {each.subject: each for each in found}


def folded(deployment: Deployment) -> dict[str, list[object]]:
    """What the whole log makes of each subject's profile: the features as read by its next event."""
    scenario = deployment.scenario
    fold, admission = ProfileFold(scenario), Admission(scenario)
    made: dict[str, Profile] = {}
    for message in kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("events")):
        event = admission.admit(message.value(), message.key(), message.timestamp()[1])
        assert not isinstance(event, Rejected)
        fold.fold(made.setdefault(admission.subject(event), Profile(admission.subject(event))), event)
    return {subject: values(deployment, profile) for subject, profile in made.items()}


def archived_under(deployment: Deployment) -> int:
    """The generation under which the slow tier would archive decisions."""
    host, port = deployment.stack.thrift_address
    with Store(f"{host}:{port}") as store:
        return log_generation(store, deployment.names)


def values(deployment: Deployment, profile: Profile) -> list[object]:
    fields = {"card_id": profile.subject, "terminal_id": "t1", "amount": 1}
    event = {"event_id": "next", "type": "payment", "event_time": profile.clock + 1, "fields": fields}
    admitted = Admission(deployment.scenario).admit(
        msgspec.json.encode(event), profile.subject.encode(), profile.clock + 1
    )
    assert not isinstance(admitted, Rejected)
    return list(ProfileFold(deployment.scenario).read(profile, admitted))


def test_a_changed_fold_is_refused_until_the_epoch_is_raised_and_then_all_is_folded_again(
    deployment: Deployment, changed: Deployment, epoch: Command
) -> None:
    code, said = epoch("show")
    assert (code, "No worker has ever started" in said) == (2, True)
    send(deployment, 0, 300)
    work(deployment)
    assert "epoch raise --group a" in refused(changed)
    assert epoch("show")[1]["refusals"] == {"a": ""}
    assert epoch("show", scenario=changed.folder)[1]["refusals"] == {"a": "its profiles were folded otherwise"}

    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        wait_for(lambda: bool(epoch("show")[1]["members"]["a"]), "the worker to join its group")
        code, said = epoch("raise", "--group", "a", "--yes", scenario=changed.folder)
        assert (code, "Workers are running: a (1)" in said) == (2, True)
    finally:
        worker.stop()

    code, said = epoch("raise", "--group", "a", "--yes", scenario=changed.folder)
    assert (code, said["groups"]["a"]["epoch"], said["refold"]) == (0, 2, {"kept": 300, "deleted": 0, "since": 0})
    assert "epoch raise --group a" in refused(deployment)
    work(changed)

    found = profiles(deployment)
    assert {each.epoch for each in found.values()} == {2}
    assert {subject: values(changed, each) for subject, each in found.items()} == folded(changed)
    again = [each for each in decisions(deployment) if each.source.epoch == 2]
    paid = feature_names(changed.scenario).index("paid_2h_sum")
    assert {each.event_id: each.features[paid] for each in again} == {
        f"e{number}": number // 20 * 1_000 for number in range(300)
    }
    books = reconcile(changed)
    assert (books.balanced, books.events, books.decisions, books.superseded) == (True, 300, 300, 300)


def test_a_scenario_whose_folds_changed_is_deployed_group_by_group_and_again_without_harm(
    deployment: Deployment, changed: Deployment, epoch: Command, deploy: Command
) -> None:
    assert deploy(deployment.folder, "--group", "a", "--yes")[0] == 0  # no worker has ever started: nothing to raise
    send(deployment, 0, 40)
    work(deployment)
    assert "Group a is as it should be" in deploy(deployment.folder)[1]

    code, said = deploy(changed.folder)
    assert (code, "Group a needs a new epoch: its profiles were folded otherwise. Nothing was raised" in said) == (
        0,
        True,
    )
    assert f"fraudbrain scenario deploy {changed.folder} --group a --space {deployment.names.space}" in said
    code, said = deploy(changed.folder, "--group", "b", "--yes")
    assert (code, "Groups that have: a." in said) == (2, True)
    assert epoch("show")[1]["groups"]["a"]["epoch"] == 1

    code, said = deploy(changed.folder, "--group", "a", "--yes")
    assert (code, "group a: epoch 1 → 2" in said) == (0, True)
    for _ in range(2):
        code, said = deploy(changed.folder, "--group", "a")
        assert (code, "Group a is as it should be" in said) == (0, True)
    assert epoch("show")[1]["groups"]["a"]["epoch"] == 2
    work(changed)
    assert {each.epoch for each in profiles(deployment).values()} == {2}


def test_what_reaches_back_beyond_a_log_that_lost_its_beginning_is_unknown(
    deployment: Deployment, epoch: Command, deploy: Command, changed: Deployment
) -> None:
    send(deployment, 0, 300)
    work(deployment)
    bootstrap, events = deployment.stack.kafka_bootstrap, deployment.names.topic("events")
    ends = kafka.end_offsets(bootstrap, events)
    lost = min(number for number, end in ends.items() if end > 1)
    delete_before(deployment, {lost: ends[lost] - 1})
    kept = next(kafka.read_all(bootstrap, events, partition=lost))
    since = kept.timestamp()[1] + MAX_AHEAD_MS

    code, said = epoch("raise", "--group", "a", "--yes")
    assert (code, said["refold"]["deleted"], said["groups"]["a"]["since"]) == (0, ends[lost] - 1, since)
    assert epoch("show")[1]["groups"]["a"]["since"] == since
    work(deployment)
    again = [each for each in decisions(deployment) if each.source.epoch == 2]
    count = feature_names(deployment.scenario).index("spend_1d_count")
    assert len(again) == sum(ends.values()) - ends[lost] + 1
    assert {(each.features[count], each.degraded) for each in again} == {(None, ())}

    delete_before(deployment, ends)
    code, said = epoch("raise", "--group", "a", "--yes")
    assert (code, said["groups"]["a"]["since"] > since) == (0, True)
    assert deploy(changed.folder, "--group", "a", "--yes", "--since", "beginning")[0] == 0
    send(deployment, 300, 20)
    work(changed)
    told = [each for each in decisions(deployment) if each.source.epoch == 4]
    assert {each.features[count] for each in told} == {0}


def test_a_log_that_was_created_anew_is_accepted_for_all_and_is_another_generation(
    deployment: Deployment, epoch: Command, deploy: Command
) -> None:
    send(deployment, 0, 100)
    work(deployment)
    kafka.delete_topics(
        deployment.stack.kafka_bootstrap, [deployment.names.topic(name) for name in ("events", "decisions")]
    )
    spaces.create(deployment)
    assert "epoch raise --all" in refused(deployment)
    assert archived_under(deployment) == 1
    assert epoch("raise", "--group", "a", "--yes")[0] == 2
    assert "fraudbrain epoch raise --all --scenario" in deploy(deployment.folder)[1]
    assert deploy(deployment.folder, "--group", "a", "--yes")[0] == 2
    code, said = epoch("raise", "--all", "--yes")
    assert (code, said["log"]["generation"], said["groups"]["a"]["epoch"]) == (0, 2, 2)
    assert archived_under(deployment) == 2
    send(deployment, 200, 40)
    work(deployment)
    made = decisions(deployment)
    assert {(each.generation, each.source.epoch) for each in made} == {(2, 2)}
    count = feature_names(deployment.scenario).index("spend_1d_count")
    assert sorted((each.features[count] for each in made), key=float) == [0] * 20 + [1] * 20  # type: ignore[arg-type]
    assert epoch("show")[1]["refusals"] == {"a": ""}


def test_first_starts_side_by_side_agree_and_a_difference_is_refused(deployment: Deployment) -> None:
    address, table = deployment.stack.thrift_address, deployment.names.table("meta")
    create_table(*address, table, b"m")
    topics = {"events": LogTopic("e1", 4), "decisions": LogTopic("d1", 4)}

    def start(number: int) -> Standing:
        gateway = Gateway(*address)
        try:
            return take_up(gateway, table, "ab"[number % 2], topics=topics, folds=f"folds-{number % 2}")
        finally:
            gateway.close()

    with ThreadPoolExecutor(8) as starts:
        assert set(starts.map(start, range(16))) == {Standing(1, 1)}
    gateway = Gateway(*address)
    for others, folds, cause in (
        ({**topics, "decisions": LogTopic("d2", 4)}, "folds-0", "decisions was d1 with 4 partitions and is d2"),
        ({**topics, "events": LogTopic("e1", 8)}, "folds-0", "repartitioned"),
        (topics, "folds-1", "were folded by folds-0"),
    ):
        with pytest.raises(WrongEpoch, match=cause):
            take_up(gateway, table, "a", topics=others, folds=folds)
    gateway.close()
