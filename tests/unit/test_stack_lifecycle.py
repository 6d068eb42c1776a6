import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudbrain_deploy.stack import (
    PartStatus,
    Progress,
    StackError,
    StackSettings,
    down,
    free_port_block,
    processes,
    status,
    up,
)
from fraudbrain_deploy.stack.lifecycle import last_lines
from fraudbrain_deploy.stack.parts import PARTS, Part, chosen_parts
from fraudbrain_deploy.stack.processes import Launch


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[StackSettings]:
    settings = StackSettings(data=tmp_path, ports=free_port_block())
    yield settings
    down(settings)


def stand_in(monkeypatch: pytest.MonkeyPatch, script: str, *, ready: bool = True, name: str = "redis") -> None:
    """Put a shell script in the place of a part."""

    def launch(settings: StackSettings) -> Launch:
        return Launch(["sh", "-c", script], settings.folder, dict(os.environ))

    def unready(_settings: StackSettings, _timeout_s: float) -> str | None:
        return None if ready else "still thinking"

    monkeypatch.setitem(PARTS, name, Part(name, (name,), launch, unready))


def redis_of(settings: StackSettings) -> PartStatus:
    return status(settings, ["redis"])[0]


def test_hbase_and_its_gateway_go_together_and_parts_start_in_order() -> None:
    assert [part.name for part in chosen_parts(("redis", "thrift", "kafka"))] == ["kafka", "hbase", "thrift", "redis"]


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StackError, match=r"kafak.*kafka, hbase, thrift, redis, mlflow"):
        chosen_parts(("kafak",))


def test_up_twice_leaves_what_runs(settings: StackSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "exec sleep 30")
    steps: list[Progress] = []
    up(settings, ["redis"], steps.append)
    first = redis_of(settings)
    up(settings, ["redis"])
    assert first.ready and first.pid == redis_of(settings).pid
    assert [step.state for step in steps] == ["starting", "ready"]


def test_a_part_that_dies_is_shown_with_the_end_of_its_log(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "echo out of luck; exit 3", ready=False)
    with pytest.raises(StackError, match=r"(?s)redis ended.*redis\.log.*out of luck.*fraudbrain doctor"):
        up(settings, ["redis"])


def test_a_part_that_is_not_ready_in_time_is_stopped_with_the_others_of_this_call(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "exec sleep 30", ready=False)
    stand_in(monkeypatch, "exec sleep 30", name="mlflow")
    with pytest.raises(StackError, match=r"not ready in time \(still thinking\)"):
        up(settings, ["redis", "mlflow"], timeout_s=0.2)
    assert {part.state for part in status(settings)} == {"stopped"}


def test_a_failed_up_leaves_what_ran_before(settings: StackSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "exec sleep 30", name="mlflow")
    up(settings, ["mlflow"])
    stand_in(monkeypatch, "exit 3", ready=False)
    with pytest.raises(StackError, match="redis ended"):
        up(settings, ["redis", "mlflow"])
    assert [part.state for part in status(settings, ["redis", "mlflow"])] == ["stopped", "running"]


def test_an_interrupted_up_stops_what_it_started(settings: StackSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "exec sleep 30")

    def interrupt(progress: Progress) -> None:
        if progress.state == "ready":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        up(settings, ["redis"], interrupt)
    assert redis_of(settings).state == "stopped"


def test_a_held_port_is_named_with_its_holder_before_anything_starts(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "exec sleep 30")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", settings.ports.redis))
        holder.listen()
        with pytest.raises(StackError, match=rf"{settings.ports.redis} \(redis\).*pid {os.getpid()}.*\n.*--port-base"):
            up(settings, ["redis"])
    assert redis_of(settings).state == "stopped"


def test_a_running_stack_does_not_move_to_other_ports(settings: StackSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "exec sleep 30")
    up(settings, ["redis"])
    with pytest.raises(StackError, match=r"redis.* other ports.*stack down"):
        up(StackSettings(data=settings.data, ports=free_port_block()), ["redis"])


def test_down_is_harmless_when_nothing_runs_and_makes_no_folder(tmp_path: Path) -> None:
    down(StackSettings(data=tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_a_second_up_of_the_same_folder_waits_its_turn(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fraudbrain_deploy.stack import lifecycle

    monkeypatch.setattr(lifecycle, "_LOCK_TIMEOUT_S", 0.1)
    stand_in(monkeypatch, "exec sleep 30")
    with lifecycle._alone(settings), pytest.raises(StackError, match="Another"):
        up(settings, ["redis"])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match=r"file/stack cannot be written.*--data"):
        up(StackSettings(data=tmp_path / "file"), ["redis"])


def test_the_end_of_a_log_is_found_whatever_its_length(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    assert last_lines(log, 2) == []
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    assert last_lines(log, 2) == ["line 9998", "line 9999"]


def test_processes_of_the_stack_are_told_apart_from_those_of_another_folder(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(monkeypatch, "exec sleep 30")
    up(settings, ["redis"])
    down(StackSettings(data=tmp_path / "other", ports=settings.ports))
    assert redis_of(settings).state == "running"
    assert processes.members(tmp_path / "other" / "stack" / "run" / "redis.pid") == {}
