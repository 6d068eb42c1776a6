"""Bringing the stack up and down, and saying how it is."""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import msgspec

from fraudbrain_deploy.stack import jars, processes
from fraudbrain_deploy.stack.errors import StackError
from fraudbrain_deploy.stack.parts import ALL, Part, chosen_parts
from fraudbrain_deploy.stack.settings import StackSettings, load_settings, port_is_free, save_settings

UP_TIMEOUT_S = 180.0
_PROBE_TIMEOUT_S = 3.0
_CLOSING_TIMEOUT_S = 5.0
_LOCK_TIMEOUT_S = 30.0
_LOG_LINES = 15


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A step of `up` or `down`. `part` is "jars" while they are fetched; bytes are 0 for the parts themselves."""

    part: str
    state: str
    seconds: float = 0.0
    done_bytes: int = 0
    total_bytes: int = 0


OnProgress = Callable[[Progress], None]


class PartStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a part is now. Memory is resident and in bytes, over all its processes; `reason` says why it is not ready."""

    part: str
    state: str
    ready: bool
    port: int
    pid: int | None = None
    memory_bytes: int = 0
    uptime_s: float = 0.0
    reason: str | None = None


def up(
    settings: StackSettings,
    parts: Sequence[str] = ALL,
    on_progress: OnProgress = lambda _: None,
    timeout_s: float = UP_TIMEOUT_S,
) -> None:
    """Start what does not run and wait until all is ready; what runs stays.

    `timeout_s` counts from when the jars are there. On failure or interruption what this call started is stopped.
    """
    wanted = chosen_parts(tuple(parts))
    with _alone(settings):
        stopped = [part for part in wanted if not _runs(settings, part)]
        _refuse_moved_ports(settings)
        processes.stop([part.pid_file(settings) for part in stopped])  # children that outlived a killed parent
        _refuse_held_ports(settings, stopped)
        _fetch_jars(stopped, on_progress)
        save_settings(settings)
        _Start(settings, on_progress, time.monotonic() + timeout_s).run(wanted, stopped)


def down(settings: StackSettings, parts: Sequence[str] = ALL, on_progress: OnProgress = lambda _: None) -> None:
    """Stop the parts and whatever they started; harmless when nothing runs. StackError if something survives."""
    if not settings.folder.exists():
        return
    with _alone(settings):
        _stop(settings, chosen_parts(tuple(parts)), on_progress)


def status(settings: StackSettings, parts: Sequence[str] = ALL) -> list[PartStatus]:
    """How each part is, asked side by side."""
    wanted = chosen_parts(tuple(parts))
    with ThreadPoolExecutor(len(wanted) or 1) as pool:
        return list(pool.map(lambda part: _part_status(settings, part), wanted))


def spark_jars() -> list[Path]:
    """The jars that give Spark its Kafka source and sink; fetched if missing."""
    jars.fetch(jars.locked_jars("spark_kafka"))
    return jars.class_path("spark_kafka")


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines of a log that may be long; none if there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 512 * count))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


class _Start:
    """One `up`: every part in a thread of its own; the first failure ends the others."""

    def __init__(self, settings: StackSettings, on_progress: OnProgress, deadline: float) -> None:
        self._settings = settings
        self._on_progress = on_progress
        self._begun = time.monotonic()
        self._deadline = deadline
        self._cancelled = threading.Event()
        self._reporting = threading.Lock()

    def run(self, wanted: list[Part], stopped: list[Part]) -> None:
        pool = ThreadPoolExecutor(len(wanted) or 1, thread_name_prefix="up")
        try:
            pending = {pool.submit(self._bring_up, part, part in stopped) for part in wanted}
            while pending:
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
        except BaseException:  # also Ctrl-C: nothing that was started here may stay
            self._cancelled.set()
            pool.shutdown()
            _stop(self._settings, stopped, self._on_progress)
            raise
        pool.shutdown()

    def _bring_up(self, part: Part, is_stopped: bool) -> None:
        if is_stopped:
            self._report(part, "starting")
            launch = part.launch(self._settings)
            if self._cancelled.is_set():
                return
            processes.start(launch, pid_file=part.pid_file(self._settings), log=part.log(self._settings))
        self._await_ready(part)
        self._report(part, "ready")

    def _await_ready(self, part: Part) -> None:
        while not self._cancelled.is_set():
            reason = part.unready(self._settings, _PROBE_TIMEOUT_S)
            if reason is None:
                return
            if not _runs(self._settings, part):
                raise _failure(self._settings, part, "ended")
            if time.monotonic() > self._deadline:
                raise _failure(self._settings, part, f"was not ready in time ({reason})")
            self._cancelled.wait(0.1)

    def _report(self, part: Part, state: str) -> None:
        with self._reporting:  # the caller hears of one step at a time
            self._on_progress(Progress(part=part.name, state=state, seconds=time.monotonic() - self._begun))


