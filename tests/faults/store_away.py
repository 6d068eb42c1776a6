"""HBase away while events flow: what is decided meanwhile, and how long all takes to be exact when it is back."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as numbers
from random import Random
from typing import Final

from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.faults.proxy import HEALTHY, Proxy, Toxics
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.tiers import Tier, check_alive, start_realtime, wait_ready
from tests.faults.stage import (
    READY_S,
    Decided,
    Flow,
    Memory,
    Transfers,
    behind,
    decisions,
    drain,
    ends,
    judged,
    now_ms,
    spread,
    through,
    wait_until,
)

_GROUP: Final = "a"
_DRAIN_S: Final = 300.0
_LOOK_S: Final = 1.0
_WARM_PER_S: Final = 3_000.0
_AFTER_HEALING_S: Final = 5.0
_A_TURN: Final = 64
"""So many more than the bound may be held: those of the turn in which it was reached."""
_PAUSED: Final = "no more events are taken"


@dataclass(frozen=True)
class Size:
    """How large it is to be. `hot` accounts are in memory, `away` ones are not; `profiles` is what memory takes."""

    per_s: float
    away_s: float
    hot: int
    away: int
    profiles: int
    share_away: float = 0.05
    healthy_s: float = 10.0


@dataclass
class _Watched:
    """What the worker told of itself while HBase was away."""

    memory: Memory
    most_held: int = 0
    has_paused: bool = False


def store_away(deployment: Deployment, size: Size, *, seed: int) -> dict[str, object]:
    """HBase refuses connections half of the time, then takes them and never answers. Raises AssertionError where an
    event has no decision, one was degraded without need, or a profile is wrong in the end."""
    flow, transfers = Flow(deployment), Transfers(seed, _cycle("away", size.away))
    with Proxy(deployment.stack.thrift_address, seed) as proxy, _worker(deployment, proxy, size) as worker:
        _put_away(deployment, worker, flow, transfers, size)
        memory = Memory()
        memory.look(worker)
        before_mib = memory.worker_mib, memory.keeper_mib
        transfers.account = _draw("hot", size.hot)
        begun_ms = now_ms()
        flow.send(transfers, count=int(size.per_s * size.healthy_s), per_s=size.per_s)
        drain(deployment, _GROUP, _DRAIN_S, [worker])
        proxy.refuse()
        gone_ms = now_ms()
        transfers.account = _mixed(size)
        watched = _Watched(memory)
        count = int(size.per_s * (size.away_s + _AFTER_HEALING_S))
        with ProgressReader(deployment) as progress:
            progress.read_to_end()  # what was told before
            with flow.flowing(transfers, count=count, per_s=size.per_s):
                _watch(progress, worker, watched, size.away_s / 2)
                proxy.spoil(Toxics(black_hole=True))
                proxy.listen()
                _watch(progress, worker, watched, size.away_s / 2)
                healed_ms, at = now_ms(), ends(deployment)
                _heal(proxy)
                exact_s = wait_until(lambda: not behind(deployment, _GROUP, at), "the rest", _DRAIN_S, [worker])
            drain(deployment, _GROUP, _DRAIN_S, [worker])
            memory.look(worker)
    counts = judged(deployment, [_GROUP], flow).findings.counts
    assert not watched.has_paused
    made = list(decisions(deployment))
    meanwhile = [each for each in made if gone_ms <= each.event_ms < healed_ms]
    _check_degraded(meanwhile)
    return {
        "events": counts["decided"],
        "while_away": len(meanwhile),
        "while_away_degraded": sum(each.is_degraded for each in meanwhile),
        "degraded_without_need": 0,
        "ms_from_event_to_decision": {
            "before": spread([each.took_ms for each in made if begun_ms <= each.event_ms < gone_ms]),
            "while_away": spread([each.took_ms for each in meanwhile]),
            "while_away_not_degraded": spread([each.took_ms for each in meanwhile if not each.is_degraded]),
            "while_away_degraded": spread([each.took_ms for each in meanwhile if each.is_degraded]),
            "afterwards": spread([each.took_ms for each in made if each.event_ms >= healed_ms]),
        },
        "most_held": watched.most_held,
        "seconds_until_all_was_committed_after_its_return": round(exact_s, 1),
        "profiles_exact": counts["profiles"],
        "decided_twice": counts["decisions"] - counts["decided"],
        "peak_mib": {"worker": memory.worker_mib, "keeper": memory.keeper_mib},
        "mib_before": {"worker": before_mib[0], "keeper": before_mib[1]},
    }


def store_away_at_the_bound(
    deployment: Deployment, size: Size, *, held: int, paused_s: float, seed: int
) -> dict[str, object]:
    """Too much is held: the worker takes no more, says so, and goes on when HBase is back."""
    flow, transfers = Flow(deployment), Transfers(seed, _cycle("away", size.away))
    with Proxy(deployment.stack.thrift_address, seed) as proxy, _worker(deployment, proxy, size, held) as worker:
        _put_away(deployment, worker, flow, transfers, size)
        proxy.refuse()
        gone_ms = now_ms()
        transfers.account = _mixed(size)
        watched = _Watched(Memory())
        with ProgressReader(deployment) as progress:
            progress.read_to_end()  # what was told before
            with flow.flowing(transfers, count=10**9, per_s=size.per_s) as sender:
                while not watched.has_paused:
                    assert now_ms() - gone_ms < size.away_s * 1000, f"never paused; at most {watched.most_held} held"
                    _watch(progress, worker, watched, _LOOK_S)
                until_paused_s = (now_ms() - gone_ms) / 1000
                _watch(progress, worker, watched, paused_s)
                sender.finish()
            waiting = behind(deployment, _GROUP, ends(deployment))
            healed_ms = now_ms()
            _heal(proxy)
            exact_s = drain(deployment, _GROUP, _DRAIN_S, [worker])
    assert watched.most_held <= held + _A_TURN
    counts = judged(deployment, [_GROUP], flow).findings.counts
    made = list(decisions(deployment))
    return {
        "events": counts["decided"],
        "bound": held,
        "most_held": watched.most_held,
        "seconds_until_intake_paused": round(until_paused_s, 1),
        "not_committed_at_its_return": waiting,
        "decided_only_after_its_return": sum(each.decision_ms >= healed_ms > each.event_ms for each in made),
        "seconds_until_all_was_committed_after_its_return": round(exact_s, 1),
        "profiles_exact": counts["profiles"],
        "peak_mib": {"worker": watched.memory.worker_mib, "keeper": watched.memory.keeper_mib},
    }


@contextmanager
def _worker(deployment: Deployment, proxy: Proxy, size: Size, held: int | None = None) -> Iterator[Tier]:
    options = ["--profiles", str(size.profiles), *(["--held", str(held)] if held else [])]
    worker = start_realtime(through(proxy, deployment), options=options)
    try:
        wait_ready(deployment, [worker], READY_S)
        yield worker
    finally:
        _heal(proxy)
        worker.stop()


def _heal(proxy: Proxy) -> None:
    proxy.spoil(HEALTHY)
    proxy.listen()
    proxy.reset_all()


def _put_away(deployment: Deployment, worker: Tier, flow: Flow, transfers: Transfers, size: Size) -> None:
    """Every account gets its row; then so many others come that those to be away are out of memory for certain, and
    the hot ones come so often that they are in it. What is not saved yet cannot be put away."""
    for name, accounts, times in (("away", size.away, 1), ("filler", 3 * size.profiles, 1), ("hot", size.hot, 5)):
        transfers.account = _cycle(name, accounts)
        flow.send(transfers, count=times * accounts, per_s=_WARM_PER_S)
        drain(deployment, _GROUP, _DRAIN_S, [worker])


def _cycle(name: str, accounts: int) -> Callable[[Random], str]:
    """One after the other."""
    number = numbers()
    return lambda _: f"{name}-{next(number) % accounts}"


def _draw(name: str, accounts: int) -> Callable[[Random], str]:
    return lambda chance: f"{name}-{chance.randrange(accounts)}"


def _mixed(size: Size) -> Callable[[Random], str]:
    hot, away = _draw("hot", size.hot), _draw("away", size.away)
    return lambda chance: (away if chance.random() < size.share_away else hot)(chance)


def _watch(progress: ProgressReader, worker: Tier, watched: _Watched, seconds: float) -> None:
    """Looks at memory and at what the worker tells, for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        check_alive([worker])
        watched.memory.look(worker)
        for _, record, _ in progress.poll(_LOOK_S):
            watched.most_held = max(watched.most_held, record.counts.get("held", 0))
            watched.has_paused |= any(_PAUSED in problem for problem in record.problems)
        time.sleep(0.1)


def _check_degraded(meanwhile: Sequence[Decided]) -> None:
    """While HBase was away each decision on an account that was not in memory is degraded, and no other one."""
    without_need = Counter(
        each.subject for each in meanwhile if each.is_degraded and not each.subject.startswith("away-")
    )
    assert not without_need, without_need.most_common(5)
    with_need = [each for each in meanwhile if each.subject.startswith("away-")]
    assert with_need
    assert all(each.is_degraded for each in with_need)
