import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fraudbrain_deploy.tiers import Tier, TierEnded, check_alive, stop_all

Start = Callable[[str], Tier]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a shell script as a tier and returns when it has said that it runs."""
    tiers: list[Tier] = []

    def started(script: str) -> Tier:
        log = tmp_path / f"{len(tiers)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(["sh", "-c", script], stdout=output, stderr=output, start_new_session=True)
        tiers.append(Tier(f"tier{len(tiers)}", process, log, ("key",)))
        deadline = time.monotonic() + 10
        while b"up" not in log.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return tiers[-1]

    yield started
    for tier in tiers:
        tier.kill()


def test_a_tier_may_finish_its_work(start: Start) -> None:
    tier = start("trap 'echo finished; exit 0' TERM; echo up; while :; do sleep 0.05; done")
    tier.stop(10)
    assert tier.process.returncode == 0
    assert "finished" in tier.log.read_text()


def test_a_deaf_tier_is_killed_with_its_children(start: Start) -> None:
    tier = start("trap '' TERM; sleep 60 & echo up; wait")
    tier.stop(0.2)
    assert tier.process.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        while True:  # the child is reaped by init a moment later
            os.killpg(tier.process.pid, 0)
            time.sleep(0.01)


def test_stopping_twice_is_harmless(start: Start) -> None:
    tier = start("echo up; sleep 60")
    tier.kill()
    tier.stop()
    assert not tier.alive()


def test_several_are_stopped_side_by_side(start: Start) -> None:
    tiers = [start("trap '' TERM; echo up; while :; do sleep 0.05; done") for _ in range(3)]
    begun = time.monotonic()
    stop_all(tiers, timeout_s=0.5)
    assert time.monotonic() - begun < 1.4
    assert not any(tier.alive() for tier in tiers)


def test_each_of_several_is_asked_once_so_that_no_second_signal_meets_it_as_it_ends(start: Start) -> None:
    ending = "trap 'trap - TERM; sleep {}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    tiers = [start(ending.format(seconds)) for seconds in (0.3, 1)]
    stop_all(tiers, timeout_s=10)
    assert [tier.process.returncode for tier in tiers] == [0, 0]


def test_a_tier_that_ended_is_told_with_the_end_of_its_log(start: Start) -> None:
    tier = start("echo up; echo cannot reach the broker >&2; exit 3")
    tier.process.wait(10)
    with pytest.raises(TierEnded, match=r"tier0 ended with code 3") as raised:
        check_alive([tier])
    assert "  cannot reach the broker" in raised.value.what
