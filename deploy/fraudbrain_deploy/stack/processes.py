"""Daemons of the stack: started in sessions of their own, found again by pid and start time, stopped whole.

A pid alone may long belong to somebody else. So a pid file also holds when its process started, in clock ticks since
a named boot, and nothing is signalled that does not match. Reads /proc: Linux only.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

GRACE_S = 6.0
"""Longest wait between asking a process to end and ending it: what lasts longer is a race in ZooKeeper's shutdown."""

_KILL_WAIT_S = 5.0
_MARK = "FRAUDBRAIN_STACK_PART"
_LOG_LIMIT_BYTES = 20 << 20

_children: dict[int, subprocess.Popen[bytes]] = {}  # started by this process, which must reap them when they end


class Daemon(msgspec.Struct, frozen=True):
    """A pid file's content. `ticks` and `boot` tell processes apart; `started`, seconds since 1970, is for people."""

    pid: int
    ticks: int
    boot: str
    started: float


@dataclass(frozen=True, slots=True)
class Launch:
    """How a daemon is started: its command, the folder it runs in, and its whole environment."""

    command: list[str]
    folder: Path
    environment: Mapping[str, str]


def start(launch: Launch, *, pid_file: Path, log: Path) -> Daemon:
    """Start a daemon in a session of its own, so that a Ctrl-C at the caller does not reach it."""
    for folder in (pid_file.parent, log.parent, launch.folder):
        folder.mkdir(parents=True, exist_ok=True)
    _rotate(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            launch.command,
            cwd=launch.folder,
            env={**launch.environment, _MARK: str(pid_file)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[process.pid] = process
    daemon = Daemon(process.pid, start_ticks(process.pid) or 0, _boot(), time.time())
    pid_file.write_bytes(msgspec.json.encode(daemon))
    return daemon


def recorded(pid_file: Path) -> Daemon | None:
    """The daemon a pid file tells of, alive or not; a file that cannot be read tells of none."""
    try:
        return msgspec.json.decode(pid_file.read_bytes(), type=Daemon)
    except (OSError, msgspec.DecodeError):
        return None


def is_alive(daemon: Daemon) -> bool:
    """Whether the very process that was started still runs."""
    return daemon.boot == _boot() and start_ticks(daemon.pid) == daemon.ticks


def members(pid_file: Path) -> dict[int, int]:
    """The living processes of a daemon's session by pid, with their start ticks: itself, and what it left behind."""
    daemon = recorded(pid_file)
    if daemon is None or daemon.boot != _boot():
        return {}
    found = {daemon.pid: daemon.ticks} if is_alive(daemon) else {}
    for pid in _session(daemon.pid):
        ticks = start_ticks(pid)
        if pid not in found and ticks is not None and _is_marked(pid, pid_file):
            found[pid] = ticks
    return found


def stop(pid_files: Iterable[Path], grace_s: float = GRACE_S) -> None:
    """End the daemons together, by SIGTERM and after the grace by SIGKILL, and remove their pid files."""
    files = list(pid_files)
    _signal(files, signal.SIGTERM)
    if not _gone_within(files, grace_s):
        _signal(files, signal.SIGKILL)
        _gone_within(files, _KILL_WAIT_S)
    for file in files:
        if not members(file):
            file.unlink(missing_ok=True)


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is no such process or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, ticks = fields[0], int(fields[19])  # fields 3 and 22 of proc(5)
    if state in "ZX":
        _reap(pid)
        return None
    return ticks


def memory_bytes(pids: Iterable[int]) -> int:
    """Resident memory of the processes together, in bytes."""
    import psutil

    total = 0
    for pid in pids:
        try:
            total += psutil.Process(pid).memory_info().rss
        except psutil.Error:
            continue
    return total


def port_holder(port: int) -> str | None:
    """Who listens on a port, as far as this user may know: "name (pid N)"."""
    import psutil

    try:
        listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.pid]
        pid = next((c.pid for c in listening if c.laddr and c.laddr[1] == port), None)
        return f"{psutil.Process(pid).name()} (pid {pid})" if pid else None
    except psutil.Error:
        return None


def wait_until(met: Callable[[], bool], timeout_s: float, every_s: float = 0.05) -> bool:
    """Ask until it is so or the time is over; whether it is so."""
    end = time.monotonic() + timeout_s
    while not met():
        if time.monotonic() >= end:
            return False
        time.sleep(every_s)
    return True


def _reap(pid: int) -> None:
    if child := _children.get(pid):
        child.poll()


def _gone_within(pid_files: list[Path], timeout_s: float) -> bool:
    return wait_until(lambda: not any(map(members, pid_files)), timeout_s)


def _signal(pid_files: list[Path], number: signal.Signals) -> None:
    for file in pid_files:
        for pid, ticks in members(file).items():
            if start_ticks(pid) == ticks:
                _kill(pid, number)


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it may end by itself in between
        os.kill(pid, number)


def _session(leader: int) -> list[int]:
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _session_of(pid) == leader]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _is_marked(pid: int, pid_file: Path) -> bool:
    try:
        return f"{_MARK}={pid_file}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))
