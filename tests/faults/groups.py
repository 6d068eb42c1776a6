"""What others notice when workers are killed or stopped under load: the other group nothing, the own group a gap."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.faults.events import Events
from fraudbrain_deploy.tiers import Tier, start_realtime, stop_all, wait_ready
from tests.faults.stage import (
    READY_S,
    Decided,
    Flow,
    behind,
    decisions,
    drain,
    ends,
    judged,
    now_ms,
    spread,
    wait_until,
)

_DRAIN_S: Final = 180.0
_AFTERWARDS_S: Final = 3.0
_LONGEST_S: Final = 3_600.0
"""No flow of events takes longer; they are dated so far back."""
_ENDLESS: Final = 10**9


def one_group_killed(
    deployment: Deployment, *, workers: int, per_s: float, healthy_s: float, away_s: float, seed: int
) -> dict[str, object]:
    """Two groups of so many workers; all of one are killed and come back. Raises AssertionError where an event has no
    decision, or two that differ."""
    flow = Flow(deployment)
    tiers: list[Tier] = []
    try:
        first, second = (_start(deployment, workers, group) for group in "ab")
        tiers += first + second
        wait_ready(deployment, tiers, READY_S)
        events = Events(seed, int(per_s * _LONGEST_S), ())
        with flow.flowing(events, count=_ENDLESS, per_s=per_s) as sender:
            _settle(deployment, "ab", tiers)
            time.sleep(healthy_s)
            killed_ms = now_ms()
            for tier in first:
                tier.kill()
            time.sleep(away_s)
            started_ms = now_ms()
            first = _start(deployment, workers, "a")
            tiers += first
            _settle(deployment, "ab", [*first, *second])
            settled_ms = now_ms()
            time.sleep(healthy_s)
            sender.finish()
        drain(deployment, "ab", _DRAIN_S, [*first, *second])
    finally:
        stop_all(tiers)
    judgement = judged(deployment, "ab", flow)  # each group has decided each event, and equally
    made = list(decisions(deployment))
    back_ms = min(each.decision_ms for each in made if each.group == "a" and each.decision_ms > started_ms)
    before, gap = (killed_ms - int(healthy_s * 1000), killed_ms), (killed_ms, back_ms)
    other, of_both = _first_of(made, "b"), _first_of(made, "ab")
    return {
        "events": sender.acknowledged,
        "workers_of_each_group": workers,
        "decided_by_both_groups": judgement.findings.counts["decided"],
        "conflicts": 0,
        "killed_group_repeated": len(judgement.timing.repeats),
        "killed_group_was_away_s": round((started_ms - killed_ms) / 1000, 1),
        "killed_group_gap_s": round((back_ms - killed_ms) / 1000, 1),
        "killed_group_longest_gap_of_a_partition_s": _longest_gap_s(made, "a", killed_ms - 2_000, back_ms + 15_000),
        "other_group_longest_gap_of_a_partition_s": _longest_gap_s(made, "b", *gap),
        "other_group_ms": {"before": _times(other, *before), "meanwhile": _times(other, *gap)},
        "first_of_both_ms": {
            "before": _times(of_both, *before),
            "meanwhile": _times(of_both, *gap),
            "after": _times(of_both, settled_ms, now_ms()),
        },
    }


def clean_restart(deployment: Deployment, *, per_s: float, healthy_s: float, seed: int) -> dict[str, object]:
    """A group of two workers: one after the other is ended cleanly and started, then both together. Raises
    AssertionError where a decision is missing or was made twice."""
    flow = Flow(deployment)
    tiers = {name: start_realtime(deployment, name) for name in ("w1", "w2")}
    moments: list[tuple[str, int, int]] = []
    sent = 0
    try:
        wait_ready(deployment, list(tiers.values()), READY_S)
        events = Events(seed, int(per_s * _LONGEST_S), ())
        for names in (["w1"], ["w2"], ["w1", "w2"]):
            with flow.flowing(events, count=_ENDLESS, per_s=per_s) as sender:
                time.sleep(healthy_s)
                _settle(deployment, "a", list(tiers.values()))
                begun_ms = now_ms()
                stop_all([tiers[name] for name in names])
                assert [tiers[name].process.returncode for name in names] == [0] * len(names)
                for name in names:
                    tiers[name] = start_realtime(deployment, name)
                wait_ready(deployment, [tiers[name] for name in names], READY_S)
                time.sleep(healthy_s + _AFTERWARDS_S)
                moments.append((" and ".join(names), begun_ms, now_ms()))
                sender.finish()
            sent += sender.acknowledged
        drain(deployment, "a", _DRAIN_S, list(tiers.values()))
    finally:
        stop_all(list(tiers.values()))
    judgement = judged(deployment, "a", flow)
    assert not judgement.timing.repeats, judgement.timing.repeats[:10]
    made = list(decisions(deployment))
    return {
        "events": sent,
        "decided": judgement.findings.counts["decided"],
        "decided_twice": 0,
        "longest_gap_of_a_partition_s": {
            "before": _longest_gap_s(made, "a", moments[0][1] - int(healthy_s * 1000), moments[0][1]),
            **{f"{names} restarted": _longest_gap_s(made, "a", begin, end) for names, begin, end in moments},
        },
        "ms": {names: _times(made, begin, end) for names, begin, end in moments},
    }


def _start(deployment: Deployment, workers: int, group: str) -> list[Tier]:
    return [start_realtime(deployment, f"w{number + 1}", group) for number in range(workers)]


def _settle(deployment: Deployment, groups: str, tiers: Sequence[Tier]) -> None:
    """What there is now is flushed and committed: whoever has just started is at work."""
    now = ends(deployment)
    for group in groups:
        wait_until(partial(_has_committed, deployment, group, now), f"group {group} to commit", _DRAIN_S, tiers)


def _has_committed(deployment: Deployment, group: str, ends: dict[int, int]) -> bool:
    return not behind(deployment, group, ends)


def _first_of(made: Iterable[Decided], groups: str) -> Sequence[Decided]:
    """The first decision of each event by any of these groups."""
    first: dict[tuple[int, int], Decided] = {}
    for each in made:
        if each.group in groups:
            first.setdefault((each.partition, each.offset), each)
    return list(first.values())


def _times(made: Iterable[Decided], begin_ms: int, end_ms: int) -> dict[str, float]:
    """From the append of an event to that of its decision, of events in a span of time."""
    return spread([each.took_ms for each in made if begin_ms <= each.event_ms < end_ms])


def _longest_gap_s(made: Iterable[Decided], group: str, begin_ms: int, end_ms: int) -> float:
    """The longest time without a decision of the group in any partition."""
    appended: defaultdict[int, list[int]] = defaultdict(list)
    for each in made:
        if each.group == group and begin_ms <= each.decision_ms < end_ms:
            appended[each.partition].append(each.decision_ms)
    gaps = [after - before for times in appended.values() for before, after in pairwise(times)]
    return max(gaps, default=0) / 1000
