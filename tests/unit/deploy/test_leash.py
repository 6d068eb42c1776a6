import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fraudbrain_deploy import leash


def ended(pid: int) -> bool:
    """Whether the process is gone, or waits only for somebody to read its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def test_a_program_dies_with_a_starter_that_is_killed() -> None:
    starter = (
        "import subprocess, time\nfrom fraudbrain_deploy import leash\n"
        "tier = subprocess.Popen(leash.command(['sleep', '60']), start_new_session=True)\n"
        "print(tier.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        deadline = time.monotonic() + 10
        while Path(f"/proc/{pid}/comm").read_text().strip() != "sleep":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    while not ended(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_whose_starter_is_gone_already_does_not_start() -> None:
    program = leash.command(["echo", "started"])
    program[3] = str(os.getpid() + 1)
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_the_program_has_the_pid_and_the_exit_code() -> None:
    with subprocess.Popen(leash.command(["sh", "-c", "echo $$; exit 7"]), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert int(process.stdout.read()) == process.pid
    assert process.returncode == 7
