"""Dead letters on real parts: put aside by a worker, listed, shown, sent again once they can be decided."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fraudbrain_deploy import __main__ as command, kafka, tiers
from fraudbrain_deploy.dead_letters_replay import Note
from fraudbrain_deploy.dead_letters_stack import EventsTopic, HBaseNotes
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.hbase import Table
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_realtime.stores.hbase import create_table
from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.records import Progress
from tests.integration.realtime.test_worker import READY_S, committed, decisions, wait_for

Command = Callable[..., tuple[int, Any]]
AHEAD_MS = 300_000
SLACK_MS = 10_000  # a machine that stalls for longer between making an event and appending it makes it admissible


@pytest.fixture
def dead_letters(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> Command:
    """`fraudbrain dead-letters …` on the test's space: exit code, and what it says as JSON."""

    def run(*argv: str) -> tuple[int, Any]:
        place = ["--space", deployment.names.space, "--scenario", "cards", "--data", str(deployment.data), "--json"]
        code = command.main(["dead-letters", *argv, *place])
        said = capsys.readouterr()
        return code, msgspec.json.decode(said.out) if said.out else said.err

    return run


def send(deployment: Deployment, values: dict[bytes, bytes]) -> None:
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    for key, value in values.items():
        producer.produce(deployment.names.topic("events"), value, key, headers=[("trace", b"7"), ("none", None)])
    assert producer.flush(30) == 0


def payment(card: str, event_time: int) -> bytes:
    fields = {"card_id": card, "terminal_id": "t1", "amount": 1_000}
    event = {"event_id": f"e-{card}", "type": "payment", "event_time": event_time, "fields": fields}
    return msgspec.json.encode(event)


def ends(deployment: Deployment) -> dict[int, int]:
    return kafka.end_offsets(deployment.stack.kafka_bootstrap, deployment.names.topic("events"))


def test_what_can_be_decided_later_is_decided_once(deployment: Deployment, dead_letters: Command) -> None:
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        soon = int(time.time() * 1000) + AHEAD_MS + SLACK_MS
        early = {f"c{number}".encode(): payment(f"c{number}", soon) for number in range(3)}
        send(deployment, {**early, b"c9": payment("c9", soon - AHEAD_MS), b"\xff": b"{"})
        wait_for(lambda: committed(deployment) and sum(ends(deployment).values()) == 5, "the first events")

        code, listed = dead_letters("list")
        assert (code, listed["counts"]) == (0, {"too_new": 3, "framing": 1})
        assert dead_letters("list", "--reason", "framing")[1]["counts"] == {"framing": 1}
        assert dead_letters("list", "--since", "2100-01-01")[1]["counts"] == {}
        first = next(each for each in listed["letters"] if each["reason"] == "too_new")
        assert (first["attempt"], first["first_seen"]) == (1, first["append_time"])
        shown = dead_letters("show", first["place"], "--reveal")[1]
        assert (early[shown["key"].encode()].decode(), shown["headers"]) == (
            shown["payload"],
            [["trace", "7"], ["none", None]],
        )
        assert dead_letters("show", "0/99")[0] == 2

        wait_for(lambda: time.time() * 1000 > soon - AHEAD_MS, "the events' time")
        assert dead_letters("replay", "--dry-run")[1]["counts"] == {"sent": 3, "refused": 1}
        assert sum(ends(deployment).values()) == 5
        assert dead_letters("replay", "--yes")[1]["counts"] == {"sent": 3, "refused": 1}
        wait_for(lambda: committed(deployment) and len(decisions(deployment)) == 4, "the replayed events")
        assert dead_letters("replay", "--yes")[1]["counts"] == {"decided": 3, "refused": 1}
    finally:
        worker.stop()
    assert sum(ends(deployment).values()) == 8
    books = reconcile(deployment)
    assert (books.balanced, books.decisions, books.dead_letters) == (True, 4, 4)
    replayed = [each for each in kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("events"))]
    headers = [dict(each.headers() or ()) for each in replayed]
    sources = {each["replay.of"] for each in headers if "replay.of" in each}
    assert sources == {
        each["topic"].encode() + b"/%d/%d/%d" % (each["partition"], each["offset"], each["append_time"])
        for each in listed["letters"]
        if each["reason"] == "too_new"
    }


