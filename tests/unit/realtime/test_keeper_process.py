"""The keeper as a real process that dies, hangs, and outlives nobody. Its store is a file."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fraudbrain_realtime.keeper import process as process_module
from fraudbrain_realtime.keeper.process import KeeperProcess
from fraudbrain_realtime.ports import StoreUnavailable

PROGRAM = """
import os, socket, sys, time
from pathlib import Path
from fraudbrain_realtime.keeper.serving import Serving
from fraudbrain_realtime.ports import StoreUnavailable

folder = Path(sys.argv[1])

class Files:
    def save(self, partition, rows, timestamp):
        if (folder / "away").exists():
            raise StoreUnavailable("away")
        for subject, row in rows.items():
            (folder / f"row-{partition}-{subject}").write_bytes(row)

    def load(self, partition, subjects, within_s):
        paths = {subject: folder / f"row-{partition}-{subject}" for subject in subjects}
        return {subject: path.read_bytes() for subject, path in paths.items() if path.exists()}

    def scan(self, partition):
        for path in sorted(folder.glob(f"row-{partition}-*")):
            yield {path.name.split("-")[2]: path.read_bytes()}

class Files2:
    def put(self, decisions):
        for key, value in decisions.items():
            (folder / f"answer-{key}").write_bytes(value)

(folder / "pid").write_text(str(os.getpid()))
Serving(socket.socket(fileno=0), Files(), Files2()).run()
(folder / "ended").touch()
"""


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[KeeperProcess]:
    made = KeeperProcess([sys.executable, "-c", PROGRAM, str(tmp_path)])
    yield made
    made.close()


class Heard:
    """What callbacks said."""

    def __init__(self) -> None:
        self.endings: list[bool] = []
        self.rows: dict[str, bytes] = {}

    def done(self, is_done: bool) -> None:
        self.endings.append(is_done)

    def found(self, rows: Mapping[str, bytes]) -> None:
        self.rows.update(rows)


def poll_until(keeper: KeeperProcess, holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        keeper.poll(0.01)


def pid(folder: Path, keeper: KeeperProcess) -> int:
    poll_until(keeper, lambda: (folder / "pid").exists() and (folder / "pid").read_text())
    return int((folder / "pid").read_text())


def test_rows_are_saved_in_pieces_and_found_by_a_scan(keeper: KeeperProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "ROWS_AT_ONCE", 3)
    rows = {f"c{number}": b"%d" % number for number in range(10)}
    heard = Heard()
    assert keeper.save(0, rows, 5, heard.done)
    assert keeper.save(1, {"other": b"x"}, 5, heard.done)
    poll_until(keeper, lambda: heard.endings == [True, True])
    assert keeper.scan(0, heard.found, heard.done)
    poll_until(keeper, lambda: len(heard.endings) == 3)
    assert (heard.endings[2], heard.rows) == (True, rows)
    some = Heard()
    assert keeper.load(0, ["c3", "nobody"], some.found, some.done)
    poll_until(keeper, lambda: some.endings)
    assert (some.endings, some.rows) == ([True], {"c3": b"3"})


def test_a_store_that_is_away_is_said(keeper: KeeperProcess, tmp_path: Path) -> None:
    (tmp_path / "away").touch()
    heard = Heard()
    keeper.save(0, {"c": b"row"}, 5, heard.done)
    poll_until(keeper, lambda: heard.endings)
    assert heard.endings == [False]


def test_a_dead_keeper_answers_no_and_another_one_works(keeper: KeeperProcess, tmp_path: Path) -> None:
    os.kill(pid(tmp_path, keeper), signal.SIGKILL)
    heard = Heard()
    keeper.save(0, {"c": b"row"}, 5, heard.done)
    keeper.scan(0, heard.found, heard.done)
    poll_until(keeper, lambda: len(heard.endings) == 2)
    assert (heard.endings, keeper.restarts) == ([False, False], 1)
    keeper.save(0, {"c": b"row"}, 5, heard.done)
    poll_until(keeper, lambda: len(heard.endings) == 3)
    assert heard.endings[2] is True


def test_whoever_waits_for_it_finds_it_at_work_or_hears_that_it_did_not_start(keeper: KeeperProcess) -> None:
    keeper.wait_ready(30)
    heard = Heard()
    keeper.scan(0, heard.found, heard.done)
    poll_until(keeper, lambda: heard.endings)
    assert heard.endings == [True]
    never = KeeperProcess([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with pytest.raises(StoreUnavailable, match="did not start"):
            never.wait_ready(0.2)
    finally:
        never.close()


def test_a_stuck_keeper_is_replaced(keeper: KeeperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "PATIENCE_S", 0.2)
    stopped, heard = pid(tmp_path, keeper), Heard()
    keeper.save(0, {"c": b"row"}, 5, heard.done)
    poll_until(keeper, lambda: heard.endings)
    os.kill(stopped, signal.SIGSTOP)
    keeper.save(0, {"c": b"row"}, 5, heard.done)
    poll_until(keeper, lambda: len(heard.endings) == 2)
    assert (heard.endings, keeper.restarts) == ([True, False], 1)


def test_without_room_nothing_is_taken_and_nothing_waits(
    keeper: KeeperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "ROOM_BYTES", 100_000)
    stopped = pid(tmp_path, keeper)
    os.kill(stopped, signal.SIGSTOP)
    heard = Heard()
    taken = [keeper.save(0, {"c": bytes(50_000)}, at, heard.done) for at in range(100)]
    assert not all(taken)
    assert heard.endings == []
    os.kill(stopped, signal.SIGCONT)
    poll_until(keeper, lambda: len(heard.endings) == sum(taken))
    assert all(heard.endings)


def test_answers_are_put_where_they_are_looked_for(keeper: KeeperProcess, tmp_path: Path) -> None:
    keeper.answer({"e1": b"decline"})
    poll_until(keeper, (tmp_path / "answer-e1").exists)


def test_it_ends_with_its_worker(tmp_path: Path) -> None:
    worker = (
        "import os, sys, time\n"
        "from fraudbrain_realtime.keeper.process import KeeperProcess\n"
        "KeeperProcess([sys.executable, '-c', sys.argv[1], sys.argv[2]])\n"
        "while not os.path.exists(sys.argv[2] + '/pid'): time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert (
        os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", worker, PROGRAM, str(tmp_path)]) == -signal.SIGKILL
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "ended").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
