"""An event that ends the process whatever it does is put aside after it has done so twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fraudbrain_deploy import leash
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.faults import collecting
from fraudbrain_deploy.faults.checker import Partition
from tests.faults.stage import Flow, Transfers, behind, collected, deployed, ends, judge_all, wait_until

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings

DEADLY: Final = "t-700"
END_S: Final = 90.0


@contextmanager
def deadly_worker(deployment: Deployment) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker as tiers start it, but for the event that it dies of."""
    host, port = deployment.stack.thrift_address
    program = [
        *(sys.executable, "-m", "tests.faults.deadly_worker", DEADLY, "run"),
        *("--scenario", str(deployment.folder), "--space", deployment.names.space),
        *("--bootstrap", deployment.stack.kafka_bootstrap, "--thrift", f"{host}:{port}"),
        *("--group", "a", "--worker", "w1", "--state-dir", str(deployment.state_dir)),
        *("--load-timeout-s", "10"),  # whether a profile comes in time on a busy machine is another test's
    ]
    process = subprocess.Popen(leash.command(program))
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        finally:
            process.kill()
            process.wait()


def test_an_event_that_kills_the_process_twice_is_put_aside_and_all_others_are_decided(
    stack: "StackSettings", space: str
) -> None:
    deployment = deployed(stack, space)
    flow = Flow(deployment)
    flow.send(Transfers(1, lambda chance: f"a-{chance.randrange(50)}"), count=2_000, per_s=5_000)
    all_sent = ends(deployment)
    for _ in range(2):
        with deadly_worker(deployment) as worker:
            assert worker.wait(END_S) == -signal.SIGABRT
    with deadly_worker(deployment) as worker:
        wait_until(lambda: not behind(deployment, "a", all_sent), "the rest to be decided", END_S)
        assert worker.poll() is None
    (letter,) = collecting.records(deployment, "dead-letters")
    headers = dict(letter.headers)
    assert headers["dlq.reason"] == b"poison_crash"
    _, partition, offset, _ = headers["dlq.source"].decode().rsplit("/", 3)
    place = int(partition), int(offset)

    def without_it(partitions: Iterator[Partition]) -> Iterator[Partition]:
        """The judge knows no event that is deadly: as if it had never come."""
        for each in partitions:
            deadly = [record for record in each.events if (each.number, record.offset) == place]
            assert [record.value for record in deadly] == [letter.value] * len(deadly)
            kept = [record for record in each.events if record not in deadly]
            sent = [one for one in each.sent if (each.number, one.offset) != place]
            yield Partition(each.number, kept, each.decisions, each.rows, sent)

    judgement = judge_all(deployment, "a", without_it(collected(deployment, "a", flow)), [])
    assert judgement.findings.counts["decided"] == 1_999
    assert f'"{DEADLY}"'.encode() in (letter.value or b"")
