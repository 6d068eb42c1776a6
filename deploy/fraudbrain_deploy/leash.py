"""Runs a program that ends when its starter ends, however that ends: `… fraudbrain_deploy.leash PID NICENESS COMMAND`.

The kernel sends it SIGKILL when the thread that started it is gone (PR_SET_PDEATHSIG, Linux), also after
a kill -9 of the starter. Set here, in the child, and not by a function between fork and exec, which a
process with threads must not run. The program takes this process's place: same pid, no second one.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def command(program: list[str], *, niceness: int = 0) -> list[str]:
    """The command line that runs `program` bound to the calling process, so nice to others (0 to 19)."""
    return [sys.executable, "-m", "fraudbrain_deploy.leash", str(os.getpid()), str(niceness), *program]


def main() -> None:
    """Bind this process to its starter and become the program."""
    starter, niceness, *program = sys.argv[1:]
    os.nice(int(niceness))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != int(starter):  # it ended before the line above
        sys.exit("the process that started this one is gone")
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
