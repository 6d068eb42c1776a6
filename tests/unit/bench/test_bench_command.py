"""The bench in small: its shape, never a time."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy import __main__ as command
from fraudbrain_deploy.bench import peers
from fraudbrain_deploy.bench.report import Report
from fraudbrain_deploy.bench.rules import bench
from fraudbrain_deploy.bench.rules.engines import CEL_CPP, OURS, ZEN_ENGINE, Disagreement, Prepared, refuse_disagreement
from fraudbrain_deploy.bench.rules.measuring import COMPARED, CURVE, Found
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.records import RuleSet, RuleText


def test_our_own_rules_are_measured_without_any_peer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--rounds", "3", "--slice-s", "0", "--no-peers", "--json", "--data", str(tmp_path)]
    assert command.main(["bench", "rules", *small]) == 0
    report = msgspec.json.decode(capsys.readouterr().out, type=Report)
    assert (report.rows, report.versions) == ([], {})
    [curve] = report.curves
    assert list(curve.us) == list(CURVE)
    assert {f"rules {size}: {OURS}" for size in COMPARED} < set(report.rounds_us)
    assert {len(rounds) for rounds in report.rounds_us.values()} == {3}
    assert "no peers" in report.facts[0]
    assert list(tmp_path.iterdir()) == []


def test_each_peer_stands_beside_us_with_and_without_the_cost_of_its_inputs() -> None:
    found = Found(
        cases=2,
        versions={ZEN_ENGINE: "2", CEL_CPP: "0"},
        whole_us={50: {OURS: [1.0, 1.0, 2.0], ZEN_ENGINE: [16.0, 18.0, 32.0], CEL_CPP: [14.0, 14.0, 28.0]}},
        inputs_us={50: {ZEN_ENGINE: [6.0, 8.0, 12.0], CEL_CPP: [4.0, 4.0, 8.0]}},
    )
    rows = list(bench.rows(found))
    assert [(row.ratio, row.must, row.is_missed) for row in rows] == [
        (16.0, 8.0, False),
        (10.0, None, False),
        (14.0, 15.0, True),
        (10.0, None, False),
    ]
    assert len({row.name for row in rows}) == 4  # a stored run is compared by them


def test_engines_that_disagree_are_not_compared() -> None:
    rules = RuleSet("v", (RuleText("first", "true"), RuleText("second", "false")), ())
    mine = Prepared(OURS, "1", lambda: [[True, False]], lambda: None)
    refuse_disagreement([mine, Prepared("peer", "1", lambda: [[True, False]], lambda: None)], rules)
    with pytest.raises(Disagreement, match="case 0, rule second: ours says False, peer True"):
        refuse_disagreement([mine, Prepared("peer", "1", lambda: [[True, True]], lambda: None)], rules)


def test_peers_that_cannot_be_installed_are_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = tmp_path / "peers.txt"
    pinned.write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(peers, "PINNED", pinned)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UserError, match="no-such-package") as raised:
        peers.peers_folder(tmp_path)
    assert "--no-peers" in raised.value.remedy
    assert list((tmp_path / "bench").iterdir()) == []


def test_fewer_than_three_rounds_are_refused() -> None:
    assert command.main(["bench", "--rounds", "2", "--no-peers"]) == 2
