"""Fuzzed messages through a real worker, and an account of how each ended."""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import psutil

from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.faults import collecting
from fraudbrain_deploy.faults.checker import Record
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.tiers import start_realtime, wait_ready
from tests.faults.fuzzed import LIMIT, Fuzzed
from tests.faults.stage import READY_S, Flow, drain, ends, judged

_KEPT: Final = 1_024
_GROUP: Final = "a"


def fuzzed_messages(deployment: Deployment, *, count: int, per_s: float, seed: int) -> dict[str, object]:
    """So many, to one worker. Raises AssertionError where one did not end as it should, or a process ended."""
    flow = Flow(deployment)
    worker = start_realtime(deployment)
    try:
        wait_ready(deployment, [worker], READY_S)
        before = _processes(worker.process.pid)
        flow.send(Fuzzed(seed, count), count=count, per_s=per_s)
        drain(deployment, [_GROUP], 180 + count / per_s, [worker])
        assert _processes(worker.process.pid) == before, "a process ended and another one took its place"
    finally:
        worker.stop()
    assert worker.process.returncode == 0
    assert _restarts_of_keepers(deployment) == 0
    counts = judged(deployment, [_GROUP], flow).findings.counts
    reasons = Counter(_reason(letter) for letter in collecting.records(deployment, "dead-letters"))
    assert counts["decided"] + counts["folded"] + counts["duplicate"] + sum(reasons.values()) == count
    return {
        "messages": count,
        "process_deaths": 0,
        "decided": counts["decided"],
        "folded": counts["folded"],
        "duplicates": counts["duplicate"],
        "dead_letters": dict(sorted(reasons.items())),
        "oversize_with_hash_length_and_beginning": _check_oversize(deployment),
        "largest": "10 times the limit of 64 KiB; 64 MiB cannot be sent: the broker's own limit for events is 1 MiB",
    }


def _processes(pid: int) -> set[int]:
    return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}


def _restarts_of_keepers(deployment: Deployment) -> int:
    with ProgressReader(deployment) as progress:
        return max(record.counts.get("keeper_restarts", 0) for _, record, _ in progress.read_to_end())


def _check_oversize(deployment: Deployment) -> int:
    """The judge compares all bytes of the others; of these a letter has the beginning, and what is to be known of the
    rest."""
    large = dict(_oversize_events(deployment))
    letters = [each for each in collecting.records(deployment, "dead-letters") if _reason(each) == "oversize"]
    for letter in letters:
        headers = dict(letter.headers)
        _, partition, offset, _ = headers["dlq.source"].decode().rsplit("/", 3)
        event = large.pop((int(partition), int(offset))).value or b""
        assert letter.value == event[:_KEPT]
        assert headers["dlq.length"] == str(len(event)).encode()
        assert headers["dlq.sha256"] == sha256(event).hexdigest().encode()
    assert not large, f"without a dead letter: {sorted(large)[:10]}"
    return len(letters)


def _oversize_events(deployment: Deployment) -> Iterator[tuple[tuple[int, int], Record]]:
    for number in ends(deployment):
        records = collecting.records(deployment, "events", number)
        yield from (((number, each.offset), each) for each in records if len(each.value or b"") > LIMIT)


def _reason(letter: Record) -> str:
    return dict(letter.headers)["dlq.reason"].decode()
