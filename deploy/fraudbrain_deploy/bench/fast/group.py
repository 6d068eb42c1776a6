"""Workers of one group, of which a new one may take an old one's place while events come."""

from itertools import count
from typing import Final, Self

from fraudbrain_deploy import tiers
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.records import Progress
from fraudbrain_shared.testing.alternating import Tell

GROUP: Final = "a"
_START_S: Final = 180.0
_LEAVE_S: Final = 30.0


class Group:
    """Nobody at first; a context manager that ends whoever still works. All from one thread: a worker ends with the
    thread that started it."""

    def __init__(self, deployment: Deployment, options: tuple[str, ...] = ()) -> None:
        self._deployment = deployment
        self._options = options
        self._numbers = count(1)
        self.workers: list[tiers.Tier] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:  # what they would still flush is nobody's any more
            worker.kill()

    def start(self, workers: int = 1, on_wait: Tell = lambda _: None) -> list[tiers.Tier]:
        """Starts so many side by side; returns when each decides the events of partitions of its own. Raises UserError
        where one does not come so far."""
        started = []
        for number in (next(self._numbers) for _ in range(workers)):
            worker = tiers.start_realtime(self._deployment, f"w{number}", GROUP, self._options)
            self.workers.append(worker)
            started.append(worker)
        self._wait_joined(started, on_wait)
        return started

    def leave(self, worker: tiers.Tier) -> None:
        """Has it end its work in an orderly way: flush, commit, and give its partitions up. Raises UserError where it
        does not."""
        worker.stop(_LEAVE_S)
        self.workers.remove(worker)
        if code := worker.process.returncode:
            raise UserError(f"{worker.name} ended with code {code} when it was asked to leave: see {worker.log}.")

    def replace_each(self, on_wait: Tell = lambda _: None) -> None:
        """A rolling restart: in turn, for each who works now another one joins, and then that one leaves."""
        for old in list(self.workers):
            self.start(on_wait=on_wait)
            on_wait(f"{old.name} leaves")
            self.leave(old)

    def check_alive(self) -> None:
        """Raises TierEnded where somebody has ended without being asked to."""
        tiers.check_alive(self.workers)

    def _wait_joined(self, started: list[tiers.Tier], on_wait: Tell) -> None:
        def waiting(text: str) -> None:
            self.check_alive()  # also those who worked before
            on_wait(text)

        tiers.wait_ready(self._deployment, started, _START_S, waiting, is_ready=_has_partitions)


def _has_partitions(record: Progress) -> bool:
    return bool(record.offsets.get("events"))
