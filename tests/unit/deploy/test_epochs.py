import argparse

import msgspec
import pytest

from fraudbrain_deploy import epochs_display
from fraudbrain_deploy.epoch_raising import add_raising_arguments
from fraudbrain_deploy.epochs import Epochs, Refold, raised
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.records import GroupEpoch, LogGeneration, LogTopic

TOPICS = {"events": LogTopic("e1", 4), "decisions": LogTopic("d1", 4)}
CALM = Epochs(
    log=LogGeneration(1, TOPICS),
    groups={"a": GroupEpoch(1, 1, "folds-1"), "b": GroupEpoch(5, 1, "folds-1")},
    topics=TOPICS,
    folds="folds-2",
    members={"a": [], "b": []},
)
SINCE = 1_790_000_000_000  # 2026-09-21T14:13:20Z
ANEW = msgspec.structs.replace(CALM, topics={**TOPICS, "events": LogTopic("e2", 8)})


def test_one_groups_epoch_is_raised_with_the_new_folds() -> None:
    assert raised(CALM, ["a"], 0) == (CALM.log, {"a": GroupEpoch(2, 1, "folds-2")})


def test_all_accept_a_log_that_was_created_anew() -> None:
    log, groups = raised(ANEW, None, 0)
    assert log == LogGeneration(2, ANEW.topics)
    assert groups == {"a": GroupEpoch(2, 2, "folds-2"), "b": GroupEpoch(6, 2, "folds-2")}


def test_a_generation_that_was_raised_for_some_groups_only_is_finished_not_raised_again() -> None:
    half = msgspec.structs.replace(
        ANEW, log=LogGeneration(2, ANEW.topics), groups={"a": GroupEpoch(2, 2, "folds-2"), "b": CALM.groups["b"]}
    )
    assert half.refusal("b") == "it belongs to generation 1 of the log"
    log, groups = raised(half, None, 0)
    assert (log, groups["b"]) == (half.log, GroupEpoch(6, 2, "folds-2"))


def test_one_group_cannot_accept_a_new_log_for_all() -> None:
    with pytest.raises(UserError, match="--all"):
        raised(ANEW, ["a"], 0)


def test_nothing_is_raised_while_workers_run_or_for_a_group_that_never_was() -> None:
    running = msgspec.structs.replace(CALM, members={"a": [], "b": ["127.0.0.1"]})
    assert raised(running, ["a"], 0)[1].keys() == {"a"}
    for chosen in (["b"], None):
        with pytest.raises(UserError, match=r"Workers are running: b \(1\)"):
            raised(running, chosen, 0)
    with pytest.raises(UserError, match="Groups that have: a, b"):
        raised(CALM, ["c"], 0)


def test_a_worker_would_refuse_what_does_not_fit() -> None:
    assert CALM.refusal("a") == "its profiles were folded otherwise"
    assert msgspec.structs.replace(CALM, folds="folds-1").refusal("a") == ""
    assert ANEW.refusal("a") == "the log was created anew or repartitioned"


def test_people_are_told_what_is_and_what_raising_will_do() -> None:
    page = epochs_display.page(msgspec.structs.replace(CALM, members={"a": ["127.0.0.1"], "b": []}))
    assert (
        "group a: epoch 1, folds-1, 1 members; a worker would refuse to start: its profiles were folded otherwise"
        in page
    )
    log, groups = raised(ANEW, None, 0)
    plan = epochs_display.plan(ANEW, log, groups, Refold(kept=1_000, deleted=7, since=SINCE))
    for told in ("generation 1 → 2", "group b: epoch 5 → 6, folds-1 → folds-2", "1,000 events", "first 7 events"):
        assert told in plan
    log, groups = raised(CALM, ["a"], 0)
    assert "lost" not in epochs_display.plan(CALM, log, groups, Refold(kept=1_000, deleted=0, since=0))


def test_from_when_on_profiles_know_all_is_noted_and_told() -> None:
    log, groups = raised(CALM, ["a"], SINCE)
    assert groups == {"a": GroupEpoch(2, 1, "folds-2", SINCE)}
    told = "its profiles know all events since 2026-09-21 14:13:20.000; what reaches back beyond is unknown"
    assert told in epochs_display.plan(CALM, log, groups, Refold(kept=1_000, deleted=7, since=SINCE))
    assert told in epochs_display.page(msgspec.structs.replace(CALM, groups=groups))
    assert "know all" not in epochs_display.page(CALM)


def test_since_is_a_time_or_the_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_raising_arguments(parser)
    for text, ms in (("beginning", 0), ("2026-09-21T14:13:20", SINCE), ("2026-09-21T16:13:20+02:00", SINCE)):
        assert parser.parse_args(["--since", text]).since == ms
    assert parser.parse_args([]).since is None
    with pytest.raises(SystemExit):
        parser.parse_args(["--since", "lately"])
    assert "not 'lately'" in capsys.readouterr().err
