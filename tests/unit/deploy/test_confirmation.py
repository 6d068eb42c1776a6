import pytest

from fraudbrain_deploy.confirmation import FRESH_MS, Answer, Confirmation, answer_to, running
from fraudbrain_deploy.progress import Told
from fraudbrain_deploy.publication import Sent
from fraudbrain_shared.records import Progress, rejection_of

SENT = Sent("new", offset=7, append_ms=1_000_000)
W1, W2 = "realtime|a|w1", "realtime|a|w2"


def said(worker: str, after_ms: int, version: str = "old", read_to: int = 7, problems: tuple[str, ...] = ()) -> Told:
    offsets = {"rules": {"0": read_to}}
    progress = Progress("realtime", worker, offsets, versions={"rules": version}, problems=problems)
    return worker, progress, SENT.append_ms + after_ms


def states(confirmation: Confirmation, *, is_settled: bool = False) -> dict[str, str]:
    return {each.worker: each.state for each in confirmation.answers(is_settled=is_settled)}


def test_a_worker_that_told_its_progress_lately_is_waited_for_until_it_has_read_the_record() -> None:
    confirmation = Confirmation(SENT)
    confirmation.take([said(W1, -FRESH_MS - 1), said(W2, -500)])
    assert states(confirmation) == {W2: "silent"}
    confirmation.take([said(W2, 20)])
    assert states(confirmation) == {W2: "silent"}
    confirmation.take([said(W2, 120, "new", read_to=8)])
    assert states(confirmation) == {W2: "confirmed"}


def test_a_worker_that_stopped_just_before_is_not_waited_for_any_longer_once_it_would_have_spoken() -> None:
    confirmation = Confirmation(SENT)
    confirmation.take([said(W1, -500), said(W2, 10, "new", read_to=8)])
    assert states(confirmation) == {W1: "silent", W2: "confirmed"}
    assert states(confirmation, is_settled=True) == {W2: "confirmed"}


def test_a_confirmation_stands_also_when_others_publish_after_it() -> None:
    confirmation = Confirmation(SENT)
    confirmation.take([said(W1, 10, "new", read_to=8), said(W1, 20, "newer", read_to=9)])
    assert states(confirmation) == {W1: "confirmed"}


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (said(W1, 1, "new", read_to=7), None),
        (said(W1, 1, "new", read_to=8), Answer(W1, "confirmed")),
        (said(W1, 1, problems=(rejection_of("rules", 7) + "no",), read_to=8), Answer(W1, "refused", "no")),
        (said(W1, 1, "new", problems=(rejection_of("rules", 6) + "no",), read_to=8), Answer(W1, "confirmed")),
    ],
)
def test_a_worker_answers_for_the_record_that_was_sent_and_no_other(told: Told, answer: Answer | None) -> None:
    assert answer_to(SENT, told[0], told[1]) == answer


def test_a_worker_with_a_later_version_says_so() -> None:
    worker, progress, _ = said(W1, 1, "newer", read_to=9)
    answer = answer_to(SENT, worker, progress)
    assert answer is not None
    assert (answer.state, "newer" in answer.said) == ("other", True)


def test_only_workers_of_the_fast_tier_run_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: SENT.append_ms / 1_000)
    told = [said(W1, -10), said(W2, -FRESH_MS - 1), said("streaming|loop", -10)]
    assert list(running(told)) == [W1]
