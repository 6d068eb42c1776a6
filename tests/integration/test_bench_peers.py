"""The bench beside its real peers: that all find the same, and the shape of the table; never a time."""

from pathlib import Path

import pytest

from fraudbrain_deploy.bench.core import bench as core_bench
from fraudbrain_deploy.bench.peers import QUIX, peers_folder
from fraudbrain_deploy.bench.rules import bench
from fraudbrain_deploy.bench.rules.engines import PEERS
from fraudbrain_deploy.errors import UserError


def test_all_engines_agree_and_each_gets_its_rows(tmp_path: Path) -> None:
    try:
        folder = peers_folder(tmp_path)
    except UserError as error:
        pytest.skip(f"the peers are no part of the product, and cannot be had here: {error.what}")
    assert peers_folder(tmp_path) == folder  # once is enough
    told: list[str] = []
    found = bench.run(folder, rounds=3, slice_s=0, tell=told.append)
    assert set(found.versions) == set(PEERS)
    rows = list(bench.rows(found))
    assert [row.must for row in rows] == [8.0, None, 15.0, None, None, None, None, None]
    assert all(row.theirs_us for row in rows if row.must)
    assert told[-1] == "growth: round 3 of 3"
    assert "all engines find the same" in bench.facts(found)[0]


def test_the_core_is_measured_beside_redis_and_quix_streams(tmp_path: Path) -> None:
    try:
        peers_folder(tmp_path, QUIX)
    except UserError as error:
        pytest.skip(f"the peers are no part of the product, and cannot be had here: {error.what}")
    found = core_bench.run(tmp_path, subjects=50, rounds=3, slice_s=0, tell=lambda _: None)
    assert {"xgboost", "Redis", "redis-py", "Quix Streams"} == set(core_bench.versions(found))
    assert [len(found.core.redis_us), len(found.core.quix_us)] == [3, 3]
    assert len(list(core_bench.rows(found))) == 5
