"""What a worker is told at its start: what cannot be right is refused before anything begins."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fraudbrain_realtime.__main__ import _parser, _settings

NEEDED = ["run", "--scenario", "cards", "--space", "cards"]


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379/0", "redis://cache", "rediss://user:pass@cache:6380/2", "redis://[::1]:6379/"]
)
def test_a_url_of_redis_is_taken_as_it_is(url: str) -> None:
    assert _settings(_parser().parse_args([*NEEDED, "--redis", url])).redis == url


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:6379", "http://cache:6379/0", "redis:", "redis://", "redis://:6379/0", "redis://:secret@/0"),
        *("redis://cache:port/0", "redis://user:secret", "redis://cache:6379/first", "redis://[::1", ""),
    ],
)
def test_what_is_no_url_of_redis_is_refused_by_the_options_name_and_not_repeated(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args([*NEEDED, "--redis", url])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "argument --redis: a URL such as redis://host:6379/0" in said
    assert "secret" not in said


def test_a_worker_that_waits_for_its_broker_says_so_in_a_line_and_ends_when_told_to() -> None:
    command = [sys.executable, "-m", "fraudbrain_realtime", *NEEDED, "--bootstrap", "127.0.0.1:9"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        said = worker.stderr.readline()
        time.sleep(1)
        os.kill(worker.pid, signal.SIGTERM)
        rest = worker.stderr.read()
        worker.wait(60)
    assert "waiting for a broker at 127.0.0.1:9, at most 60 s" in said
    assert (worker.returncode, rest) == (0, "")
