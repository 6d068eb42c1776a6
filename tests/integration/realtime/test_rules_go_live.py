"""Rules that change while events flow, on the real broker, store and workers, by the command itself."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fraudbrain_deploy import __main__ as command, kafka, tiers
from fraudbrain_deploy.confirmation import confirm
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.publication import Sent
from fraudbrain_deploy.rules_history import history
from fraudbrain_shared.controls import GRACE_MS, rules_version
from fraudbrain_shared.records import Decision, RuleSet
from fraudbrain_shared.topics import LIVE_RULES
from tests.integration.realtime.test_worker import READY_S, committed, decisions, wait_for

Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def rules(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> Command:
    """`fraudbrain rules …` on the test's space: exit code, and what it says as JSON."""

    def run(*argv: str) -> tuple[int, Any]:
        place = ["--space", deployment.names.space, "--scenario", "cards", "--data", str(deployment.data), "--json"]
        code = command.main(["rules", *argv, *place])
        said = capsys.readouterr()
        return code, msgspec.json.decode(said.out) if said.out else said.err

    return run


@pytest.fixture
def folder(deployment: Deployment, tmp_path: Path) -> Callable[[int], Path]:
    """The deployed scenario with one rule more, another for each number."""

    def make(number: int) -> Path:
        made = tmp_path / f"cards-{number}"
        shutil.copytree(deployment.folder, made)
        with (made / "rules.toml").open("a") as file:
            file.write(f'\n[[rule]]\nname = "another_{number}"\nwhen = "event.amount == {number}"\n')
        return made

    return make


@contextmanager
def flow(deployment: Deployment, per_s: int = 200) -> Iterator[None]:
    """Events that come while the body runs, their append times some milliseconds apart."""
    over = threading.Event()

    def send() -> None:
        producer = kafka.producer(deployment.stack.kafka_bootstrap)
        number = 0
        while not over.wait(1 / per_s):
            card = f"card-{number % 20}"
            event = {"event_id": f"{time.time_ns()}", "type": "payment", "event_time": int(time.time() * 1000)}
            fields = {"card_id": card, "terminal_id": "t1", "amount": 1_000}
            value = msgspec.json.encode({**event, "fields": fields})
            producer.produce(deployment.names.topic("events"), value, card.encode())
            producer.poll(0)
            number += 1
        producer.flush(10)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        over.set()
        sending.join(20)


def due(deployment: Deployment) -> Callable[[Decision], str]:
    """The version that the append time of a decision's event demands."""
    scenario, published = deployment.scenario, history(deployment)

    def version(decision: Decision) -> str:
        time_ms = decision.source.append_time
        acting = [each.rules.version for each in published if each.active_from_ms <= time_ms]
        return acting[-1] if acting else rules_version(scenario.rules, scenario.policy)

    return version


def test_every_decision_names_the_rules_that_its_append_time_demands(
    deployment: Deployment, rules: Command, folder: Callable[[int], Path]
) -> None:
    workers = [tiers.start_realtime(deployment, worker=name) for name in ("w1", "w2")]
    names = {"realtime|a|w1", "realtime|a|w2"}
    first = history(deployment)[0].rules.version
    try:
        tiers.wait_ready(deployment, workers, READY_S)
        with flow(deployment):
            code, said = rules("publish", str(folder(1)), "--why", "one rule more", "--by", "ada")
            assert (code, {each["worker"]: each["state"] for each in said["workers"]}) == (0, confirmed(names))
            second = said["version"]
            time.sleep(GRACE_MS / 1000 + 0.5)
            workers[0].kill()  # its partitions' events wait, are decided by the other, by the rules of their time
            workers[0] = tiers.start_realtime(deployment, worker="w1")
            code, said = rules("publish", str(folder(2)), "--why", "and another", "--timeout", "60")
            third = said["version"]
            time.sleep(GRACE_MS / 1000 + 0.5)
            assert rules("rollback", "--why", "it hit good customers")[1]["version"] == second
            time.sleep(GRACE_MS / 1000 + 0.5)
        wait_for(lambda: committed(deployment), "the group to commit all events")
        assert rules("rollback", second, "--why", "again") == (0, again(deployment, second))
        assert rules("rollback", "--why", "further back")[1]["version"] == first
    finally:
        tiers.stop_all(workers)
    made, demanded = decisions(deployment), due(deployment)
    assert len(made) > 1_000
    assert {(each.source.append_time, each.versions.rules) for each in made} == {
        (each.source.append_time, demanded(each)) for each in made
    }
    assert {each.versions.rules for each in made} == {first, second, third}
    versions = [(each["rules"]["version"], each["current"]) for each in rules("history")[1]]
    assert versions == [(first, False), (second, False), (third, False), (second, False), (first, True)]
    told = rules("history")[1][1]["rules"]
    assert (told["author"], told["reason"], told["is_rollback"]) == ("ada", "one rule more", False)


def test_without_workers_rules_are_published_and_act_on_the_events_of_their_time(
    deployment: Deployment, rules: Command, folder: Callable[[int], Path]
) -> None:
    with flow(deployment):
        time.sleep(GRACE_MS / 1000)
        for number in (1, 2):
            code, said = rules("publish", str(folder(number)), "--why", "nobody is there")
            assert (code, said["published"], said["workers"]) == (0, True, [])
            time.sleep(GRACE_MS / 1000 + 0.3)
    worker = tiers.start_realtime(deployment)
    try:
        wait_for(lambda: committed(deployment) and bool(decisions(deployment)), "the group to commit all events")
    finally:
        worker.stop()
    made, demanded = decisions(deployment), due(deployment)
    assert all(each.versions.rules == demanded(each) for each in made)
    assert len({each.versions.rules for each in made}) == 3


def test_a_refusal_is_told_with_its_cause_and_the_old_rules_stay(deployment: Deployment, rules: Command) -> None:
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        with ProgressReader(deployment) as progress:
            told = progress.read_to_end()
            [answer] = confirm(progress, told, send_unchecked(deployment), 10, lambda _: None)
        assert (answer.worker, answer.state) == ("realtime|a|w1", "refused")
        assert "event.amount" in answer.said
        [entry, refused] = rules("history")[1]
        assert (entry["current"], refused["current"]) == (True, False)
        assert rules("publish", "cards", "--why", "the same")[1]["published"] is False
    finally:
        worker.stop()


def test_a_folder_of_another_release_is_refused(
    deployment: Deployment, rules: Command, folder: Callable[[int], Path]
) -> None:
    changed = folder(1)
    with (changed / "parameters.toml").open("a") as file:
        file.write('\n[more]\ntype = "int"\ndefault = 1\nlow = 1\nhigh = 2\n')
    code, said = rules("publish", str(changed), "--why", "a parameter more")
    assert (code, "in parameters.toml" in said, "scenario deploy" in said) == (2, True, True)
    assert len(history(deployment)) == 1


def confirmed(workers: set[str]) -> dict[str, str]:
    return dict.fromkeys(workers, "confirmed")


def again(deployment: Deployment, version: str) -> dict[str, object]:
    live = history(deployment)[-1]
    return {"version": version, "published": False, "active_from_ms": live.active_from_ms}


def send_unchecked(deployment: Deployment) -> Sent:
    scenario = deployment.scenario
    wrong = msgspec.structs.replace(scenario.rules[0], when="event.amoun == 777")
    record = msgspec.json.encode(RuleSet("wrong", (wrong, *scenario.rules[1:]), scenario.policy))
    return Sent(
        "wrong", *kafka.send(deployment.stack.kafka_bootstrap, deployment.names.topic("rules"), LIVE_RULES, record)
    )