def test_what_the_slow_tier_has_archived_is_looked_up_in_its_table(
    deployment: Deployment, dead_letters: Command
) -> None:
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        soon = int(time.time() * 1000) + AHEAD_MS + SLACK_MS
        send(deployment, {b"c1": payment("c1", soon), b"c2": payment("c2", soon)})
        wait_for(lambda: committed(deployment) and sum(ends(deployment).values()) == 2, "the events")
    finally:
        worker.stop()
    name = deployment.names.table("decisions")
    create_table(*deployment.stack.thrift_address, name, b"d")
    with Table(deployment.stack.thrift_address, name) as table:
        assert table.replace(decision_row("c1", "e-c1"), b"d:decision", b"{}", old=None)
    wait_for(lambda: time.time() * 1000 > soon - AHEAD_MS, "the events' time")
    assert dead_letters("replay", "--yes")[1]["counts"] == {"decided": 1, "sent": 1}
    assert dead_letters("replay", "--yes")[1]["counts"] == {"decided": 1, "replayed": 1}
    kafka.send(
        deployment.stack.kafka_bootstrap,
        deployment.names.topic("progress"),
        b"streaming|archive",
        msgspec.json.encode(Progress("streaming", "s", {"decisions": {"0": 0}})),
    )
    assert dead_letters("replay", "--yes")[1]["counts"] == {"decided": 1, "replayed": 1}


def test_a_note_is_replaced_only_where_the_one_that_was_read_still_stands(deployment: Deployment) -> None:
    create_table(*deployment.stack.thrift_address, deployment.names.table("meta"), b"m")
    mine, other = (Note(run, 1, "events/0/7/1", {0: 3, 1: 4}) for run in ("mine", "other"))
    with Table(deployment.stack.thrift_address, deployment.names.table("meta")) as meta:
        notes = HBaseNotes(meta)
        assert notes.find([b"k"]) == {}
        assert notes.replace(b"k", mine, old=None)
        assert not notes.replace(b"k", other, old=None)
        assert not notes.replace(b"k", other, old=other)
        assert notes.find([b"k", b"l"]) == {b"k": mine}
        assert notes.replace(b"k", other, old=mine)
        assert notes.find([b"k"]) == {b"k": other}


def test_a_replayed_event_is_found_again_from_where_the_topic_ended(deployment: Deployment) -> None:
    with EventsTopic(deployment, rate=1_000) as events:
        before = events.ends()
        events.send(b"c1", b"{}", (("replay.of", b"events/0/7/1"),))
        events.flush()
        assert events.replays_since(before) == {"events/0/7/1"}
        assert events.replays_since(events.ends()) == set()


@pytest.mark.parametrize("seen_first", [1, 13])
def test_a_replay_that_is_killed_on_the_way_is_finished_by_the_next_without_sending_any_event_twice(
    deployment: Deployment, dead_letters: Command, monkeypatch: pytest.MonkeyPatch, seen_first: int
) -> None:
    count = 30
    cards = [f"c{number}" for number in range(count)]
    worker = tiers.start_realtime(deployment)
    try:
        tiers.wait_ready(deployment, [worker], READY_S)
        soon = int(time.time() * 1000) + AHEAD_MS + SLACK_MS
        send(deployment, {card.encode(): payment(card, soon) for card in cards})
        wait_for(lambda: time.time() * 1000 > soon - AHEAD_MS, "the events' time")
        wait_for(lambda: committed(deployment), "the events")
        assert dead_letters("list")[1]["counts"] == {"too_new": count}

        place = ["--space", deployment.names.space, "--data", str(deployment.data)]
        program = [sys.executable, "-m", "fraudbrain_deploy", "dead-letters", "replay", "--yes", "--rate", "10", *place]
        with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
            wait_for(lambda: sum(ends(deployment).values()) >= count + seen_first, "the first events sent again")
            killed.kill()
        assert sum(ends(deployment).values()) < 2 * count
        monkeypatch.setattr("fraudbrain_deploy.dead_letters_replay.NOTE_IS_STALE_MS", 0)  # it is dead: no need to wait
        counts = dead_letters("replay", "--yes")[1]["counts"]
        assert sum(counts.values()) == count
        assert counts["sent"] < count
        wait_for(lambda: committed(deployment) and len(decisions(deployment)) == count, "the events sent again")
    finally:
        worker.stop()
    assert sum(ends(deployment).values()) == 2 * count
    assert reconcile(deployment).balanced
    assert sorted(each.event_id for each in decisions(deployment)) == sorted(f"e-{card}" for card in cards)
