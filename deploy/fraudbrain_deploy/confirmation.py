"""What the workers make of a rule set that was published: each says so in its progress."""

import time
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from fraudbrain_deploy.progress import ProgressReader, Told
from fraudbrain_deploy.publication import Sent
from fraudbrain_deploy.steps import Tell
from fraudbrain_shared.records import Progress, rejection_of

FRESH_MS: Final = 3_000
"""A worker runs that told its progress within so many milliseconds; each does every second."""
_WORKER: Final = "realtime|"


class Answer(msgspec.Struct, frozen=True):
    """A worker's word on a publication: `confirmed`; `refused` with the cause; `other` where it has read it, but
    has another version; `silent` while it has not answered."""

    worker: str
    state: Literal["confirmed", "refused", "other", "silent"]
    said: str = ""


class Confirmation:
    """The workers' answers to what was sent, from their progress in the order of the topic."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._last_ms: dict[str, int] = {}
        self._answers: dict[str, Answer] = {}

    def take(self, told: Iterable[Told]) -> None:
        for worker, progress, append_ms in told:
            if worker.startswith(_WORKER):
                self._last_ms[worker] = append_ms
                if worker not in self._answers and append_ms >= self._sent.append_ms:
                    self._note(answer_to(self._sent, worker, progress))

    def answers(self, *, is_settled: bool) -> list[Answer]:
        """One for each worker that runs: that has told its progress since the record was appended, or, until that
        is long enough ago (`is_settled`), shortly before."""
        oldest_ms = self._sent.append_ms - (0 if is_settled else FRESH_MS)
        running = sorted(worker for worker, last_ms in self._last_ms.items() if last_ms >= oldest_ms)
        return [self._answers.get(worker) or Answer(worker, "silent") for worker in running]

    def _note(self, answer: Answer | None) -> None:
        if answer is not None:
            self._answers[answer.worker] = answer


def answer_to(sent: Sent, worker: str, progress: Progress) -> Answer | None:
    """What a worker's progress says of what was sent; None if it has not read it yet."""
    if progress.offsets.get("rules", {}).get("0", 0) <= sent.offset:
        return None
    rejection = rejection_of("rules", sent.offset)
    for problem in progress.problems:
        if problem.startswith(rejection):
            return Answer(worker, "refused", problem.removeprefix(rejection))
    version = progress.versions.get("rules", "")
    if version == sent.version:
        return Answer(worker, "confirmed")
    said = f"it has {version}: published since, or what was sent is held back by a replay in steps"
    return Answer(worker, "other", said)


def confirm(progress: ProgressReader, told: Iterable[Told], sent: Sent, timeout_s: float, tell: Tell) -> list[Answer]:
    """Waits until every worker that runs has answered, or the time is over; none if no worker runs.

    `told` is all that `progress` has read before, `tell` hears how far it is.
    """
    confirmation = Confirmation(sent)
    confirmation.take(told)
    begun = time.monotonic()
    while True:
        now = time.monotonic()
        answers = confirmation.answers(is_settled=now - begun > FRESH_MS / 1_000)
        silent = [each.worker for each in answers if each.state == "silent"]
        if not silent or now - begun > timeout_s:
            return answers
        tell(f"{len(answers) - len(silent)} of {len(answers)} workers have answered; waiting for {', '.join(silent)}")
        confirmation.take(progress.poll(0.2))


def running(told: Iterable[Told]) -> dict[str, Progress]:
    """By key the last word of each worker that runs now, by this machine's clock."""
    oldest_ms = time.time() * 1_000 - FRESH_MS
    last = {worker: (progress, append_ms) for worker, progress, append_ms in told if worker.startswith(_WORKER)}
    return {worker: progress for worker, (progress, append_ms) in last.items() if append_ms >= oldest_ms}
