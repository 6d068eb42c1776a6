"""Canaries: card numbers that nobody may find again outside topics and stores, whatever became of their events."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.progress import ProgressReader
from tests.integration.realtime.test_worker import READY_S, wait_for

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

CARDS = 40
T0 = int(time.time() * 1000) - 86_400_000


def card_number(random: Random) -> str:
    """Sixteen digits that a scanner takes for a card's: the last one is Luhn's."""
    digits = [4, *(random.randrange(10) for _ in range(14))]
    doubled = [each * 2 if place % 2 == 0 else each for place, each in enumerate(digits)]
    check = -sum(each - 9 if each > 9 else each for each in doubled) % 10
    return "".join(map(str, [*digits, check]))


def payment(event_id: str, card: str, **changed: Any) -> bytes:
    fields = {"card_id": card, "terminal_id": "t1", "amount": 1_000, **changed}
    return json.dumps({"event_id": event_id, "type": "payment", "event_time": T0, "fields": fields}).encode()


def events(cards: list[str]) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values: good ones, and what is wrong in each way that somebody may tell of."""
    for number, card in enumerate(cards):
        key = card.encode()
        good = payment(f"e{number}", card)
        yield from ((key, good), (key, good), (key, payment(f"e{number}", card, amount=2_000)))
        yield key, payment(f"amount-{number}", card, amount=card)
        yield key, payment(f"terminal-{number}", card, terminal_id={"card": card})
        yield key, payment(f"longer-{number}", card * 9)
        yield b"another", payment(f"key-{number}", card)
        yield key, good.replace(b'"payment"', f'"{card}"'.encode())
        yield key, good.replace(b'"event_time"', f'"{card}"'.encode())
        yield key, good[:-20]
        yield key, good + b" " * 70_000


@pytest.mark.timeout(600)
def test_no_card_number_leaves_topics_and_stores(deployment: "Deployment") -> None:
    random = Random(7)
    cards = [card_number(random) for _ in range(CARDS)]
    options = ("--metrics-port", "0", "--log-level", "debug", "--log-format", "json", "--load-timeout-s", "10")
    fast = tiers.start_realtime(deployment, options=options)
    slow = tiers.start_streaming(deployment, options=("--trigger", "200ms"))
    said: dict[str, str] = {}
    try:
        tiers.wait_ready(deployment, [fast, slow], 2 * READY_S)
        producer = kafka.producer(deployment.stack.kafka_bootstrap)
        for key, value in events(cards):
            producer.produce(deployment.names.topic("events"), value, key)
            producer.poll(0)
        producer.produce(deployment.names.topic("parameters"), b"{", f"value|terminal_amount_limit|{cards[1]}".encode())
        producer.produce(deployment.names.topic("parameters"), b"{}", cards[2].encode())
        producer.produce(deployment.names.topic("rules"), f'{{"version": "{cards[0]}"}}'.encode(), b"live")
        assert producer.flush(30) == 0
        wait_for(lambda: all_archived(deployment, cards), "the slow tier to know all decisions", 120)
        with ProgressReader(deployment) as progress:
            told = [record for key, record, _ in progress.read_to_end() if key == "realtime|a|w1"][-1]
        for path in ("metrics", "health", "ready"):
            with urllib.request.urlopen(f"http://{told.metrics}/{path}", timeout=5) as answer:
                said[path] = answer.read().decode()
        letters = json.loads(fraudbrain(deployment, "dead-letters", "list", "--json", "--limit", "500"))
        said["letters"] = json.dumps(letters)
        assert len(letters["letters"]) == 9 * CARDS
        for letter in letters["letters"][:: CARDS // 4]:
            said[f"letter {letter['place']}"] = fraudbrain(deployment, "dead-letters", "show", letter["place"])
        for form in ((), ("--json",)):
            said[f"decision {form}"] = decision(deployment, cards[0], *form)
            said[f"letters {form}"] = fraudbrain(deployment, "dead-letters", "list", *form)
            said[f"replayed {form}"] = fraudbrain(deployment, "dead-letters", "replay", "--dry-run", *form)
            said[f"parameters {form}"] = fraudbrain(deployment, "parameters", "history", *form)
            said[f"books {form}"] = fraudbrain(deployment, "decisions", "reconcile", *form)
        assert cards[0] in decision(deployment, cards[0], "--json", "--reveal")
    finally:
        tiers.stop_all([fast, slow])
    for folder in (deployment.tier_logs, deployment.state):
        for file in filter(Path.is_file, folder.rglob("*")):
            said[str(file)] = file.read_bytes().decode(errors="replace")
    assert all(json.loads(line) for line in fast.log.read_text().splitlines() if line.startswith("{"))
    assert "dead letter" in fast.log.read_text()
    found = {where: card for where, text in said.items() for card in cards if card in text}
    assert not found


def all_archived(deployment: "Deployment", cards: list[str]) -> bool:
    last = decision(deployment, cards[-1], event_id=f"e{len(cards) - 1}", check=False)
    return "APPROVE" in last or "REVIEW" in last or "DECLINE" in last


def decision(deployment: "Deployment", card: str, *options: str, event_id: str = "e0", check: bool = True) -> str:
    return fraudbrain(deployment, "decisions", "get", event_id, "--subject", card, *options, check=check)


def fraudbrain(deployment: "Deployment", *command: str, check: bool = True) -> str:
    """What the command said, on both ways."""
    program = [sys.executable, "-m", "fraudbrain_deploy", "--data", str(deployment.data)]
    done = subprocess.run(
        [*program, *command, "--space", deployment.names.space],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout + done.stderr
