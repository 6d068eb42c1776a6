"""Processes keep to the cores they are told to, with what they start, and afterwards to none."""

import os
import subprocess
import sys

from tests.faults.cores import kept_apart

PARENT = "import subprocess, sys; subprocess.Popen(['sleep', '60']); print(flush=True); sys.stdin.read()"


def test_processes_are_kept_apart_for_as_long_as_wanted() -> None:
    before = os.sched_getaffinity(0)
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.readline()
        with kept_apart([started.pid]) as apart:
            assert apart.is_pinned == (len(before) > 1)
            apart.check([started.pid], apart.first)
            with subprocess.Popen(["sleep", "60"]) as later:
                apart.check([later.pid], apart.second)
                apart.put_first([later.pid])
                apart.check([later.pid], apart.first)
                later.kill()
            apart.check([started.pid], apart.first)
        for pid in (0, started.pid):
            assert os.sched_getaffinity(pid) == before
        started.stdin.close() if started.stdin else None