def _failure(settings: StackSettings, part: Part, what: str) -> StackError:
    log = part.log(settings)
    lines = "\n".join(f"  {line[:300]}" for line in last_lines(log, _LOG_LINES))
    return StackError(
        f"{part.name} {what}. What this call started is stopped again. The end of {log}:\n{lines}\n"
        "Run `fraudbrain doctor` to check the machine; `fraudbrain stack up` tries again."
    )


def _stop(settings: StackSettings, parts: list[Part], on_progress: OnProgress) -> None:
    begun = time.monotonic()
    running = [part for part in parts if processes.members(part.pid_file(settings))]
    for part in running:
        on_progress(Progress(part=part.name, state="stopping"))
    processes.stop([part.pid_file(settings) for part in parts])
    if left := [part.name for part in running if processes.members(part.pid_file(settings))]:
        raise StackError(f"{', '.join(left)} could not be ended. Do the processes belong to another user?")
    for part in running:
        on_progress(Progress(part=part.name, state="stopped", seconds=time.monotonic() - begun))


def _part_status(settings: StackSettings, part: Part) -> PartStatus:
    daemon = processes.recorded(part.pid_file(settings))
    port = part.port(settings)
    if daemon is None or not processes.is_alive(daemon):
        return PartStatus(part=part.name, state="stopped", ready=False, port=port, reason="not running")
    reason = part.unready(settings, _PROBE_TIMEOUT_S)
    return PartStatus(
        part=part.name,
        state="running",
        ready=reason is None,
        port=port,
        pid=daemon.pid,
        memory_bytes=processes.memory_bytes(processes.members(part.pid_file(settings))),
        uptime_s=time.time() - daemon.started,
        reason=reason,
    )


def _runs(settings: StackSettings, part: Part) -> bool:
    daemon = processes.recorded(part.pid_file(settings))
    return daemon is not None and processes.is_alive(daemon)


def _fetch_jars(parts: list[Part], on_progress: OnProgress) -> None:
    begun = time.monotonic()

    def report(done: int, total: int) -> None:
        seconds = time.monotonic() - begun
        on_progress(Progress(part="jars", state="fetching", seconds=seconds, done_bytes=done, total_bytes=total))

    if names := sorted({part.class_path for part in parts if part.class_path}):
        jars.fetch(jars.locked_jars(*names), report)


def _refuse_moved_ports(settings: StackSettings) -> None:
    """A part that runs on one port is not found by clients that were told another."""
    running = [part.name for part in chosen_parts(ALL) if _runs(settings, part)]
    if running and load_settings(settings.data).ports != settings.ports:
        raise StackError(f"{', '.join(running)} run on other ports. Run `fraudbrain stack down` first.")


def _refuse_held_ports(settings: StackSettings, parts: list[Part]) -> None:
    """A port without a holder is one that a process killed a moment ago still closes: it is waited for."""

    def closing() -> bool:
        return any(processes.port_holder(port) is None for port in _held(settings, parts).values())

    processes.wait_until(lambda: not closing(), _CLOSING_TIMEOUT_S)
    if problems := held_ports(settings, parts):
        raise StackError(
            "\n".join(problems)
            + "\nEnd what holds them, or choose other ports: `fraudbrain stack up --port-base 20000`."
        )


def held_ports(settings: StackSettings, parts: list[Part] | None = None) -> list[str]:
    """Which ports of stopped parts (all by default) somebody else holds, a sentence each."""
    stopped = [part for part in chosen_parts(ALL) if not _runs(settings, part)] if parts is None else parts
    return [
        f"Port {port} ({name}) is held by {processes.port_holder(port) or 'a process of another user'}."
        for name, port in _held(settings, stopped).items()
    ]


def _held(settings: StackSettings, parts: list[Part]) -> dict[str, int]:
    ports = {name: int(getattr(settings.ports, name)) for part in parts for name in part.ports}
    return {name: port for name, port in ports.items() if not port_is_free(port)}


@contextmanager
def _alone(settings: StackSettings) -> Iterator[None]:
    """Keep a second `up` or `down` of the same folder out meanwhile."""
    try:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (settings.folder / "lock").open("w")
    except OSError as error:
        raise StackError(f"{settings.folder} cannot be written: {error}. Name another folder with --data.") from error
    with lock as file:
        if not processes.wait_until(lambda: _locked(file.fileno()), _LOCK_TIMEOUT_S):
            raise StackError(f"Another `stack up` or `stack down` is at work in {settings.folder}. Wait, or end it.")
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
