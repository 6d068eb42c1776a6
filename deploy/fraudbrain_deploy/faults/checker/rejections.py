"""Whether each bad control was rejected aloud, with its cause, and soon."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from fraudbrain_deploy.faults.checker.evidence import Record
from fraudbrain_deploy.faults.checker.findings import Findings

SOON_MS: Final = 1_000
_GAP_MS: Final = 1_500
"""Workers tell their progress every second. One that says nothing for longer was away, stood still or had no broker."""

_REJECTION: Final = re.compile(r"([a-z]+)/(\d+) rejected: \S")


class Bad(NamedTuple):
    """A control that must be rejected; `append_ms` is the broker's, UTC."""

    topic: str
    offset: int
    append_ms: int


class _Progress(msgspec.Struct):
    """As much of a worker's progress as tells what it rejects."""

    problems: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(_Progress).decode


def check_rejections(bad: Iterable[Bad], progress: Sequence[Record], findings: Findings) -> None:
    """Each must be rejected on the topic `progress` within a second of its append, if a worker was there all the time:
    one that told its progress before and after, and never paused meanwhile."""
    told = _first_told(progress)
    alive = _told_by_worker(progress)
    for each in bad:
        said_ms = told.get((each.topic, each.offset))
        if said_ms is not None and said_ms <= each.append_ms + SOON_MS:
            findings.counts["bad_controls_rejected"] += 1
        elif any(_was_there(times, each.append_ms) for times in alive.values()):
            late = "no worker has told" if said_ms is None else f"only {said_ms - each.append_ms} ms later was told"
            findings.wrong("I6", f"{each.topic}/{each.offset}: a bad control, and {late} why it is rejected")
        else:
            findings.counts["bad_controls_while_nobody_was_there"] += 1


def _first_told(progress: Sequence[Record]) -> Mapping[tuple[str, int], int]:
    """When a rejection with its cause was published first, by topic and offset."""
    told: dict[tuple[str, int], int] = {}
    for record in progress:
        for problem in _decode(record.value or b"{}").problems:
            if found := _REJECTION.match(problem):
                told.setdefault((found[1], int(found[2])), record.append_ms)
    return told


def _told_by_worker(progress: Sequence[Record]) -> Mapping[bytes | None, Sequence[int]]:
    times: defaultdict[bytes | None, list[int]] = defaultdict(list)
    for record in progress:
        times[record.key].append(record.append_ms)
    return times


def _was_there(told_ms: Sequence[int], from_ms: int) -> bool:
    """Whether somebody who told its progress at these times was there from then on, for as long as it had time."""
    until_ms = from_ms + SOON_MS
    before = [each for each in told_ms if each <= from_ms]
    after = [each for each in told_ms if each >= until_ms]
    if not before or not after:
        return False
    meant = [each for each in told_ms if before[-1] <= each <= after[0]]
    return all(later - sooner <= _GAP_MS for sooner, later in pairwise(meant))
