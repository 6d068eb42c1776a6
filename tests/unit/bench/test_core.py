"""The bench of the core in small: its shape, never a time."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy import __main__ as command
from fraudbrain_deploy.bench.core import bench
from fraudbrain_deploy.bench.core.bench import CoreFound
from fraudbrain_deploy.bench.core.engine import EVENTS_EACH, STAGES, Engine
from fraudbrain_deploy.bench.core.measuring import Found
from fraudbrain_deploy.bench.core.scoring import Scoring
from fraudbrain_deploy.bench.core.stream import reference_stream
from fraudbrain_deploy.bench.report import Report
from fraudbrain_deploy.bench.rules.cases import reference
from fraudbrain_deploy.load.stream import subject_name
from fraudbrain_shared.features import encode_profile
from fraudbrain_shared.records import Decision


def test_the_core_is_measured_without_any_peer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--rounds", "3", "--slice-s", "0", "--subjects", "50", "--no-peers", "--json", "--data", str(tmp_path)]
    assert command.main(["bench", "core", *small]) in (0, 1)
    report = msgspec.json.decode(capsys.readouterr().out, type=Report)
    assert [row.name.split()[0] for row in report.rows] == ["XGBoost's", "largest", "sum"]
    assert list(report.versions) == ["xgboost"]
    [stages] = report.breakdowns
    assert tuple(stages.parts_us) == STAGES
    assert [list(curve.us) for curve in report.curves] == [[1, 50, 200], [50]]
    assert {len(rounds) for rounds in report.rounds_us.values()} == {3}
    assert list(tmp_path.iterdir()) == []


def test_the_stages_decide_and_leave_what_the_whole_does() -> None:
    scenario = reference()
    whole, staged = Engine(scenario, 40), Engine(scenario, 40)
    stream = reference_stream(scenario, 40)
    for _ in range(150):
        events = stream.take(1)
        assert whole.whole(events) == staged.stages(events, lambda: 0.0)[1]
        for engine in (whole, staged):
            engine.rest(events)
    assert all(encode_profile(staged.profiles[each]) == encode_profile(whole.profiles[each]) for each in whole.profiles)


def test_decisions_are_made_with_all_that_a_worker_has() -> None:
    scenario = reference()
    engine, events = Engine(scenario, 40), reference_stream(scenario, 40).take(100)
    decisions = [msgspec.json.decode(each, type=Decision) for each in engine.whole(events)]
    assert {decision.degraded for decision in decisions} == {()}
    assert any(decision.findings for decision in decisions)
    assert sum(any(decision.context.values()) for decision in decisions) > 10


def test_the_stream_is_the_same_each_time_and_the_first_subject_comes_most() -> None:
    scenario = reference()
    events = reference_stream(scenario, 1_000).take(2_000)
    assert events == reference_stream(scenario, 1_000).take(2_000)
    keys = [event.key for event in events]
    assert 0.1 < max(map(keys.count, set(keys))) / len(keys) < 0.17  # 1 / (1 + 1/2 + … + 1/1000) is 0.134
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert len({msgspec.json.decode(event.value)["event_id"] for event in events}) == 2_000


def test_subjects_begin_with_a_short_history_of_their_own_bytes() -> None:
    profiles = Engine(reference(), 600).profiles
    assert len(profiles) == 600
    one, other = profiles[subject_name(0)], profiles[subject_name(500)]
    assert (one.flat, one.remembered) == (other.flat, other.remembered)
    assert one.flat is not other.flat
    assert all(profile.flat for profile in profiles.values())
    assert EVENTS_EACH == 5


def test_each_ratio_that_counts_has_its_row() -> None:
    scoring = Scoring({"xgboost": "3"}, [4.0] * 3, [200.0] * 3, 0.0, rows=9, trees=200, nodes=9, growth_us={})
    core = Found(
        subjects=10_000,
        events=64,
        whole_us=[20.0] * 3,
        stages_us={"decode": [8.0] * 3, "fold": [10.0] * 3},
        update_us=[5.0] * 3,
        redis_us=[100.0] * 3,
        quix_us=[10.0] * 2,
        growth_us={10_000: [20.0] * 3, 1_000_000: [40.0] * 3},
        bytes_each={10_000: 900.0, 1_000_000: 800.0},
    )
    found = {row.name: row for row in bench.rows(CoreFound(scoring, core))}
    assert {name: (row.ratio, row.is_missed) for name, row in found.items()} == {
        "XGBoost's inplace_predict / ours, one row": (50.0, False),
        "largest difference from XGBoost's score": (0.0, False),
        "Redis velocity / our profile update (wall)": (20.0, False),
        "ours / Quix Streams' bare echo, one event": (2.0, True),
        "sum of the stages / the whole": (0.9, False),
        "1,000,000 subjects / 10,000, one event": (2.0, False),
        "bytes per subject of 1,000,000, 5 events each": (800.0, True),
    }
