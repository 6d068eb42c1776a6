import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy.stack import processes
from fraudbrain_deploy.stack.processes import Daemon, Launch


@pytest.fixture
def pid_file(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "run" / "sleeper.pid"
    yield file
    processes.stop([file], grace_s=0.1)


def start(pid_file: Path, script: str) -> Daemon:
    folder = pid_file.parent.parent
    launch = Launch(["sh", "-c", script], folder, dict(os.environ))
    return processes.start(launch, pid_file=pid_file, log=folder / "sleeper.log")


def forge(pid_file: Path, daemon: Daemon) -> None:
    pid_file.parent.mkdir(exist_ok=True)
    pid_file.write_bytes(msgspec.json.encode(daemon))


def test_a_daemon_runs_in_its_own_session_until_it_is_stopped(pid_file: Path) -> None:
    daemon = start(pid_file, "exec sleep 30")
    assert processes.is_alive(daemon)
    assert os.getsid(daemon.pid) == daemon.pid
    processes.stop([pid_file])
    assert not processes.is_alive(daemon)
    assert not pid_file.exists()


def test_what_ignores_sigterm_is_killed_after_the_grace(pid_file: Path) -> None:
    daemon = start(pid_file, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    assert processes.wait_until(lambda: b"ready" in (pid_file.parent.parent / "sleeper.log").read_bytes(), 5)
    processes.stop([pid_file], grace_s=0.2)
    assert not processes.is_alive(daemon)


def test_children_are_stopped_although_their_parent_was_killed(pid_file: Path) -> None:
    daemon = start(pid_file, "sleep 30 & sleep 30")
    assert processes.wait_until(lambda: len(processes.members(pid_file)) == 3, 5)
    os.kill(daemon.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.is_alive(daemon), 5)
    assert len(processes.members(pid_file)) == 2
    processes.stop([pid_file])
    assert processes.members(pid_file) == {}


def test_a_process_that_got_the_pid_later_is_never_signalled(pid_file: Path) -> None:
    with subprocess.Popen(["sleep", "30"], start_new_session=True) as stranger:
        daemon = start(pid_file, "exec sleep 30")
        processes.stop([pid_file])
        earlier = (processes.start_ticks(stranger.pid) or 0) - 1
        forge(pid_file, msgspec.structs.replace(daemon, pid=stranger.pid, ticks=earlier))
        processes.stop([pid_file], grace_s=0.1)
        assert stranger.poll() is None
        assert not pid_file.exists()
        stranger.kill()


def test_a_pid_file_of_an_earlier_boot_tells_of_nobody(pid_file: Path) -> None:
    with subprocess.Popen(["sleep", "30"], start_new_session=True) as stranger:
        ticks = processes.start_ticks(stranger.pid)
        assert ticks is not None
        forge(pid_file, Daemon(stranger.pid, ticks, "another boot", 0.0))
        assert processes.members(pid_file) == {}
        stranger.kill()


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid":"x"}', b"123\n"])
def test_a_damaged_pid_file_harms_nobody(pid_file: Path, content: bytes) -> None:
    pid_file.parent.mkdir()
    pid_file.write_bytes(content)
    processes.stop([pid_file])
    assert not pid_file.exists()


def test_a_process_that_has_ended_is_not_alive_although_nobody_waited_for_it(pid_file: Path) -> None:
    daemon = start(pid_file, "exit 3")
    assert processes.wait_until(lambda: not processes.is_alive(daemon), 5)


def test_a_wait_ends() -> None:
    assert not processes.wait_until(lambda: False, 0.05, every_s=0.01)


def test_the_holder_of_a_port_is_named() -> None:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert str(os.getpid()) in (processes.port_holder(listener.getsockname()[1]) or "")


def test_a_large_log_is_put_aside_at_the_next_start(pid_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_LOG_LIMIT_BYTES", 3)
    log = pid_file.parent.parent / "sleeper.log"
    log.write_text("long ago\n")
    start(pid_file, "echo now")
    assert processes.wait_until(lambda: log.read_text() == "now\n", 5)
    assert log.with_name("sleeper.log.1").read_text() == "long ago\n"
